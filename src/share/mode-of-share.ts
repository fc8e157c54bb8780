import type { Endpoint } from '../endpoint/endpoint.ts';
import { howNinepIsKnown, type Mode, ninepMode, parseMode, securityModelOf } from '../model/mode.ts';
import { appleModeHow, isAppleMachine } from './apple.ts';
import { allCommandLines } from './daemon.ts';
import { kindOfDaemon, programOfWords } from './daemon-kind.ts';
import { directoryOfWords, modeOfWords } from './daemon-words.ts';
import { mountOf, mountsOfGuest, optionOf } from './guest-mounts.ts';
import { withoutLaunchers } from './launchers.ts';
import type { TogglePlace } from './toggle/toggle.ts';

/** A share's mode, with how it is known and what showed it. */
export interface KnownMode {
  readonly mode: Mode | undefined;
  readonly how: string;
  /** The daemon's words, the mount's options: in words. */
  readonly evidence: readonly string[];
}

/**
 * The mode of a share by what can be seen from outside, nothing being asked of the share: the mount's options in
 * the guest, and on this machine the command line of the one daemon that serves the directory. What the user
 * declared comes first.
 */
export async function modeOfShare(place: Pick<TogglePlace, 'share' | 'guest' | 'host'>): Promise<KnownMode> {
  const { share } = place;
  const mount = mountOf(share.guestDir, await mountsOfGuest(await place.guest()));
  const seen =
    mount === undefined
      ? []
      : [
          `mounted in the guest: ${mount.type} ${mount.source} on ${mount.point} (${mount.options.join(',')})`,
        ];
  if (mount?.type === '9p') {
    const model = share.mode === undefined ? undefined : securityModelOf(share.mode);
    const mode = ninepMode(optionOf(mount, 'cache'), model);
    return { mode, how: howNinepIsKnown(mode), evidence: seen };
  }
  const daemons = place.host.kind === 'local' ? daemonsOf(share) : [];
  const evidence = [...seen, ...daemons.map((argv) => `a daemon on the host: ${argv.join(' ')}`)];
  if (share.mode !== undefined) return { mode: share.mode, how: share.modeHow, evidence };
  const dax = mount === undefined ? undefined : optionOf(mount, 'dax');
  const [argv] = daemons.length === 1 ? daemons : [];
  const mode = argv === undefined ? undefined : modeOfWords(argv, await serverOf(place.host, argv));
  if (mode !== undefined)
    return {
      mode: dax === undefined ? mode : parseMode(`${mode.name}+dax=${dax}`),
      how: "the daemon's command line",
      evidence,
    };
  if (daemons.length > 1)
    return {
      mode: undefined,
      how: `not known: ${daemons.length} daemons serve this directory`,
      evidence,
    };
  const isApples = mount?.type === 'virtiofs' && (await isAppleMachine(await place.guest()));
  const how = isApples ? appleModeHow : 'not known: no daemon that serves this directory is seen';
  return { mode: undefined, how, evidence };
}

/** libvirt writes the C daemon's words for both: which of them it is, its program is asked. */
async function serverOf(host: Endpoint, argv: readonly string[]): Promise<'rust' | 'c' | undefined> {
  if (argv.some((word) => /^--shared-dir(=|$)/.test(word))) return 'rust';
  return (await kindOfDaemon(host, programOfWords(argv)))?.server;
}

/** The command lines of the daemons that serve a directory; a daemon may be two processes. */
function daemonsOf({ hostDir, daemonPid }: TogglePlace['share']): readonly (readonly string[])[] {
  const serving = allCommandLines()
    .filter(({ pid }) => daemonPid === undefined || pid === daemonPid)
    .filter(({ argv }) => directoryOfWords(argv) === hostDir);
  return [...new Map(withoutLaunchers(serving).map(({ argv }) => [argv.join('\0'), argv])).values()];
}

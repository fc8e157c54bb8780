import { KnownError } from '../../model/error.ts';
import {
  isOfMount,
  type Mode,
  ninepMode,
  parseMode,
  securityModelFlag,
  securityModelOf,
} from '../../model/mode.ts';
import { type GuestMount, mountOf, mountsOfGuest, optionOf, withOption } from '../guest-mounts.ts';
import { type MountWish, mountStep, requireUnused, toggledMount, unmountStep } from './guest-steps.ts';
import type { ToggleForm } from './toggle.ts';

/**
 * What the guest decides alone: `dax=` of virtiofs and `cache=` of 9p. Neither can be changed on a mount that is
 * there (`mount -o remount` ignores them), so it is taken away and made again.
 */
export const remountToggle: ToggleForm = {
  name: 'remount',
  usage: ['remount', "options of the guest's mount alone: dax=, and cache= of 9p"],
  async look(place) {
    const mount = await toggledMount(place);
    const mode = modeOf(mount, place.share.mode);
    const how = mount.type === '9p' ? "the guest's mount options" : place.share.modeHow;
    return { mode: mode?.name, how, own: wishOf(mount) };
  },
  async steps(place, mode, original) {
    const mount = await toggledMount(place);
    const options = optionsIn(mount, mode, original.mode);
    await requireUnused(place, mount.point);
    return { steps: [unmountStep(place, mount), mountStep(place, { ...wishOf(mount), options })] };
  },
  async stepsBack(place, original) {
    const was = original.own as MountWish;
    const mounted = mountOf(was.point, await mountsOfGuest(await place.guest()));
    const there = mounted?.point === was.point && mounted.source === was.source ? mounted : undefined;
    if (there !== undefined && String(there.options) === String(was.options)) return { steps: [] };
    return {
      steps: [...(there === undefined ? [] : [unmountStep(place, there)]), mountStep(place, was)],
    };
  },
};

function wishOf({ point, type, source, options }: GuestMount): MountWish {
  return { point, type, source, options };
}

/** The mode of a mount, as far as its options tell. */
function modeOf(mount: GuestMount, declared: Mode | undefined): Mode | undefined {
  if (mount.type === '9p')
    return ninepMode(
      optionOf(mount, 'cache'),
      declared === undefined ? undefined : securityModelOf(declared),
    );
  const dax = optionOf(mount, 'dax');
  if (declared === undefined || dax === undefined || declared.dax !== undefined) return declared;
  return parseMode(`${declared.name}+dax=${dax}`);
}

/** @throws KnownError `needs-daemon` for a mode that more than the mount decides. */
function optionsIn(mount: GuestMount, mode: Mode, original: string | undefined): readonly string[] {
  const was = original === undefined ? undefined : parseMode(original);
  const model = securityModelOf(mode);
  if (mount.type === '9p' && mode.server === '9p' && model === (was && securityModelOf(was))) {
    return [...withOption(mount.options, 'cache', mode.cache), ...mode.flags.filter(isOfMount)];
  }
  const sameDaemon =
    was !== undefined &&
    was.server === mode.server &&
    was.cache === mode.cache &&
    String(was.flags) === String(mode.flags);
  if (mount.type === 'virtiofs' && sameDaemon) return withOption(mount.options, 'dax', mode.dax);
  const known = original === undefined ? 'a mode that is not known (say it with --mode)' : original;
  throw new KnownError(
    'needs-daemon',
    `a mount cannot change ${known} to ${mode.name}: more than dax= ${mount.type === '9p' ? 'and the cache of 9p ' : ''}differs`,
    mount.type === '9p'
      ? `Choose 9p:none, 9p:readahead, 9p:mmap, 9p:loose or 9p:fscache${kept(was)}.`
      : 'Use --via qmp:SOCKET, --via libvirt or --via hook:COMMAND, which change the daemon.',
  );
}

/** What every mode of this mount has: QEMU was started with it. */
function kept(was: Mode | undefined): string {
  const model = was && securityModelOf(was);
  return model === undefined ? '' : `, each with +${securityModelFlag(model)}`;
}

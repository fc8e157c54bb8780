import type { Endpoint } from '../../endpoint/endpoint.ts';
import { KnownError } from '../../model/error.ts';
import { shellWord } from '../../model/shell-word.ts';
import { type GuestMount, mountOf, mountsOfGuest } from '../guest-mounts.ts';
import { holdersInWords, holdersOf } from './open-files.ts';
import type { TogglePlace, ToggleStep } from './toggle.ts';

/** What it takes to mount a share again as it was. Plain JSON. */
export type MountWish = Pick<GuestMount, 'point' | 'type' | 'source' | 'options'>;

/** How long the guest may take for one mount or umount: a busy machine's, not a share's. */
const limitMs = 30_000;

/**
 * The mount that a share's directory is in, if it can be taken away and put back: of its device, whole, once.
 * @throws KnownError `not-a-share`, `bind-mount`, `mounted-twice`, `guest-not-root`.
 */
export async function toggledMount({ guest, share }: TogglePlace): Promise<GuestMount> {
  const endpoint = await guest();
  const mounts = await mountsOfGuest(endpoint);
  const found = mountOf(share.guestDir, mounts);
  if (found === undefined || (found.type !== 'virtiofs' && found.type !== '9p'))
    throw new KnownError(
      'not-a-share',
      `${share.guestDir} is on ${found?.type ?? 'nothing'} in the guest, not on virtiofs or 9p`,
      'Mount the share there, or name the directory where it is mounted (--map GUESTDIR=HOSTDIR).',
    );
  if (found.root !== '/')
    throw new KnownError(
      'bind-mount',
      `${found.point} is a bind mount of a part of the share`,
      'Name the directory where the whole share is mounted.',
    );
  const others = mounts.filter(({ device, point }) => device === found.device && point !== found.point);
  if (others.length > 0)
    throw new KnownError(
      'mounted-twice',
      `the share is mounted at ${[found, ...others].map(({ point }) => point).join(' and ')}`,
      `A mode belongs to all of them. Unmount the others first: umount ${others.map(({ point }) => shellWord(point)).join(' ')}`,
    );
  const below = mounts.filter(({ point }) => point.startsWith(`${found.point}/`));
  if (below.length > 0)
    throw new KnownError(
      'mounts-below',
      `other file systems are mounted below ${found.point}: ${below.map(({ point }) => point).join(', ')}`,
      'Unmount those first.',
    );
  const { stdout } = await endpoint.exec(['id', '-u']);
  if (stdout.trim() !== '0')
    throw new KnownError(
      'guest-not-root',
      'the guest is reached as a user who may not mount',
      'Name a login of root: --guest ssh://root@HOST.',
    );
  return found;
}

/**
 * Sees that nobody in the guest has files of the mount open, unless that is to be overruled.
 * @throws KnownError `share-busy` with who holds what.
 */
export async function requireUnused({ guest, force }: TogglePlace, point: string): Promise<void> {
  if (force) return;
  const holders = await holdersOf(await guest(), point);
  if (holders.length > 0) throw busy(point, holdersInWords(holders));
}

function busy(point: string, who: string): KnownError {
  return new KnownError(
    'share-busy',
    `files on ${point} are open in the guest`,
    'End those processes, or use --force: whatever they then do with these files fails (ENOTCONN).',
    who === '' ? {} : { detail: who },
  );
}

/**
 * Whether all processes of the guest are in one mount namespace: then none has to be looked for while the share is
 * away.
 */
export async function namespacesOf({ guest }: TogglePlace): Promise<'one' | 'several'> {
  const { stdout } = await (await guest()).exec(['sh', '-c', 'ls -l /proc/[0-9]*/ns/mnt 2>/dev/null']);
  return new Set(stdout.match(/mnt:\[\d+\]/g)).size === 1 ? 'one' : 'several';
}

/**
 * Another namespace, a container's, may hold the same superblock (its device number is $4): the device would then
 * be taken from under it, and a new mount would be the old one with its old options.
 */
const unmountScript = `
mounted() { while read -r _ _ _ _ at _; do [ "$at" = "$1" ] && return 0; done < /proc/self/mountinfo; return 1; }
mounted "$2" || exit 0
[ "$3" = lazy ] && exec umount -l "$1"
umount "$1" || exit 1
[ "$5" = one ] && exit 0
holders=$(grep -l "^[0-9]* [0-9]* $4 " /proc/[0-9]*/mountinfo 2>/dev/null)
[ -z "$holders" ] && exit 0
echo "$holders"
exit 3`;

/**
 * Takes the mount away; one that is not there is fine.
 * @param namespaces of the guest, as they were seen before.
 */
export function unmountStep(
  place: TogglePlace,
  { point, device }: Pick<GuestMount, 'point' | 'device'>,
  namespaces: 'one' | 'several' = 'several',
): ToggleStep {
  const how = place.force ? 'lazy' : 'plain';
  const command = `umount ${place.force ? '-l ' : ''}${shellWord(point)}`;
  return {
    title: `unmount ${point} in the guest`,
    byHand: [{ on: 'guest', command }],
    away: true,
    async run() {
      const guest = await place.guest();
      const argv = ['sh', '-c', unmountScript, 'sh', point, escaped(point), how, device, namespaces];
      const { status, stdout, stderr } = await guest.exec(argv, { timeoutMs: limitMs });
      if (status === 0) return;
      if (status === 3) throw heldElsewhere(point, stdout);
      if (/busy/i.test(stderr))
        throw busy(point, holdersInWords(await holdersOf(guest, point)) || kernelHolds);
      throw guestRefused(`umount ${point}`, stderr);
    },
  };
}

function heldElsewhere(point: string, files: string): KnownError {
  const pids = [...files.matchAll(/\/proc\/(\d+)\//g)].map(([, pid]) => pid);
  return new KnownError(
    'mounted-twice',
    `the share of ${point} is mounted in other mount namespaces of the guest too, such as those of the processes ${pids.slice(0, 5).join(', ')}`,
    'End those containers or services first; a mode belongs to all mounts of a device.',
  );
}

const kernelHolds = 'No process was found: the kernel itself may hold it (swap, a loop device, an export).';

/** A device that was plugged a moment ago is not known to the guest at once: what is missing is tried again. */
const mountScript = `
while read -r _ _ _ _ at rest; do
  case "$at $rest" in "$5 "*" - $1 $2 "*) exit 0 ;; esac
done < /proc/self/mountinfo
tries=$6
until words=$(mount -t "$1" -o "$4" "$2" "$3" 2>&1); do
  tries=$((tries - 1))
  case $4 in *dax=*)
    case $(dmesg 2>/dev/null | tail -n 2) in *"dax can't be enabled"*) tries=0 ;; esac ;;
  esac
  if [ "$tries" -le 0 ]; then echo "$words" >&2; exit 1; fi
  sleep 0.05
done`;

/**
 * Mounts the share as it is wished, and sees that the kernel did. One that is there already is fine.
 * @param plugged the device has just been plugged, and may be there a little later.
 */
export function mountStep(place: TogglePlace, wish: MountWish, plugged = false): ToggleStep {
  const { point, type, source, options } = wish;
  const words = ['mount', '-t', type, '-o', options.join(','), source, point];
  return {
    title: `mount ${point} in the guest`,
    byHand: [{ on: 'guest', command: words.map(shellWord).join(' ') }],
    away: true,
    async run() {
      const guest = await place.guest();
      const words = [type, source, point, options.join(','), escaped(point), plugged ? '100' : '1'];
      const argv = ['sh', '-c', mountScript, 'sh', ...words];
      const { status, stderr } = await guest.exec(argv, { timeoutMs: limitMs });
      if (status !== 0) throw await mountRefused(guest, wish, stderr);
      await requireAsWished(guest, wish);
    },
  };
}

/**
 * A second mount of a superblock takes its options silently from the first, and a device without a window may
 * ignore what it is asked for.
 */
async function requireAsWished(guest: Endpoint, { point, source, options }: MountWish): Promise<void> {
  const found = mountOf(point, await mountsOfGuest(guest));
  const there = found?.point === point && found.source === source;
  const ignored = options
    .filter((each) => /^(dax|cache)=/.test(each))
    .find((each) => !isInForce(each, found?.options ?? []));
  if (there && ignored === undefined) return;
  throw new KnownError(
    'option-ignored',
    there
      ? `the guest's kernel mounted ${point} and ignored the option ${ignored}: it shows ${found?.options.join(',')}`
      : `the guest does not show the mount of ${point}`,
    'Another mount of the same tag, perhaps in a container, keeps the options that it was made with: unmount that first (grep TAG /proc/*/mountinfo).',
  );
}

/** What is the default need not be shown. */
function isInForce(option: string, shown: readonly string[]): boolean {
  const [name = '', value = ''] = option.split('=');
  const given = shown.find((each) => each.startsWith(`${name}=`));
  if (given !== undefined) return given === option;
  return option === 'cache=none' || (name === 'dax' && value === 'never');
}

async function mountRefused(
  guest: Endpoint,
  { point, options }: MountWish,
  stderr: string,
): Promise<KnownError> {
  const said = await guest.exec(['dmesg']).catch(() => undefined);
  const kernel = said?.stdout
    .split('\n')
    .filter((line) => /virtiofs|virtio_fs|fuse|9p/i.test(line))
    .at(-1);
  const words = [stderr.trim(), ...(kernel === undefined ? [] : [kernel.trim()])].join('\n');
  if (options.some((each) => each.startsWith('dax=')) && /invalid|dax/i.test(words))
    return new KnownError(
      'no-dax',
      `the guest's kernel refused to mount ${point} with ${options.find((each) => each.startsWith('dax='))}: the device has no DAX window`,
      'No released virtiofsd serves one; a lab does: vfs-verify lab up --modes auto+dax=always.',
      { detail: words },
    );
  return guestRefused(`mount ${point}`, words);
}

function guestRefused(what: string, words: string): KnownError {
  return new KnownError('guest-refused', `the guest refused to ${what}`, 'Its words are below.', {
    detail: words,
  });
}

/** As /proc/self/mountinfo writes it. */
function escaped(point: string): string {
  return point.replace(/[ \t\n\\]/g, (each) => `\\${each.charCodeAt(0).toString(8).padStart(3, '0')}`);
}

// The steps of the story: somebody measures a share from the guest, and takes each wrong turn that the field case
// took or could have taken (docs/field-case.md). What a step says afterwards it says only when counters show it.

/**
 * @typedef {object} Step
 * @property {string} name
 * @property {string} title what is done
 * @property {'laid-out' | 'drop-guest' | 'drop-both' | 'warm'} before how the caches are left before fio runs
 * @property {string} mode the share's
 * @property {boolean} [direct] fio --direct=1
 * @property {'host-cache' | 'disk'} shows the medium that it is there to show
 * @property {string} follows said where counters show that medium
 * @property {string} label for the picture
 */

/** @type {readonly Step[]} */
export const steps = [
  {
    name: 'laid-out',
    title: 'fio lays a file out in the guest and reads it at random.',
    label: 'as it was laid out',
    before: 'laid-out',
    mode: 'auto',
    shows: 'host-cache',
    follows:
      'No read reached the disk. Writing the file had left it in the memory of the host, and that is what was measured.',
  },
  {
    name: 'guest-dropped',
    title: 'Wrong turn: drop the caches in the guest, and measure again.',
    label: "guest's caches dropped",
    before: 'drop-guest',
    mode: 'auto',
    shows: 'host-cache',
    follows: "The guest's cache had not been in the way. The file is still in the host's.",
  },
  {
    name: 'direct-stripped',
    title: 'Wrong turn: --direct=1, with a virtiofsd that was not told --allow-direct-io.',
    label: '--direct=1',
    before: 'warm',
    mode: 'auto',
    direct: true,
    shows: 'host-cache',
    follows: "O_DIRECT passes the guest's cache by, and the daemon takes it off: the host's cache answers.",
  },
  {
    name: 'both-dropped',
    title: 'Right: drop the file on both sides, then measure.',
    label: 'dropped on both sides',
    before: 'drop-both',
    mode: 'auto',
    shows: 'disk',
    follows: 'This is the disk.',
  },
  {
    name: 'direct',
    title: 'Right: --direct=1, with virtiofsd --allow-direct-io.',
    label: '--direct=1, --allow-direct-io',
    before: 'warm',
    mode: 'auto+allow-direct-io',
    direct: true,
    shows: 'disk',
    follows: 'The disk again, although the host has all of the file in its memory.',
  },
];

/** The wrong turn that is no measurement; it comes after the guest's caches were dropped. */
export const md5Step = {
  name: 'md5',
  after: 'guest-dropped',
  title: 'Wrong turn: md5 agrees on both sides, so the reads must be right.',
  follows:
    'The same digest with the file in memory and without it: it says that the bytes are right, not where they came from.',
};

/**
 * fio as in the field, but that it ends when it has read each block once: what is read for the second time comes from
 * the guest's cache, and a file that is small enough for a story has few blocks.
 * @param {{ sizeMiB: number, seconds: number, direct?: boolean | undefined }} job
 */
export function fioCommand({ sizeMiB, seconds, direct }) {
  return [
    ...['fio', '--name=random-read', '--ioengine=posixaio', '--rw=randread', '--bs=4k', '--numjobs=1'],
    ...[`--size=${sizeMiB}m`, '--iodepth=1', `--runtime=${seconds}`, '--end_fsync=1'],
    ...(direct === true ? ['--direct=1'] : []),
  ];
}

/** As fio names it. */
export const fileName = 'random-read.0.0';

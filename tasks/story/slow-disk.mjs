// A disk that turns, out of one that does not: the kernel's own limit on reads a second (cgroups), for the daemons
// of the lab alone. What they read is delayed below the host's page cache; what is in that cache is not.
import {
  existsSync,
  mkdirSync,
  readFileSync,
  realpathSync,
  rmdirSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';

const root = '/sys/fs/cgroup';

/**
 * @typedef {object} SlowDisk
 * @property {string} words what stands behind the share now
 * @property {number} [readsPerSecond] absent: it is as fast as it is
 * @property {() => void} mend takes the limit away; may be called again
 */

/**
 * Limits how often processes may read from the disk below a directory. Where that cannot be done the disk stays as
 * it is, and `words` says why.
 * @param {string} directory
 * @param {readonly number[]} pids
 * @param {number} readsPerSecond
 * @returns {SlowDisk}
 */
export function slowDisk(directory, pids, readsPerSecond) {
  /** @param {string} why */
  const asItIs = (why) => ({ words: `the disk of this host as it is (${why})`, mend: () => {} });
  if (process.getuid?.() !== 0) return asItIs('slowing it down needs root');
  const device = deviceBelow(directory);
  if (device === undefined) return asItIs('its file system has no block device of its own');
  const kind = throttleKind();
  if (kind === undefined) return asItIs('this kernel offers no limit on reads');
  const group = join(kind.parent, `vfs-verify-story-${process.pid}`);
  const mend = () => {
    if (!existsSync(group)) return;
    // What they have started since is in it too.
    const within = readFileSync(join(group, 'cgroup.procs'), 'utf8').split('\n').filter(Boolean);
    for (const pid of within) tryWrite(join(kind.parent, 'cgroup.procs'), pid);
    try {
      rmdirSync(group);
    } catch {
      // One of them is ending just now; an empty group limits nobody.
    }
  };
  try {
    mkdirSync(group);
    writeFileSync(join(group, kind.file), kind.rule(device, readsPerSecond));
    for (const pid of pids) writeFileSync(join(group, 'cgroup.procs'), String(pid));
  } catch (error) {
    mend();
    return asItIs(error instanceof Error ? error.message : String(error));
  }
  return {
    words: `a disk of ${readsPerSecond} reads a second, as a rotating one does (${kind.name})`,
    readsPerSecond,
    mend,
  };
}

/** The controller of either version of cgroups, where it is there. */
function throttleKind() {
  const first = join(root, 'blkio');
  if (existsSync(join(first, 'blkio.throttle.read_iops_device')))
    return {
      name: 'blkio.throttle.read_iops_device',
      parent: first,
      file: 'blkio.throttle.read_iops_device',
      /** @param {string} device @param {number} reads */
      rule: (device, reads) => `${device} ${reads}`,
    };
  const control = join(root, 'cgroup.subtree_control');
  if (existsSync(control) && readFileSync(control, 'utf8').split(/\s+/).includes('io'))
    return {
      name: 'io.max riops',
      parent: root,
      file: 'io.max',
      /** @param {string} device @param {number} reads */
      rule: (device, reads) => `${device} riops=${reads}`,
    };
  return undefined;
}

/**
 * `8:0` of the whole disk below a directory: limits are a disk's, not a partition's.
 * @param {string} directory
 */
function deviceBelow(directory) {
  const { dev } = statSync(directory);
  // As glibc takes a dev_t apart.
  const [major, minor] = [(dev >> 8) & 0xfff, (dev & 0xff) | ((dev >> 12) & 0xfff00)];
  const link = `/sys/dev/block/${major}:${minor}`;
  if (!existsSync(link)) return undefined;
  const place = realpathSync(link);
  const disk = existsSync(join(place, 'partition')) ? dirname(place) : place;
  return readFileSync(join(disk, 'dev'), 'utf8').trim();
}

/** @param {string} path @param {string} text */
function tryWrite(path, text) {
  try {
    writeFileSync(path, text);
  } catch {
    // A process that has ended needs no group.
  }
}

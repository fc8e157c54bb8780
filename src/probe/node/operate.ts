import { setTimeout as sleep } from 'node:timers/promises';
import type { ClockResult, ManyResult, Operation } from '../../model/operation.ts';
import { hasDigest } from './digest.ts';
import {
  changeModeOf,
  closeFile,
  cutFile,
  fill,
  flush,
  lookAtFile,
  openFile,
  readFrom,
  unknownFlag,
  writeTo,
} from './files.ts';
import { hash, hashRanges } from './hash.ts';
import { lackingLook } from './look.ts';
import {
  changeMode,
  cut,
  fileSystem,
  linkTo,
  list,
  lookAt,
  makeDirectory,
  makeLink,
  removeDirectory,
  removeName,
  renameTo,
  targetOf,
} from './names.ts';
import { observe } from './observe.ts';
import { setTimes } from './times.ts';
import { removeTree, walk } from './tree.ts';
import { goOn, Refusal, refusalOf, type Work } from './work.ts';

type Carry = {
  readonly [K in Operation['do']]?: (op: Extract<Operation, { do: K }>, work: Work) => Promise<unknown>;
};

/** Everything that plain node does; what is not here needs the probe. */
const carry: Carry = {
  stat: lookAt,
  list,
  mkdir: makeDirectory,
  rmdir: removeDirectory,
  unlink: removeName,
  rename: renameTo,
  link: linkTo,
  symlink: makeLink,
  readlink: targetOf,
  truncate: cut,
  chmod: changeMode,
  utimens: setTimes,
  statfs: fileSystem,
  'remove-tree': removeTree,
  open: openFile,
  close: closeFile,
  fstat: lookAtFile,
  read: readFrom,
  write: writeTo,
  fill,
  fsync: flush,
  ftruncate: cutFile,
  fchmod: changeModeOf,
  hash,
  'hash-ranges': hashRanges,
  walk,
  observe,
  many,
  wait,
  clock,
};

/** Carries one operation out; rejects with what `refusalOf` reads. */
export async function operate(op: Operation, work: Work): Promise<unknown> {
  // That of a whole list is asked for each of its operations: those before it are carried out, as by the probe.
  const lacks = op.do === 'many' ? undefined : lacking(op);
  if (lacks !== undefined) throw new Refusal('ENOSYS', `plain node has no ${lacks}: it`);
  const how = carry[op.do] as ((op: Operation, work: Work) => Promise<unknown>) | undefined;
  return how?.(op, work);
}

/** What operations are called that plain node has not, where their names do not say it. */
const absent: Readonly<Partial<Record<Operation['do'], string>>> = {
  ...{ map: 'mappings', load: 'mappings', store: 'mappings', msync: 'mappings', unmap: 'mappings' },
  ...{ lock: 'locks', 'test-lock': 'locks', watch: 'inotify', events: 'inotify', unwatch: 'inotify' },
  ...{ pages: 'state of pages', evict: 'eviction of pages', 'drop-caches': 'drop_caches' },
  ...{ extents: 'map of extents', counters: 'counters of processes', advise: 'posix_fadvise' },
  ...{ getxattr: 'extended attributes', setxattr: 'extended attributes' },
  ...{ removexattr: 'extended attributes', listxattr: 'extended attributes' },
  ...{ flags: 'fcntl', 'set-flags': 'fcntl', seek: 'lseek', entries: 'getdents', storm: 'storm of names' },
  ...{ resolve: 'O_PATH', copy: 'copies in the kernel', borrow: 'way to take over descriptors' },
};

/** What of an operation plain node cannot do, in words; undefined where it can do all of it. */
export function lacking(op: Operation): string | undefined {
  if (carry[op.do] === undefined) return absent[op.do] ?? op.do;
  switch (op.do) {
    case 'open': {
      const flag = unknownFlag(op.flags);
      return flag === undefined ? undefined : `open with O_${flag.toUpperCase()}`;
    }
    case 'read':
    case 'write':
      if (op.how !== undefined && op.how !== op.do) return `${op.do} by ${op.how}`;
      return (op.flags ?? []).length > 0 ? `${op.do} with flags` : undefined;
    case 'rename':
      return (op.flags ?? []).length > 0 ? 'rename with flags' : undefined;
    case 'hash':
      if (op.direct === true) return 'open with O_DIRECT';
      if (op.block !== undefined && op.blockAlgorithm !== 'md5') return 'xxh64 block digests';
      return lackingDigest(op.algorithm);
    case 'hash-ranges':
    case 'walk':
      return lackingDigest(op.algorithm);
    case 'observe':
      return firstOf(op.looks, lackingLook);
    case 'many':
      return firstOf(op.list, lacking);
    default:
      return undefined;
  }
}

function lackingDigest(algorithm: string | undefined): string | undefined {
  return algorithm === undefined || hasDigest(algorithm) ? undefined : `${algorithm} digests`;
}

function firstOf<T>(items: readonly T[], of: (item: T) => string | undefined): string | undefined {
  for (const each of items) {
    const found = of(each);
    if (found !== undefined) return found;
  }
  return undefined;
}

async function many(op: Extract<Operation, { do: 'many' }>, work: Work): Promise<ManyResult> {
  const values: unknown[] = [];
  const timesNs: [number, number][] = [];
  for (const each of op.list) {
    goOn(work, 'many');
    const beginNs = work.nowNs();
    let refused: ManyResult['stopped'];
    try {
      values.push(await operate(each, work));
    } catch (error) {
      refused = refusalOf(error);
    }
    timesNs.push([beginNs, work.nowNs()]);
    if (refused === undefined) continue;
    if (op.anyway !== true) return { values, timesNs, stopped: refused };
    values.push(refused);
  }
  return { values, timesNs };
}

async function wait({ ms }: Extract<Operation, { do: 'wait' }>): Promise<object> {
  await sleep(ms);
  return {};
}

async function clock(_: Operation, { nowNs }: Work): Promise<ClockResult> {
  return { nowNs: nowNs(), monotonicNs: `${process.hrtime.bigint()}`, realtimeNs: realtimeNs() };
}

/** The machine's own clock, to the microsecond. */
export function realtimeNs(): string {
  return `${BigInt(Math.round((performance.timeOrigin + performance.now()) * 1000)) * 1000n}`;
}

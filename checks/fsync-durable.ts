import { defineCheck } from '../src/model/check.ts';
import type { Operation, PageState } from '../src/model/operation.ts';
import type { Promise as Promised } from '../src/model/promise.ts';
import type { Verdict } from '../src/model/verdict.ts';
import { type Content, faultIn, made, readBack, tmpfsMagic, written } from './durable/bytes.ts';
import { bench, madeOf, type Seen, type Trial, trialCodes } from './durable/trial.ts';

const kib = 1024;

/**
 * Two files. The guest writes both; `control` is closed and no more, so that its bytes are dirty pages on the
 * host, which shows that dirty pages can be seen there; `synced` is made durable in the way that is tried.
 *
 * ```
 *  guest   write control, close      write synced, SYNC it
 *  host    control: 16 dirty                                 synced: 0 dirty, 0 under writeback
 * ```
 */
const control: Content = { path: 'control', fileId: 1, generation: 1, length: 64 * kib };
const synced: Content = { path: 'synced', fileId: 2, generation: 1, length: 64 * kib };

/** Dirty pages of a file on the host, looked at through a descriptor of the host's own. */
function dirtyPages({ path }: Content): Operation[] {
  const as = `${path}:pages`;
  return [
    { do: 'open', path, flags: ['rdonly'], as },
    { do: 'pages', file: as },
  ];
}

function pagesTrial(name: string, scenario: string, sync: (seed: number) => readonly Operation[]): Trial {
  return {
    name,
    scenario,
    isolation: 'shared',
    needs: ['writable', 'host-cachestat'],
    turns: (seed) => [
      {
        actor: 'guest',
        name: 'write',
        ops: [...made(control, seed), { do: 'close', file: 'control' }],
      },
      {
        actor: 'host',
        name: 'before',
        ops: [{ do: 'statfs', path: '.' }, ...dirtyPages(control)],
      },
      { actor: 'guest', name: 'sync', ops: sync(seed) },
      { actor: 'host', name: 'after', ops: dirtyPages(synced) },
    ],
    judge: judgePages,
  };
}

function judgePages({ values }: Seen): Verdict {
  const [statfs, , before] = values('before') as [{ magic: number }, unknown, PageState];
  const [, after] = values('after') as [unknown, PageState];
  if (statfs.magic === tmpfsMagic) {
    const reason = 'the share is on tmpfs: its pages are never written to a disk';
    return { kind: 'skip', code: 'not-here', reason };
  }
  const unwritten = (state: PageState) => (state.dirty ?? 0) + (state.writeback ?? 0);
  const left = unwritten(after);
  if (left > 0) {
    const found = `${after.dirty} pages dirty and ${after.writeback} under writeback, of ${after.pages}`;
    const reason = `when the guest's call had returned the host had ${found}`;
    return { kind: 'fail', code: 'not-written-back', reason, observed: found };
  }
  // Both are 0 also where the host's file system keeps its pages elsewhere (overlayfs), or has just flushed.
  if (unwritten(before) === 0) {
    const reason = 'no dirty page of the control was seen on the host, so that 0 of the other says nothing';
    return { kind: 'unknown', code: 'could-not-tell', reason };
  }
  const reason = `0 of ${after.pages} pages dirty on the host, where ${unwritten(before)} of a file without sync are`;
  return { kind: 'pass', reason };
}

/** Files whose writes were acknowledged to a different degree when everything stops. */
const kept: readonly Content[] = [
  { path: 'only-written', fileId: 3, generation: 1, length: 100 * kib },
  { path: 'closed', fileId: 4, generation: 1, length: 100 * kib },
  { path: 'fsynced', fileId: 5, generation: 1, length: 100 * kib },
];
const [onlyWritten, closed, fsynced] = kept as [Content, Content, Content];

function killTrial(verb: 'daemon.kill' | 'vm.kill'): Trial {
  return {
    name: verb.replace('.', '-'),
    scenario: `fsync-durable/${verb.replace('.', '-')}`,
    isolation: verb === 'vm.kill' ? 'own-vm' : 'own-share',
    needs: ['writable', verb],
    turns: (seed) => [
      {
        actor: 'guest',
        name: 'write',
        ops: [
          ...made(closed, seed),
          { do: 'close', file: 'closed' },
          ...made(fsynced, seed),
          { do: 'fsync', file: 'fsynced' },
          ...made(onlyWritten, seed),
        ],
      },
      bench('kill', { verb }),
      { actor: 'host', name: 'left', ops: kept.flatMap(readBack), anyway: true },
    ],
    judge: judgeKill,
  };
}

function judgeKill({ setting, values }: Seen, { freshness }: Promised): Verdict {
  const events = freshness.kind === 'durable-after' ? freshness.events : [];
  const acknowledged: Readonly<Record<string, string>> = {
    'only-written': 'write',
    closed: 'close',
    fsynced: 'fsync',
  };
  // What is durable after write() is so after every later call too.
  const promised = (path: string) =>
    events.includes('write') || events.includes(acknowledged[path] ?? '') || path === 'fsynced';
  const found = values('left');
  const faults = kept.map((content, index) => ({
    path: content.path,
    words: faultIn(content, setting.seed, found.slice(2 * index, 2 * index + 2)),
  }));
  const lost = faults.filter(({ path, words }) => words !== undefined && promised(path));
  if (lost.length > 0) {
    const observed = lost.map(({ words }) => words).join('; ');
    return { kind: 'fail', code: 'acknowledged-and-lost', reason: `on the host: ${observed}`, observed };
  }
  const gone = faults.filter(({ words }) => words !== undefined).map(({ words }) => words);
  const rest = gone.length === 0 ? 'everything is there' : `permitted here: ${gone.join('; ')}`;
  return { kind: 'pass', reason: `what was acknowledged as durable is on the host; ${rest}` };
}

/**
 * ```
 *  host    make old (generation 1), fsync
 *  guest   create new, write, fsync; fsync the directory; write old (generation 2), fdatasync; create loose, write
 *  ---- power cut: what the disk holds now is looked at ----
 *  medium  new and old as written; loose may be anything
 * ```
 */
const fresh: Content = { path: 'new', fileId: 6, generation: 1, length: 200 * kib };
const older: Content = { path: 'old', fileId: 7, generation: 1, length: 200 * kib };
const newer: Content = { ...older, generation: 2 };
const loose: Content = { path: 'loose', fileId: 8, generation: 1, length: 200 * kib };

/** Cuts the power when the guest has written, and looks at what the medium holds of it. */
function cutTrial(parts: {
  readonly name: string;
  readonly made?: (seed: number) => readonly Operation[];
  readonly write: (seed: number) => readonly Operation[];
  readonly synced: readonly Content[];
}): Trial {
  const { name, synced: acknowledged } = parts;
  return {
    name,
    scenario: `fsync-durable/${name}`,
    isolation: 'own-share',
    needs: ['writable', 'power.cut'],
    actors: { medium: 'medium' },
    turns: (seed) => [
      ...(parts.made === undefined ? [] : [{ actor: 'host', name: 'make', ops: parts.made(seed) }]),
      { actor: 'guest', name: 'write', ops: [...parts.write(seed), ...made(loose, seed)] },
      bench('cut', { verb: 'power.cut' }),
      { actor: 'medium', name: 'left', ops: [...acknowledged, loose].flatMap(readBack), anyway: true },
    ],
    judge: ({ setting, values }, { freshness }) => {
      const found = values('left');
      const fault = (content: Content, index: number) =>
        faultIn(content, setting.seed, found.slice(2 * index, 2 * index + 2));
      const faults = acknowledged.flatMap((content, index) => fault(content, index) ?? []);
      if (faults.length > 0) {
        const observed = faults.join('; ');
        const reason = `on the medium: ${observed}`;
        if (freshness.kind === 'reported')
          return { kind: 'pass', reason: `permitted here: ${reason}`, observed };
        return { kind: 'fail', code: 'synced-and-lost', reason, observed };
      }
      const unsynced = fault(loose, acknowledged.length) === undefined ? 'survived too' : 'did not';
      const reason = `the medium holds all that was synced; what was not synced ${unsynced}`;
      return { kind: 'pass', reason };
    },
  };
}

const powerCut = cutTrial({
  name: 'power-cut',
  made: (seed) => [...made(older, seed), { do: 'fsync', file: 'old' }],
  write: (seed) => [
    ...made(fresh, seed),
    { do: 'fsync', file: 'new' },
    { do: 'open', path: '.', flags: ['rdonly', 'directory'], as: 'directory' },
    { do: 'fsync', file: 'directory' },
    { do: 'open', path: 'old', flags: ['rdwr'], as: 'old' },
    written(newer, seed),
    { do: 'fsync', file: 'old', data: true },
  ],
  synced: [fresh, newer],
});

/**
 * What sync(1) does for each file system: one file is closed by then, one is open.
 *
 * ```
 *  guest   create shut, write, close; create ajar, write; syncfs; create loose, write
 *  ---- power cut ----
 *  medium  shut and ajar as written, names and all; loose may be anything
 * ```
 */
const shut: Content = { path: 'shut', fileId: 9, generation: 1, length: 200 * kib };
const ajar: Content = { path: 'ajar', fileId: 10, generation: 1, length: 200 * kib };

const powerCutAfterSync = cutTrial({
  name: 'power-cut-after-sync',
  write: (seed) => [
    ...made(shut, seed),
    { do: 'close', file: 'shut' },
    ...made(ajar, seed),
    { do: 'syncfs', file: 'ajar' },
  ],
  synced: [shut, ajar],
});

/** What the guest was told is durable is durable: on the host's disk, and after a daemon, a VM or the power is gone. */
export default defineCheck({
  name: 'fsync-durable',
  title: 'what the guest was told is durable is on the disk, and survives the daemon, the VM and the power',
  codes: {
    'not-written-back': 'the guest’s sync had returned, and the host had not written the pages to its disk',
    'acknowledged-and-lost': 'a write whose durability was acknowledged is not on the host after a kill',
    'synced-and-lost': 'what was synced is not on the medium after a power cut',
    ...trialCodes,
  },
  ...madeOf([
    pagesTrial('fsync', 'fsync-durable/pages', (seed) => [
      ...made(synced, seed),
      { do: 'fsync', file: 'synced' },
    ]),
    pagesTrial('fdatasync', 'fsync-durable/fdatasync', (seed) => [
      ...made(synced, seed),
      { do: 'fsync', file: 'synced', data: true },
    ]),
    pagesTrial('o-dsync', 'fsync-durable/dsync', (seed) => made(synced, seed, 'dsync')),
    pagesTrial('o-sync', 'fsync-durable/dsync', (seed) => made(synced, seed, 'sync')),
    pagesTrial('msync', 'fsync-durable/msync', (seed) => [
      { do: 'open', path: 'synced', flags: ['creat', 'rdwr'], mode: 0o666, as: 'synced' },
      { do: 'ftruncate', file: 'synced', length: synced.length },
      {
        do: 'map',
        file: 'synced',
        as: 'mapped',
        offset: 0,
        length: synced.length,
        protection: 'read-write',
        share: 'shared',
      },
      ...[0, 20 * kib, 60 * kib].map((offset): Operation => {
        const base64 = Buffer.from(`stored with seed ${seed} at ${offset}`).toString('base64');
        return { do: 'store', map: 'mapped', offset, base64 };
      }),
      { do: 'msync', map: 'mapped' },
    ]),
    powerCut,
    powerCutAfterSync,
    killTrial('daemon.kill'),
    killTrial('vm.kill'),
  ]),
});

import type { Ledger } from '../../src/model/account.ts';
import { calibrationName, calibrationSteps } from '../../src/model/calibration-steps.ts';
import { defineCheck, type Observed, type Step } from '../../src/model/check.ts';
import { type FilesystemKind, filesystems } from '../../src/model/filesystems.ts';
import type {
  CountersResult,
  EvictResult,
  ExtentsResult,
  PageState,
  Stat,
} from '../../src/model/operation.ts';
import { describeOutcome } from '../../src/model/outcome.ts';
import { blocksOf, type ReadPlan } from '../../src/model/read-plan.ts';
import { type AccountedRun, readSteps } from '../../src/model/read-steps.ts';
import type { Dropped, ReadsEvidence } from '../../src/model/reads-evidence.ts';
import type { Verdict } from '../../src/model/verdict.ts';
import { operatingFailure } from '../compare/failures.ts';
import { shareWords } from '../compare/looks.ts';
import { drops, type ReadsArgs, readsArgs } from './arguments.ts';

/**
 * `vfs-verify reads PATH`: reads the user's own file in the guest as told, and says where every byte came
 * from. Writes nothing. It judges nothing either: `pass` is an account that could be made.
 */
export const reads = defineCheck({
  name: 'reads',
  title: 'where every byte of a run of reads came from',
  codes: {
    stuck: 'a side gave no answer within the limit',
    gone: 'a side went away',
    'not-read': 'the file could not be read in the guest as told',
    'not-a-file': 'the path is no regular file',
    empty: 'the file is empty',
    interrupted: 'the run was interrupted',
  },
  cases(setting) {
    const args = readsArgs(setting);
    const limit = limitOf(args);
    return [
      {
        name: 'your-file',
        scenarios: [],
        isolation: 'exclusive',
        needs: [],
        inPlace: true,
        actors: { guest: 'guest', host: 'host' },
        // A stat that asks nobody: a refresh of the attributes may drop the pages that are to be judged.
        steps: [
          {
            id: 'guest-stat',
            actor: 'guest',
            op: { do: 'stat', path: args.guestPath, follow: true, sync: 'dont' },
            limit,
          },
        ],
      },
    ];
  },
  async next(observed) {
    const stat = observed.value<Stat>('guest-stat');
    if (stat === undefined || stat.type !== 'file' || stat.size === 0) return [];
    const runs = runsOf(observed, stat.size);
    if (observed.steps.length > 1) return calibration(observed, runs[0]);
    return [
      ...systemWideSteps(readsArgs(observed.setting)),
      ...runs.flatMap((run, index) => {
        const previous = runs[index - 1];
        return readSteps(
          previous === undefined
            ? run
            : { ...run, after: [{ step: `${previous.name}.host-close`, has: 'ended' }] },
        );
      }),
    ];
  },
  async judge(observed): Promise<Verdict> {
    const args = readsArgs(observed.setting);
    const stat = observed.value<Stat>('guest-stat');
    const failure = operatingFailure(observed);
    if (failure !== undefined) return failure;
    if (stat === undefined) return notRead(describeOutcome(observed.outcome('guest-stat')));
    if (stat.type !== 'file')
      return { kind: 'unknown', code: 'not-a-file', reason: `a ${stat.type}, no regular file` };
    if (stat.size === 0)
      return { kind: 'unknown', code: 'empty', reason: 'the file is empty: there is nothing to read' };
    const names = runsOf(observed, stat.size).map(({ name }) => name);
    const ledgers: Ledger[] = [];
    for (const name of names) {
      const ledger = await observed.account(name);
      if (ledger === undefined) return notRead(whyNot(observed, name));
      ledgers.push(ledger);
    }
    const evidence: ReadsEvidence = {
      kind: 'reads',
      path: args.guestPath,
      hostPath: args.hostPath,
      size: stat.size,
      plan: planOf(args, stat.size),
      direct: args.direct,
      mapped: args.mapped,
      ledgers,
      seconds: names.map((name) => secondsOf(observed, name)),
      dropped: droppedOf(observed, names[0] ?? ''),
      share: shareWords(observed.setting),
      disturbed: disturbed(observed, names),
    };
    const next = nextStep(args, ledgers.at(-1));
    return {
      kind: 'pass',
      reason: answer(ledgers),
      evidence,
      ...(next === undefined ? {} : { next }),
    };
  },
});

function limitOf({ timeoutMs }: ReadsArgs): NonNullable<Step['limit']> & { readonly name: string } {
  return { ms: timeoutMs, name: '--timeout' };
}

function planOf(args: ReadsArgs, size: number): ReadPlan {
  const range = { offset: 0, length: size };
  return {
    order: args.order,
    block: args.block,
    range,
    count: args.count ?? blocksOf({ range, block: args.block }),
    seed: args.seed,
    passes: args.reopen ? 1 : args.passes,
  };
}

function runsOf({ setting }: Observed, size: number): AccountedRun[] {
  const args = readsArgs(setting);
  const processes = [setting.daemonPid, setting.vmmPid].filter((pid) => pid !== undefined);
  return Array.from({ length: args.reopen ? args.passes : 1 }, (_, index) => ({
    name: args.reopen ? `reads-${index + 1}` : 'reads',
    guest: 'guest',
    host: 'host',
    path: args.guestPath,
    hostPath: args.hostPath,
    size,
    plan: planOf(args, size),
    direct: args.direct,
    mapped: args.mapped,
    noReadahead: !args.readahead,
    processes,
    limit: limitOf(args),
    ...(index === 0 && !args.systemWide
      ? { drop: { guest: drops(args, 'guest'), host: drops(args, 'host') } }
      : {}),
  }));
}

/**
 * Where page states and counters leave something open, reads of known origin come last: latencies are then all
 * there is to go by. They say nothing of reads in order, of loads, and of a file in a DAX window.
 */
async function calibration(observed: Observed, run: AccountedRun | undefined): Promise<Step[]> {
  const args = readsArgs(observed.setting);
  const isDone = observed.steps.some(({ id }) => id.startsWith(`${calibrationName}.`));
  if (run === undefined || isDone || args.mapped || args.order === 'seq') return [];
  if (observed.outcome(`${run.name}.reads`).kind !== 'value' || isAllSeen(observed, run)) return [];
  if (observed.value<Stat>(`${run.name}.guest-stat`)?.dax === true) return [];
  const ledger = await observed.account(run.name);
  return ledger === undefined || ledger.unexplainedBytes === 0
    ? []
    : calibrationSteps(run, args.calibrate === true || (drops(args, 'host') && !args.systemWide));
}

/** Whether both page caches and the daemon's counters could be read, so that nothing needs to be inferred. */
function isAllSeen(observed: Observed, run: AccountedRun): boolean {
  const { setting } = observed;
  const answered = (step: string) => {
    const state = observed.value<PageState>(`${run.name}.${step}-0`);
    return state !== undefined && state.by !== 'refused';
  };
  const counted = observed.value<CountersResult>(`${run.name}.count-before`);
  const server = setting.mode?.server === '9p' ? setting.vmmPid : setting.daemonPid;
  return (
    answered('guest-before') &&
    answered('host-before') &&
    groundOf(observed, run.name)?.opaque === undefined &&
    counted?.processes.find(({ pid }) => pid === server)?.rchar !== undefined
  );
}

/** Guest first: what it writes back then is in the host's cache when that is dropped. */
function systemWideSteps(args: ReadsArgs): Step[] {
  if (!args.systemWide) return [];
  return (['guest', 'host'] as const)
    .filter((side) => drops(args, side))
    .map((side) => ({
      id: `drop-${side}-everything`,
      actor: side,
      op: { do: 'drop-caches', what: 3 },
      limit: limitOf(args),
      mayFail: true,
    }));
}

function notRead(why: string): Verdict {
  return { kind: 'unknown', code: 'not-read', reason: `the guest could not read it: ${why}` };
}

function whyNot(observed: Observed, name: string): string {
  const failed = ['open', 'map', 'reads']
    .map((step) => observed.outcome(`${name}.${step}`))
    .find(({ kind }) => kind !== 'value' && kind !== 'not-run');
  return failed === undefined ? 'it was not read' : describeOutcome(failed);
}

function secondsOf(observed: Observed, name: string): number {
  const { beginNs, endNs } = observed.outcome(`${name}.reads`);
  return beginNs === undefined || endNs === undefined ? 0 : (endNs - beginNs) / 1e9;
}

function answer(ledgers: readonly Ledger[]): string {
  const said: { first: number; last: number; sentence: string }[] = [];
  for (const [index, { sentence }] of ledgers.entries()) {
    const before = said.at(-1);
    if (before?.sentence === sentence) before.last = index + 1;
    else said.push({ first: index + 1, last: index + 1, sentence });
  }
  const [only] = said;
  if (only !== undefined && said.length === 1) return only.sentence;
  return said
    .map(({ first, last, sentence }) =>
      first === last ? `Pass ${first}: ${sentence}` : `Passes ${first} to ${last}: ${sentence}`,
    )
    .join(' ');
}

function droppedOf(observed: Observed, name: string): Dropped[] {
  const args = readsArgs(observed.setting);
  return (['guest', 'host'] as const)
    .filter((side) => drops(args, side))
    .map((side): Dropped => {
      const step = args.systemWide ? `drop-${side}-everything` : `${name}.drop-${side}`;
      const outcome = observed.outcome(step);
      if (outcome.kind !== 'value') return { side, refused: describeOutcome(outcome) };
      if (args.systemWide)
        return { side, note: 'drop_caches: every clean page, name and inode of this side' };
      const { before, after, evicted } = outcome.value as EvictResult;
      const ground = side === 'host' ? groundOf(observed, name) : undefined;
      if (ground?.opaque !== undefined)
        return { side, note: `what went cannot be told: ${ground.name} keeps it in ${ground.opaque}` };
      if (ground?.storage === 'tmpfs' && after.cached > 0)
        return { side, before, after, note: `${ground.name} keeps all that is stored in memory` };
      return { side, before, after, ...noteOf(after, evicted, side === 'host' && isDax(observed, name)) };
    });
}

/** The file system below the host's file. */
function groundOf(observed: Observed, name: string): FilesystemKind | undefined {
  return filesystems.get(observed.value<ExtentsResult>(`${name}.extents`)?.fsMagic ?? 0);
}

/** Whether the guest said that the file is in DAX state. */
function isDax(observed: Observed, name: string): boolean {
  return observed.value<Stat>(`${name}.guest-stat`)?.dax === true;
}

function noteOf(after: PageState, evicted: boolean, dax: boolean): { note?: string } {
  if (!evicted)
    return { note: 'not dropped: it has dirty pages, and evicting would write them over the host’s bytes' };
  if (after.by === 'refused') return { note: `whether any stayed cannot be told: ${after.refusal}` };
  if (after.cached === 0) return {};
  return {
    note: dax
      ? `${after.cached} pages stayed: what a guest has in its window, its virtual machine has mapped here`
      : `${after.cached} pages stayed: dirty, mapped or in use`,
  };
}

/** What the measurement itself changed. */
function disturbed(observed: Observed, names: readonly string[]): string[] {
  const said: string[] = [];
  const mode = observed.setting.mode;
  // A DAX file has no pages in the guest's cache.
  const dax = names.some((name) => isDax(observed, name));
  if (dax)
    said.push(
      'what was read stays in the guest’s window, and so mapped on the host, until the guest forgets the file',
    );
  else if (mode === undefined) said.push('opening the file may have dropped what the guest had cached of it');
  else if (mode.server !== '9p' && mode.cache === 'auto')
    said.push('opening the file dropped whatever the guest had cached of it: in this mode an open does');
  const first = cachedPages(observed, `${names[0]}.host-before`);
  const last = cachedPages(observed, `${names.at(-1)}.host-after`);
  if (first !== undefined && last !== undefined && last.cached > first.cached)
    said.push(
      `the run left ${grouped(last.cached)} of ${grouped(last.pages)} pages in the host’s page cache, where ${grouped(first.cached)} were before`,
    );
  const did = (step: string) => observed.outcome(step).kind === 'value';
  if (did(`${names[0]}.drop-host`) && groundOf(observed, names[0] ?? '')?.storage !== 'tmpfs')
    said.push('the file was written back and evicted on the host');
  if (did(`${calibrationName}.drop-host`))
    said.push('the file was evicted on the host afterwards, to time the disk');
  if ((['guest', 'host'] as const).some((side) => did(`drop-${side}-everything`)))
    said.push('everybody’s caches were dropped, as --system-wide asks');
  return said;
}

function grouped(number: number): string {
  return number.toLocaleString('en-US');
}

function cachedPages(observed: Observed, prefix: string): { cached: number; pages: number } | undefined {
  const parts = observed.steps.filter(({ id }) => id.startsWith(`${prefix}-`));
  let cached = 0;
  let pages = 0;
  for (const { id } of parts) {
    const state = observed.value<PageState>(id);
    if (state === undefined || state.by === 'refused') return undefined;
    cached += state.cached;
    pages += state.pages;
  }
  return parts.length === 0 ? undefined : { cached, pages };
}

/** What to change to measure the medium that was not measured. */
function nextStep(args: ReadsArgs, ledger: Ledger | undefined): string | undefined {
  const [largest] = ledger?.lines ?? [];
  if (largest === undefined) return undefined;
  if (largest.source === 'dax/host-cache' && drops(args, 'host'))
    return 'to measure the disk the guest has to forget the file first, since what is in its window stays mapped on the host: close it there, then `echo 2 > /proc/sys/vm/drop_caches` in the guest';
  if (args.drop === 'both') return undefined;
  if (largest.source === 'guest-cache')
    return "to measure what lies below the guest's cache: --drop both, or --direct";
  if (largest.medium === 'unexplained' && args.order === 'seq')
    return 'where counters cannot be read, latencies may tell of random reads: --order random --calibrate';
  if (largest.medium === 'unexplained' && ledger?.calibration !== undefined && args.calibrate !== true)
    return 'with --calibrate the disk is timed too (the file is evicted on the host after the run), and memory may be told from it';
  if (largest.medium === 'host-cache' && !args.direct && ledger?.storage?.storage !== 'tmpfs')
    return "to measure the disk, drop the host's cache too: --drop both";
  return undefined;
}

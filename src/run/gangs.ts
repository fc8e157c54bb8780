import path from 'node:path';
import type { BenchAbility, BenchOperation } from '../model/bench-verb.ts';
import type { Case } from '../model/check.ts';
import { KnownError } from '../model/error.ts';
import type { BenchDone, BenchVerbs } from '../share/bench-verbs.ts';
import type { Bench } from './bench.ts';
import type { CaseRecord } from './bundle.ts';
import { type Cell, carryOutCase, planCell } from './cell.ts';
import type { Job } from './matrix.ts';
import { inTurns, maxActors } from './queue.ts';
import type { Workplace } from './workplace.ts';

/** Puts up benches for cases that would spoil a common one. A lab is behind it; the command line hands it in. */
export interface BenchMaker {
  readonly can: readonly BenchAbility[];
  /**
   * A fresh machine with a share in each of these modes, on a disk that can do what is asked of it.
   * @throws KnownError where it does not come up.
   */
  make(
    modes: readonly string[],
    needs: readonly BenchAbility[],
    signal: AbortSignal | undefined,
  ): Promise<MadeBench>;
}

/** A machine that was made for some cases. */
export interface MadeBench {
  /** By the mode's name. */
  readonly benches: ReadonlyMap<string, { readonly bench: Bench; readonly workplace: Workplace }>;
  /** Takes it down, in whatever state it is; bounded. */
  close(): Promise<void>;
}

/** How gangs are carried out. */
export interface GangOptions {
  readonly maker: BenchMaker | undefined;
  readonly signal: AbortSignal | undefined;
  readonly onBegan: (job: Job) => void;
  readonly onEnded: (job: Job, record: CaseRecord) => void;
}

/** While one waits, for a boot or for a step that never ends, the other works. Each takes the memory of a guest. */
const machinesAtOnce = 2;

/** For a case that is late at a verb which the others wait at. */
const meetLimitMs = 60_000;

/**
 * Carries out the cases that need a bench of their own. Those that do the same to it, whatever their check and
 * mode, are one gang: they run at once on one machine and meet at each verb, so that a whole matrix needs no
 * more machines than there are ways to spoil one.
 */
export async function carryOutGangs(jobs: readonly Job[], options: GangOptions): Promise<void> {
  const skip = (job: Job, skipped: string) =>
    options.onEnded(job, {
      case: job.plan,
      steps: [],
      outcomes: {},
      bulk: {},
      durationMs: 0,
      skipped,
    });
  const { maker } = options;
  const possible: Job[] = [];
  for (const job of jobs) {
    const lacking = abilitiesOf(job.plan).find((each) => maker?.can.includes(each) !== true);
    if (maker === undefined) skip(job, 'needs a machine of its own (a lab)');
    else if (lacking !== undefined) skip(job, `needs a bench of its own that can do ${lacking}`);
    else possible.push(job);
  }
  if (maker === undefined) return;
  await inTurns(
    planMachines(gangsOf(possible)),
    machinesAtOnce,
    () => 1,
    async (machine) => {
      if (options.signal?.aborted !== true) await carryOutMachine(machine, maker, options, skip);
    },
  );
}

/** Cases that do the same to their machine, in the same order. */
function gangsOf(jobs: readonly Job[]): readonly Job[][] {
  const byDeed = new Map<string, Job[]>();
  for (const job of jobs) {
    const deed = JSON.stringify([abilitiesOf(job.plan).filter(isOfDisk), verbsOf(job.plan)]);
    byDeed.set(deed, [...(byDeed.get(deed) ?? []), job]);
  }
  return [...byDeed.values()].flatMap(thatFit);
}

/**
 * Puts gangs on as few machines as can bear them, on each one after the other: all that want the same kind of disk, and
 * at the end one that leaves the machine spoiled.
 */
export function planMachines(gangs: readonly (readonly Job[])[]): readonly (readonly (readonly Job[])[])[] {
  const machines: { readonly disk: DiskWish; readonly gangs: (readonly Job[])[]; spoiled: boolean }[] = [];
  const rank = (gang: readonly Job[]) => 2 * Number(spoils(gang)) + Number(diskWish(gang) === 'any');
  const inOrder = [...gangs].sort((a, b) => rank(a) - rank(b));
  for (const gang of inOrder) {
    const disk = diskWish(gang);
    const fits = machines.find((each) => !each.spoiled && (disk === 'any' || each.disk === disk));
    const machine = fits ?? { disk, gangs: [], spoiled: false };
    if (fits === undefined) machines.push(machine);
    machine.gangs.push(gang);
    machine.spoiled = spoils(gang);
  }
  return machines.map((each) => each.gangs);
}

type DiskWish = 'any' | 'disk' | 'quota';

function diskWish(gang: readonly Job[]): DiskWish {
  const needs = gang.flatMap(({ plan }) => abilitiesOf(plan));
  return needs.includes('disk.quota') ? 'quota' : needs.some(isOfDisk) ? 'disk' : 'any';
}

/** Something is dead afterwards, or a file system that saw an error no longer trusts its disk. */
function spoils(gang: readonly Job[]): boolean {
  return gang.some(({ plan }) =>
    verbsOf(plan).some(
      (op) =>
        op.verb === 'vm.kill' ||
        op.verb === 'daemon.kill' ||
        (op.verb === 'disk.fault' && op.fault === 'io-error'),
    ),
  );
}

/** A probe has only so many workers: what is more than that takes another machine. */
function thatFit(jobs: readonly Job[]): Job[][] {
  const gangs: Job[][] = [];
  let room = 0;
  for (const job of jobs) {
    const needed = Object.keys(job.plan.actors).length;
    if (needed > room) {
      gangs.push([]);
      room = maxActors;
    }
    room -= needed;
    gangs.at(-1)?.push(job);
  }
  return gangs;
}

function abilitiesOf(plan: Case): readonly BenchAbility[] {
  return plan.needs.filter(isAbility);
}

function isAbility(need: string): need is BenchAbility {
  return need.includes('.');
}

function isOfDisk(ability: BenchAbility): boolean {
  return ability.startsWith('disk.') || ability === 'power.cut';
}

function verbsOf(plan: Case): readonly BenchOperation[] {
  return plan.steps.flatMap(({ op }) => (op.do === 'bench' ? [op] : []));
}

async function carryOutMachine(
  gangs: readonly (readonly Job[])[],
  maker: BenchMaker,
  options: GangOptions,
  skip: (job: Job, why: string) => void,
): Promise<void> {
  const jobs = gangs.flat();
  const modes = [...new Set(jobs.map(modeOf))];
  const needs = [...new Set(jobs.flatMap(({ plan }) => abilitiesOf(plan)))];
  let made: MadeBench;
  try {
    made = await maker.make(modes, needs, options.signal);
  } catch (error) {
    if (!(error instanceof KnownError)) throw error;
    for (const job of jobs) skip(job, `a machine of its own did not come up: ${error.message}`);
    return;
  }
  try {
    for (const gang of gangs) await carryOutGang(gang, made, options);
  } finally {
    await made.close();
  }
}

async function carryOutGang(
  gang: readonly Job[],
  made: MadeBench,
  { signal, onBegan, onEnded }: GangOptions,
): Promise<void> {
  const meeting = meetingOf(gang.length);
  try {
    await Promise.all(
      gang.map(async (job) => {
        const own = made.benches.get(modeOf(job));
        const member = meeting.join(modeOf(job), own?.bench.verbs);
        try {
          onBegan(job);
          onEnded(job, await carryOutOn(job, own, member.verbs, signal));
        } finally {
          member.leave();
        }
      }),
    );
  } finally {
    await meeting.undo();
  }
}

function modeOf({ planned }: Job): string {
  return planned.setting.mode?.name ?? 'unknown';
}

/** Plans the case anew for the bench that was made: paths, process ids and seeds of steps are of that one. */
async function carryOutOn(
  { planned, plan }: Job,
  own: { readonly bench: Bench; readonly workplace: Workplace } | undefined,
  verbs: BenchVerbs | undefined,
  signal: AbortSignal | undefined,
): Promise<CaseRecord> {
  const nothing = { case: plan, steps: [], outcomes: {}, bulk: {}, durationMs: 0 };
  if (own === undefined)
    return { ...nothing, skipped: 'the machine that was made has no share in this mode' };
  const cell: Cell = {
    ...planned.cell,
    bench: { ...own.bench, ...(verbs === undefined ? {} : { verbs }) },
    workplace: own.workplace,
    bundleDir: path.resolve(planned.cell.bundleDir),
  };
  try {
    const again = planCell(cell);
    const same = again.cases.find(({ name }) => name === plan.name);
    if (same === undefined) return { ...nothing, skipped: 'it does not apply on the machine that was made' };
    const record = await carryOutCase(again, same, signal === undefined ? {} : { signal });
    return { ...record, setting: again.setting };
  } catch (error) {
    return { ...nothing, crashed: error instanceof Error ? error.message : String(error) };
  }
}

/** Cases that meet at the verbs which concern them all. */
interface Meeting {
  join(mode: string, verbs: BenchVerbs | undefined): { readonly verbs?: BenchVerbs; leave(): void };
  /** Puts back what the verbs did. */
  undo(): Promise<void>;
}

interface Appointment {
  /** Undefined: all modes are awaited. */
  readonly mode: string | undefined;
  readonly here: Set<number>;
  readonly doIt: () => void;
  readonly done: Promise<BenchDone>;
}

/**
 * What kills one daemon concerns one mode, everything else the whole machine: it is done once, when all who
 * are still at work have come to it. Each case's n-th verb is the n-th appointment (of its mode).
 * @param size how many will join.
 */
function meetingOf(size: number): Meeting {
  const present = new Map<number, string>();
  const appointments = new Map<string, Appointment>();
  const undo: NonNullable<BenchDone['undo']>[] = [];
  let toCome = size;
  const look = () => {
    for (const { mode, here, doIt } of appointments.values()) {
      const awaited = [...present].filter(([, its]) => mode === undefined || its === mode);
      if (toCome === 0 && here.size > 0 && awaited.every(([member]) => here.has(member))) doIt();
    }
  };
  return {
    join(mode, verbs) {
      const member = size - toCome;
      let count = 0;
      toCome -= 1;
      present.set(member, mode);
      const leave = () => {
        present.delete(member);
        look();
      };
      if (verbs === undefined) return { leave };
      const carryOut: BenchVerbs['carryOut'] = async (op, share, signal) => {
        count += 1;
        const only = op.verb === 'daemon.kill' ? mode : undefined;
        const key = `${only ?? ''} ${count}`;
        const meet =
          appointments.get(key) ?? appointmentFor(only, () => verbs.carryOut(op, share, signal), undo);
        appointments.set(key, meet);
        meet.here.add(member);
        look();
        const { value, views } = await meet.done;
        return { value, ...(views === undefined ? {} : { views }) };
      };
      return { verbs: { can: verbs.can, carryOut }, leave };
    },
    async undo() {
      for (const each of undo.reverse()) await each();
    },
  };
}

function appointmentFor(
  mode: string | undefined,
  carryOut: () => Promise<BenchDone>,
  undo: NonNullable<BenchDone['undo']>[],
): Appointment {
  let settle: (done: Promise<BenchDone>) => void = () => {};
  const done = new Promise<BenchDone>((resolve) => {
    settle = resolve;
  });
  done.then(
    (each) => each.undo !== undefined && undo.push(each.undo),
    () => {},
  );
  let begun = false;
  const doIt = () => {
    if (begun) return;
    begun = true;
    clearTimeout(timer);
    settle(carryOut());
  };
  // Who is stuck must not keep the others waiting for ever.
  const timer = setTimeout(doIt, meetLimitMs);
  return { mode, here: new Set(), doIt, done };
}

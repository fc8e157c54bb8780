import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import type { BenchOperation } from '../model/bench-verb.ts';
import type { Case, Check, Setting, Step } from '../model/check.ts';
import { KnownError } from '../model/error.ts';
import { type Outcome, pointless as pointlessWithout } from '../model/outcome.ts';
import type { ViewName } from '../model/side.ts';
import type { BenchDone } from '../share/bench-verbs.ts';
import type { Bench, BoundView } from './bench.ts';
import { BulkWriter, type CaseRecord, observedCase } from './bundle.ts';
import { lackedBy } from './needs.ts';
import { planFault } from './plan.ts';
import { viewFacts } from './setting.ts';

/** What happens while a case is carried out, for whoever shows it. */
export type RunEvent =
  | { readonly kind: 'step-began'; readonly check: string; readonly case: string; readonly step: Step }
  | {
      readonly kind: 'step-ended';
      readonly check: string;
      readonly case: string;
      readonly step: Step;
      readonly outcome: Outcome;
    }
  | {
      readonly kind: 'progress';
      readonly check: string;
      readonly case: string;
      readonly step: Step;
      readonly bytes?: number;
      readonly entries?: number;
    };

/** Where and how a case is carried out. */
export interface CarryOptions {
  /** The bundle's directory; bulk results go there. */
  readonly bundleDir: string;
  /** This case's own directory, relative to the views' roots; "" for a case in place. */
  readonly caseDir: string;
  /** For a step that names no limit. */
  readonly limitMs: number;
  readonly onEvent?: (event: RunEvent) => void;
  readonly signal?: AbortSignal;
}

const interrupted = 'the run was interrupted';

/** Rounds of `next` that a check may ask for. */
const maxRounds = 8;

/**
 * Carries a case out: its steps, then those that `next` asks for. Actors run at once, each one's steps in
 * order. Whatever happens on a side is an outcome; only a defect (of a check or of ours) throws.
 */
export async function carryOut(
  check: Check,
  plan: Case,
  setting: Setting,
  bench: Bench,
  options: CarryOptions,
): Promise<CaseRecord> {
  const started = performance.now();
  const steps: Step[] = [];
  const outcomes: Record<string, Outcome> = {};
  const bulk: Record<string, string> = {};
  const lost = new Set<string>();
  // Verbs of the bench add views to this case's own copy.
  const views = { ...bench.views };
  const undo: NonNullable<BenchDone['undo']>[] = [];
  await mkdir(options.bundleDir, { recursive: true });
  let round: readonly Step[] = plan.steps;
  try {
    for (let count = 0; round.length > 0; count += 1) {
      if (count > maxRounds) throw new Error(`check ${check.name}: more than ${maxRounds} rounds of next()`);
      steps.push(...round);
      const fault = planFault(plan, steps);
      if (fault !== undefined) throw new Error(`check ${check.name}, case ${plan.name}: ${fault}`);
      await runRound({ check, plan, bench: { ...bench, views }, options, outcomes, bulk, lost, undo }, round);
      if (check.next === undefined || options.signal?.aborted === true) break;
      const record: CaseRecord = { case: plan, steps, outcomes, bulk, durationMs: 0 };
      round = await check.next(observedCase(options.bundleDir, setting, record));
    }
  } finally {
    await Promise.all(
      actorsOf(plan, { ...bench, views }).map(({ name, view }) =>
        view.session.release(actorId(check, plan, name, options)),
      ),
    );
    for (const each of undo.reverse()) await each();
  }
  return { case: plan, steps, outcomes, bulk, durationMs: performance.now() - started };
}

interface Round {
  readonly check: Check;
  readonly plan: Case;
  readonly bench: Bench & { readonly views: Partial<Record<ViewName, BoundView>> };
  readonly options: CarryOptions;
  readonly outcomes: Record<string, Outcome>;
  readonly bulk: Record<string, string>;
  /** Actors whose process is gone or stuck: they do nothing more in this case. */
  readonly lost: Set<string>;
  /** What verbs of the bench did, to be undone when the case is over. */
  readonly undo: NonNullable<BenchDone['undo']>[];
}

function actorsOf(plan: Case, bench: Bench): { name: string; view: BoundView }[] {
  return Object.entries(plan.actors).flatMap(([name, viewName]) => {
    const view = bench.views[viewName];
    return view === undefined ? [] : [{ name, view }];
  });
}

/** An actor's name as the probe knows it: several cases may run on one session at once. */
function actorId(check: Check, plan: Case, actor: string, options: CarryOptions): string {
  return `${check.name}/${plan.name}/${options.caseDir}/${actor}`;
}

async function runRound(round: Round, steps: readonly Step[]): Promise<void> {
  const gates = new Map(steps.map((step) => [step.id, { begun: gate(), ended: gate() }]));
  const pointless = new Map(steps.map((step) => [step.id, new AbortController()]));
  const interrupt = () => {
    for (const each of pointless.values()) each.abort(interrupted);
  };
  round.options.signal?.addEventListener('abort', interrupt, { once: true });
  if (round.options.signal?.aborted === true) interrupt();
  const endDependents = (step: Step, outcome: Outcome) => {
    if (outcome.kind === 'value') return;
    for (const each of steps) {
      if (each.onlyWith?.includes(step.id) === true)
        pointless.get(each.id)?.abort(`${pointlessWithout}${step.id}`);
    }
  };
  const queues = new Map<string, Step[]>();
  for (const step of steps) queues.set(step.actor, [...(queues.get(step.actor) ?? []), step]);
  await Promise.all(
    [...queues.values()].map(async (queue) => {
      for (const step of queue) {
        // Steps of earlier rounds have no gate: they have ended.
        await Promise.all((step.after ?? []).map((each) => gates.get(each.step)?.[each.has].passed));
        const begun = () => gates.get(step.id)?.begun.open();
        const outcome = await runStep(round, step, begun, pointless.get(step.id)?.signal);
        round.outcomes[step.id] = outcome;
        endDependents(step, outcome);
        if (!mayGoOn(step, outcome)) round.lost.add(step.actor);
        round.options.onEvent?.({
          kind: 'step-ended',
          check: round.check.name,
          case: round.plan.name,
          step,
          outcome,
        });
        begun();
        gates.get(step.id)?.ended.open();
      }
    }),
  );
  round.options.signal?.removeEventListener('abort', interrupt);
}

async function runStep(
  round: Round,
  step: Step,
  onBegun: () => void,
  cancel: AbortSignal | undefined,
): Promise<Outcome> {
  const { check, plan, options } = round;
  const viewName = plan.actors[step.actor];
  const view = viewName === undefined ? undefined : round.bench.views[viewName];
  if (cancel?.aborted === true) return { kind: 'not-run', reason: String(cancel.reason) };
  if (round.lost.has(step.actor))
    return { kind: 'not-run', reason: `an earlier step of ${step.actor} did not end well` };
  const source = { check: check.name, case: plan.name, step };
  options.onEvent?.({ kind: 'step-began', ...source });
  if (step.op.do === 'bench') return benchVerb(round, step.op);
  if (view === undefined) return { kind: 'not-run', reason: `this bench has no view "${viewName}"` };
  if (step.op.do === 'used-index') return usedIndex(round.bench);
  const lacked = plan.inPlace === true ? undefined : lackedBy(plan, step, round.bench);
  if (lacked !== undefined) return { kind: 'not-run', reason: lacked };
  const file = `${fileSafe(plan.name)}.${fileSafe(step.id)}.jsonl`;
  let writer: BulkWriter | undefined;
  const outcome = await view.session.request(actorId(check, plan, step.actor, options), step.op, {
    root: plan.inPlace === true ? view.facts.root : path.posix.join(view.facts.root, options.caseDir),
    limitMs: step.limit?.ms ?? options.limitMs,
    silent: step.limit?.silent ?? false,
    limitName: step.limit?.name ?? 'the limit of a step',
    ...(cancel === undefined ? {} : { cancel }),
    onBegun,
    onProgress: (progress) => options.onEvent?.({ kind: 'progress', ...source, ...progress }),
    onBulk: async (items) => {
      writer ??= new BulkWriter(path.join(options.bundleDir, file));
      await writer.write(items);
    },
  });
  if (writer !== undefined) {
    await (writer as BulkWriter).end();
    round.bulk[step.id] = file;
  }
  return outcome;
}

/** A step that may fail, or became pointless, does not stop its actor; a worker that is gone or stuck does. */
function mayGoOn(step: Step, outcome: Outcome): boolean {
  if (outcome.kind === 'value') return true;
  return step.mayFail === true && (outcome.kind === 'errno' || outcome.kind === 'not-run');
}

/** The one sample that no probe takes: the machine's monitor does. */
async function usedIndex({ usedIndex: read }: Bench): Promise<Outcome> {
  if (read === undefined)
    return { kind: 'errno', errno: 'ENODEV', call: 'no monitor of this machine is known: it' };
  try {
    return { kind: 'value', value: await read() };
  } catch (error) {
    if (!(error instanceof KnownError)) throw error;
    return { kind: 'errno', errno: 'EIO', call: error.message };
  }
}

/** A verb of the bench; what it gave to look at becomes views of this case. */
async function benchVerb({ bench, undo, options }: Round, op: BenchOperation): Promise<Outcome> {
  const { verbs, views, share } = bench;
  if (verbs === undefined) return { kind: 'errno', errno: 'ENOTSUP', call: `${op.verb} on this bench` };
  try {
    const mode = share.mode?.name ?? 'unknown';
    const done = await verbs.carryOut(op, { mode }, options.signal);
    if (done.undo !== undefined) undo.push(done.undo);
    for (const [name, { on, root }] of Object.entries(done.views ?? {})) {
      const session = on === 'host' ? views.host?.session : on;
      const directory = typeof root === 'string' ? root : root[mode];
      if (session !== undefined && directory !== undefined)
        views[name as ViewName] = { session, facts: viewFacts(directory, session.hello) };
    }
    return { kind: 'value', value: done.value };
  } catch (error) {
    if (!(error instanceof KnownError)) throw error;
    return { kind: 'errno', errno: 'EIO', call: `${op.verb} (${error.message}): it` };
  }
}

/** A case's or step's name as part of a file name. */
function fileSafe(name: string): string {
  return name.replaceAll(/[^A-Za-z0-9_-]/g, '-');
}

function gate(): { readonly passed: Promise<void>; open(): void } {
  let open = () => {};
  const passed = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { passed, open };
}

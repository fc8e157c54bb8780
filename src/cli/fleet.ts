import { createHash } from 'node:crypto';
import path from 'node:path';
import { KnownError } from '../model/error.ts';
import type { Environment, Report, Result } from '../model/report.ts';
import { type GuestAnswer, makeFleetReport } from '../run/fleet-report.ts';
import { eachGuest, type GuestTurn, type GuestWork } from './each-guest.ts';
import { reportFailure } from './failure.ts';
import { reachSides } from './sides.ts';
import type { Target } from './targets.ts';
import { packageVersion } from './version.ts';
import { type AskFlags, askThere, type Work } from './with-sides.ts';

/** What is asked of each guest. */
export interface FleetQuestion<F extends AskFlags> {
  readonly command: Report['command'];
  readonly flags: F;
  readonly asked: readonly Pick<Result, 'check' | 'path'>[];
  readonly work: Work<F>;
}

/** What came of a fleet. */
export interface FleetAnswer {
  readonly report: Report;
  /** A defect of our own was met on the way. */
  readonly defect: boolean;
  /** Work that did not end within its limit still runs: whoever prints the report has to end the program. */
  readonly abandoned: boolean;
}

/**
 * Asks several guests, so many at once, each with connections, probes and evidence of its own, and puts what they
 * answer into one report.
 * @param signal aborts what runs, and begins no other.
 */
export async function askFleet<F extends AskFlags>(
  question: FleetQuestion<F>,
  targets: readonly Target[],
  { signal, started }: { readonly signal: AbortSignal; readonly started: number },
): Promise<FleetAnswer> {
  const { turns, abandoned } = await eachGuest(targets, question.flags, signal, (target, work) =>
    askOne(question, target, work),
  );
  const reports = turns.flatMap((turn) => ('value' in turn ? [turn.value] : []));
  const environment = environmentOfAll(
    reports.map((each) => each.environment),
    started,
  );
  const answers = turns.map((turn) => answerOf(turn, question));
  const made = makeFleetReport(question.command, packageVersion(), environment, answers);
  const checks = Object.assign({}, ...reports.map((each) => each.checks)) as NonNullable<Report['checks']>;
  return {
    report: Object.keys(checks).length === 0 ? made : { ...made, checks },
    defect: turns.some((turn) => 'error' in turn && !(turn.error instanceof KnownError)),
    abandoned,
  };
}

/** One guest from the first connection to the last. */
async function askOne<F extends AskFlags>(
  { flags, work }: FleetQuestion<F>,
  { name, guest, host, map, modeOf }: Target,
  { signal, reached }: GuestWork,
): Promise<Report> {
  const { bundle, targets: _, ...shared } = flags;
  const own = { ...shared, guest, host, map, modeOf } as unknown as F;
  const where = bundle === undefined ? own : { ...own, bundle: path.join(bundle, directoryName(name)) };
  const started = Date.now();
  const sides = await reachSides(where);
  try {
    await reached();
    return (await askThere(sides, where, { signal, started, display: undefined }, work)).report;
  } finally {
    await sides.close();
  }
}

/** A guest's name as that of a directory: what could lead elsewhere is written as %XX. */
export function directoryName(name: string): string {
  const word = encodeURIComponent(name).replace(/^\./, '%2E');
  if (word.length <= maxWord) return word;
  // The commands of two guests may begin alike.
  return `${word.slice(0, maxWord - 17)}-${createHash('sha256').update(name).digest('hex').slice(0, 16)}`;
}

/** A file name holds 255 bytes. */
const maxWord = 200;

function answerOf<F extends AskFlags>(
  turn: GuestTurn<Report>,
  { asked }: Pick<FleetQuestion<F>, 'asked'>,
): GuestAnswer {
  const row = { guest: turn.target.name, durationMs: turn.durationMs };
  if ('value' in turn) {
    const { guest: side } = turn.value.environment;
    return { row: { ...row, ...(side === undefined ? {} : { side }) }, results: turn.value.results };
  }
  const trouble = troubleOf(turn.error);
  return { row: { ...row, trouble }, results: unansweredBy(trouble, asked) };
}

/** The results of a guest that did not answer: each of them could not be told. */
export function unansweredBy(
  { code, reason, next }: Trouble,
  asked: readonly Pick<Result, 'check' | 'path'>[],
): readonly Result[] {
  const verdict = { kind: 'unknown', code, reason, next } as const;
  return asked.map((each) => ({ ...each, mode: 'unknown', verdict, cases: [], durationMs: 0 }));
}

type Trouble = NonNullable<GuestAnswer['row']['trouble']>;

/** Why a guest did not answer. A defect of our own is told in full as well. */
export function troubleOf(error: unknown): Trouble {
  if (error instanceof KnownError) return { code: error.code, reason: error.message, next: error.cure };
  reportFailure(error);
  return { code: 'defect', reason: 'a defect of vfs-verify itself, told above', next: 'Please report it.' };
}

/** What all guests have in common: the run, and the host where there is but one. */
function environmentOfAll(environments: readonly Environment[], started: number): Environment {
  const hosts = new Map(environments.map(({ host }) => [host?.name, host]));
  const [host] = hosts.size === 1 ? [...hosts.values()] : [];
  const shares = environments.flatMap((each) => each.shares);
  return {
    startedAt: new Date(started).toISOString(),
    durationMs: Date.now() - started,
    seed: environments[0]?.seed ?? 0,
    ...(host === undefined ? {} : { host }),
    shares: [...new Map(shares.map((share) => [JSON.stringify(share), share])).values()],
    versions: inCommon(environments.map(({ versions }) => versions)),
  };
}

/** What all of them say. */
function inCommon([first = {}, ...others]: readonly Environment['versions'][]): Environment['versions'] {
  return Object.fromEntries(
    Object.entries(first).filter(([name, version]) => others.every((each) => each[name] === version)),
  );
}

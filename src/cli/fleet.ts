import path from 'node:path';
import { withinMs } from '../endpoint/within.ts';
import { KnownError } from '../model/error.ts';
import type { Environment, Report, Result } from '../model/report.ts';
import { type GuestAnswer, makeFleetReport } from '../run/fleet-report.ts';
import { inTurns } from '../run/queue.ts';
import { reportFailure } from './failure.ts';
import { parseCount, parseSeconds } from './quantities.ts';
import { reachSides } from './sides.ts';
import type { Target } from './targets.ts';
import { packageVersion } from './version.ts';
import { type AskFlags, askThere, type Work } from './with-sides.ts';

/** After a guest's limit: for its work to end in good order before it is left alone. */
const graceMs = 5000;

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
 * Asks several guests, so many at once. Each has connections, probes and evidence of its own, and its own limit:
 * one that is dead, slow or broken has a row that says so, and holds no other up but for its turn.
 * @param signal aborts what runs, and begins no other.
 */
export async function askFleet<F extends AskFlags>(
  question: FleetQuestion<F>,
  targets: readonly Target[],
  { signal, started }: { readonly signal: AbortSignal; readonly started: number },
): Promise<FleetAnswer> {
  const { flags, command } = question;
  const jobs = parseCount('--jobs', flags.jobs ?? '8', 256);
  const limitMs = parseSeconds('--guest-limit', flags.guestLimit ?? '3600');
  const answers = new Map<Target, GuestAnswer>();
  const environments: Environment[] = [];
  let defect = false;
  let abandoned = false;
  await inTurns(
    targets,
    jobs,
    () => 0,
    async (target) => {
      const began = Date.now();
      const row = () => ({ guest: target.name, durationMs: Date.now() - began });
      const limit = AbortSignal.timeout(limitMs);
      try {
        if (signal.aborted)
          throw new KnownError('not-run', 'not asked: the run was interrupted', 'Run it again.');
        const asking = askOne(question, target, AbortSignal.any([signal, limit]));
        const report = await withinMs(asking, limitMs + graceMs);
        if (report === undefined) {
          asking.catch(() => {});
          abandoned = true;
          throw overLimit(limitMs);
        }
        environments.push(report.environment);
        const { guest: side } = report.environment;
        answers.set(target, {
          row: { ...row(), ...(side === undefined ? {} : { side }) },
          results: report.results,
        });
      } catch (error) {
        if (!(error instanceof KnownError)) {
          defect = true;
          reportFailure(error);
        }
        answers.set(target, unanswered(error, row(), question));
      }
      if (flags.json !== true)
        process.stderr.write(`vfs-verify: ${answers.size} of ${targets.length}: ${target.name}\n`);
    },
  );
  const inOrder = targets.flatMap((target) => answers.get(target) ?? []);
  const report = makeFleetReport(command, packageVersion(), environmentOfAll(environments, started), inOrder);
  return { report, defect, abandoned };
}

/** One guest from the first connection to the last. */
async function askOne<F extends AskFlags>(
  { flags, work }: FleetQuestion<F>,
  { name, guest, host, map, modeOf }: Target,
  signal: AbortSignal,
): Promise<Report> {
  const { bundle, targets: _, ...shared } = flags;
  const own = { ...shared, guest, host, map, modeOf } as unknown as F;
  const where = bundle === undefined ? own : { ...own, bundle: path.join(bundle, directoryName(name)) };
  const started = Date.now();
  const sides = await reachSides(where);
  try {
    return (await askThere(sides, where, { signal, started, display: undefined }, work)).report;
  } finally {
    await sides.close();
  }
}

/** A guest's name as that of a directory: what could lead elsewhere is written as %XX. */
function directoryName(name: string): string {
  return encodeURIComponent(name).replace(/^\./, '%2E').slice(0, 200);
}

function overLimit(limitMs: number): KnownError {
  return new KnownError(
    'guest-limit',
    `it was not done within ${limitMs / 1000} s (--guest-limit)`,
    'Ask it alone and see what it waits for, or give it more time.',
  );
}

function unanswered<F extends AskFlags>(
  error: unknown,
  row: GuestAnswer['row'],
  { asked }: FleetQuestion<F>,
): GuestAnswer {
  const trouble =
    error instanceof KnownError
      ? { code: error.code, reason: error.message, next: error.cure }
      : { code: 'defect', reason: 'a defect of vfs-verify itself, told above', next: 'Please report it.' };
  const { code, reason, next } = trouble;
  const verdict = { kind: 'unknown', code, reason, next } as const;
  return {
    row: { ...row, trouble },
    results: asked.map((each) => ({ ...each, mode: 'unknown', verdict, cases: [], durationMs: 0 })),
  };
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
    versions: {},
  };
}

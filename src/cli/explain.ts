import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { Readable } from 'node:stream';
import { KnownError } from '../model/error.ts';
import type { ExplainEvidence, HostRun } from '../model/explain-evidence.ts';
import type { RunSignal } from '../model/program-run.ts';
import type { Report, Result } from '../model/report.ts';
import type { Format } from '../report/formats.ts';
import { renderJson } from '../report/json.ts';
import { renderText } from '../report/text.ts';
import { openEvidence } from '../run/evidence.ts';
import { makeReport } from '../run/report.ts';
import {
  type AccountedRun,
  accountedRun,
  type Explained,
  filesMeant,
} from '../workload/explain/accounted-run.ts';
import { advice } from '../workload/explain/advice.ts';
import { Asker } from '../workload/explain/asker.ts';
import { type Running, requireProbe, type Streams } from '../workload/explain/attended.ts';
import { runOnHost } from '../workload/explain/on-host.ts';
import { probeJob } from '../workload/explain/probe-job.ts';
import { bringInto, type CacheState, parseStates } from '../workload/explain/states.ts';
import { environmentOf } from './environment.ts';
import { reportFailure } from './failure.ts';
import { withMetrics } from './live-metrics.ts';
import { monitorsOf } from './monitor.ts';
import { styleOf } from './print.ts';
import { parseTimeout } from './quantities.ts';
import { notWritten } from './replace-file.ts';
import { readReportFiles, writeReportFiles } from './report-files.ts';
import { reachSides, type SideFlags, type Sides } from './sides.ts';
import { packageVersion } from './version.ts';

/** The flags of `explain` (program.ts). */
export interface ExplainFlags extends SideFlags {
  readonly file?: readonly string[];
  readonly states?: string;
  readonly onHost?: boolean;
  readonly withProbe?: boolean;
  readonly in?: string;
  readonly output?: string;
  readonly report?: readonly string[];
  readonly metrics?: string;
  readonly bundle?: string;
  readonly timeout: string;
  readonly json?: boolean;
}

/** There are no cases for JUnit to count. */
const explainFormats: readonly Format[] = ['text', 'json', 'html', 'csv'];
/** As env, timeout and nice do it: a failure of our own, never the program's. */
const ownFailure = 125;
const passedSignals = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT', 'SIGUSR1', 'SIGUSR2'] as const;

/**
 * `vfs-verify explain -- COMMAND…`: runs the user's own program in the guest, its streams and its exit status left
 * as they are, and says which medium its numbers measured. The answer goes to standard error, since standard output is
 * the program's.
 */
export async function explain(argv: readonly string[], flags: ExplainFlags): Promise<void> {
  try {
    process.exitCode = await explained(argv, flags);
  } catch (error) {
    reportFailure(error);
    process.exitCode = ownFailure;
  }
}

async function explained(given: readonly string[], flags: ExplainFlags): Promise<number> {
  const isProbe = flags.withProbe === true;
  const argv = isProbe ? ['vfs-probe', 'job', ...probeJob(given)] : given;
  const limitMs = parseTimeout(flags.timeout);
  for (const each of [...(flags.file ?? []), ...(flags.in === undefined ? [] : [flags.in])])
    if (!each.startsWith('/'))
      throw new KnownError(
        'bad-path',
        `"${each}" is not an absolute path`,
        'Name it as the guest sees it, from its root: /mnt/share/file.',
      );
  const states = flags.states === undefined ? undefined : parseStates(flags.states);
  const files = await readReportFiles(flags.report, explainFormats);
  if (flags.bundle !== undefined) await openEvidence(flags.bundle);
  const started = Date.now();
  const signals = new Signals();
  const sides = await reachSides(flags);
  const monitors = monitorsOf(sides);
  try {
    if (flags.onHost === true) requireProbe(sides.host);
    const asked: Explained = {
      command: { argv, isProbe, ...(flags.in === undefined ? {} : { directory: flags.in }) },
      files: flags.file ?? [],
      shares: sides.shares,
      limitMs,
      usedIndexOf: (share) => monitors.usedIndexOf(share),
      onRunning: (running) => signals.passTo(running),
    };
    const run: RunOnce = (streams, state) => onceWatched(sides, asked, streams, { ...flags, state });
    const plan = { states, onHost: flags.onHost === true, isInterrupted: () => signals.count > 0, run };
    const runs =
      states === undefined && !plan.onHost
        ? [{ ...(await run(process)), startedAt: started }]
        : await eachRun(plan, sides, asked);
    const results = runs.map((run) => resultOf(argv, run, sides, Date.now() - run.startedAt));
    const shares = [...new Set(runs.flatMap(({ share }) => (share === undefined ? [] : [share])))];
    const environment = environmentOf(sides, { started, seed: 0, shares });
    const report = makeReport('explain', packageVersion(), environment, results);
    if (flags.bundle !== undefined) await keep(flags.bundle, report, runs);
    await writeReportFiles(files, report);
    await tell(report, flags);
    return runs.find(({ attended }) => attended.status !== 0)?.attended.status ?? 0;
  } finally {
    signals.stop();
    monitors.close();
    await sides.close();
    // A terminal or an open pipe would keep this process waiting for words that nobody reads any more.
    process.stdin.destroy();
  }
}

interface Run extends AccountedRun {
  readonly startedAt: number;
  readonly state?: CacheState;
  readonly stateLeft?: readonly string[];
  readonly onHost?: HostRun;
}

type RunOnce = (streams: Streams, state?: CacheState) => Promise<AccountedRun>;

interface Plan {
  readonly run: RunOnce;
  readonly states: readonly CacheState[] | undefined;
  readonly onHost: boolean;
  readonly isInterrupted: () => boolean;
}

/** One run, its metrics kept up to date meanwhile where they are wanted. */
async function onceWatched(
  sides: Sides,
  asked: Explained,
  streams: Streams,
  { metrics, state }: { readonly metrics?: string; readonly state: CacheState | undefined },
): Promise<AccountedRun> {
  if (metrics === undefined) return accountedRun(sides, asked, streams);
  const [program = ''] = asked.command.argv;
  return withMetrics(metrics, { program, state }, (onSeen) =>
    accountedRun(sides, { ...asked, onSeen }, streams),
  );
}

/**
 * The same program several times: from each state, and on the host's view of its files. Its input cannot be had
 * twice, so that it gets none.
 */
async function eachRun(
  { states, onHost, isInterrupted, run: runOnce }: Plan,
  sides: Sides,
  asked: Explained,
): Promise<Run[]> {
  const [guest, host] = [sides.guest, sides.host].map(
    ({ session }) => new Asker(session, 'explain-states', asked.limitMs),
  ) as [Asker, Asker];
  const runs: Run[] = [];
  try {
    const files = await filesMeant(asked, guest);
    if (states !== undefined && files.length === 0)
      throw new KnownError(
        'no-files',
        '--states needs to know which files the program uses, and its words name none that is there',
        'Name them (--file PATH, as the guest sees it), or lay them out first.',
      );
    for (const state of states ?? [undefined]) {
      if (isInterrupted()) break;
      const startedAt = Date.now();
      const prepare = async () => (state === undefined ? [] : bringInto(state, files, { guest, host }));
      const stateLeft = await prepare();
      const run = await runOnce(withoutInput(), state);
      let there: HostRun | undefined;
      if (onHost && run.attended.failed === undefined && !isInterrupted()) {
        await prepare();
        const { command, shares, onRunning } = asked;
        there = await runOnHost(sides.host, command, shares, withoutInput(), (each) => onRunning?.(each));
      }
      runs.push({
        ...run,
        startedAt,
        ...(state === undefined ? {} : { state, stateLeft }),
        ...(there === undefined ? {} : { onHost: there }),
      });
      if (run.attended.failed !== undefined) break;
    }
  } finally {
    await Promise.all([guest.release(), host.release()]);
  }
  return runs;
}

function withoutInput(): Streams {
  return { stdin: Readable.from([]), stdout: process.stdout, stderr: process.stderr };
}

function resultOf(argv: readonly string[], run: Run, sides: Sides, durationMs: number): Result {
  const base = { check: 'explain', mode: run.share?.mode?.name ?? 'unknown', cases: [], durationMs };
  const { account, share, attended, samples } = run;
  if (attended.failed !== undefined)
    return {
      ...base,
      verdict: {
        kind: 'unknown',
        code: 'not-started',
        reason: `${sides.guest.endpoint.name}: ${argv[0]} could not be started: ${attended.failed}`,
        next:
          attended.failed === 'ENOENT'
            ? `install ${argv[0]} in the guest, or name it with its directory${path.basename(argv[0] ?? '') === 'fio' ? "; or let the probe's own runner do the job: explain --with-probe -- fio …" : ''}`
            : 'see its permissions and the mount that it lies on (noexec)',
      },
    };
  if (account === undefined || share === undefined || samples === undefined)
    return {
      ...base,
      verdict: {
        kind: 'unknown',
        code: 'no-file',
        reason:
          attended.end === undefined
            ? 'the account of the program was lost'
            : 'the program was not seen to hold a file of any share that is known here',
        next: `name the file that it uses: --file PATH; shares in the guest: ${sides.shares.map(({ guestDir }) => guestDir).join(', ')}`,
      },
    };
  const evidence: ExplainEvidence = {
    kind: 'explain',
    command: argv,
    status: attended.status,
    seconds: account.end.atNs / 1e9,
    account,
    ...(run.state === undefined ? {} : { state: run.state }),
    ...(run.stateLeft === undefined ? {} : { stateLeft: run.stateLeft }),
    ...(run.rate === undefined ? {} : { rate: run.rate }),
    ...(run.timeline === undefined ? {} : { timeline: run.timeline }),
    ...(run.latency === undefined ? {} : { latency: run.latency }),
    ...(run.onHost === undefined ? {} : { onHost: run.onHost }),
    advice: advice(account, {
      ...(share.mode === undefined ? {} : { allowDirectIo: share.mode.flags.includes('allow-direct-io') }),
      ...memory(run),
    }),
    share: {
      mode: share.mode?.name ?? 'unknown',
      how: share.modeHow,
      ...(share.server === undefined ? {} : { server: share.server }),
      ...(sides.lab === undefined ? {} : { lab: sides.lab.name }),
    },
    disturbed: run.disturbed,
  };
  const [next] = evidence.advice;
  return {
    ...base,
    verdict: {
      kind: 'pass',
      reason: answer(account),
      evidence,
      ...(next === undefined ? {} : { next }),
    },
  };
}

/** What moved more comes first; what is next to nothing beside it is left to the table. */
function answer({ reads, writes }: NonNullable<AccountedRun['account']>): string {
  const flows = [reads, writes].sort((a, b) => b.bytes - a.bytes);
  const most = flows[0]?.bytes ?? 0;
  if (most === 0) return 'It read and wrote nothing on the share.';
  return flows
    .filter(({ bytes }) => bytes > most / 20)
    .map(({ sentence }) => sentence)
    .join(' ');
}

function memory({ hostSamples, attended }: AccountedRun) {
  const host = hostSamples.at(-1)?.counters.memoryBytes;
  const guest = attended.end?.memoryBytes;
  return {
    ...(host === undefined ? {} : { hostMemoryBytes: host }),
    ...(guest === undefined ? {} : { guestMemoryBytes: guest }),
  };
}

/** Standard output is the program's, byte for byte. */
async function tell(report: Report, { json, output }: ExplainFlags): Promise<void> {
  const style = output === undefined ? styleOf(process.stderr) : { color: false, width: 80 };
  const text = json === true ? renderJson(report) : renderText(report, style);
  if (output === undefined) process.stderr.write(text);
  else
    await writeFile(output, text).catch((error: unknown) => {
      // The program has run: its answer must not be lost.
      process.stderr.write(text);
      throw notWritten(output, error);
    });
}

/** The evidence: the report, and for each run what it was made from, with the looks of each 100 ms. */
async function keep(directory: string, report: Report, runs: readonly Run[]): Promise<void> {
  const lines = (items: readonly unknown[]) => items.map((each) => `${JSON.stringify(each)}\n`).join('');
  for (const { state, samples, attended, hostSamples } of runs) {
    const own = state === undefined ? directory : path.join(directory, state);
    await mkdir(own, { recursive: true });
    if (samples !== undefined)
      await writeFile(path.join(own, 'samples.json'), `${JSON.stringify(samples)}\n`);
    await writeFile(path.join(own, 'guest.jsonl'), lines(attended.samples));
    await writeFile(path.join(own, 'host.jsonl'), lines(hostSamples));
  }
  await writeFile(path.join(directory, 'report.json'), renderJson(report));
}

/** Signals are the program's: what comes to us is handed on; before it runs they end us. */
class Signals {
  #running: Running | undefined;
  count = 0;
  readonly #handlers = passedSignals.map((name) => [name, () => this.#take(name)] as const);

  constructor() {
    for (const [name, handler] of this.#handlers) process.on(name, handler);
  }

  passTo(running: Running): void {
    this.#running = running;
  }

  stop(): void {
    for (const [name, handler] of this.#handlers) process.off(name, handler);
  }

  #take(name: (typeof passedSignals)[number]): void {
    this.count += 1;
    // One that does not heed its signals must not keep its user here for ever.
    if (this.#running === undefined || this.count > 3) process.exit(ownFailure);
    this.#running.signal(name.slice('SIG'.length) as RunSignal);
  }
}

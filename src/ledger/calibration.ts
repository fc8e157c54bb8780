import { calibrationName } from '../model/calibration-steps.ts';
import type { Observed } from '../model/check.ts';
import { filesystems } from '../model/filesystems.ts';
import type {
  CountersResult,
  EvictResult,
  ExtentsResult,
  PageState,
  ReadsResult,
} from '../model/operation.ts';
import { describeOutcome, type Outcome } from '../model/outcome.ts';
import { type ReadBatch, readsOf } from '../model/read-plan.ts';
import type { Calibration, LabelledLatencies } from './samples.ts';

type Seen = Pick<Observed, 'setting' | 'steps' | 'outcome' | 'value' | 'bulk'>;
type Pass = 'cold' | 'warm' | 'kept';

/** The pass that stands for each class. */
const passes: readonly (readonly [LabelledLatencies['source'], Pass])[] = [
  ['disk', 'cold'],
  ['host-cache', 'warm'],
  ['guest-cache', 'kept'],
];

/**
 * The latencies of a calibration (model/calibration-steps.ts), each pass only where the answers say that it was
 * what it was meant to be; undefined where there was none.
 * @param run the accounted run: the file system below was asked there.
 */
export async function calibrationOf(seen: Seen, run: string): Promise<Calibration | undefined> {
  if (!seen.steps.some(({ id }) => id.startsWith(`${calibrationName}.`))) return undefined;
  const classes: LabelledLatencies[] = [];
  const refused: { source: LabelledLatencies['source']; why: string }[] = [];
  for (const [source, pass] of passes) {
    const why = whyNot(seen, run, pass);
    if (why === undefined) classes.push({ source, ns: await durations(seen, pass) });
    else refused.push({ source, why });
  }
  return { classes, refused };
}

/** Why a pass says nothing of its class; undefined where it does. */
function whyNot(seen: Seen, run: string, pass: Pass): string | undefined {
  const outcome = seen.outcome(`${calibrationName}.${pass}`);
  if (outcome.kind !== 'value')
    return outcome.kind === 'not-run' ? 'it was not calibrated' : describeOutcome(outcome);
  if (pass === 'cold') return whyNotDisk(seen, run) ?? whyNotFetched(seen, 'drop-cold');
  if (pass === 'warm') return whyNotFetched(seen, 'drop-warm');
  return whyNotKept(seen);
}

function whyNotDisk(seen: Seen, run: string): string | undefined {
  const storage = filesystems.get(answer<ExtentsResult>(seen, run, 'extents')?.fsMagic ?? 0);
  if (storage?.storage === 'tmpfs') return `${storage.name} has no disk`;
  const dropped = answer<EvictResult>(seen, calibrationName, 'drop-host');
  const tried = seen.outcome(`${calibrationName}.drop-host`);
  if (tried.kind === 'not-run') return 'the file was not evicted on the host for it (--calibrate)';
  if (dropped === undefined)
    return `the file could not be evicted on the host: ${describeOutcome(opened(seen) ?? tried)}`;
  const isSeen = dropped.after.by !== 'refused' && storage?.opaque === undefined;
  if (isSeen && dropped.after.cached > 0) return `${dropped.after.cached} pages stayed on the host`;
  const [before, after] = (['count-before', 'count-after'] as const).map((step) => readBytes(seen, step));
  const { bytes } = answer<ReadsResult>(seen, calibrationName, 'cold') ?? { bytes: 0 };
  if (before !== undefined && after !== undefined && after - before < bytes)
    return `the daemon read ${after - before} bytes from the disk for ${bytes}`;
  return undefined;
}

/** Whether the reads of a pass crossed to the daemon. */
function whyNotFetched(seen: Seen, drop: string): string | undefined {
  const dropped = answer<EvictResult>(seen, calibrationName, drop);
  if (isDirect(seen)) return undefined;
  if (dropped?.evicted === true && dropped.after.by !== 'refused' && dropped.after.cached === 0)
    return undefined;
  return "it cannot be seen whether the guest's pages were dropped";
}

/** Whether the guest kept what the pass before had fetched. */
function whyNotKept(seen: Seen): string | undefined {
  const pages = answer<PageState>(seen, calibrationName, 'pages');
  const fetched = answer<ReadsResult>(seen, calibrationName, 'warm');
  if (whyNotFetched(seen, 'drop-warm') !== undefined || pages === undefined || pages.by === 'refused')
    return "the guest's page cache cannot be asked";
  if (pages.cached === 0) return 'the guest keeps nothing of this file';
  return pages.cached * pages.pageSize >= (fetched?.bytes ?? 0)
    ? undefined
    : 'the guest kept only a part of what it fetched';
}

/** What is not open could not be opened: that is the reason then. */
function opened(seen: Seen): Outcome | undefined {
  const outcome = seen.outcome(`${calibrationName}.host-open`);
  return outcome.kind === 'errno' ? outcome : undefined;
}

function isDirect(seen: Seen): boolean {
  const step = seen.steps.find(({ id }) => id === `${calibrationName}.open`);
  return step?.op.do === 'open' && step.op.flags.includes('direct');
}

function readBytes(seen: Seen, step: string): number | undefined {
  const { daemonPid, vmmPid, mode } = seen.setting;
  const server = mode?.server === '9p' ? vmmPid : daemonPid;
  const counted = answer<CountersResult>(seen, calibrationName, step);
  return counted?.processes.find(({ pid }) => pid === server)?.readBytes;
}

function answer<T>(seen: Seen, of: string, step: string): T | undefined {
  return seen.value<T>(`${of}.${step}`);
}

async function durations(seen: Seen, pass: Pass): Promise<number[]> {
  const step = seen.steps.find(({ id }) => id === `${calibrationName}.${pass}`);
  const ns: number[] = [];
  if (step?.op.do !== 'reads') return ns;
  for await (const batch of seen.bulk<ReadBatch>(step.id))
    for (const read of readsOf(step.op, batch)) if (read.bytes === read.asked) ns.push(read.ns);
  return ns;
}

import { once } from 'node:events';
import { createReadStream, createWriteStream, type WriteStream } from 'node:fs';
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { account } from '../ledger/account.ts';
import { assembleSamples } from '../ledger/assemble.ts';
import { calibrationOf } from '../ledger/calibration.ts';
import type { Case, Observed, Setting, Step } from '../model/check.ts';
import { KnownError } from '../model/error.ts';
import type { Outcome } from '../model/outcome.ts';
import type { ReadBatch } from '../model/read-plan.ts';

/**
 * A bundle is a directory with all that one check saw in one mode: `bundle.json`, and beside it one JSON
 * Lines file for each step with bulk results. A judge reads nothing else.
 */
export interface Bundle {
  readonly schema: 'vfs-verify/bundle/1';
  readonly check: string;
  readonly setting: Setting;
  readonly cases: readonly CaseRecord[];
}

/** One case as it was carried out. */
export interface CaseRecord {
  readonly case: Case;
  /** In the order in which they were planned, those from `next` after the case's own. */
  readonly steps: readonly Step[];
  readonly outcomes: Readonly<Record<string, Outcome>>;
  /** Step's id → its JSON Lines file, relative to the bundle. */
  readonly bulk: Readonly<Record<string, string>>;
  readonly durationMs: number;
  /** Set where the case was not carried out: the need that is not met. */
  readonly skipped?: string;
  /** Set where the check itself went wrong, in words. */
  readonly crashed?: string;
  /** Set where the case ran on a bench of its own: what was known of that one. */
  readonly setting?: Setting;
}

const fileName = 'bundle.json';

/** Saves a bundle's JSON; a reader never sees half of it. */
export async function saveBundle(directory: string, bundle: Bundle): Promise<void> {
  const file = path.join(directory, fileName);
  await mkdir(directory, { recursive: true });
  await writeFile(`${file}.part`, `${JSON.stringify(bundle, undefined, 1)}\n`);
  await rename(`${file}.part`, file);
}

/**
 * Reads a bundle back.
 * @throws KnownError `no-bundle` where there is none or it is not ours.
 */
export async function loadBundle(directory: string): Promise<Bundle> {
  const cure = 'Name a directory that was written with --bundle, or its bundle.json.';
  let parsed: unknown;
  try {
    parsed = JSON.parse(await readFile(path.join(directory, fileName), 'utf8'));
  } catch (cause) {
    throw new KnownError('no-bundle', `${directory} holds no readable ${fileName}`, cure, { cause });
  }
  if (!isBundle(parsed))
    throw new KnownError('no-bundle', `${path.join(directory, fileName)} is no bundle of this version`, cure);
  return parsed;
}

function isBundle(value: unknown): value is Bundle {
  if (typeof value !== 'object' || value === null) return false;
  const { schema, check, setting, cases } = value as Record<string, unknown>;
  return (
    schema === 'vfs-verify/bundle/1' &&
    typeof check === 'string' &&
    typeof setting === 'object' &&
    setting !== null &&
    Array.isArray(cases)
  );
}

/** What a judge sees of one case of a bundle. `skipped` cases have no outcomes and are never judged. */
export function observedCase(directory: string, setting: Setting, record: CaseRecord): Observed {
  const outcome = (step: string): Outcome =>
    record.outcomes[step] ?? { kind: 'not-run', reason: 'not part of this run' };
  const observed: Observed = {
    setting,
    case: record.case,
    steps: record.steps,
    outcome,
    value<T>(step: string): T | undefined {
      const found = outcome(step);
      return found.kind === 'value' ? (found.value as T) : undefined;
    },
    bulk<T>(step: string): AsyncIterable<T> {
      const file = record.bulk[step];
      return file === undefined ? nothing<T>() : readLines<T>(path.join(directory, file));
    },
    async account(run) {
      const samples = assembleSamples(observed, run);
      if (samples === undefined) return undefined;
      const calibration = await calibrationOf(observed, run);
      return account(
        { ...samples, ...(calibration === undefined ? {} : { calibration }) },
        observed.bulk<ReadBatch>(`${run}.reads`),
      );
    },
  };
  return observed;
}

async function* nothing<T>(): AsyncGenerator<T> {}

async function* readLines<T>(file: string): AsyncGenerator<T> {
  const lines = createInterface({
    input: createReadStream(file, 'utf8'),
    crlfDelay: Number.POSITIVE_INFINITY,
  });
  for await (const line of lines) if (line !== '') yield JSON.parse(line) as T;
}

/** Writes one step's bulk results as they come, holding the sender back while the disk is slow. */
export class BulkWriter {
  readonly #stream: WriteStream;
  readonly #failed: Promise<never>;

  constructor(file: string) {
    this.#stream = createWriteStream(file, { flags: 'w' });
    this.#failed = new Promise((_, reject) => this.#stream.once('error', reject));
    // The rejection is delivered by write() and end(), whichever comes next.
    this.#failed.catch(() => {});
  }

  async write(items: readonly unknown[]): Promise<void> {
    const text = items.map((item) => `${JSON.stringify(item)}\n`).join('');
    if (!this.#stream.write(text)) await Promise.race([once(this.#stream, 'drain'), this.#failed]);
  }

  async end(): Promise<void> {
    this.#stream.end();
    await Promise.race([once(this.#stream, 'close'), this.#failed]);
  }
}

import path from 'node:path';
import type { Quantities } from '../model/run-quantities.ts';
import { renderOpenMetrics } from '../report/openmetrics.ts';
import { replaceFile } from './replace-file.ts';
import { packageVersion } from './version.ts';

const everyMs = 1000;

/** Whose metrics they are. */
interface Watched {
  /** The program, as the user named it. */
  readonly program: string;
  /** With `--states`: from which it runs. */
  readonly state?: string | undefined;
}

/**
 * Keeps a file of metrics (`--metrics FILE`) while a program runs: written before it begins, so that one that cannot be
 * written is known then; each second; and when it has ended.
 * @param work is given whom to tell what is counted
 * @throws KnownError `report-not-written`; what `work` throws
 */
export async function withMetrics<Run extends { readonly attended: { readonly status: number } }>(
  file: string,
  watched: Watched,
  work: (onSeen: (seen: Quantities) => void) => Promise<Run>,
): Promise<Run> {
  const metrics = new LiveMetrics(file, watched);
  await metrics.write({ isRunning: true });
  metrics.begin();
  let run: Run;
  try {
    run = await work((seen) => metrics.see(seen));
  } catch (error) {
    await metrics.stop();
    // Why it failed matters more than whether that could be written down.
    await metrics.write({ isRunning: false }).catch(() => {});
    throw error;
  }
  await metrics.stop();
  await metrics.write({ isRunning: false, exitStatus: run.attended.status });
  return run;
}

class LiveMetrics {
  readonly #file: string;
  readonly #watched: Watched;
  readonly #version = packageVersion();
  readonly #startedAt = Date.now() / 1000;
  readonly #begun = performance.now();
  #seen: Quantities = {};
  #timer: NodeJS.Timeout | undefined;
  #writing: Promise<void> | undefined;

  constructor(file: string, watched: Watched) {
    this.#file = file;
    this.#watched = watched;
  }

  see(seen: Quantities): void {
    this.#seen = { ...this.#seen, ...seen };
  }

  begin(): void {
    this.#timer = setInterval(() => {
      // A disk that is full for a while must not end somebody's program: the last write says whether all is well.
      this.#writing ??= this.write({ isRunning: true })
        .catch(() => {})
        .finally(() => {
          this.#writing = undefined;
        });
    }, everyMs);
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer);
    await this.#writing;
  }

  write(how: { readonly isRunning: boolean; readonly exitStatus?: number }): Promise<void> {
    const { program, state } = this.#watched;
    const text = renderOpenMetrics({
      version: this.#version,
      program: path.posix.basename(program),
      ...(state === undefined ? {} : { state }),
      startedAt: this.#startedAt,
      elapsedSeconds: (performance.now() - this.#begun) / 1000,
      ...how,
      seen: this.#seen,
    });
    return replaceFile(this.#file, text);
  }
}

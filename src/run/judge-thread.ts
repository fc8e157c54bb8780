import { Worker } from 'node:worker_threads';
import type { Result } from '../model/report.ts';
import type { Verdict } from '../model/verdict.ts';
import type { Bundle } from './bundle.ts';
import { crashed, judgeLimitMs, noAnswer, resultOf } from './judge.ts';
import type { JudgeJob, JudgeSays } from './judge-worker.ts';

/** Judges bundles in a thread of its own, one after the other. */
export interface JudgeThread {
  /** Never rejects for what a judge does: a judge that throws, hangs or loops for ever is `unknown`. */
  judge(directory: string, bundle: Bundle, checkFile: string): Promise<Result>;
  close(): Promise<void>;
}

/** A judge is ended from outside so long after its own limit, which one that does not loop keeps itself. */
const graceMs = 2_000;

interface Job {
  readonly id: number;
  readonly directory: string;
  readonly bundle: Bundle;
  readonly checkFile: string;
  readonly verdicts: Verdict[];
  readonly resolve: (result: Result) => void;
}

/**
 * Starts the thread when it is first needed.
 * @param limitMs for each case's judge.
 */
export function judgeThread(limitMs: number = judgeLimitMs): JudgeThread {
  const queue: Job[] = [];
  let worker: Worker | undefined;
  let timer: NodeJS.Timeout | undefined;
  let nextId = 1;

  const start = (): Worker => {
    const started = new Worker(new URL('./judge-worker.js', import.meta.url), { workerData: { limitMs } });
    started.on('message', (says: JudgeSays) => {
      if (worker === started) take(says);
    });
    started.on('error', (error) => {
      if (worker === started) stumble(error.message);
    });
    started.unref();
    return started;
  };

  const begin = () => {
    const job = queue[0];
    if (job === undefined) return;
    worker ??= start();
    // While a job is under way the program must not end.
    worker.ref();
    arm();
    const { id, directory, checkFile, verdicts } = job;
    worker.postMessage({ id, directory, checkFile, from: verdicts.length } satisfies JudgeJob);
  };

  const arm = () => {
    clearTimeout(timer);
    timer = setTimeout(() => stumble(noAnswer(limitMs)), limitMs + graceMs);
  };

  /** The thread is of no more use: the case that it was at is unknown, and the rest goes on in a new one. */
  const stumble = (why: string) => {
    void worker?.terminate();
    worker = undefined;
    const job = queue[0];
    if (job === undefined) return;
    job.verdicts.push(crashed(job.bundle.check, why));
    if (job.verdicts.length >= job.bundle.cases.length) finish(job);
    else begin();
  };

  const finish = (job: Job) => {
    clearTimeout(timer);
    queue.shift();
    worker?.unref();
    job.resolve(resultOf(job.bundle, job.verdicts));
    begin();
  };

  const take = (says: JudgeSays) => {
    const job = queue[0];
    if (job === undefined || job.id !== says.id) return;
    if ('begins' in says) return arm();
    if ('verdict' in says) job.verdicts.push(says.verdict);
    else {
      if ('error' in says) {
        while (job.verdicts.length < job.bundle.cases.length)
          job.verdicts.push(crashed(job.bundle.check, says.error));
      }
      finish(job);
    }
  };

  return {
    judge: (directory, bundle, checkFile) =>
      new Promise((resolve) => {
        queue.push({ id: nextId++, directory, bundle, checkFile, verdicts: [], resolve });
        if (queue.length === 1) begin();
      }),
    async close() {
      clearTimeout(timer);
      await worker?.terminate();
      worker = undefined;
    },
  };
}

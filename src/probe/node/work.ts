import type { FileHandle } from 'node:fs/promises';
import { pathToBytes } from '../../model/path.ts';
import type { RequestOptions } from '../session.ts';

/** An errno as the probe would have answered it. */
export class Refusal extends Error {
  readonly errno: string;
  readonly call: string;

  constructor(errno: string, call: string) {
    super(`${call}: ${errno}`);
    this.errno = errno;
    this.call = call;
  }
}

/** A file that an actor holds open. */
export interface Held {
  readonly file: FileHandle;
  /** It was opened with O_APPEND: what is written goes to its end, whatever offset is named. */
  readonly appends: boolean;
}

/** One request under way: `stopped` once its limit has passed, or nobody wants it any more. */
export interface Work {
  readonly options: RequestOptions;
  readonly files: Map<string, Held>;
  /** Nanoseconds of this side's clock. */
  readonly nowNs: () => number;
  stopped: boolean;
  heardMs: number;
  saidMs: number;
}

const progressMs = 100;

/** The bytes of a path; a relative one starts at the root of the request. */
export function absolute(path: string, { options }: Work): Buffer {
  return Buffer.from(pathToBytes(path.startsWith('/') ? path : `${options.root}/${path}`));
}

/** A file that the actor has open. @throws Refusal EBADF */
export function held(name: string, { files }: Work): Held {
  const found = files.get(name);
  if (found === undefined) throw new Refusal('EBADF', `file ${name} is not open`);
  return found;
}

/** Notes that the request goes on, and says so at times. */
export function progress(work: Work, what: () => { bytes?: number; entries?: number }): void {
  const now = performance.now();
  work.heardMs = now;
  if (now - work.saidMs < progressMs) return;
  work.saidMs = now;
  work.options.onProgress?.(what());
}

/** @throws Refusal ECANCELED where nobody waits for this request any more. */
export function goOn({ stopped }: Work, call: string): void {
  if (stopped) throw new Refusal('ECANCELED', call);
}

/** The errno in an error of node's or of our own; anything else is a defect and thrown on. */
export function refusalOf(error: unknown): { errno: string; call: string } {
  if (error instanceof Refusal) return { errno: error.errno, call: error.call };
  const { code, syscall } = error as NodeJS.ErrnoException;
  if (code === undefined || syscall === undefined) throw error;
  return { errno: code, call: syscall };
}

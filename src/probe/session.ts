import type { Operation } from '../model/operation.ts';
import type { Outcome } from '../model/outcome.ts';

/** What the probe says of itself when it starts. */
export interface ProbeHello {
  readonly protocol: number;
  readonly version: string;
  readonly arch: string;
  readonly kernel: string;
  readonly uid: number;
  readonly pid: number;
  readonly pageSize: number;
  readonly features: readonly string[];
}

/** How one request is carried out. */
export interface RequestOptions {
  /** Where relative paths start. */
  readonly root: string;
  /** Limit in all, or without progress where `silent`. When it passes, the worker is abandoned. */
  readonly limitMs: number;
  readonly silent?: boolean;
  /** The limit's name, for the error: `--timeout`. */
  readonly limitName: string;
  /** Ends the request and its worker: the outcome is `not-run` with the signal's reason in words. */
  readonly cancel?: AbortSignal;
  readonly onBegun?: () => void;
  readonly onProgress?: (progress: { readonly bytes?: number; readonly entries?: number }) => void;
  /** Bulk items, in order. The session waits for the promise before it hands over the next batch. */
  readonly onBulk?: (items: readonly unknown[]) => void | Promise<void>;
}

/** A running probe on one side. */
export interface ProbeSession {
  readonly hello: ProbeHello;
  /**
   * What of an operation this side cannot do at all, in words, where it is not the probe that answers; undefined:
   * it can. Such a request is refused (ENOSYS).
   */
  readonly lacks?: (op: Operation) => string | undefined;
  /** Never rejects for what happens on the side: a dead guest is an outcome (`gone`), a hang is `stuck`. */
  request(actor: string, op: Operation, options: RequestOptions): Promise<Outcome>;
  /** Bounds the offset between two clocks: our own time before and after, the side's in between. */
  clock(): Promise<{
    readonly sentMs: number;
    readonly receivedMs: number;
    readonly nowNs: number;
    readonly realtimeNs: string;
  }>;
  /**
   * Ends one actor in good order: its files and mappings are closed, and its worker ends or serves another. Never
   * rejects; bounded.
   */
  release(actor: string): Promise<void>;
  /** Ends the probe and waits (bounded) for its end. Workers that cannot be ended are returned. */
  close(): Promise<{ readonly leftBehind: readonly { readonly actor: string; readonly pid: number }[] }>;
}

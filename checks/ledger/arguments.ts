import type { Setting } from '../../src/model/check.ts';
import type { ReadPlan } from '../../src/model/read-plan.ts';

/** Arguments of a run of reads, as the command sets them. */
export interface ReadsArgs {
  readonly guestPath: string;
  readonly hostPath: string;
  readonly order: ReadPlan['order'];
  /** Bytes asked for by each read. */
  readonly block: number;
  /** Reads in one pass; absent: as many as cover the file once. */
  readonly count?: number;
  readonly seed: number;
  readonly direct: boolean;
  readonly mapped: boolean;
  /** The same reads that many times, with one descriptor or each pass with its own. */
  readonly passes: number;
  readonly reopen: boolean;
  readonly readahead: boolean;
  readonly drop: 'none' | 'guest' | 'host' | 'both';
  /** By drop_caches, which drops everybody's. */
  readonly systemWide: boolean;
  /** The host may evict the file after the run, so that the disk's latency is known where only latencies tell. */
  readonly calibrate?: boolean;
  readonly timeoutMs: number;
}

export function readsArgs(setting: Setting): ReadsArgs {
  return setting.args as unknown as ReadsArgs;
}

/** Whether a side is among those that are to be dropped. */
export function drops(args: Pick<ReadsArgs, 'drop'>, side: 'guest' | 'host'): boolean {
  return args.drop === side || args.drop === 'both';
}

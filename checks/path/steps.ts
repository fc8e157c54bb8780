import type { Setting, Step } from '../../src/model/check.ts';
import { type AccountedRun, readSteps } from '../../src/model/read-steps.ts';
import { inTurn, many } from '../repeat/question.ts';
import type { Rung } from './rungs.ts';

/** Reads of one page each: small enough that the whole ladder takes seconds, enough for counters to agree. */
export const reads = 256;

/** One page of whichever side has the larger ones, so that every read is whole pages on both. */
export function blockOf({ views }: Setting): number {
  return Math.max(4096, views.guest?.pageSize ?? 0, views.host?.pageSize ?? 0);
}

/** The account of attempt `n`. */
export function runName(n: number): string {
  return `${n}.read`;
}

/**
 * Attempt `n` at a rung, on a file of its own:
 *
 * ```
 *  host   make: create, fill, fsync, close                     drop, states, counters …      … counters, states
 *  guest                       [open, read all, [open]]   [open] drop, states   reads   states
 * ```
 * A hash warms the guest through the descriptor that is kept; its stats ask nobody, since a refresh of the
 * attributes may drop pages.
 * @param job blocks of the file, each read once in every pass.
 */
export function attemptAt(
  rung: Rung,
  setting: Setting,
  n: number,
  job: { readonly count?: number; readonly passes?: number } = {},
): readonly Step[] {
  const { count = reads, passes = 1 } = job;
  const file = `${rung.name}-${n}`;
  const again = `${file}-again`;
  const block = blockOf(setting);
  const range = { offset: 0, length: count * block };
  const pattern = { seed: setting.seed, fileId: n, writer: 1, generation: 1 };
  const prepared = inTurn(n, [
    [
      'host',
      'make',
      many(
        { do: 'open', path: file, flags: ['creat', 'excl', 'rdwr'], mode: 0o666, as: file },
        { do: 'fill', file, range, ...pattern },
        { do: 'fsync', file },
        { do: 'close', file },
      ),
    ],
    ...(rung.warm === undefined
      ? []
      : [
          [
            'guest',
            'warm',
            many(
              { do: 'open', path: file, flags: ['rdonly'], as: file },
              { do: 'hash', file, algorithm: 'md5', sync: 'dont' },
              ...(rung.through === 'reopened'
                ? [{ do: 'open', path: file, flags: ['rdonly'], as: again } as const]
                : []),
              { do: 'pages', file },
            ),
          ] as const,
        ]),
  ]);
  const run: AccountedRun = {
    name: runName(n),
    guest: 'guest',
    host: 'host',
    path: file,
    hostPath: file,
    size: range.length,
    plan: { order: 'random', block, range, count, seed: setting.seed, passes },
    ...(rung.through === 'opened' ? {} : { file: rung.through === 'kept' ? file : again }),
    ...(rung.direct === undefined ? {} : { direct: true }),
    noReadahead: true,
    ...(rung.drop === undefined ? {} : { drop: rung.drop }),
    processes: [setting.daemonPid, setting.vmmPid].filter((pid) => pid !== undefined),
    limit: { ms: 30_000, name: 'the limit of a step' },
    after: [{ step: prepared.at(-1)?.id ?? '', has: 'ended' }],
  };
  return [...prepared, ...readSteps(run)];
}

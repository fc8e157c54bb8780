import type { Step } from './check.ts';
import { blocksOf, type ReadPlan } from './read-plan.ts';
import type { AccountedRun } from './read-steps.ts';

/** Reads of each class; fewer where the file has fewer blocks, or they are large. */
const mostReads = 200;
const mostBytes = 64 * 1024 * 1024;

/** What the steps of a calibration are named after. */
export const calibrationName = 'calibration';

/**
 * Reads whose source is known by construction, for the latency classes of this machine in this run: the same
 * blocks of the same file, read as the accounted run reads, from the disk (where its host pages may be
 * evicted), from the host's page cache, and from the guest's.
 *
 * They come after the accounted run, whose states and counts they cannot spoil any more. Between two passes
 * the guest's pages are evicted; a third pass without that finds them where the mode keeps any. What each pass
 * really was is judged from the answers (src/ledger/calibration.ts).
 * @param cold whether the host may evict the file.
 */
export function calibrationSteps(run: AccountedRun, cold: boolean): Step[] {
  const { guest, host, path, hostPath, direct, noReadahead, processes, limit, after } = run;
  const steps: Step[] = [];
  const add = (side: 'guest' | 'host', name: string, op: Step['op']) => {
    const actor = side === 'guest' ? guest : host;
    if (actor === undefined) return;
    const previous = steps.at(-1);
    steps.push({
      id: `${calibrationName}.${name}`,
      actor,
      op,
      limit,
      mayFail: true,
      ...(previous !== undefined
        ? { after: [{ step: previous.id, has: 'ended' }] }
        : after === undefined
          ? {}
          : { after }),
    });
  };
  const file = calibrationName;
  const plan = samplePlan(run.plan);
  const read = (name: string) => add('guest', name, { do: 'reads', file, ...plan });
  const isCold = cold && hostPath !== undefined;
  if (hostPath !== undefined)
    add('host', 'host-open', { do: 'open', path: hostPath, flags: ['rdonly', 'nonblock'], as: file });
  add('guest', 'open', {
    do: 'open',
    path,
    flags: ['rdonly', 'nonblock', ...(direct === true ? (['direct'] as const) : [])],
    as: file,
  });
  if (noReadahead === true) add('guest', 'advise', { do: 'advise', file, advice: 'random' });
  if (isCold) {
    add('host', 'sync-host', { do: 'fsync', file });
    add('host', 'drop-host', { do: 'evict', file, evenDirty: true });
    add('guest', 'drop-cold', { do: 'evict', file });
    add('host', 'count-before', { do: 'counters', processes });
  }
  read('cold');
  if (isCold) add('host', 'count-after', { do: 'counters', processes });
  add('guest', 'drop-warm', { do: 'evict', file });
  read('warm');
  if (direct !== true) {
    add('guest', 'pages', { do: 'pages', file });
    read('kept');
  }
  add('guest', 'close', { do: 'close', file });
  if (hostPath !== undefined) add('host', 'host-close', { do: 'close', file });
  return steps;
}

/** A few blocks of the run's range, at random: in order, both kernels would read ahead. */
function samplePlan({ block, range, seed }: ReadPlan): ReadPlan {
  const fit = Math.max(1, Math.floor(mostBytes / block));
  return {
    order: 'random',
    block,
    range,
    count: Math.min(mostReads, fit, blocksOf({ range, block })),
    seed: (seed ^ 0x5bd1e995) >>> 0,
    passes: 1,
  };
}

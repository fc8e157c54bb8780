import type { Observed } from '../../src/model/check.ts';
import type { EvictResult, HashResult, Operation, PageState } from '../../src/model/operation.ts';
import { type Finding, inTurn, many, type Question, refusalIn, valuesOf } from '../repeat/question.ts';
import { madeWithGaps, read, readByName, resultsOf, size, storedWithGaps, wrongBytes } from './files.ts';

const sources = ['Linux 6.12 mm/fadvise.c generic_fadvise', 'Linux 6.12 mm/truncate.c mapping_evict_folio'];

/**
 * Dirty pages and a drop: evicting a file refuses while it has dirty pages; the bare POSIX_FADV_DONTNEED may
 * write them back, and must not throw them away.
 *
 * ```
 *  write |d.d.d.d.|   evict: refused   DONTNEED: |w.w.w.w.| or still d   fsync   →  both sides read |d.d.d.d.|
 * ```
 */
export function dirtyFile(side: 'guest' | 'host'): Question {
  const other = side === 'guest' ? 'host' : 'guest';
  return {
    name: `${side}-dirty`,
    scenarios: [side === 'guest' ? 'guest-write/after-close' : 'host-write/first-read'],
    isolation: 'shared',
    needs: ['writable', `${side}-cachestat`],
    actors: { writer: side, reader: other },
    sources,
    promised: () => 'dirty pages are refused or written first: no byte is lost',
    attempt(n) {
      const file = `dirty-${n}`;
      return inTurn(n, [
        ['writer', 'drop', many(...madeWithGaps(file), ...drops(file))],
        ['reader', 'read', many(readByName(file))],
      ]);
    },
    look: (observed, n) =>
      refusalFinding(observed, n, ['drop', 'read']) ?? lookAtDirty(observed, n, `dirty-${n}`, side, other),
  };
}

/** The same for pages that the guest dirtied by stores through a shared mapping, where it may have one. */
export const dirtyMapping: Question = {
  name: 'guest-dirty-mapped',
  scenarios: ['guest-map-store/before-msync'],
  isolation: 'shared',
  needs: ['writable', 'guest-cachestat'],
  actors: { writer: 'guest', reader: 'host' },
  sources,
  promised: () => 'pages that were dirtied by a mapping are refused or written first: no byte is lost',
  attempt(n) {
    const file = `stored-${n}`;
    const how = { offset: 0, length: size, protection: 'read-write', share: 'shared' } as const;
    return inTurn(n, [
      [
        'writer',
        'map',
        many(
          { do: 'open', path: file, flags: ['creat', 'excl', 'rdwr'], mode: 0o666, as: file },
          { do: 'ftruncate', file, length: size },
          { do: 'map', file, as: file, ...how },
        ),
      ],
      ['writer', 'drop', many(...storedWithGaps(file), ...drops(file))],
      ['reader', 'read', many(readByName(file))],
    ]);
  },
  look(observed, n) {
    const { stopped } = valuesOf(observed, n, 'map');
    // DIRECT_IO on virtiofs, cache=none on 9p.
    if (stopped?.call === 'mmap' && ['ENODEV', 'EINVAL'].includes(stopped.errno))
      return { kind: 'not-here', words: `a shared mapping is refused here (${stopped.errno})` };
    return (
      refusalFinding(observed, n, ['map', 'drop', 'read']) ??
      lookAtDirty(observed, n, `stored-${n}`, 'guest', 'host')
    );
  },
};

/** Evicts as the program does, then as any program may; syncs; reads. */
function drops(file: string): readonly Operation[] {
  return [
    { do: 'pages', file },
    { do: 'evict', file },
    { do: 'advise', file, advice: 'dontneed' },
    { do: 'pages', file },
    { do: 'fsync', file },
    read(file),
  ];
}

function refusalFinding(observed: Observed, n: number, steps: readonly string[]): Finding | undefined {
  const words = refusalIn(observed, n, steps);
  return words === undefined ? undefined : { kind: 'unclear', words };
}

function lookAtDirty(observed: Observed, n: number, file: string, side: string, other: string): Finding {
  const [before] = resultsOf<PageState>(observed, n, 'drop', 'pages');
  const [evicted] = resultsOf<EvictResult>(observed, n, 'drop', 'evict');
  const [own] = resultsOf<HashResult>(observed, n, 'drop', 'hash');
  const [theirs] = resultsOf<HashResult>(observed, n, 'read', 'hash');
  const dirty = evicted?.before.dirty ?? before?.dirty ?? 0;
  const reads = [
    { by: `the ${side}`, result: own },
    { by: `the ${other}`, result: theirs },
  ];
  const wrong = wrongBytes({ path: file, layout: 'gaps' }, reads, dirty > 0 ? 'dirty-lost' : 'data-changed');
  if (wrong !== undefined) return wrong;
  if (dirty === 0)
    return {
      kind: 'holds',
      words: 'nothing was dirty after the write, and both sides read what was written',
    };
  if (evicted?.evicted === true)
    return {
      kind: 'unclear',
      words: `the probe evicted a file with ${dirty} dirty pages, which it should refuse`,
    };
  return {
    kind: 'holds',
    words: `${dirty} dirty pages were refused, none of them was lost: both sides read what was written`,
  };
}

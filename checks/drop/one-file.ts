import type { Observed } from '../../src/model/check.ts';
import type {
  EvictResult,
  ExtentsResult,
  HashResult,
  Operation,
  PageState,
} from '../../src/model/operation.ts';
import { liesInMemory } from '../repeat/in-memory.ts';
import { type Finding, inTurn, many, type Question, refusalIn } from '../repeat/question.ts';
import { made, mapped, opened, read, resultsOf, wrongBytes } from './files.ts';

type Side = 'guest' | 'host';

const sources = ['Linux 6.12 mm/fadvise.c generic_fadvise', 'Linux 6.12 mm/truncate.c mapping_evict_folio'];

/**
 * One file is evicted on one side. Its clean pages go; another file's stay, and so do the same file's pages on
 * the other side: two caches, two drops.
 *
 * ```
 *                 this side           the other side
 *  the file       |rrrrrrrr| → |........|   |rrrrrrrr| stays, held by a mapping
 *  another file   |rrrrrrrr| stays, held by a mapping
 * ```
 */
export function cleanFile(side: Side): Question {
  const other = side === 'guest' ? 'host' : 'guest';
  return {
    name: `${side}-file`,
    scenarios: [],
    isolation: 'shared',
    needs: ['writable', 'guest-cachestat', 'host-cachestat'],
    actors: { maker: 'host', dropper: side, bystander: other },
    sources,
    promised: () => 'the clean pages of that file go on this side, and nothing else goes',
    attempt(n) {
      const [file, stay] = [`dropped-${n}`, `stays-${n}`];
      return inTurn(n, [
        [
          'maker',
          'make',
          many(...synced(file), ...synced(stay), { do: 'extents', file }, ...closed(file), ...closed(stay)),
        ],
        ['dropper', 'open', many(opened(file), opened(stay))],
        ['bystander', 'hold', many(opened(file), ...mapped(file), { do: 'pages', file })],
        [
          'dropper',
          'drop',
          many(
            ...mapped(file),
            { do: 'unmap', map: file },
            ...mapped(stay),
            { do: 'pages', file: stay },
            { do: 'evict', file },
            { do: 'pages', file: stay },
          ),
        ],
        ['bystander', 'held', many({ do: 'pages', file })],
        ['dropper', 'read', many(read(file))],
      ]);
    },
    look(observed, n) {
      const refused = refusalIn(observed, n, ['make', 'open', 'hold', 'drop', 'held', 'read']);
      if (refused !== undefined) return { kind: 'unclear', words: refused };
      const [evicted] = resultsOf<EvictResult>(observed, n, 'drop', 'evict');
      const [stayBefore, stayAfter] = resultsOf<PageState>(observed, n, 'drop', 'pages');
      const [holdBefore] = resultsOf<PageState>(observed, n, 'hold', 'pages');
      const [holdAfter] = resultsOf<PageState>(observed, n, 'held', 'pages');
      const [bytes] = resultsOf<HashResult>(observed, n, 'read', 'hash');
      return (
        wrongBytes(
          { path: `dropped-${n}`, layout: 'whole' },
          [{ by: `the ${side}`, result: bytes }],
          'data-changed',
        ) ??
        (side === 'host' ? unlessMemory(observed, n) : undefined) ??
        droppedAll(evicted, side) ??
        stayed(`of another file on the ${side}`, stayBefore, stayAfter) ??
        stayed(`of the same file on the ${other}`, holdBefore, holdAfter) ?? {
          kind: 'holds',
          words: `all ${evicted?.before.cached} clean pages of the file went, and no other page did`,
        }
      );
    },
  };
}

/**
 * Somebody else on that side holds the pages mapped: they stay, and the answer to the drop says so. When the
 * mapping is gone, they go.
 */
export function mappedFile(side: Side): Question {
  return {
    name: `${side}-mapped`,
    scenarios: [],
    isolation: 'shared',
    needs: ['writable', `${side}-cachestat`],
    actors: { maker: 'host', dropper: side, holder: side },
    sources,
    promised: () => 'mapped pages stay for as long as they are mapped, and go afterwards',
    attempt(n) {
      const file = `mapped-${n}`;
      return inTurn(n, [
        ['maker', 'make', many(...synced(file), { do: 'extents', file }, ...closed(file))],
        ['holder', 'open', many(opened(file))],
        ['dropper', 'open-too', many(opened(file))],
        ['holder', 'map', many(...mapped(file))],
        ['dropper', 'drop', many({ do: 'evict', file })],
        ['holder', 'unmap', many({ do: 'unmap', map: file })],
        ['dropper', 'drop-again', many({ do: 'evict', file }, read(file))],
      ]);
    },
    look(observed, n) {
      const refused = refusalIn(observed, n, [
        'make',
        'open',
        'open-too',
        'map',
        'drop',
        'unmap',
        'drop-again',
      ]);
      if (refused !== undefined) return { kind: 'unclear', words: refused };
      const [whileMapped] = resultsOf<EvictResult>(observed, n, 'drop', 'evict');
      const [afterwards] = resultsOf<EvictResult>(observed, n, 'drop-again', 'evict');
      const [bytes] = resultsOf<HashResult>(observed, n, 'drop-again', 'hash');
      const mappedPages = whileMapped?.before.cached ?? 0;
      return (
        wrongBytes(
          { path: `mapped-${n}`, layout: 'whole' },
          [{ by: `the ${side}`, result: bytes }],
          'data-changed',
        ) ??
        (side === 'host' ? unlessMemory(observed, n) : undefined) ??
        stayed('that were mapped', whileMapped?.before, whileMapped?.after) ??
        droppedAll(afterwards, side) ?? {
          kind: 'holds',
          words: `${whileMapped?.after.cached} of ${mappedPages} pages stayed while somebody had them mapped, and went afterwards`,
        }
      );
    },
  };
}

function synced(path: string): readonly Operation[] {
  return [...made(path), { do: 'fsync', file: path }];
}

function closed(file: string): readonly Operation[] {
  return [{ do: 'close', file }];
}

function unlessMemory(observed: Observed, n: number): Finding | undefined {
  const [extents] = resultsOf<ExtentsResult>(observed, n, 'make', 'extents');
  if (!liesInMemory(extents)) return undefined;
  return { kind: 'not-here', words: 'the share lies in memory (tmpfs): its pages have nowhere to go' };
}

/** Undefined where every page went; a page that was lost before the drop proves nothing. */
function droppedAll(result: EvictResult | undefined, side: Side): Finding | undefined {
  if (result === undefined || result.before.by === 'refused')
    return { kind: 'unclear', words: `the ${side} does not say what its cache holds` };
  if (!result.evicted) return { kind: 'unclear', words: 'the file has dirty pages that nobody here wrote' };
  if (result.before.cached === 0) return { kind: 'unclear', words: 'no page was cached when the drop came' };
  if (result.after.cached === 0) return undefined;
  return {
    kind: 'broken',
    code: 'not-dropped',
    words: `${result.after.cached} of ${result.before.cached} clean pages, mapped by nobody here, stayed on the ${side}`,
  };
}

/** Undefined where they all stayed. Pages that could not be seen at first are not judged. */
export function stayed(
  whose: string,
  before: PageState | undefined,
  after: PageState | undefined,
): Finding | undefined {
  if (before === undefined || after === undefined || before.by === 'refused' || before.cached === 0)
    return undefined;
  if (after.cached >= before.cached) return undefined;
  return {
    kind: 'broken',
    code: 'dropped-too-much',
    words: `${before.cached - after.cached} of ${before.cached} pages ${whose} went too`,
  };
}

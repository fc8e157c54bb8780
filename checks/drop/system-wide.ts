import type { HashResult, Operation, PageState, Stat } from '../../src/model/operation.ts';
import { type Finding, inTurn, many, type Question, refusalIn, valuesOf } from '../repeat/question.ts';
import { made, madeWithGaps, mapped, opened, read, readByName, resultsOf, wrongBytes } from './files.ts';
import { stayed } from './one-file.ts';

const sources = [
  'Linux 6.12 Documentation/admin-guide/sysctl/vm.rst drop_caches',
  'Linux 6.12 fs/drop_caches.c drop_pagecache_sb',
];

/** What a drop leaves may be in use for a moment, such as a page in a batch on its way to a list. */
const times = 4;

/**
 * /proc/sys/vm/drop_caches in the guest, pages alone: every clean page that nobody has mapped goes. Mapped and
 * dirty ones stay, and so does the host's cache of the same file, which is the classic mistake behind a fast
 * "disk" benchmark.
 */
export const everyPage: Question = {
  name: 'guest-system-wide',
  scenarios: [],
  isolation: 'exclusive',
  needs: ['writable', 'guest-root', 'guest-cachestat', 'host-cachestat'],
  actors: { host: 'host', holder: 'guest', dropper: 'guest' },
  sources,
  promised: () =>
    "every clean page of the guest goes that nobody has mapped; dirty, mapped and the host's stay",
  attempt(n) {
    const [clean, held, dirty] = [`clean-${n}`, `held-${n}`, `dirty-${n}`];
    return inTurn(n, [
      ['host', 'make', many(...made(clean), ...made(held), ...mapped(clean), { do: 'pages', file: clean })],
      ['holder', 'hold', many(opened(held), ...mapped(held), { do: 'pages', file: held })],
      [
        'dropper',
        'drop',
        many(
          ...madeWithGaps(dirty),
          opened(clean),
          ...mapped(clean),
          { do: 'unmap', map: clean },
          { do: 'pages', file: clean },
          { do: 'pages', file: dirty },
          ...repeated({ do: 'drop-caches', what: 1 }),
          { do: 'pages', file: clean },
        ),
      ],
      ['holder', 'held', many({ do: 'pages', file: held })],
      ['host', 'host-pages', many({ do: 'pages', file: clean })],
      ['dropper', 'read', many({ do: 'fsync', file: dirty }, read(dirty), read(clean))],
      ['host', 'host-read', many(readByName(dirty))],
    ]);
  },
  look(observed, n): Finding {
    const steps = ['make', 'hold', 'drop', 'held', 'host-pages', 'read', 'host-read'];
    const refused = refusalIn(observed, n, steps);
    if (refused !== undefined) return { kind: 'unclear', words: refused };
    const pages = (step: string) => resultsOf<PageState>(observed, n, step, 'pages');
    const [cleanBefore, dirtyBefore, cleanAfter] = pages('drop');
    const [dirtyBytes, cleanBytes] = resultsOf<HashResult>(observed, n, 'read', 'hash');
    const [onHost] = resultsOf<HashResult>(observed, n, 'host-read', 'hash');
    const lost = wrongBytes(
      { path: `dirty-${n}`, layout: 'gaps' },
      [
        { by: 'the guest', result: dirtyBytes },
        { by: 'the host', result: onHost },
      ],
      (dirtyBefore?.dirty ?? 0) > 0 ? 'dirty-lost' : 'data-changed',
    );
    return (
      lost ??
      wrongBytes(
        { path: `clean-${n}`, layout: 'whole' },
        [{ by: 'the guest', result: cleanBytes }],
        'data-changed',
      ) ??
      allWent(cleanBefore, cleanAfter) ??
      stayed('that were mapped in the guest', pages('hold')[0], pages('held')[0]) ??
      stayed("of the host's cache", pages('make')[0], pages('host-pages')[0]) ?? {
        kind: 'holds',
        words: `all ${cleanBefore?.cached} clean pages went; the mapped ones and the host's stayed, and none of ${dirtyBefore?.dirty ?? 0} dirty ones was lost`,
      }
    );
  },
};

function allWent(before: PageState | undefined, after: PageState | undefined): Finding | undefined {
  if (before === undefined || after === undefined || before.by === 'refused')
    return { kind: 'unclear', words: 'the guest does not say what its cache holds' };
  if (before.cached === 0) return { kind: 'unclear', words: 'no page was cached when the drop came' };
  if (after.cached === 0) return undefined;
  return {
    kind: 'broken',
    code: 'not-dropped',
    words: `${after.cached} of ${before.cached} clean pages, mapped by nobody here, stayed in the guest`,
  };
}

/**
 * Names and inodes alone: one that nobody uses goes, and its attributes with it, so the next stat asks the
 * daemon. One that a descriptor holds stays. It shows where attributes are kept for long.
 */
export const everyName: Question = {
  name: 'guest-system-wide-names',
  scenarios: [],
  isolation: 'exclusive',
  needs: ['writable', 'guest-root'],
  actors: { host: 'host', guest: 'guest' },
  sources,
  promised: () => 'names and inodes that nobody uses go, those in use stay',
  attempt(n) {
    const [unused, used] = [`unused-${n}`, `used-${n}`];
    const stat: Operation = { do: 'stat', path: unused };
    return inTurn(n, [
      ['host', 'make', many(...empty(unused), ...empty(used))],
      [
        'guest',
        'first',
        many(
          stat,
          { do: 'open', path: used, flags: ['rdonly', 'path'], as: used },
          { do: 'fstat', file: used },
        ),
      ],
      [
        'host',
        'change',
        many({ do: 'chmod', path: unused, mode: 0o600 }, { do: 'chmod', path: used, mode: 0o600 }),
      ],
      [
        'guest',
        'drop',
        many(stat, { do: 'fstat', file: used }, ...repeated({ do: 'drop-caches', what: 2 }), stat, {
          do: 'fstat',
          file: used,
        }),
      ],
    ]);
  },
  look(observed, n): Finding {
    const refused = refusalIn(observed, n, ['make', 'first', 'change', 'drop']);
    if (refused !== undefined) return { kind: 'unclear', words: refused };
    const old = (stat: unknown) => ((stat as Stat).mode & 0o777) === 0o644;
    const { values } = valuesOf(observed, n, 'drop');
    const [unusedBefore, usedBefore] = values.slice(0, 2).map(old);
    const [unusedAfter, usedAfter] = values.slice(-2).map(old);
    if (unusedBefore !== true || usedBefore !== true)
      return { kind: 'not-here', words: 'attributes are not kept for so long that a drop would show' };
    if (unusedAfter === true)
      return {
        kind: 'broken',
        code: 'not-dropped',
        words: 'the attributes of an unused name were still kept after the drop',
      };
    if (usedAfter !== true)
      return {
        kind: 'broken',
        code: 'dropped-too-much',
        words: 'the attributes of a name that a descriptor holds went too',
      };
    return { kind: 'holds', words: 'the unused name went, the one in use stayed' };
  },
};

function empty(path: string): readonly Operation[] {
  return [
    { do: 'open', path, flags: ['creat', 'excl', 'wronly'], mode: 0o644, as: path },
    { do: 'close', file: path },
  ];
}

function repeated(op: Operation): readonly Operation[] {
  return Array.from({ length: times }, () => op);
}

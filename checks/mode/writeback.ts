import type { Observed } from '../../src/model/check.ts';
import type { Operation, PageState, Stat } from '../../src/model/operation.ts';
import { inTurn, many, type Question, refusalIn, valuesOf } from '../repeat/question.ts';
import { traitQuestion } from './trait-question.ts';
import { sources, sources9p, type Traits } from './traits.ts';

const size = 64 * 1024;
const touchedNs = '1000000000000000000';

/**
 * Whether the guest writes back. Two signs:
 *
 * - times: the host changes mode bits and mtime together; the guest asks for the attributes by force. It
 *   always sees the new mode bits. Under writeback it keeps its own mtime. This shows in every cache
 *   policy, and no eviction can change it while a descriptor holds the inode.
 * - data: what the guest wrote is dirty there and not yet on the host. It shows where data is cached.
 */
export const writeback: Question = traitQuestion({
  name: 'writeback',
  code: 'writeback-not-as-declared',
  scenarios: ['host-touch/mtime', 'guest-write/before-fsync'],
  actors: { guest: 'guest', host: 'host' },
  sources: sources.writeback,
  declared,
  attempt(n) {
    const touched = `touched-${n}`;
    return inTurn(n, [
      [
        'host',
        'make',
        many(
          { do: 'open', path: touched, flags: ['creat', 'excl', 'rdwr'], mode: 0o644, as: touched },
          { do: 'close', file: touched },
        ),
      ],
      [
        'guest',
        'first',
        many(
          { do: 'open', path: touched, flags: ['rdonly', 'path'], as: touched },
          { do: 'fstat', file: touched },
        ),
      ],
      [
        'host',
        'change',
        many(
          { do: 'chmod', path: touched, mode: 0o600 },
          { do: 'utimens', path: touched, mtimeNs: touchedNs },
        ),
      ],
      ['guest', 'look', many({ do: 'fstat', file: touched, sync: 'force' })],
      ...writeSteps(n),
    ]);
  },
  sight(observed, n) {
    const refused = refusalIn(observed, n, ['make', 'first', 'change', 'look', 'write', 'size']);
    if (refused !== undefined) return { unclear: refused };
    const keepsTimes = timesSign(observed, n);
    if (keepsTimes === undefined)
      return { unclear: 'the guest did not see the new mode bits although it asked for them by force' };
    const data = dataSign(observed, n);
    const times = keepsTimes
      ? "the guest keeps its own mtime over the host's"
      : "the guest takes the host's mtime";
    const words = `${times}; ${data.words}`;
    // A flusher may be quick, and DIRECT_IO leaves nothing dirty: clean pages do not speak against the times.
    if (data.later && !keepsTimes) return { unclear: `the signs differ: ${words}` };
    return {
      words,
      fits: (traits: Traits) => traits.writeback === keepsTimes,
      certain: () => keepsTimes,
    };
  },
});

/**
 * On 9p the times tell nothing: a mode asks for all attributes or for none. What the guest wrote and has not
 * sent does.
 */
export const writebackByData: Question = traitQuestion({
  name: 'writeback',
  code: 'writeback-not-as-declared',
  scenarios: ['guest-write/before-fsync'],
  actors: { guest: 'guest', host: 'host' },
  sources: sources9p,
  declared,
  attempt: (n) => inTurn(n, writeSteps(n)),
  sight(observed, n) {
    const refused = refusalIn(observed, n, ['write', 'size']);
    if (refused !== undefined) return { unclear: refused };
    const { later, words } = dataSign(observed, n);
    return { words, fits: (traits: Traits) => traits.writeback === later, certain: () => later };
  },
});

function declared(traits: Traits): string {
  return traits.writeback ? 'the guest writes back later' : 'every write() is sent at once';
}

/** The guest writes, and keeps its descriptor: a close would flush. */
function writeSteps(n: number): readonly (readonly [string, string, Operation])[] {
  const file = `written-${n}`;
  const fill = { do: 'fill', file, range: { offset: 0, length: size } } as const;
  return [
    [
      'guest',
      'write',
      many(
        { do: 'open', path: file, flags: ['creat', 'excl', 'rdwr'], mode: 0o644, as: file },
        { ...fill, seed: n, fileId: n, writer: 2, generation: 1 },
        { do: 'pages', file },
      ),
    ],
    ['host', 'size', many({ do: 'stat', path: file })],
  ];
}

function timesSign(observed: Observed, n: number): boolean | undefined {
  const [before] = valuesOf(observed, n, 'first').values.slice(1) as Stat[];
  const [after] = valuesOf(observed, n, 'look').values as Stat[];
  if (after === undefined || (after.mode & 0o777) !== 0o600) return undefined;
  if (after.mtimeNs === touchedNs) return false;
  return after.mtimeNs === before?.mtimeNs ? true : undefined;
}

function dataSign(observed: Observed, n: number): { readonly later: boolean; readonly words: string } {
  const pages = valuesOf(observed, n, 'write').values[2] as PageState;
  const [onHost] = valuesOf(observed, n, 'size').values as Stat[];
  const dirty = (pages.dirty ?? 0) + (pages.writeback ?? 0);
  const short = (onHost?.size ?? 0) < size;
  const arrived = `the host has ${onHost?.size} of ${size} bytes before any fsync`;
  return { later: dirty > 0 || short, words: `${dirty} pages are dirty after write(), and ${arrived}` };
}

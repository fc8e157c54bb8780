import type { EvictResult, Operation, PageState } from '../../src/model/operation.ts';
import { inTurn, many, type Question, refusalIn, valuesOf } from '../repeat/question.ts';
import { traitQuestion } from './trait-question.ts';
import { sources, type Traits } from './traits.ts';

const size = 256 * 1024;

/**
 * Whether the daemon passes O_DIRECT on. Of two files that are cold on the host the guest reads one with
 * O_DIRECT and one without:
 *
 * ```
 *                 host cache before   after
 *  O_DIRECT       |..............|    |..............|  passed on     |rrrrrrrrrrrrrr|  stripped
 *  buffered       |..............|    |rrrrrrrrrrrrrr|  the control: here the host's cache can be seen
 * ```
 */
export const directIo: Question = traitQuestion({
  name: 'direct-io',
  code: 'direct-io-not-as-declared',
  scenarios: [],
  actors: { guest: 'guest', host: 'host' },
  sources: sources.directIo,
  declared: (traits) =>
    traits.directIo ? 'O_DIRECT is passed on to the host' : 'O_DIRECT stops at the daemon',
  attempt(n) {
    const [direct, control] = [`direct-${n}`, `buffered-${n}`];
    return inTurn(n, [
      ['host', 'make', many(...coldFile(direct), ...coldFile(control))],
      [
        'guest',
        'read',
        many(
          { do: 'open', path: direct, flags: ['rdonly', 'direct'], as: direct },
          { do: 'read', file: direct, offset: 0, length: size / 2 },
          { do: 'open', path: control, flags: ['rdonly'], as: control },
          { do: 'read', file: control, offset: 0, length: size / 2 },
        ),
      ],
      ['host', 'pages', many({ do: 'pages', file: direct }, { do: 'pages', file: control })],
    ]);
  },
  sight(observed, n) {
    const refused = refusalIn(observed, n, ['make', 'read', 'pages']);
    if (refused !== undefined) return { unclear: refused };
    const made = valuesOf(observed, n, 'make').values.filter((_, index) => index % steps === steps - 1);
    const cold = (made as EvictResult[]).every(({ after }) => after.by !== 'refused' && after.cached === 0);
    if (!cold) return { unclear: "the host's page cache does not let go of the files, or does not say so" };
    const [direct, control] = valuesOf(observed, n, 'pages').values as [PageState, PageState];
    if (direct.by === 'refused' || control.by === 'refused' || control.cached === 0)
      return { unclear: "a buffered read of the guest does not show in the host's page cache" };
    return {
      words: `an O_DIRECT read left ${direct.cached} pages in the host's cache, a buffered one ${control.cached}`,
      fits: (traits: Traits) => traits.directIo === (direct.cached === 0),
      certain: () => direct.cached > 0,
    };
  },
});

/** Operations of `coldFile`; the last is the eviction. */
const steps = 4;

function coldFile(path: string): readonly Operation[] {
  return [
    { do: 'open', path, flags: ['creat', 'excl', 'rdwr'], mode: 0o666, as: path },
    {
      do: 'fill',
      file: path,
      range: { offset: 0, length: size },
      seed: 1,
      fileId: 1,
      writer: 1,
      generation: 1,
    },
    { do: 'fsync', file: path },
    { do: 'evict', file: path, evenDirty: true },
  ];
}

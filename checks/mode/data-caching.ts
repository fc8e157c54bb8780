import type { Operation, PageState } from '../../src/model/operation.ts';
import { inTurn, many, type Question, refusalIn, valuesOf } from '../repeat/question.ts';
import { traitQuestion } from './trait-question.ts';
import { type DataCaching, sources, type Traits } from './traits.ts';

const size = 64 * 1024;

/**
 * Whether the guest keeps what it reads, looked at through the descriptor that read: any other look is an open.
 *
 * ```
 *  read 64 KiB   cached: 0 or 16    open the file again   cached: 0 or 16
 *                DIRECT_IO ┘└ cache                  drop ┘└ KEEP_CACHE
 * ```
 * All in one request: a kernel that pages out idle memory takes seconds, this takes milliseconds.
 */
export const dataCaching: Question = traitQuestion({
  name: 'data-caching',
  code: 'other-data-caching',
  scenarios: ['host-write/reopen'],
  actors: { guest: 'guest', host: 'host' },
  sources: sources.data,
  declared: ({ data }) => `what is read is kept ${data}`,
  attempt(n) {
    const file = `data-${n}`;
    // Whoever may write a file may ask for the state of its pages.
    const open = (as: string): Operation => ({ do: 'open', path: file, flags: ['rdwr'], as });
    const fill = { do: 'fill', file, range: { offset: 0, length: size } } as const;
    return inTurn(n, [
      [
        'host',
        'make',
        many(
          { do: 'open', path: file, flags: ['creat', 'excl', 'rdwr'], mode: 0o666, as: file },
          { ...fill, seed: n, fileId: n, writer: 1, generation: 1 },
          { do: 'close', file },
        ),
      ],
      [
        'guest',
        'read',
        many(
          open(`${file}-a`),
          { do: 'read', file: `${file}-a`, offset: 0, length: size },
          { do: 'pages', file: `${file}-a` },
          open(`${file}-b`),
          { do: 'pages', file: `${file}-a` },
        ),
      ],
    ]);
  },
  sight(observed, n) {
    const refused = refusalIn(observed, n, ['make', 'read']);
    if (refused !== undefined) return { unclear: refused };
    const { values } = valuesOf(observed, n, 'read');
    const [before, after] = [values[2] as PageState, values[4] as PageState];
    if (before.by === 'refused' || after.by === 'refused')
      return { unclear: `the guest does not say what its cache holds: ${before.refusal ?? after.refusal}` };
    const words = `${before.cached} of ${before.pages} pages are in the guest's cache after reading, ${after.cached} after another open`;
    const shown = shownBy(before.cached, after.cached);
    if (shown === undefined) return { unclear: words };
    return {
      words,
      fits: ({ data }: Traits) => data === shown,
      // Pages that are there cannot be explained by a cache that drops early; missing ones can.
      certain: ({ data }: Traits) => order.indexOf(shown) > order.indexOf(data),
    };
  },
});

const order: readonly DataCaching[] = ['not at all', 'until the next open', 'over an open'];

function shownBy(before: number, after: number): DataCaching | undefined {
  if (before === 0) return after === 0 ? 'not at all' : undefined;
  if (after === 0) return 'until the next open';
  return after >= before ? 'over an open' : undefined;
}

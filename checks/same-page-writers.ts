import type { Case, Observed, Promises, Setting, Step } from '../src/model/check.ts';
import { defineCheck } from '../src/model/check.ts';
import type { ManyResult, Operation } from '../src/model/operation.ts';
import { patternBytes } from '../src/model/pattern.ts';
import { describePromise } from '../src/model/promise.ts';
import type { Verdict } from '../src/model/verdict.ts';
import { evict } from './coherence/acts.ts';
import { type Fate, fateOf, fileSize, keyOf, type Owner, slotSize, slotsOf } from './writers/slots.ts';
import { judgeTrouble, troubleIn } from './writers/trouble.ts';

/** How the guest writes; the host always does with write(). */
type Way = 'buffered' | 'mapped' | 'direct';
/**
 * - `in-turns`: the guest has the pages, writes its slots, then the host its own, then the guest flushes: what
 *   the guest writes back whole it writes over the host's.
 * - `host-first`: the host's slots come between the guest's reading of the page and its writing.
 * - `at-once`: both write all of their slots again and again.
 */
type Order = 'in-turns' | 'host-first' | 'at-once';

const ways: readonly Way[] = ['buffered', 'mapped', 'direct'];
const orders: readonly Order[] = ['in-turns', 'host-first', 'at-once'];
const rounds = { host: 24, guest: 8 };

function wholeOf(file: string): Operation {
  return { do: 'read', file, offset: 0, length: 2 * fileSize };
}

/** One generation of all slots of one side. */
function slots(seed: number, owner: Owner, generation: number, way: Way = 'buffered'): readonly Operation[] {
  const key = keyOf(seed, owner, generation);
  return slotsOf(owner).map((offset): Operation => {
    if (way !== 'mapped') return { do: 'fill', file: 'f', range: { offset, length: slotSize }, ...key };
    const base64 = Buffer.from(patternBytes(key, offset, slotSize)).toString('base64');
    return { do: 'store', map: 'f', offset, base64 };
  });
}

/** The last generation that a side writes. */
function lastOf(order: Order, owner: Owner): number {
  return order === 'at-once' ? 1 + rounds[owner] : 2;
}

function many(list: readonly Operation[]): Operation {
  return { do: 'many', list };
}

function stepsOf(way: Way, order: Order, { seed }: Setting): readonly Step[] {
  const make: readonly Operation[] = [
    { do: 'open', path: 'f', flags: ['creat', 'excl', 'rdwr'], mode: 0o666, as: 'f' },
    { do: 'fill', file: 'f', range: { offset: 0, length: fileSize }, ...keyOf(seed, 'host', 1) },
  ];
  const opened: readonly Operation[] = [
    { do: 'open', path: 'f', flags: way === 'direct' ? ['rdwr', 'direct'] : ['rdwr'], as: 'f' },
    wholeOf('f'),
    ...(way === 'mapped'
      ? ([
          {
            do: 'map',
            file: 'f',
            as: 'f',
            offset: 0,
            length: fileSize,
            protection: 'read-write',
            share: 'shared',
          },
          { do: 'load', map: 'f', offset: 0, length: fileSize },
        ] as const)
      : []),
  ];
  const flush: readonly Operation[] = [
    { do: 'fsync', file: 'f' },
    ...(way === 'mapped' ? [{ do: 'unmap', map: 'f' } as const] : []),
    { do: 'close', file: 'f' },
  ];
  const mine = (owner: Owner, generation: number) =>
    slots(seed, owner, generation, owner === 'guest' ? way : 'buffered');
  const again = (owner: Owner, each: (generation: number) => readonly Operation[]) =>
    Array.from({ length: rounds[owner] }, (_, index) => each(index + 2)).flat();
  const hosts =
    order === 'at-once'
      ? again('host', (generation) => [...mine('host', generation), { do: 'wait', ms: 2 }])
      : mine('host', 2);
  const guests =
    order === 'at-once'
      ? again('guest', (generation) => [
          ...mine('guest', generation),
          ...(generation % 3 === 0 ? [{ do: 'fsync', file: 'f' } as const] : []),
        ])
      : mine('guest', 2);
  const writes: readonly Step[] = {
    'in-turns': [
      {
        id: 'guest-writes',
        actor: 'guest',
        op: many(guests),
        after: [{ step: 'open', has: 'ended' as const }],
      },
      {
        id: 'host-writes',
        actor: 'host',
        op: many(hosts),
        after: [{ step: 'guest-writes', has: 'ended' as const }],
      },
    ],
    'host-first': [
      { id: 'host-writes', actor: 'host', op: many(hosts), after: [{ step: 'open', has: 'ended' as const }] },
      {
        id: 'guest-writes',
        actor: 'guest',
        op: many(guests),
        after: [{ step: 'host-writes', has: 'ended' as const }],
      },
    ],
    'at-once': [
      {
        id: 'guest-writes',
        actor: 'guest',
        op: many(guests),
        after: [{ step: 'open', has: 'ended' as const }],
      },
      { id: 'host-writes', actor: 'host', op: many(hosts), after: [{ step: 'open', has: 'ended' as const }] },
    ],
  }[order];
  return [
    { id: 'make', actor: 'host', op: many(make) },
    { id: 'open', actor: 'guest', op: many(opened), after: [{ step: 'make', has: 'ended' }] },
    ...writes,
    {
      id: 'flush',
      actor: 'guest',
      op: many(flush),
      after: [
        { step: 'guest-writes', has: 'ended' },
        { step: 'host-writes', has: 'ended' },
      ],
    },
    { id: 'look', actor: 'host', op: many([wholeOf('f')]), after: [{ step: 'flush', has: 'ended' }] },
    {
      id: 'guest-look',
      actor: 'guest',
      op: many([{ do: 'open', path: 'f', flags: ['rdonly'], as: 'g' }, evict('g'), wholeOf('g')]),
      after: [{ step: 'look', has: 'ended' }],
    },
  ];
}

function partsOf(name: string): readonly [Way, Order] {
  const way = ways.find((each) => name.startsWith(`${each}-`)) ?? 'buffered';
  return [way, name.slice(way.length + 1) as Order];
}

function bytesOf(observed: Observed, step: string): Uint8Array {
  const values = observed.value<ManyResult>(step)?.values ?? [];
  return Buffer.from((values.at(-1) as { base64: string } | undefined)?.base64 ?? '', 'base64');
}

function judge(observed: Observed, promises: Promises): Verdict {
  const [way, order] = partsOf(observed.case.name);
  const promise = promises(`same-page-writers/${way}`);
  const trouble = troubleIn(observed);
  if (trouble !== undefined) return judgeTrouble(trouble, promise);
  const found = bytesOf(observed, 'look');
  const { seed } = observed.setting;
  if (found.length !== fileSize)
    return {
      kind: 'fail',
      code: 'wrong-size',
      reason: `the file has ${found.length} bytes on the host; both sides wrote inside its ${fileSize}`,
    };
  const fates = (['host', 'guest'] as const).map((owner) => fateOf(found, seed, owner, lastOf(order, owner)));
  const evidence = { slots: slotsOf('host').length, fates };
  const wrong = fates.flatMap((fate) => fate.wrong);
  if (wrong.length > 0)
    return {
      kind: 'fail',
      code: 'wrong-bytes',
      reason: `bytes that nobody wrote there: ${wrong[0]}`,
      promised: 'each slot holds bytes that its own writer wrote there',
      observed: wrong[0] ?? '',
      evidence,
    };
  const [host, guest] = fates as [Fate, Fate];
  // What is on the disk both sides must agree on; the guest was made to ask again.
  const seen = bytesOf(observed, 'guest-look');
  if (guest.lost.length > 0)
    return {
      kind: 'fail',
      code: 'own-lost',
      reason: `${inWords(guest)}: the host wrote only between them`,
      promised: 'what the guest wrote and synced is there',
      observed: inWords(guest),
      evidence,
    };
  if (promise === undefined)
    return {
      kind: 'unknown',
      code: 'no-promise',
      reason: 'the contract does not know this mode',
      evidence,
    };
  const promised = { promised: describePromise(promise), sources: promise.sources };
  if (promise.freshness.kind === 'error')
    return {
      kind: 'unknown',
      code: 'not-refused',
      reason: `it should have been refused with ${promise.freshness.errno}`,
      ...promised,
      evidence,
    };
  const hidden = Buffer.compare(seen, found) === 0 ? '' : ' (the guest still shows other bytes)';
  if (host.lost.length === 0)
    return { kind: 'pass', reason: `every byte of both is there${hidden}`, ...promised, evidence };
  if (promise.freshness.kind === 'may-lose')
    return {
      kind: 'pass',
      stale: true,
      reason: `${inWords(host)}, which is permitted`,
      ...promised,
      evidence,
    };
  return {
    kind: 'fail',
    code: 'lost',
    reason: `${inWords(host)}: the guest wrote elsewhere in the same pages`,
    observed: inWords(host),
    ...promised,
    evidence,
  };
}

function inWords({ owner, lost }: Fate): string {
  const at = lost.slice(0, 4).join(', ');
  return `${lost.length} of ${slotsOf(owner).length} slots of the ${owner} (${slotSize} bytes each; at ${at}${lost.length > 4 ? ' …' : ''}) do not hold its last bytes`;
}

/** Both sides write into one page, never the same byte. */
export default defineCheck({
  name: 'same-page-writers',
  title: 'both sides write different bytes of one page: none is lost where the mode promises it',
  codes: {
    lost: "the guest's page was written over bytes of the host, where the mode promises that none is lost",
    'own-lost': 'what the guest wrote and synced is not there, although nobody else wrote those bytes',
    'wrong-bytes': 'bytes are there that nobody wrote there: no mode permits that',
    'wrong-size': 'the file became longer or shorter, although both wrote inside it',
    'no-promise': 'the contract does not know this mode',
    'not-refused': 'the contract says that this is refused here, and it was not',
    'could-not-run': 'a step did not end well',
  },
  cases: (setting): readonly Case[] =>
    ways.flatMap((way) =>
      orders.map((order) => ({
        name: `${way}-${order}`,
        scenarios: [`same-page-writers/${way}`],
        isolation: 'shared' as const,
        needs: ['writable' as const],
        actors: { host: 'host' as const, guest: 'guest' as const },
        steps: stepsOf(way, order, setting),
      })),
    ),
  judge,
});

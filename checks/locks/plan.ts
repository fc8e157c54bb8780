import type { Case, Need, Step } from '../../src/model/check.ts';
import type { LockFamily } from '../../src/model/observation.ts';
import type { Operation } from '../../src/model/operation.ts';
import type { ViewName } from '../../src/model/side.ts';

export const families: readonly LockFamily[] = ['flock', 'posix', 'ofd'];

/** Where two processes ask for the same lock. */
interface Place {
  readonly name: string;
  /** Ends the scenario's name: `locks/flock-across-sides`. */
  readonly scenario: string;
  readonly one: ViewName;
  readonly other: ViewName;
  readonly needs: readonly Need[];
}

const places: readonly Place[] = [
  { name: 'across-sides', scenario: 'across-sides', one: 'host', other: 'guest', needs: [] },
  {
    name: 'across-tags',
    scenario: 'across-tags',
    one: 'guest',
    other: 'guest-other-tag',
    needs: ['other-tag'],
  },
  {
    name: 'across-guests',
    scenario: 'across-guests',
    one: 'guest',
    other: 'guest2',
    needs: ['second-guest'],
  },
  { name: 'one-guest', scenario: 'one-guest', one: 'guest', other: 'guest', needs: [] },
];

/** What was asked, and what it must come to. `held`: the other one has it, so it is free only where locks are local. */
export interface Ask {
  readonly family: LockFamily;
  /** For a person. */
  readonly words: string;
  readonly must: 'be granted' | 'be as promised';
  /** The code where it was refused and must be granted. */
  readonly code: 'not-granted' | 'not-released' | 'shared-refused' | 'range-refused';
}

/** An operation, with what it asks for where it asks. */
interface Move {
  readonly op: Operation;
  readonly ask?: Ask;
}

export interface Round {
  readonly step: string;
  readonly actor: 'one' | 'other';
  readonly moves: readonly Move[];
}

type Mode = 'shared' | 'exclusive' | 'unlock';

/** Both halves of a file of 200 bytes, and some of both. */
const [front, back, middle] = [
  { offset: 0, length: 100 },
  { offset: 100, length: 100 },
  { offset: 50, length: 100 },
];

function lock(family: LockFamily, mode: Mode, range?: { offset: number; length: number }): Operation {
  return { do: 'lock', file: family, family, mode, ...(range === undefined ? {} : { range }) };
}

function round(step: string, actor: 'one' | 'other', of: (family: LockFamily) => readonly Move[]): Round {
  return { step, actor, moves: families.flatMap(of) };
}

const opens: Readonly<Record<'one' | 'other', readonly Move[]>> = {
  one: families.map((family) => ({ op: { do: 'open', path: family, flags: ['rdwr'], as: family } })),
  other: families.map((family) => ({ op: { do: 'open', path: family, flags: ['rdwr'], as: family } })),
};

const must = (family: LockFamily, words: string, code: Ask['code']): Ask => ({
  family,
  words,
  must: 'be granted',
  code,
});
const held = (family: LockFamily, words: string): Ask => ({
  family,
  words,
  must: 'be as promised',
  code: 'not-granted',
});

/**
 * One takes the lock, the other asks for it, one gives it back, the other takes it, and so on in both directions;
 * then both share it; then each takes a half of the file.
 */
const turns: readonly Round[] = [
  { step: 'one-opens', actor: 'one', moves: opens.one },
  { step: 'other-opens', actor: 'other', moves: opens.other },
  round('one-takes', 'one', (family) => [
    { op: lock(family, 'exclusive'), ask: must(family, 'a lock that nobody holds', 'not-granted') },
  ]),
  round('other-asks', 'other', (family) => [
    { op: lock(family, 'exclusive'), ask: held(family, 'an exclusive lock while the first one holds it') },
    { op: lock(family, 'unlock') },
    {
      op: lock(family, 'shared'),
      ask: held(family, 'a shared lock while the first one holds it exclusively'),
    },
    { op: lock(family, 'unlock') },
  ]),
  round('one-gives', 'one', (family) => [{ op: lock(family, 'unlock') }]),
  round('other-takes', 'other', (family) => [
    {
      op: lock(family, 'exclusive'),
      ask: must(family, 'the lock that the first one gave back', 'not-released'),
    },
  ]),
  round('one-asks', 'one', (family) => [
    { op: lock(family, 'exclusive'), ask: held(family, 'an exclusive lock while the second one holds it') },
    { op: lock(family, 'unlock') },
    {
      op: lock(family, 'shared'),
      ask: held(family, 'a shared lock while the second one holds it exclusively'),
    },
    { op: lock(family, 'unlock') },
  ]),
  round('other-shares', 'other', (family) => [
    {
      op: lock(family, 'shared'),
      ask: must(family, 'a shared lock in place of its own exclusive one', 'not-granted'),
    },
  ]),
  round('one-shares', 'one', (family) => [
    { op: lock(family, 'shared'), ask: must(family, 'a shared lock beside a shared one', 'shared-refused') },
    { op: lock(family, 'unlock') },
    // A range belongs to no flock.
    ...(family === 'flock'
      ? []
      : [
          {
            op: lock(family, 'exclusive', front),
            ask: held(family, 'the front half, exclusively, while the second one shares the whole'),
          },
        ]),
  ]),
  round('other-gives', 'other', (family) => [{ op: lock(family, 'unlock') }]),
  round('one-takes-front', 'one', (family) => [
    {
      op: family === 'flock' ? lock(family, 'exclusive') : lock(family, 'exclusive', front),
      ask: must(family, 'what the second one gave back', 'not-released'),
    },
  ]),
  round('other-takes-back', 'other', (family) =>
    family === 'flock'
      ? [
          {
            op: lock(family, 'exclusive'),
            ask: held(family, 'an exclusive lock while the first one holds it'),
          },
        ]
      : [
          {
            op: lock(family, 'exclusive', back),
            ask: must(family, 'the half that nobody holds', 'range-refused'),
          },
          {
            op: lock(family, 'exclusive', middle),
            ask: held(family, 'a range of which the first one holds half'),
          },
        ],
  ),
];

/** Closing gives back what is held, whoever forgot to. */
const closing: readonly Round[] = [
  { step: 'one-opens', actor: 'one', moves: opens.one },
  { step: 'other-opens', actor: 'other', moves: opens.other },
  round('other-takes', 'other', (family) => [
    { op: lock(family, 'exclusive'), ask: must(family, 'a lock that nobody holds', 'not-granted') },
  ]),
  round('other-closes', 'other', (family) => [{ op: { do: 'close', file: family } }]),
  round('one-takes', 'one', (family) => [
    {
      op: lock(family, 'exclusive'),
      ask: must(family, 'what the second one held when it closed', 'not-released'),
    },
  ]),
];

/** Places, and what is done there. */
export const meetings: readonly (Place & { readonly rounds: readonly Round[] })[] = [
  ...places.map((place) => ({ ...place, rounds: turns })),
  {
    name: 'closed-in-one-guest',
    scenario: 'one-guest',
    one: 'guest',
    other: 'guest',
    needs: [],
    rounds: closing,
  },
];

/** What is asked in a round, at which place of its list. */
export function asksIn({ moves }: Round): readonly { readonly index: number; readonly ask: Ask }[] {
  return moves.flatMap(({ ask }, index) => (ask === undefined ? [] : [{ index, ask }]));
}

/** The files are made on the host, 200 bytes long. */
const makes: readonly Operation[] = families.flatMap((family): readonly Operation[] => [
  { do: 'open', path: family, flags: ['creat', 'excl', 'rdwr'], mode: 0o666, as: family },
  { do: 'ftruncate', file: family, length: 200 },
  { do: 'close', file: family },
]);

export function caseOfMeeting({
  name,
  scenario,
  one,
  other,
  needs,
  rounds,
}: (typeof meetings)[number]): Case {
  return {
    name,
    scenarios: families.map((family) => `locks/${family}-${scenario}`),
    isolation: 'shared',
    needs: ['writable', ...needs],
    actors: { maker: 'host', one, other },
    steps: [
      { id: 'make', actor: 'maker', op: { do: 'many', list: makes } },
      ...rounds.map(
        ({ step, actor, moves }, index): Step => ({
          id: step,
          actor,
          op: { do: 'many', list: moves.map(({ op }) => op), anyway: true },
          after: [{ step: rounds[index - 1]?.step ?? 'make', has: 'ended' }],
        }),
      ),
    ],
  };
}

/** One holds all three; the other asks for them in the blocking form, for at most `waitMs` each. */
function caseOfWait(
  plan: Pick<Case, 'name' | 'scenarios'> & { readonly one: ViewName; readonly other: ViewName },
  waitMs: number,
  afterwards: readonly Step[] = [],
): Case {
  const { name, scenarios, one, other } = plan;
  const waits = families.map(
    (family): Operation => ({ do: 'lock', file: family, family, mode: 'exclusive', waitMs }),
  );
  const takes = families.map((family) => lock(family, 'exclusive'));
  const made = [{ step: 'make', has: 'ended' }] as const;
  return {
    name,
    scenarios,
    isolation: 'shared',
    needs: ['writable'],
    actors: { maker: 'host', one, other },
    steps: [
      { id: 'make', actor: 'maker', op: { do: 'many', list: makes } },
      {
        id: 'one-takes',
        actor: 'one',
        op: { do: 'many', list: [...opens.one.map(({ op }) => op), ...takes] },
        after: made,
      },
      {
        id: 'other-opens',
        actor: 'other',
        op: { do: 'many', list: opens.other.map(({ op }) => op) },
        after: made,
      },
      {
        id: 'other-waits',
        actor: 'other',
        op: { do: 'many', list: waits, anyway: true },
        after: [
          { step: 'one-takes', has: 'ended' },
          { step: 'other-opens', has: 'ended' },
        ],
      },
      ...afterwards,
    ],
  };
}

/** The host holds; the guest waits for it in the blocking form, for a while. */
export const acrossWait = caseOfWait(
  {
    name: 'wait-across-sides',
    scenarios: families.map((family) => `locks/${family}-wait`),
    one: 'host',
    other: 'guest',
  },
  400,
);

/** One process of a guest holds, the other waits, the first gives back: only then is it granted. */
export const waitInGuest = caseOfWait(
  {
    name: 'wait-one-guest',
    scenarios: families.flatMap((family) => [`locks/${family}-one-guest`, `locks/${family}-wait`]),
    one: 'guest',
    other: 'guest',
  },
  20_000,
  [
    {
      id: 'one-gives',
      actor: 'one',
      // The three are given back one after the other, each when the other one has been waiting for a while.
      op: {
        do: 'many',
        list: families.flatMap((family): readonly Operation[] => [
          { do: 'wait', ms: 60 },
          lock(family, 'unlock'),
        ]),
      },
      after: [{ step: 'other-waits', has: 'begun' }],
    },
  ],
);

import type { Case, Observed, Promises, Setting, Step } from '../src/model/check.ts';
import { defineCheck } from '../src/model/check.ts';
import type { ManyResult, Operation } from '../src/model/operation.ts';
import { describePromise } from '../src/model/promise.ts';
import type { ViewName } from '../src/model/side.ts';
import type { Verdict } from '../src/model/verdict.ts';
import { fileIdOf } from './coherence/acts.ts';
import { type Appends, type Census, censusOf } from './writers/records.ts';
import { caseOfMapping, judgeMapping } from './writers/seen-by-mapping.ts';
import { judgeTrouble, troubleIn } from './writers/trouble.ts';

/**
 * Several processes append records to one file at the same time, each through its own descriptor with O_APPEND.
 * A record says whose it is and which one:
 *
 * ```
 *  | host 0 | guest 0 | host 1 | host 2 | guest 1 | …
 * ```
 *
 * Records of a size that divides a page never lie across two: so a record is one request, wherever the guest
 * believes the end of the file to be. `across-pages` is about the others.
 */
interface Plan {
  readonly name: string;
  readonly scenario: string;
  readonly writers: readonly Writer[];
  /** Nobody in the guest reads what came of it. */
  readonly hostLooksAlone?: true;
}

/** One who appends `count` records of `size` bytes, in whole cells of 64. */
interface Writer {
  readonly actor: string;
  readonly view: ViewName;
  readonly pauseUs: number;
  readonly size: number;
  readonly count: number;
}

/** A system call of the guest takes longer than one of the host: the pause lets the two overlap. */
const hostWriter = { actor: 'host', view: 'host', pauseUs: 1500 } as const;
const guestWriter = { actor: 'guest', view: 'guest', pauseUs: 0 } as const;
const otherWriter = { actor: 'other', view: 'guest', pauseUs: 0 } as const;

const plans: readonly Plan[] = [
  {
    name: 'two-sides',
    scenario: 'concurrent-append',
    writers: [hostWriter, guestWriter].map((each) => ({ ...each, size: 256, count: 48 })),
  },
  // Of several pages in one request.
  {
    name: 'long-records',
    scenario: 'concurrent-append/long',
    writers: [hostWriter, guestWriter].map((each) => ({ ...each, size: 8192, count: 12 })),
  },
  // For more than a second a short record of the host comes each millisecond: between two requests of the guest, if it
  // sends two. The guest takes its time as well, so that the two meet on a machine that has much else to do.
  {
    name: 'across-pages',
    scenario: 'concurrent-append/long',
    hostLooksAlone: true,
    writers: [
      { actor: 'host', view: 'host', pauseUs: 1000, size: 64, count: 1200 },
      { ...guestWriter, pauseUs: 60_000, size: 4160, count: 24 },
    ],
  },
  {
    name: 'three-writers',
    scenario: 'concurrent-append',
    writers: [hostWriter, guestWriter, otherWriter].map((each) => ({ ...each, size: 512, count: 24 })),
  },
  {
    name: 'one-guest',
    scenario: 'concurrent-append/one-guest',
    writers: [guestWriter, otherWriter].map((each) => ({ ...each, size: 320, count: 32 })),
  },
];

function appendsOf({ writers }: Plan): readonly Appends[] {
  return writers.map(({ size, count }, index) => ({ writer: index + 1, size, count }));
}

/** Twice of what there can be: what is behind it is seen, too. */
function lengthOf({ writers }: Plan): number {
  return 2 * writers.reduce((sum, { size, count }) => sum + size * count, 0);
}

function caseOf(plan: Plan, { seed }: Setting): Case {
  const open = (flags: readonly ('creat' | 'append')[]): Operation => ({
    do: 'open',
    path: 'f',
    flags: [...flags, 'wronly'],
    mode: 0o666,
    as: 'f',
  });
  const steps: readonly Step[] = [
    { id: 'make', actor: 'keeper', op: { do: 'many', list: [open(['creat'])] } },
    {
      id: 'reader-opens',
      actor: 'reader',
      op: {
        do: 'many',
        list: [
          { do: 'open', path: 'f', flags: ['rdwr'], as: 'kept' },
          { do: 'read', file: 'kept', offset: 0, length: 4096 },
        ],
      },
      after: [{ step: 'make', has: 'ended' }],
    },
    ...plan.writers.map(
      ({ actor }): Step => ({
        id: `${actor}-opens`,
        actor,
        op: { do: 'many', list: [open(['append'])] },
        after: [{ step: 'make', has: 'ended' }],
      }),
    ),
    ...plan.writers.map(
      ({ actor, pauseUs, size, count }, index): Step => ({
        id: `${actor}-appends`,
        actor,
        op: {
          do: 'many',
          list: [
            {
              do: 'fill',
              file: 'f',
              range: { offset: 0, length: size * count },
              chunk: size,
              pauseUs,
              seed,
              fileId: fileIdOf('f'),
              writer: index + 1,
              generation: 1,
            },
            { do: 'close', file: 'f' },
          ],
        },
        after: ['reader', ...plan.writers.map((each) => each.actor)].map((each) => ({
          step: `${each}-opens`,
          has: 'ended' as const,
        })),
      }),
    ),
    {
      id: 'look',
      actor: 'keeper',
      op: {
        do: 'many',
        list: [
          { do: 'open', path: 'f', flags: ['rdonly'], as: 'look' },
          { do: 'read', file: 'look', offset: 0, length: lengthOf(plan) },
        ],
      },
      after: plan.writers.map(({ actor }) => ({ step: `${actor}-appends`, has: 'ended' as const })),
    },
  ];
  const readsIn: Step = {
    id: 'guest-look',
    actor: 'reader',
    op: { do: 'many', list: [{ do: 'read', file: 'kept', offset: 0, length: lengthOf(plan) }] },
    after: [{ step: 'look', has: 'ended' }],
  };
  return {
    name: plan.name,
    scenarios: [plan.scenario],
    isolation: 'shared',
    needs: ['writable'],
    actors: {
      keeper: 'host',
      reader: 'guest',
      ...Object.fromEntries(plan.writers.map(({ actor, view }) => [actor, view])),
    },
    steps: plan.hostLooksAlone === true ? steps : [...steps, readsIn],
  };
}

function judge(observed: Observed, promises: Promises): Verdict {
  const plan = plans.find(({ name }) => name === observed.case.name);
  if (plan === undefined) return { kind: 'unknown', code: 'could-not-run', reason: 'no such case' };
  const promise = promises(plan.scenario);
  const trouble = troubleIn(observed);
  if (trouble !== undefined) return judgeTrouble(trouble, promise);
  const [bytes, inGuest] = ['look', 'guest-look'].map((step) => bytesOf(observed, step)) as [Buffer, Buffer];
  const { seed } = observed.setting;
  const census = censusOf(bytes, appendsOf(plan), { seed, fileId: fileIdOf('f') });
  const evidence = { bytes: bytes.length, ...census };
  const named = (names: readonly string[]) =>
    names
      .slice(0, 4)
      .map((name) => recordIn(plan, name))
      .join(', ') + (names.length > 4 ? ' …' : '');
  const promised =
    promise === undefined ? {} : { promised: describePromise(promise), sources: promise.sources };
  const fail = (code: string, reason: string): Verdict => ({
    kind: 'fail',
    code,
    reason,
    observed: reason,
    ...promised,
    evidence,
  });
  // No promise covers what was never written, nor what is there twice.
  if (census.foreign.length > 0)
    return fail(
      'wrong-bytes',
      `${census.foreign.length} cells are of no record, the first at ${census.foreign[0]} of ${bytes.length} bytes`,
    );
  if (census.twice.length > 0)
    return fail('twice', `${census.twice.length} records are there more than once: ${named(census.twice)}`);
  if (promise === undefined)
    return { kind: 'unknown', code: 'no-promise', reason: 'the contract does not know this mode', evidence };
  const { missing, torn, disordered } = census as Census;
  const total = plan.writers.reduce((sum, { count }) => sum + count, 0);
  const gone = `${missing.length} of ${total} records are missing`;
  if (promise.freshness.kind === 'may-lose')
    return {
      kind: 'pass',
      ...(missing.length > 0 ? { stale: true } : {}),
      reason: missing.length > 0 ? `${gone}, which is permitted` : `all ${total} records are there once`,
      ...promised,
      evidence,
    };
  const mayBeTorn = promise.freshness.kind === 'reported';
  const lost = mayBeTorn ? missing.filter((each) => !torn.includes(each)) : missing;
  if (mayBeTorn && torn.length > 0 && lost.length === 0)
    return {
      kind: 'pass',
      stale: true,
      reason: `${torn.length} of ${total} records are there in pieces, which is permitted`,
      ...promised,
      evidence,
    };
  if (torn.length > 0 && !mayBeTorn)
    return fail('torn', `${torn.length} records are there in part: ${named(torn)}; ${gone}`);
  if (lost.length > 0) return fail('lost', `${lost.length} of ${total} records are missing: ${named(lost)}`);
  // A guest may not know of all that was appended; but where it shows a byte, that byte never was another one.
  const other = inGuest.findIndex((byte, at) => byte !== bytes[at]);
  if (other >= 0)
    return fail(
      'guest-sees-other-bytes',
      `the guest, through a descriptor that it kept, shows other bytes than the host from ${other} on`,
    );
  if (disordered.length > 0)
    return fail('out-of-order', `${disordered.length} records come after later ones: ${named(disordered)}`);
  return { kind: 'pass', reason: `all ${total} records are there once`, ...promised, evidence };
}

function bytesOf(observed: Observed, step: string): Buffer {
  const values = observed.value<ManyResult>(step)?.values ?? [];
  return Buffer.from((values.at(-1) as { base64: string } | undefined)?.base64 ?? '', 'base64');
}

/** `number 17 of guest`. */
function recordIn({ writers }: Plan, name: string): string {
  const [writer, number] = name.split(':').map(Number);
  return `number ${number} of ${writers[(writer ?? 0) - 1]?.actor}`;
}

/** Records that are appended on both sides at once. */
export default defineCheck({
  name: 'concurrent-append',
  title:
    'of records that several append at once every one is there exactly once, unless the mode may lose some',
  codes: {
    lost: 'a record that was appended is not there, where the mode promises that none is lost',
    torn: 'a record is there in part: an append is not one piece',
    twice: 'a record is there more than once: no mode permits that',
    'out-of-order': 'a record comes after one that the same writer appended later',
    'guest-sees-other-bytes':
      'the guest shows a record where it would lie if nobody else had appended: no mode permits that',
    'wrong-bytes': 'the file holds bytes that are no part of any record: no mode permits that',
    'no-promise': 'the contract does not know this mode',
    'could-not-run': 'a step did not end well',
  },
  cases: (setting) => [...plans.map((plan) => caseOf(plan, setting)), caseOfMapping(setting)],
  judge: (observed, promises) =>
    observed.case.name === 'seen-by-mapping' ? judgeMapping(observed, promises) : judge(observed, promises),
});

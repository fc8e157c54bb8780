import type { Case, Observed, Promises, Step } from '../src/model/check.ts';
import { defineCheck } from '../src/model/check.ts';
import type { ManyResult, OpenFlag, Operation } from '../src/model/operation.ts';
import { describeOutcome } from '../src/model/outcome.ts';
import { describePromise, type Promise as Promised } from '../src/model/promise.ts';
import type { Verdict } from '../src/model/verdict.ts';
import { type Combo, combos, looking, looksOf, nameOf, preparing, usesOf, using } from './flags/combos.ts';
import { type Difference, differenceOf, operatingIn } from './flags/compare.ts';

/**
 * One case opens many names in one request. What must come of it nobody has to write down: the host does the
 * same in a directory of its own, on the very file system that is shared.
 */
interface Plan {
  readonly name: string;
  /** Who opens, and who prepared what is opened: each time the other one. */
  readonly opener: 'guest' | 'host';
  readonly combos: readonly Combo[];
  readonly scenarios: readonly [string, ...string[]];
}

const unaligned = 'unaligned-direct';

const linkOfGuest = 'open-flags/link-of-the-guest';

const creates = ({ state, flags }: Combo) => state === 'absent' && flags.includes('creat');
// O_DIRECT on the host is the business of the file system below.
const isForHost = ({ flags }: Combo) => !flags.includes('direct');

function planOf(opener: 'guest' | 'host', doing: 'creates' | 'opens'): Plan {
  return {
    name: `${opener}-${doing}`,
    opener,
    combos: combos.filter(
      (combo) => creates(combo) === (doing === 'creates') && (opener === 'guest' || isForHost(combo)),
    ),
    scenarios:
      doing === 'creates'
        ? ['open-flags/create']
        : ['open-flags/open', ...(opener === 'host' ? [linkOfGuest] : [])],
  };
}

const plans: readonly Plan[] = [
  planOf('guest', 'creates'),
  planOf('guest', 'opens'),
  planOf('host', 'creates'),
  planOf('host', 'opens'),
];

const [ours, local] = ['shared', 'local'] as const;

function listOf(plan: Plan, directory: string, ops: (path: string, combo: Combo) => readonly Operation[]) {
  return plan.combos.flatMap((combo, index) => ops(`${directory}/${index}`, combo));
}

/** The same without O_DIRECT, which the host's own file system may refuse. */
function bufferedFlags({ flags }: Combo): readonly OpenFlag[] {
  return flags.filter((flag) => flag !== 'direct');
}

function anyway(list: readonly Operation[]): Operation {
  return { do: 'many', list, anyway: true };
}

/** Hundreds of requests in one step. */
const limit = { ms: 120_000 };

function stepsOf(plan: Plan): readonly Step[] {
  const preparer = plan.opener === 'guest' ? 'host' : 'guest';
  const prepare = (directory: string): Operation => ({
    do: 'many',
    list: [{ do: 'mkdir', path: directory }, ...listOf(plan, directory, preparing)],
  });
  return [
    { id: 'prepare', actor: preparer, op: prepare(ours), limit },
    {
      id: 'open',
      actor: plan.opener,
      op: anyway(listOf(plan, ours, (path, combo) => using(path, combo, combo.flags))),
      limit,
      after: [{ step: 'prepare', has: 'ended' }],
    },
    { id: 'prepare-locally', actor: 'local', op: prepare(local) },
    {
      id: 'open-locally',
      actor: 'local',
      op: anyway(listOf(plan, local, (path, combo) => using(path, combo, bufferedFlags(combo)))),
    },
    { id: 'look-locally', actor: 'local', op: anyway(listOf(plan, local, looking)) },
    {
      id: 'look',
      actor: 'local',
      op: anyway(listOf(plan, ours, looking)),
      after: [{ step: 'open', has: 'ended' }],
    },
  ];
}

/** O_DIRECT at any offset and length, which FUSE permits. Held against the same without O_DIRECT. */
function unalignedOps(directory: string, flags: readonly OpenFlag[]): readonly Operation[] {
  return [
    { do: 'open', path: `${directory}/0`, flags, as: 'f' },
    { do: 'write', file: 'f', offset: 10, base64: Buffer.alloc(100, 'n').toString('base64') },
    { do: 'read', file: 'f', offset: 33, length: 200 },
    { do: 'write', file: 'f', offset: 150, base64: Buffer.alloc(5000, 'm').toString('base64') },
    { do: 'read', file: 'f', offset: 100, length: 4096 },
    { do: 'close', file: 'f' },
  ];
}
const unalignedNames = ['open', 'write', 'read', 'write', 'read', 'close'];
const oneFile: Combo = { state: 'file', flags: ['rdwr', 'direct'] };

/** A file without a name, in a directory. */
function tmpfileOps(directory: string): readonly Operation[] {
  return [
    { do: 'open', path: directory, flags: ['tmpfile', 'rdwr'], mode: 0o600, as: 't' },
    { do: 'write', file: 't', base64: Buffer.alloc(100, 'n').toString('base64') },
    { do: 'read', file: 't', offset: 0, length: 4096 },
    { do: 'close', file: 't' },
  ];
}
const tmpfileNames = ['open', 'write', 'read', 'close'];

/** Cases with one file, whose operations are listed here and not in a plan. */
function singleCase(
  name: string,
  scenario: string,
  ops: (directory: string, where: 'shared' | 'local') => readonly Operation[],
): Case {
  const prepared = (directory: string): Operation => ({
    do: 'many',
    list: [{ do: 'mkdir', path: directory }, ...preparing(`${directory}/0`, oneFile)],
  });
  return {
    name,
    scenarios: [scenario],
    isolation: 'shared',
    needs: ['writable'],
    actors: { local: 'host', guest: 'guest' },
    steps: [
      { id: 'prepare', actor: 'local', op: prepared(ours) },
      {
        id: 'open',
        actor: 'guest',
        op: anyway(ops(ours, 'shared')),
        after: [{ step: 'prepare', has: 'ended' }],
      },
      { id: 'prepare-locally', actor: 'local', op: prepared(local) },
      { id: 'open-locally', actor: 'local', op: anyway(ops(local, 'local')) },
      { id: 'look-locally', actor: 'local', op: anyway(looking(`${local}/0`, oneFile)) },
      {
        id: 'look',
        actor: 'local',
        op: anyway(looking(`${ours}/0`, oneFile)),
        after: [{ step: 'open', has: 'ended' }],
      },
    ],
  };
}

const singles: Readonly<Record<string, { readonly names: readonly string[]; readonly words: string }>> = {
  [unaligned]: { names: unalignedNames, words: 'O_DIRECT at odd offsets' },
  tmpfile: { names: tmpfileNames, words: 'open(tmpfile|rdwr) of a directory' },
};

function cases(): readonly Case[] {
  return [
    ...plans.map(
      (plan): Case => ({
        name: plan.name,
        scenarios: plan.scenarios,
        isolation: 'shared',
        needs: ['writable'],
        actors: { local: 'host', guest: 'guest', host: 'host' },
        steps: stepsOf(plan),
      }),
    ),
    singleCase(unaligned, 'open-flags/direct', (directory, where) =>
      unalignedOps(directory, where === 'shared' ? ['rdwr', 'direct'] : ['rdwr']),
    ),
    singleCase('tmpfile', 'open-flags/tmpfile', tmpfileOps),
  ];
}

/** One thing that was tried, with all that came of it in both places. */
interface Tried {
  readonly words: string;
  readonly scenario: string;
  readonly names: readonly string[];
  readonly found: readonly unknown[];
  readonly local: readonly unknown[];
}

function triedIn(observed: Observed): readonly Tried[] {
  const values = (step: string) => observed.value<ManyResult>(step)?.values ?? [];
  const pieces = (step: string, index: number, each: number) =>
    values(step).slice(index * each, (index + 1) * each);
  const tried = (index: number, uses: readonly string[], words: string, scenario: string): Tried => ({
    words,
    scenario,
    names: [...uses, ...looksOf],
    found: [...pieces('open', index, uses.length), ...pieces('look', index, looksOf.length)],
    local: [...pieces('open-locally', index, uses.length), ...pieces('look-locally', index, looksOf.length)],
  });
  const single = singles[observed.case.name];
  if (single !== undefined) return [tried(0, single.names, single.words, observed.case.scenarios[0] ?? '')];
  const plan = plans.find(({ name }) => name === observed.case.name);
  if (plan === undefined) return [];
  const { opener, combos: all, scenarios } = plan;
  const ofLink = ({ state }: Combo) => opener === 'host' && (state === 'link' || state === 'dangling');
  return all.map((combo, index) =>
    tried(index, usesOf, nameOf(combo), ofLink(combo) ? linkOfGuest : scenarios[0]),
  );
}

/** What one of them means. */
type Judged =
  | { readonly kind: 'same' }
  | {
      readonly kind: 'differs';
      readonly tried: Tried;
      readonly difference: Difference;
      readonly promise: Promised;
    }
  | { readonly kind: 'unknown'; readonly code: string; readonly reason: string };

function judgeOne(tried: Tried, promises: Promises): Judged {
  const { words, scenario, names, found, local: locally } = tried;
  const operating = operatingIn(found) ?? operatingIn(locally);
  if (operating !== undefined)
    return { kind: 'unknown', code: 'could-not-run', reason: `${words}: ${operating}` };
  const promise = promises(scenario);
  if (promise?.freshness.kind === 'reported') return { kind: 'same' };
  if (promise?.freshness.kind !== 'as-local')
    return {
      kind: 'unknown',
      code: 'no-promise',
      reason: `the contract knows no promise for ${scenario} here`,
    };
  const difference = differenceOf(names, found, locally, promise.freshness.orErrnos ?? []);
  return difference === undefined ? { kind: 'same' } : { kind: 'differs', tried, difference, promise };
}

function judge(observed: Observed, promises: Promises): Verdict {
  const broken = observed.steps.find(({ id }) => {
    const outcome = observed.outcome(id);
    return outcome.kind !== 'value' || (outcome.value as ManyResult).stopped !== undefined;
  });
  if (broken !== undefined) {
    const outcome = observed.outcome(broken.id);
    const stopped = outcome.kind === 'value' ? (outcome.value as ManyResult).stopped : undefined;
    const words =
      stopped === undefined ? describeOutcome(outcome) : `${stopped.call} failed with ${stopped.errno}`;
    return { kind: 'unknown', code: 'could-not-run', reason: `${broken.actor}, ${broken.id}: ${words}` };
  }
  const judged = triedIn(observed).map((tried) => judgeOne(tried, promises));
  const differing = judged.filter((each) => each.kind === 'differs');
  const [first] = differing;
  if (first !== undefined) {
    const { tried, difference, promise } = first;
    const more = differing.length === 1 ? '' : `; so do ${differing.length - 1} more of ${judged.length}`;
    return {
      kind: 'fail',
      code: difference.code,
      reason: `${observed.steps[1]?.actor}, ${tried.words}: ${difference.words}${more}`,
      promised: describePromise(promise),
      sources: promise.sources,
      observed: difference.words,
      evidence: {
        differences: differing.map((each) => ({ what: each.tried.words, ...each.difference })),
      },
    };
  }
  const unknown = judged.find((each) => each.kind === 'unknown');
  if (unknown !== undefined) return { kind: 'unknown', code: unknown.code, reason: unknown.reason };
  if (judged.length === 0) return { kind: 'unknown', code: 'could-not-run', reason: 'nothing was opened' };
  const promise = promises(observed.case.scenarios[0] ?? '');
  return {
    kind: 'pass',
    reason:
      judged.length === 1
        ? `${triedIn(observed)[0]?.words}: as locally`
        : `${judged.length} ways to open, each as locally`,
    ...(promise === undefined ? {} : { promised: describePromise(promise), sources: promise.sources }),
  };
}

/** Opens everything with everything, in the guest and on the host. */
export default defineCheck({
  name: 'open-flags',
  title: 'every sensible set of open flags, on create and on open, does what it does locally',
  codes: {
    refused: 'a call fails that succeeds on a local file system',
    'not-refused': 'a call succeeds that fails on a local file system',
    'other-errno': 'a call fails with another error than on a local file system',
    'other-flags': 'the descriptor has other flags than it would have locally',
    'other-bytes': 'other bytes are read, written, or there afterwards than there would be locally',
    'other-name': 'afterwards the name is something else (type, size, mode) than it would be locally',
    'no-promise': 'the contract does not know this mode',
    'could-not-run': 'a step did not end well, or was refused for want of something',
  },
  cases,
  judge,
});

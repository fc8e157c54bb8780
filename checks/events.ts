import type { Case, Observed, Promises, Setting, Step } from '../src/model/check.ts';
import { defineCheck } from '../src/model/check.ts';
import type { EventsResult, ManyResult, Operation, WatchEvent } from '../src/model/operation.ts';
import { describePromise } from '../src/model/promise.ts';
import type { ViewName } from '../src/model/side.ts';
import type { Verdict } from '../src/model/verdict.ts';
import {
  type Act,
  accountOf,
  directory,
  type Missing,
  nameActs,
  opsOf,
  prepared,
  writeActs,
  writeCloses,
  writtenPrepared,
} from './events/acts.ts';
import { judgeTrouble, troubleIn } from './writers/trouble.ts';

/** One watches a directory, the other does things in it, then the first one reads what it was told. */
interface Plan {
  readonly name: string;
  readonly scenario: string;
  readonly watcher: ViewName;
  readonly doer: ViewName;
  readonly prepared: readonly Operation[];
  readonly acts: readonly Act[];
  /** What the doer does when the watcher has looked once. */
  readonly closes: readonly Operation[];
}

const names = { prepared, acts: nameActs, closes: [] };
const writes = { prepared: writtenPrepared, acts: writeActs, closes: writeCloses };
const hostWatches = { watcher: 'host', doer: 'guest' } as const;
const guestWatches = { watcher: 'guest', doer: 'host' } as const;
const guestAlone = { watcher: 'guest', doer: 'guest' } as const;

const allPlans: readonly Plan[] = [
  { name: 'host-watch-names', scenario: 'events/host-watch-names', ...hostWatches, ...names },
  { name: 'host-watch-writes', scenario: 'events/host-watch-writes', ...hostWatches, ...writes },
  { name: 'guest-watch-own-names', scenario: 'events/guest-watch-own', ...guestAlone, ...names },
  { name: 'guest-watch-own-writes', scenario: 'events/guest-watch-own', ...guestAlone, ...writes },
  { name: 'guest-watch-host-names', scenario: 'events/guest-watch-host', ...guestWatches, ...names },
  { name: 'guest-watch-host-writes', scenario: 'events/guest-watch-host', ...guestWatches, ...writes },
];

/** 9p has no fallocate: a guest cannot do that there. */
function plansIn({ mode }: Pick<Setting, 'mode'>): readonly Plan[] {
  return allPlans.map((plan) => {
    if (mode?.server !== '9p' || plan.doer !== 'guest') return plan;
    const acts = plan.acts.filter(({ ops }) => ops.every((op) => op.do !== 'fallocate'));
    const opened = new Set(opsOf(acts).flatMap((op) => (op.do === 'open' ? [op.as] : [])));
    return { ...plan, acts, closes: plan.closes.filter((op) => op.do === 'close' && opened.has(op.file)) };
  });
}

const watched: readonly WatchEvent[] = ['create', 'delete', 'moved-from', 'moved-to', 'attrib', 'modify'];

/** Until so long nothing came: what a system call makes is in the queue when it returns. */
const quietMs = 120;
const look: Operation = { do: 'events', watch: 'w', quietMs, limitMs: 4000 };

function caseOf({ name, scenario, watcher, doer, prepared: before, acts, closes }: Plan): Case {
  const many = (list: readonly Operation[]): Operation => ({ do: 'many', list });
  const steps: readonly Step[] = [
    { id: 'make', actor: 'maker', op: many(before) },
    {
      id: 'watch',
      actor: 'watcher',
      op: many([{ do: 'watch', paths: [directory], as: 'w', events: watched }]),
      after: [{ step: 'make', has: 'ended' }],
    },
    { id: 'act', actor: 'doer', op: many(opsOf(acts)), after: [{ step: 'watch', has: 'ended' }] },
    { id: 'at-once', actor: 'watcher', op: many([look]), after: [{ step: 'act', has: 'ended' }] },
    ...(closes.length === 0
      ? []
      : ([
          { id: 'then', actor: 'doer', op: many(closes), after: [{ step: 'at-once', has: 'ended' }] },
          { id: 'afterwards', actor: 'watcher', op: many([look]), after: [{ step: 'then', has: 'ended' }] },
        ] as const)),
  ];
  return {
    name,
    scenarios: [scenario],
    isolation: 'shared',
    needs: ['writable'],
    actors: { maker: 'host', watcher, doer },
    steps,
  };
}

function eventsOf(observed: Observed, step: string): EventsResult['events'] {
  const values = observed.value<ManyResult>(step)?.values ?? [];
  return (values.at(-1) as EventsResult | undefined)?.events ?? [];
}

function judge(observed: Observed, promises: Promises): Verdict {
  const plan = plansIn(observed.setting).find(({ name }) => name === observed.case.name);
  const trouble = troubleIn(observed);
  if (plan === undefined || trouble !== undefined)
    return judgeTrouble(trouble ?? { step: '', words: 'no such case' }, undefined);
  const promise = promises(plan.scenario);
  if (promise === undefined)
    return { kind: 'unknown', code: 'no-promise', reason: 'the contract does not know this mode' };
  const first = eventsOf(observed, 'at-once');
  const all = [...first, ...eventsOf(observed, 'afterwards')];
  const ran = observed.steps.some(({ id }) =>
    (observed.value<ManyResult>(id)?.values ?? []).some(
      (value) => (value as Partial<EventsResult> | null)?.overflow === true,
    ),
  );
  if (ran) return { kind: 'unknown', code: 'could-not-run', reason: 'the queue of events ran over' };
  const promised = { promised: describePromise(promise), sources: promise.sources };
  const evidence = { events: all.slice(0, 200).map(({ name, mask }) => `${mask.join('+')} ${name ?? ''}`) };
  const count = plan.acts.flatMap(({ makes }) => makes).length;
  if (promise.freshness.kind === 'reported') {
    const { missing, otherKind } = accountOf(plan.acts, { events: all });
    const came = count - missing.length - otherKind.length;
    const reason = `${came} of ${count} events came, and none is promised`;
    return { kind: 'pass', reason, ...promised, evidence };
  }
  const atOnce = verdictOf(plan, first, 'at once');
  const later = plan.closes.length === 0 ? atOnce : verdictOf(plan, all, 'after close');
  const mayWait = promise.freshness.kind === 'stale-until';
  const worst = mayWait ? later : (atOnce ?? later);
  if (worst !== undefined) return { ...worst, ...promised, evidence };
  return {
    kind: 'pass',
    ...(atOnce === undefined ? {} : { stale: true }),
    reason:
      atOnce === undefined
        ? `all ${count} events came at once`
        : `all ${count} events came, some after close`,
    ...promised,
    evidence,
  };
}

/** What is wrong with the events that came; undefined where nothing is. */
function verdictOf(plan: Plan, events: EventsResult['events'], when: string): Verdict | undefined {
  const { missing, otherKind, disordered, apart, unasked } = accountOf(plan.acts, { events });
  const fail = (code: string, words: string): Verdict => ({
    kind: 'fail',
    code,
    reason: `${plan.doer} → ${plan.watcher}, ${when}: ${words}`,
    observed: words,
  });
  const more = (list: readonly unknown[]) => (list.length > 1 ? ` (and ${list.length - 1} more)` : '');
  if (missing[0] !== undefined) return fail('missing', `${inWords(missing[0])} did not come${more(missing)}`);
  if (otherKind[0] !== undefined)
    return fail(
      'other-kind',
      `${inWords(otherKind[0])} did not come, but ${otherKind[0].instead.join(', ')}${more(otherKind)}`,
    );
  if (apart[0] !== undefined)
    return fail('other-kind', `${apart[0]}: both events came, and not as of one rename`);
  if (unasked[0] !== undefined)
    return fail('unasked', `${unasked[0]} came, and nobody did that${more(unasked)}`);
  // Writes to several files may be sent in any order.
  if (plan.closes.length === 0 && disordered[0] !== undefined)
    return fail(
      'out-of-order',
      `${inWords(disordered[0])} came before what was done earlier${more(disordered)}`,
    );
  return undefined;
}

function inWords({ words, event, name }: Missing): string {
  return `${event} ${name} (${words})`;
}

/** inotify on one side of what is done on the other, or on the same. */
export default defineCheck({
  name: 'events',
  title: 'a watch on the host is told of what the guest does; what a watch in the guest is told is reported',
  codes: {
    missing: 'something was done, and the watch was told nothing of that name',
    'other-kind': 'the watch was told something else of that name than what was done',
    unasked: 'the watch was told of a name that came, went or moved without anybody doing it',
    'out-of-order': 'the watch was told of things in another order than that in which they were done',
    'no-promise': 'the contract does not know this mode',
    'could-not-run': 'a step did not end well',
  },
  cases: (setting) => plansIn(setting).map(caseOf),
  judge,
});

import type { Check, Observed, Promises } from '../../src/model/check.ts';
import type { ManyResult } from '../../src/model/operation.ts';
import { describeOutcome } from '../../src/model/outcome.ts';
import { describePromise, type Promise as Promised } from '../../src/model/promise.ts';
import type { Verdict } from '../../src/model/verdict.ts';
import { judgeRefusal } from '../promised/refusal.ts';
import { type Deed, eventsOf, type Replay, replay } from './replay.ts';
import { type Sight, sightOf } from './sight.ts';
import { caseOfStory, type Story, stepsOf, type Turn } from './turn.ts';
import { nameOf } from './wrong.ts';

/** The codes that any story may end in. */
export const coherenceCodes = {
  stale: 'earlier bytes (or an earlier size) were seen where the mode promises the newest',
  'stale-too-long':
    'earlier bytes (or an earlier size) were seen after the time for which the mode permits it',
  'stale-after-event': 'earlier bytes (or an earlier size) were seen after the event that ends it',
  'wrong-bytes': 'bytes were seen that nobody wrote there: no mode permits that',
  'wrong-size': 'the file ended, or was said to end, where it never did: no mode permits that',
  'hole-over-data': 'a hole was reported where there is data: a copy that trusts it copies zeros',
  'never-ended':
    'an operation does not end, nor by SIGKILL, while the share serves another process of that side',
  'read-refused': 'a read of a file that is there was refused with an error that no read has',
  'at-the-bound': 'old bytes were seen so close to the end of the permitted time that it does not tell',
  'no-promise': 'the contract does not know this mode',
  'not-refused': 'the contract says that this is refused here, and it was not',
  'could-not-run': 'a step did not end well',
  'never-in-question': 'what the case asks about did not come about, however often it was tried',
} as const;

/**
 * A timeout is counted in ticks of the guest (at most 10 ms each), from the answer to a request that began
 * before it was noted here. A stale look within this much of the bound accuses nobody.
 */
const slackMs = 100;

/** The cases, the next steps and the judge of a check that is told in stories. */
export function told(stories: readonly Story[]): Required<Pick<Check, 'cases' | 'next' | 'judge'>> {
  const storyOf = (observed: Observed) => stories.find(({ name }) => name === observed.case.name);
  return {
    cases: (setting) =>
      stories.filter(({ applies }) => applies?.(setting) ?? true).map((story) => caseOfStory(story, setting)),
    next: (observed) => {
      const story = storyOf(observed);
      if (story === undefined || observed.steps.length > observed.case.steps.length) return [];
      if (story.mustEnd !== undefined && observed.outcome(story.mustEnd.turn).kind === 'stuck')
        return stepsOf(story, [story.mustEnd.witness], observed.setting);
      if (story.whenStale === undefined) return [];
      const looks = looksIn(replay(observed), granuleOf(observed), story.turns(observed.setting));
      return looks.some(({ sight }) => sight.kind === 'stale')
        ? stepsOf(story, story.whenStale(observed.setting), observed.setting)
        : [];
    },
    judge: (observed, promises) => {
      const story = storyOf(observed);
      if (story === undefined)
        return { kind: 'unknown', code: 'could-not-run', reason: `no story ${observed.case.name}` };
      return verdictOf(story, observed, promises);
    },
  };
}

interface Look {
  readonly deed: Deed;
  readonly sight: Sight;
}

function looksIn({ deeds, changes }: Replay, granule: number, turns: readonly Turn[]): readonly Look[] {
  return deeds
    .filter(({ seen, path }) => seen !== undefined && path !== undefined)
    .map((deed) => {
      const before = changes.slice(0, deed.changesBefore).filter(({ path }) => path === deed.path);
      const { ownToo } = turns.find(({ name }) => name === deed.turn) ?? {};
      return { deed, sight: sightOf(deed, before, granule, ownToo) };
    });
}

/** Cached pages are as large as those of the side with the larger ones. */
function granuleOf({ setting }: Observed): number {
  return Math.max(4096, ...Object.values(setting.views).map((view) => view.pageSize));
}

/** What one look, or one refusal, means. */
type Judged = Verdict & { readonly turn: string };

function verdictOf(story: Story, observed: Observed, promises: Promises): Verdict {
  const { setting } = observed;
  const turns = [...story.turns(setting), ...(story.whenStale?.(setting) ?? [])];
  const turnOf = (name: string): Turn | undefined => turns.find((each) => each.name === name);
  const happened = replay(observed);
  const looks = looksIn(happened, granuleOf(observed), turns);
  const promiseOf = (turn: string) => {
    const by = turnOf(turn)?.by;
    return by === undefined ? undefined : promises(by);
  };
  const refused = happened.deeds.find(
    ({ refusal, turn }) => refusal !== undefined && turnOf(turn)?.mayRefuse?.includes(refusal.errno) !== true,
  );
  // After a refusal that was not foreseen the story is another one.
  const until = refused === undefined ? undefined : happened.deeds.indexOf(refused);
  const judged = looks
    .filter(({ deed }) => until === undefined || happened.deeds.indexOf(deed) < until)
    .map((look): Judged => {
      const { turn } = look.deed;
      return { turn, ...judgeLook(look, happened, granuleOf(observed), promiseOf(turn), turnOf(turn)?.by) };
    });
  if (refused !== undefined)
    judged.push({ turn: refused.turn, ...judgeRefused(refused, promiseOf(refused.turn), story) });
  else if (happened.broken !== undefined)
    judged.push({
      turn: '',
      ...(neverEnded(story, observed) ?? { kind: 'unknown', code: 'could-not-run', reason: happened.broken }),
    });
  const verdict = summedUp(judged);
  const doubt = verdict.kind === 'pass' ? story.doubt?.(observed) : undefined;
  return doubt === undefined ? verdict : { kind: 'unknown', code: 'never-in-question', reason: doubt };
}

/** A turn that ends in every mode, and did not. That the side, or the share, is slow or dead is no fail. */
function neverEnded({ mustEnd }: Story, observed: Observed): Verdict | undefined {
  if (mustEnd === undefined) return undefined;
  const { turn, witness } = mustEnd;
  const stuck = observed.outcome(turn);
  const served = observed.value<ManyResult>(witness.name);
  if (
    stuck.kind !== 'stuck' ||
    stuck.killed !== false ||
    served === undefined ||
    served.stopped !== undefined
  )
    return undefined;
  const state = stuck.state === undefined ? '' : `, its process is in state ${stuck.state}`;
  const words = `${describeOutcome(stuck)}, and SIGKILL does not end it${state}`;
  return {
    kind: 'fail',
    code: 'never-ended',
    reason: `guest, ${turn}: ${words}; another process of that guest is served meanwhile`,
    observed: words,
    promised: 'a read ends',
    sources: ['POSIX.1-2017 read(2)'],
    evidence: { turn },
  };
}

/** One look held against the promise of its turn. */
function judgeLook(
  look: Look,
  happened: Replay,
  granule: number,
  promise: Promised | undefined,
  by: string | undefined,
): Verdict {
  const { deed, sight } = look;
  const who = `${deed.actor}, ${deed.turn} (${wordsOf(deed)})`;
  const promised =
    promise === undefined ? {} : { promised: describePromise(promise), sources: promise.sources };
  if (sight.kind === 'wrong') {
    const ops = happened.deeds.map(({ op }) => op);
    const named = nameOf(sight, deed.path ?? '', ops, granule);
    return {
      kind: 'fail',
      code: sight.code,
      reason: `${who}: ${sight.words}${named === undefined ? '' : ` (${named.words})`}`,
      observed: named?.words ?? sight.words,
      ...promised,
      promised:
        sight.code === 'hole-over-data'
          ? 'no hole is reported where there is data'
          : 'bytes that are, or at some time were, in the file',
      evidence: {
        turn: deed.turn,
        path: deed.path ?? '',
        offset: sight.offset,
        length: sight.found.length,
        ...(named === undefined ? {} : { wrong: named.ranges }),
      },
    };
  }
  if (by === undefined) return { kind: 'pass', reason: `${who}: ${sight.kind}` };
  if (promise === undefined)
    return {
      kind: 'unknown',
      code: 'no-promise',
      reason: `${who}: ${describeSight(sight)}; the contract knows no promise for ${by} in this mode`,
    };
  if (promise.freshness.kind === 'error')
    return {
      kind: 'unknown',
      code: 'not-refused',
      reason: `${who}: it should have been refused with ${promise.freshness.errno}`,
      ...promised,
    };
  if (sight.kind === 'fresh') return { kind: 'pass', reason: `${who}: fresh`, ...promised };
  return { ...judgeStale(who, deed, sight, happened, promise), ...promised };
}

function judgeStale(
  who: string,
  deed: Deed,
  sight: Extract<Sight, { kind: 'stale' }>,
  happened: Replay,
  { freshness }: Promised,
): Verdict {
  const { lacks, where } = sight;
  const holes = deed.seen?.what === 'data' || deed.seen?.what === 'hole';
  const fail = (code: string, words: string): Verdict => ({
    kind: 'fail',
    code: holes ? 'hole-over-data' : code,
    reason: `${who}: ${where}${words}`,
    observed: where,
    evidence: { turn: deed.turn, path: deed.path ?? '', lacks: lacks.map(({ words: each }) => each) },
  });
  const allowed: Verdict = { kind: 'pass', stale: true, reason: `${who}: ${where}, which is permitted` };
  switch (freshness.kind) {
    case 'fresh':
    case 'as-local':
    case 'keeps':
      return fail('stale', '');
    case 'stale-for': {
      const ageMs = ageOf(deed, lacks, happened);
      const age = `${Math.round(ageMs)} ms after the last look before it`;
      if (ageMs > freshness.ms + slackMs) return fail('stale-too-long', `, ${age}`);
      if (ageMs > freshness.ms)
        return { kind: 'unknown', code: 'at-the-bound', reason: `${who}: ${where}, ${age}` };
      return { ...allowed, reason: `${allowed.reason} (${age})` };
    }
    case 'stale-until': {
      const ended = endedBy(freshness.events, deed, lacks, happened);
      return ended === undefined ? allowed : fail('stale-after-event', `, after ${ended}`);
    }
    default:
      return allowed;
  }
}

/**
 * The least age of what was seen: since the last thing that this side did with the file before the change that
 * it does not see. What it learned of the file, it learned by then at the latest.
 */
function ageOf(deed: Deed, lacks: Replay['changes'], { deeds }: Replay): number {
  const missed = lacks[0];
  const before = deeds.filter(
    (each) =>
      each.view === deed.view &&
      each.path === deed.path &&
      (missed === undefined || deeds.indexOf(each) < deeds.findIndex(({ turn }) => turn === missed.turn)),
  );
  const refreshedNs = Math.max(...before.map(({ endNs }) => endNs));
  return (deed.beginNs - refreshedNs) / 1e6;
}

/** The event that should have ended it: one of the guest's, between the change that is not seen and the look. */
function endedBy(
  events: readonly string[],
  deed: Deed,
  lacks: Replay['changes'],
  { deeds }: Replay,
): string | undefined {
  // The newest change that is lacking may be seen by an event after it only; the oldest by an earlier one too.
  const missed = lacks[0];
  if (missed === undefined) return undefined;
  const view = deed.view === 'host' ? missed.view : deed.view;
  const last = deeds.indexOf(deed);
  const first = deeds.findIndex(({ turn, beginNs }) => turn === missed.turn && beginNs === missed.beginNs);
  return deeds
    .slice(first + 1, last)
    .filter((each) => each.view === view && each.path === deed.path)
    .flatMap(eventsOf)
    .find((event) => events.includes(event));
}

/** Errors that read(2) has not, whatever may be wrong below it. */
const noErrorsOfRead: readonly (string | undefined)[] = ['ENODATA'];

function judgeRefused(
  { actor, turn, refusal, op }: Deed,
  promise: Promised | undefined,
  { mustEnd }: Story,
): Verdict {
  const observed = `${refusal?.call} failed with ${refusal?.errno}`;
  const words = `${actor}, ${turn}: ${observed}`;
  if (mustEnd?.turn !== turn || op.do !== 'read' || !noErrorsOfRead.includes(refusal?.errno))
    return judgeRefusal(words, refusal?.errno, promise, { alsoInstead: true });
  return {
    kind: 'fail',
    code: 'read-refused',
    reason: words,
    observed,
    promised: 'a read gives bytes, or says that there are no more',
    sources: ['POSIX.1-2017 read(2)'],
    evidence: { turn },
  };
}

/** The worst of all looks, and what the others showed. */
function summedUp(judged: readonly Judged[]): Verdict {
  const of = (kind: Verdict['kind']) => judged.filter((each) => each.kind === kind);
  const worst = of('fail')[0] ?? of('unknown')[0];
  const evidence = { looks: judged.map(({ turn, kind, reason }) => ({ turn, kind, reason })) };
  if (worst !== undefined) {
    const { turn: _, ...verdict } = worst;
    return { ...verdict, evidence: { ...verdict.evidence, ...evidence } };
  }
  const stale = judged.find((each) => each.stale === true);
  const promised = stale ?? judged.findLast((each) => each.promised !== undefined);
  const refusal = judged.find(({ reason }) => reason.endsWith('as promised'));
  if (judged.length === 0) return { kind: 'unknown', code: 'could-not-run', reason: 'nothing was looked at' };
  return {
    kind: 'pass',
    reason: refusal?.reason ?? stale?.reason ?? `${judged.length} looks, all of them fresh`,
    ...(stale === undefined ? {} : { stale: true }),
    ...(promised?.promised === undefined ? {} : { promised: promised.promised }),
    ...(promised?.sources === undefined ? {} : { sources: promised.sources }),
    evidence,
  };
}

function describeSight(sight: Sight): string {
  return sight.kind === 'stale' ? sight.where : sight.kind;
}

/** `read of 4096 bytes at 0`. */
function wordsOf({ op }: Deed): string {
  switch (op.do) {
    case 'read':
      return `${op.how ?? 'read'} of ${op.length} bytes${op.offset === undefined ? '' : ` at ${op.offset}`}`;
    case 'load':
      return `load of ${op.length} bytes at ${op.offset}`;
    case 'seek':
      return `SEEK_${op.whence.toUpperCase()}`;
    default:
      return op.do;
  }
}

import type { Check, Observed, Promises } from '../../src/model/check.ts';
import { describePromise, type Promise as Promised } from '../../src/model/promise.ts';
import type { Verdict } from '../../src/model/verdict.ts';
import { type Deed, deedsOf, type Happened, type Sighting } from './deeds.ts';
import { type Answer, caseOfTale, type Earlier, type Look, stepsOf, type Tale, type Turn } from './tale.ts';
import { windowsOf } from './windows.ts';

/** The codes that any tale may end in. */
export const taleCodes = {
  stale: 'the guest saw what was before the host changed it, where the mode promises what is',
  'stale-too-long':
    'the guest saw what was before the host changed it after the time for which the mode permits it',
  'stale-after-event': 'the guest saw what was before the host changed it after the event that ends it',
  'not-done':
    'a side changed something, was told that it is done, and it is not seen where it must be at once',
  'went-back': 'the new state was seen and then the old one again',
  'never-was': 'something was seen that was true at no time: no mode permits that',
  refused: 'a call was refused as if a name or file were not there (ENOENT, ESTALE, EEXIST …) that is',
  'no-promise': 'the contract does not know this mode',
  'not-refused': 'the contract says that this is refused here, and it was not',
  'could-not-run': 'a step did not end well',
} as const;

/**
 * A timeout is counted in ticks of the guest (at most 10 ms each), from the answer to a request that had ended
 * when it was noted here: both belong to the bound, and a watch mostly sees the last of it.
 */
export const slackMs = 100;

/** Refusals that say something of names. Any other (EIO, EACCES, ENOSPC …) only keeps from telling. */
const aboutNames = [
  'ENOENT',
  'ESTALE',
  'EEXIST',
  'ENOTDIR',
  'EISDIR',
  'ENOTEMPTY',
  'EINVAL',
  'ELOOP',
  'EXDEV',
  'EBADF',
  'ENOSYS',
];

/** The cases, the next steps and the judge of a check that is told in tales. */
export function told(tales: readonly Tale[]): Required<Pick<Check, 'cases' | 'next' | 'judge'>> {
  const taleOf = (observed: Observed) => tales.find(({ name }) => name === observed.case.name);
  return {
    cases: (setting) => tales.map((tale) => caseOfTale(tale, setting)),
    next: (observed) => {
      const tale = taleOf(observed);
      if (tale?.whenStale === undefined || observed.steps.length > observed.case.steps.length) return [];
      const happened = deedsOf(observed, tale.turns(observed.setting));
      // A watch that came to see what is true has nothing more to wait for.
      const stale = happened.deeds.some((deed) => sightsOf(deed, happened).at(-1)?.sight.kind === 'old');
      return stale && happened.broken === undefined
        ? stepsOf(tale.whenStale(observed.setting), observed.setting)
        : [];
    },
    judge: (observed, promises) => {
      const tale = taleOf(observed);
      if (tale === undefined)
        return { kind: 'unknown', code: 'could-not-run', reason: `no tale ${observed.case.name}` };
      return verdictOf(tale, observed, promises);
    },
  };
}

/** What a sighting is, held against what was true. */
type Sight =
  | { readonly kind: 'new'; readonly word: string }
  /** `since`: the turn that it does not know of, the first of them. */
  | { readonly kind: 'old'; readonly word: string; readonly since: string }
  | { readonly kind: 'never'; readonly word: string }
  | { readonly kind: 'refused'; readonly errno: string; readonly call: string };

function sightsOf(
  { look, sightings }: Deed,
  happened: Happened,
): readonly { sighting: Sighting; sight: Sight }[] {
  if (look === undefined) return [];
  const earlier: Earlier = (turn, of) =>
    happened.deeds.find((each) => each.turn === turn && each.look?.of === of)?.sightings.at(-1)?.answer;
  return sightings.map((sighting) => ({ sighting, sight: sightOf(look, sighting.answer, earlier) }));
}

function sightOf({ states, shows }: Look, answer: Answer, earlier: Earlier): Sight {
  const word = shows(answer, earlier);
  if (word === undefined)
    return answer.kind === 'refused' ? answer : { kind: 'never', word: JSON.stringify(answer.value) };
  const all = Object.entries(states);
  if (all.at(-1)?.[1] === word) return { kind: 'new', word };
  const index = all.findLastIndex(([, state]) => state === word);
  const since = all[index + 1]?.[0];
  if (index >= 0 && since !== undefined) return { kind: 'old', word, since };
  return answer.kind === 'refused' ? answer : { kind: 'never', word };
}

/** What one look means. */
type Judged = Verdict & { readonly turn: string };

function verdictOf(tale: Tale, observed: Observed, promises: Promises): Verdict {
  const turns = [...tale.turns(observed.setting), ...(tale.whenStale?.(observed.setting) ?? [])];
  const happened = deedsOf(observed, turns);
  const { deeds, broken } = happened;
  const failed = deeds.findIndex(
    ({ look, sightings }) => look === undefined && sightings.some(({ answer }) => answer.kind === 'refused'),
  );
  // After a refusal that was not foreseen the tale is another one.
  const judged: Judged[] = deeds
    .slice(0, failed < 0 ? undefined : failed)
    .flatMap((deed) =>
      judgeLook(deed, happened, turns, promises).map((each) => ({ turn: deed.turn, ...each })),
    );
  const deed = deeds[failed];
  if (deed !== undefined) {
    const answer = deed.sightings.find((each) => each.answer.kind === 'refused')?.answer;
    const words = answer?.kind === 'refused' ? `${answer.call} failed with ${answer.errno}` : 'refused';
    const reason = `${deed.actor}, ${deed.turn}: ${words}${deed.paths.length === 0 ? '' : ` (${deed.paths.join(', ')})`}`;
    judged.push({ turn: deed.turn, kind: 'unknown', code: 'could-not-run', reason });
  } else if (broken !== undefined)
    judged.push({ turn: '', kind: 'unknown', code: 'could-not-run', reason: broken });
  return summedUp(judged, windowsOf(happened, promises));
}

/** What a look showed, held against its promise: one verdict for each thing that it saw. */
function judgeLook(
  deed: Deed,
  happened: Happened,
  turns: readonly Turn[],
  promises: Promises,
): readonly Verdict[] {
  const { look } = deed;
  if (look === undefined) return [];
  const promise = promises(look.by);
  const words = promise === undefined ? {} : { promised: describePromise(promise), sources: promise.sources };
  const sights = sightsOf(deed, happened);
  const seenNew = sights.findIndex(({ sight }) => sight.kind === 'new');
  return sights.map(({ sighting, sight }, index) => {
    const who = `${deed.actor}, ${deed.turn}, ${look.of}`;
    const evidence = { turn: deed.turn, of: look.of, scenario: look.by, states: look.states };
    const verdict = judgeSight({ who, deed, look, sight, sighting, promise, happened, turns });
    const back = verdict.kind === 'pass' && sight.kind === 'old' && seenNew >= 0 && seenNew < index;
    const last: Verdict = back
      ? {
          kind: 'fail',
          code: 'went-back',
          reason: `${who}: ${quoted(sight)} again, after ${quoted(sights[seenNew]?.sight)} was seen`,
        }
      : verdict;
    return { ...last, ...words, ...(last.kind === 'fail' ? { observed: quoted(sight), evidence } : {}) };
  });
}

interface Seeing {
  readonly who: string;
  readonly deed: Deed;
  readonly look: Look;
  readonly sight: Sight;
  readonly sighting: Sighting;
  readonly promise: Promised | undefined;
  readonly happened: Happened;
  readonly turns: readonly Turn[];
}

function judgeSight(seeing: Seeing): Verdict {
  const { who, look, sight, promise } = seeing;
  const is = Object.values(look.states).at(-1) ?? '';
  if (promise === undefined)
    return {
      kind: 'unknown',
      code: 'no-promise',
      reason: `${who}: ${quoted(sight)}; the contract knows no promise for ${look.by} in this mode`,
    };
  const { freshness } = promise;
  if (freshness.kind === 'reported')
    return { kind: 'pass', reason: `${who}: ${quoted(sight)}, and nothing is promised` };
  if (sight.kind === 'refused') {
    const errnos =
      freshness.kind === 'error'
        ? [freshness.errno]
        : freshness.kind === 'as-local'
          ? (freshness.orErrnos ?? [])
          : [];
    const reason = `${who}: ${quoted(sight)}`;
    if (errnos.includes(sight.errno)) return { kind: 'pass', reason: `${reason}, as promised` };
    return aboutNames.includes(sight.errno)
      ? { kind: 'fail', code: 'refused', reason: `${reason}, where there is "${is}"` }
      : { kind: 'unknown', code: 'could-not-run', reason };
  }
  if (freshness.kind === 'error')
    return {
      kind: 'unknown',
      code: 'not-refused',
      reason: `${who}: it should have been refused with ${freshness.errno}`,
    };
  if (sight.kind === 'new') return { kind: 'pass', reason: `${who}: ${quoted(sight)}` };
  if (sight.kind === 'never')
    return {
      kind: 'fail',
      code: look.wrong?.(sight.word) ?? 'never-was',
      reason: `${who}: ${quoted(sight)}; it is "${is}", and was never that`,
    };
  return judgeOld(seeing, sight, promise);
}

function judgeOld(
  { who, deed, look, sighting, happened, turns }: Seeing,
  sight: Extract<Sight, { kind: 'old' }>,
  { freshness }: Promised,
): Verdict {
  const is = Object.values(look.states).at(-1) ?? '';
  const changer = turns.find(({ name }) => name === sight.since)?.actor;
  const byHost = happened.deeds.find(({ turn }) => turn === sight.since)?.view === 'host';
  const fail = (code: string, words = ''): Verdict => ({
    kind: 'fail',
    code: byHost || code !== 'stale' ? code : 'not-done',
    reason: `${who}: ${quoted(sight)}, which was before ${changer} (${sight.since}) made it "${is}"${words}`,
  });
  const allowed = (words = ''): Verdict => ({
    kind: 'pass',
    stale: true,
    reason: `${who}: ${quoted(sight)} instead of "${is}", which is permitted${words}`,
  });
  switch (freshness.kind) {
    case 'stale-for': {
      if (look.asksAnew === true) return fail('stale-after-event', ', although the server was asked for it');
      const ageMs = (sawNs(deed, sighting, happened) - refreshedNs(deed, sight.since, happened)) / 1e6;
      const age = `${Math.round(ageMs)} ms after the last look before that`;
      if (ageMs > freshness.ms + slackMs) return fail('stale-too-long', `, ${age}`);
      return allowed(` (${age})`);
    }
    case 'stale-until': {
      const ended = endedBy(freshness.events, deed, sight.since, happened);
      return ended === undefined ? allowed() : fail('stale-after-event', `, after ${ended}`);
    }
    default:
      return fail('stale');
  }
}

/** When the old answer was given: the last look of those that saw it began then, or the turn that went by it. */
function sawNs({ look }: Deed, sighting: Sighting, { deeds }: Happened): number {
  const by = look?.done;
  return by === undefined
    ? sighting.lastNs[0]
    : Math.min(...deeds.filter(({ turn }) => turn === by.in).map(({ beginNs }) => beginNs));
}

/**
 * When the view last did anything before the turn that it does not know of: what it learned, it learned by then.
 * A look that nothing else refreshes counts from its own.
 */
function refreshedNs(deed: Deed, since: string, { deeds }: Happened): number {
  const by = deed.look?.done;
  const until = deeds.findIndex(({ turn }) => turn === (by?.since ?? since));
  const knows = deeds.find(({ turn }) => turn === by?.in)?.view ?? deed.view;
  const before = deeds.slice(0, until < 0 ? undefined : until).filter(({ view }) => view === knows);
  const own = before.filter(({ paths }) => paths.some((path) => deed.paths.includes(path)));
  const counted = deed.look?.alone === true && own.length > 0 ? own : before;
  return Math.max(Number.NEGATIVE_INFINITY, ...counted.map(({ endNs }) => endNs));
}

/** The event that should have ended it: one of the view's own, between the change and the look. */
function endedBy(
  events: readonly string[],
  deed: Deed,
  since: string,
  { deeds }: Happened,
): string | undefined {
  const last = deeds.indexOf(deed);
  const first = deeds.findLastIndex(({ turn }) => turn === since);
  const between = deeds.slice(first + 1, last).filter(({ view }) => view === deed.view);
  const opened = between.some(({ opensDirectory }) => opensDirectory === true);
  return opened ? events.find((event) => event === 'the next open of the directory') : undefined;
}

/** The worst of all looks, and what the others showed. */
function summedUp(judged: readonly Judged[], series: Verdict['evidence']): Verdict {
  const worst = judged.find(({ kind }) => kind === 'fail') ?? judged.find(({ kind }) => kind === 'unknown');
  const evidence = { ...series, looks: judged.map(({ turn, kind, reason }) => ({ turn, kind, reason })) };
  if (worst !== undefined) {
    const { turn: _, ...verdict } = worst;
    return { ...verdict, evidence: { ...verdict.evidence, ...evidence } };
  }
  if (judged.length === 0) return { kind: 'unknown', code: 'could-not-run', reason: 'nothing was looked at' };
  const stale = judged.find((each) => each.stale === true);
  const refusal = judged.find(({ reason }) => reason.endsWith('as promised'));
  const promised = stale ?? judged.findLast((each) => each.promised !== undefined);
  return {
    kind: 'pass',
    reason: stale?.reason ?? refusal?.reason ?? `${judged.length} looks, all of them as it is`,
    ...(stale === undefined ? {} : { stale: true }),
    ...(promised?.promised === undefined ? {} : { promised: promised.promised }),
    ...(promised?.sources === undefined ? {} : { sources: promised.sources }),
    evidence,
  };
}

function quoted(sight: Sight | undefined): string {
  if (sight === undefined) return 'nothing';
  return sight.kind === 'refused' ? `${sight.call} failed with ${sight.errno}` : `"${sight.word}"`;
}

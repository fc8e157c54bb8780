import type { Observed, Promises } from '../../src/model/check.ts';
import type { LockFamily } from '../../src/model/observation.ts';
import type { ManyResult } from '../../src/model/operation.ts';
import { describePromise, type Promise as Promised } from '../../src/model/promise.ts';
import type { Verdict } from '../../src/model/verdict.ts';
import { judgeTrouble, troubleIn } from '../writers/trouble.ts';
import { type Ask, asksIn, families, meetings } from './plan.ts';

/** The refusals that say: another one holds it. */
const heldErrnos = ['EAGAIN', 'EACCES', 'ETIMEDOUT'];

/** What one question came to. */
type Judged = Verdict & { readonly family: LockFamily; readonly local?: boolean };

function errnoOf(value: unknown): string | undefined {
  const errno = (value as { readonly errno?: unknown } | null)?.errno;
  return typeof errno === 'string' ? errno : undefined;
}

function valuesOf(observed: Observed, step: string): readonly unknown[] {
  return observed.value<ManyResult>(step)?.values ?? [];
}

/** The case in which two take turns. */
export function judgeTurns(observed: Observed, promises: Promises): Verdict {
  const meeting = meetings.find(({ name }) => name === observed.case.name);
  const trouble = troubleIn(observed);
  if (meeting === undefined || trouble !== undefined)
    return judgeTrouble(trouble ?? { step: '', words: 'no such case' }, undefined);
  const { rounds, scenario, name } = meeting;
  const judged = rounds.flatMap((round) => {
    const values = valuesOf(observed, round.step);
    return asksIn(round).map(({ index, ask }): Judged => {
      const promise = promises(`locks/${ask.family}-${scenario}`);
      return { family: ask.family, ...judgeAsk(ask, errnoOf(values[index]), promise) };
    });
  });
  const opened = rounds
    .filter(({ step }) => step.endsWith('-opens'))
    .flatMap(({ step }) => valuesOf(observed, step))
    .map(errnoOf)
    .find((errno) => errno !== undefined);
  if (opened !== undefined)
    return { kind: 'unknown', code: 'could-not-run', reason: `a file could not be opened: ${opened}` };
  return summedUp(judged, name);
}

/** What was granted or refused, held against what must be. */
function judgeAsk(
  ask: Ask,
  errno: string | undefined,
  promise: Promised | undefined,
): Omit<Judged, 'family'> {
  const { family, words, must, code } = ask;
  const what = `${family}: ${words} was ${errno === undefined ? 'granted' : `refused with ${errno}`}`;
  const promised =
    promise === undefined ? {} : { promised: describePromise(promise), sources: promise.sources };
  if (errno !== undefined && !heldErrnos.includes(errno)) {
    const asPromised = promise?.freshness.kind === 'error' && promise.freshness.errno === errno;
    if (asPromised) return { kind: 'pass', reason: `${what}, as promised`, ...promised };
    return { kind: 'unknown', code: 'could-not-run', reason: what };
  }
  if (must === 'be granted') {
    if (errno === undefined) return { kind: 'pass', reason: what };
    return { kind: 'fail', code, reason: what, observed: what, promised: 'nobody holds what keeps it away' };
  }
  if (promise === undefined)
    return { kind: 'unknown', code: 'no-promise', reason: `${what}; the contract does not know this mode` };
  return { ...judgeHeld(what, errno, promise), ...promised };
}

function judgeHeld(what: string, errno: string | undefined, { freshness }: Promised): Omit<Judged, 'family'> {
  const granted = errno === undefined;
  switch (freshness.kind) {
    case 'excludes':
      return granted
        ? { kind: 'fail', code: 'both-hold', reason: what, observed: what }
        : { kind: 'pass', reason: what };
    case 'local-only':
      // To keep the other one out is more than is promised.
      return granted
        ? { kind: 'pass', local: true, reason: `${what}: it excludes nobody there` }
        : { kind: 'pass', reason: `${what}, although nothing promises it` };
    case 'error':
      return { kind: 'unknown', code: 'not-refused', reason: `${what}, not with ${freshness.errno}` };
    default:
      return { kind: 'pass', reason: what };
  }
}

/** The guest waits for what the host holds. */
export function judgeWaitAcross(observed: Observed, promises: Promises): Verdict {
  const trouble = troubleIn(observed);
  if (trouble !== undefined) return judgeTrouble(trouble, undefined);
  const values = valuesOf(observed, 'other-waits');
  const judged = families.map((family, index): Judged => {
    const ask: Ask = {
      family,
      words: 'a lock that the host holds, waited for,',
      must: 'be as promised',
      code: 'not-granted',
    };
    return { family, ...judgeAsk(ask, errnoOf(values[index]), promises(`locks/${family}-wait`)) };
  });
  return summedUp(judged, 'waiting across sides');
}

/** One process waits for what another of the same guest gives back: by one clock, only then. */
export function judgeWaitInGuest(observed: Observed, promises: Promises): Verdict {
  const trouble = troubleIn(observed);
  if (trouble !== undefined) return judgeTrouble(trouble, undefined);
  const [waits, gives] = ['other-waits', 'one-gives'].map((step) => observed.value<ManyResult>(step));
  const judged = families.map((family, index): Judged => {
    const promise = promises(`locks/${family}-one-guest`);
    const errno = errnoOf(waits?.values[index]);
    // Each is given back behind a pause of its own.
    const givenNs = gives?.timesNs[2 * index + 1]?.[0];
    const gotNs = waits?.timesNs[index]?.[1];
    if (errno !== undefined) {
      const what = `${family}: a lock that was given back while it was waited for was refused with ${errno}`;
      if (errno === 'ETIMEDOUT')
        return { family, kind: 'fail', code: 'not-released', reason: what, observed: what };
      // A daemon that keeps locks itself may refuse to wait for one.
      const waiting = promises(`locks/${family}-wait`)?.freshness;
      const kept = waiting?.kind === 'error' && waiting.errno === errno;
      return kept
        ? { family, kind: 'pass', reason: what }
        : { family, kind: 'unknown', code: 'could-not-run', reason: what };
    }
    if (promise === undefined || givenNs === undefined || gotNs === undefined)
      return { family, kind: 'unknown', code: 'no-promise', reason: 'the contract does not know this mode' };
    if (promise.freshness.kind !== 'excludes' || gotNs >= givenNs)
      return { family, kind: 'pass', reason: `${family}: granted when it was given back` };
    const what = `${family}: granted ${Math.round((givenNs - gotNs) / 1e6)} ms before the other one gave it back`;
    return { family, kind: 'fail', code: 'both-hold', reason: what, observed: what };
  });
  return summedUp(judged, 'waiting in one guest');
}

function summedUp(judged: readonly Judged[], place: string): Verdict {
  const evidence = { asked: judged.map(({ family, kind, reason }) => ({ family, kind, reason })) };
  const worst = judged.find(({ kind }) => kind === 'fail') ?? judged.find(({ kind }) => kind === 'unknown');
  if (worst !== undefined) {
    const { family: _, local: __, ...verdict } = worst;
    return { ...verdict, evidence };
  }
  const local = families.filter((family) => judged.some((each) => each.family === family && each.local));
  const promised = judged.find((each) => each.promised !== undefined);
  const words = local.length === families.length ? 'locks' : `${local.join(' and ')} locks`;
  return {
    kind: 'pass',
    reason:
      local.length === 0
        ? `${place}: ${families.join(', ')} exclude, share and are given back`
        : `${place}: ${words} are granted and exclude nobody there: they are local to one mount of one guest`,
    ...(promised?.promised === undefined ? {} : { promised: promised.promised }),
    ...(promised?.sources === undefined ? {} : { sources: promised.sources }),
    evidence,
  };
}

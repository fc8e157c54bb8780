import type { Ledger, Source } from '../../src/model/account.ts';
import type { Observed } from '../../src/model/check.ts';
import type { EvictResult, ExtentsResult, PageState } from '../../src/model/operation.ts';
import { describeOutcome } from '../../src/model/outcome.ts';
import { liesInMemory } from '../repeat/in-memory.ts';
import { type Finding, refusalIn, valuesOf } from '../repeat/question.ts';
import type { Rung } from './rungs.ts';
import { blockOf, reads, runName } from './steps.ts';

/**
 * What attempt `n` shows: its account held against what must be. An account that leaves another reading open,
 * and a state that somebody else changed before the reads came, accuse nobody.
 */
export function lookAt(
  rung: Rung,
  must: Source,
  ledger: Ledger | undefined,
  observed: Observed,
  n: number,
): Finding {
  const refused = refusalIn(observed, n, ['make', ...(rung.warm === undefined ? [] : ['warm'])]);
  if (refused !== undefined) return { kind: 'unclear', words: refused };
  const run = runName(n);
  const extents = observed.value<ExtentsResult>(`${run}.extents`);
  if (must.endsWith('/disk') && liesInMemory(extents))
    return { kind: 'not-here', words: 'the share lies in memory (tmpfs): there is no disk to read from' };
  if (ledger === undefined) return { kind: 'unclear', words: `it was not read: ${whyNot(observed, run)}` };
  return (
    notDropped(rung, observed, run) ??
    held(must, ledger, reads * blockOf(observed.setting)) ??
    unproved(ledger, reads * blockOf(observed.setting)) ??
    evictedByOthers(rung, observed, ledger, n) ??
    wrongPath(rung, must, ledger) ??
    wrongMedium(rung, must, ledger)
  );
}

/** Which step kept an accounted run from ending. */
export function whyNot(observed: Observed, run: string): string {
  const failed = ['open', 'reads']
    .map((step) => observed.outcome(`${run}.${step}`))
    .find(({ kind }) => kind !== 'value' && kind !== 'not-run');
  return failed === undefined ? 'no answer' : describeOutcome(failed);
}

/** A drop that left something, so that the state of the rung did not come about. */
export function notDropped(
  { drop }: Pick<Rung, 'drop'>,
  observed: Observed,
  run: string,
): Finding | undefined {
  for (const side of ['guest', 'host'] as const) {
    if (drop?.[side] === undefined) continue;
    const outcome = observed.outcome(`${run}.drop-${side}`);
    const result = observed.value<EvictResult>(`${run}.drop-${side}`);
    if (result === undefined)
      return { kind: 'unclear', words: `the ${side} did not drop it: ${describeOutcome(outcome)}` };
    if (result.after.by === 'refused')
      return { kind: 'unclear', words: `the ${side} does not say what its cache holds` };
    if (!result.evicted || result.after.cached > 0)
      return {
        kind: 'unclear',
        words: `${result.after.cached} pages stayed on the ${side} when it dropped them`,
      };
  }
  return undefined;
}

/** To the byte, and proved: whatever was evicted meanwhile did not matter. */
function held(must: Source, ledger: Ledger, size: number): Finding | undefined {
  const [only, ...others] = linesOf(ledger);
  if (only?.source !== must || others.length > 0 || only.known !== 'proved' || only.bytes !== size)
    return undefined;
  return { kind: 'holds', words: bytesIn(ledger) };
}

function unproved(ledger: Ledger, size: number): Finding | undefined {
  if (ledger.bytes !== size)
    return { kind: 'unclear', words: `the guest read ${bytes(ledger.bytes)} of ${bytes(size)}` };
  const unexplained = linesOf(ledger).find(({ known }) => known === 'unexplained');
  if (unexplained !== undefined)
    return {
      kind: 'unclear',
      code: 'unexplained-bytes',
      words: `${bytesIn(ledger)}: ${unexplained.because}${unseen(ledger)}`,
    };
  const open = linesOf(ledger).find(({ known }) => known !== 'proved');
  if (open !== undefined)
    return {
      kind: 'unclear',
      code: 'not-proved',
      words: `${bytesIn(ledger)}, ${open.known}: ${open.because}${unseen(ledger)}`,
    };
  return undefined;
}

/** Pages that nothing in this rung drops, and that were gone before the reads or went while they ran. */
function evictedByOthers(rung: Rung, observed: Observed, ledger: Ledger, n: number): Finding | undefined {
  const gone = (words: string): Finding => ({ kind: 'unclear', code: 'evicted-meanwhile', words });
  const { guestPages = 0, hostPages = 0 } = ledger.evictedMeanwhile;
  if (guestPages > 0 || hostPages > 0)
    return gone(`others evicted ${guestPages} pages in the guest and ${hostPages} on the host meanwhile`);
  // The open of a rung that re-opens lies before this look at the warm cache, so that its drop is no loss.
  if (rung.warm === true && rung.drop?.guest === undefined) {
    const warm = valuesOf(observed, n, 'warm').values.at(-1) as PageState | undefined;
    const before = observed.value<PageState>(`${runName(n)}.guest-before-0`);
    const lost = (warm?.cached ?? 0) - (before?.cached ?? 0);
    if (lost > 0) return gone(`others evicted ${lost} pages in the guest before the reads came`);
  }
  return undefined;
}

function wrongPath(rung: Rung, must: Source, ledger: Ledger): Finding | undefined {
  const wrong = linesOf(ledger).find(({ path }) => path !== pathOf(must));
  if (wrong === undefined) return undefined;
  return {
    kind: 'broken',
    code: 'wrong-path',
    words: `${rung.state}: ${bytesIn(ledger)} where it must be ${must}`,
    // No loss explains pages that the guest must not have.
    certain: wrong.path === 'guest-cache',
  };
}

/**
 * The path is right, the medium is not. Whatever was resident when the reads came decides it, unless O_DIRECT
 * reaches the host: a cache that was not as this rung made it accuses nobody.
 */
function wrongMedium(rung: Rung, must: Source, ledger: Ledger): Finding {
  const { reached = 0, residentBefore = 0 } = ledger.hostPages ?? {};
  const direct = rung.direct === true;
  const asMade = must.endsWith('/host-cache') ? residentBefore === reached : direct || residentBefore === 0;
  if (!asMade)
    return {
      kind: 'unclear',
      code: 'evicted-meanwhile',
      words: `others changed the host's cache: ${residentBefore} of ${reached} pages were there before the reads`,
    };
  const words = `${rung.state}: ${bytesIn(ledger)} where it must be ${must}`;
  return { kind: 'broken', code: 'wrong-medium', words, certain: direct };
}

/** The lines that any byte came by. */
export function linesOf(ledger: Ledger) {
  return ledger.lines.filter((line) => line.bytes > 0);
}

function pathOf(source: Source): string {
  return source.split('/')[0] ?? source;
}

/** `1,048,576 bytes by fuse/disk`. */
export function bytesIn(ledger: Ledger): string {
  return linesOf(ledger)
    .map((line) => `${bytes(line.bytes)} by ${line.source}`)
    .join(', ');
}

/** `1,048,576 bytes`. */
export function bytes(count: number): string {
  return `${count.toLocaleString('en-US')} bytes`;
}

/** What could not be seen. The used index only narrows what the counters say: its lack is no reason of its own. */
export function unseen({ unseen: all }: Ledger): string {
  const lacking = all.filter(({ what }) => what !== 'used-index').map(({ what, why }) => `${what}, ${why}`);
  return lacking.length === 0 ? '' : ` (not seen: ${lacking.join('; ')})`;
}

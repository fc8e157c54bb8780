import type { GuestRow, Report, Result } from '../model/report.ts';
import { countVerdicts, type RunVerdict } from '../model/verdict.ts';
import { printable } from './printable.ts';
import { count, formatSeconds } from './quantities.ts';

// What a report about several guests says, whatever it is written as.

/** In the order in which they are shown: what is well last. */
const kinds: readonly RunVerdict['kind'][] = ['fail', 'unknown', 'pass'];

/** What is not well first, else as they were named. */
export function worstFirst(guests: readonly GuestRow[]): readonly GuestRow[] {
  return kinds.flatMap((kind) => guests.filter(({ verdict }) => verdict.kind === kind));
}

/** The report of one of its guests. */
export function reportOfGuest(report: Report, row: GuestRow): Report {
  const { guests: _, baseline: __, ...shared } = report;
  const { startedAt, seed, shares } = report.environment;
  return {
    ...shared,
    verdict: row.verdict,
    environment: {
      ...{ startedAt, seed, shares, versions: {}, durationMs: row.durationMs },
      ...(row.side === undefined ? {} : { guest: row.side }),
    },
    results: report.results.filter(({ guest }) => guest === row.guest),
  };
}

/** What a guest came to, in one word. */
export function guestWord({ command }: Pick<Report, 'command'>, { verdict }: GuestRow): string {
  if (verdict.kind === 'unknown') return 'UNKNOWN';
  if (command === 'md5') return verdict.kind === 'fail' ? 'DIFFERENT' : 'same';
  return verdict.kind === 'fail' ? 'FAIL' : 'pass';
}

/** `2 FAIL, 1 UNKNOWN, 47 pass of 50 guests in 61 s`. */
export function fleetAnswer(report: Report, guests: readonly GuestRow[]): string {
  const counts = countVerdicts(guests.map(({ verdict }) => verdict.kind));
  const told = kinds.flatMap((kind) => {
    const row = guests.find(({ verdict }) => verdict.kind === kind);
    return row === undefined ? [] : [`${counts[kind]} ${guestWord(report, row)}`];
  });
  return `${told.join(', ')} of ${count(guests.length, 'guest')} in ${formatSeconds(report.environment.durationMs / 1000)}`;
}

/** How many results ended so, where there are several and the guest answered. */
export function guestCounts({ trouble, verdict: { counts } }: GuestRow): string {
  if (trouble !== undefined) return '';
  const told = (['fail', 'unknown', 'pass', 'skip'] as const).filter((kind) => counts[kind] > 0);
  const sum = told.reduce((all, kind) => all + counts[kind], 0);
  return sum < 2 ? '' : told.map((kind) => `${counts[kind]} ${kind}`).join(', ');
}

/** Why a guest is not well: once where it could not be asked, else of its worst results; none where it is well. */
export function guestReasons({ results }: Report, row: GuestRow): readonly string[] {
  if (row.verdict.kind === 'pass') return [];
  if (row.trouble !== undefined) return [printable(row.trouble.reason)];
  const worst = results.filter(
    ({ guest, verdict }) => guest === row.guest && verdict.kind === row.verdict.kind,
  );
  const more = worst.length > maxShown ? [`and ${worst.length - maxShown} more`] : [];
  return [...worst.slice(0, maxShown).map(reasonOf), ...more].map(printable);
}

const maxShown = 3;

function reasonOf({ path, check, mode, verdict }: Result): string {
  const place = path ?? (mode === 'unknown' ? check : `${check} in mode ${mode}`);
  return `${place}: ${verdict.reason}`;
}

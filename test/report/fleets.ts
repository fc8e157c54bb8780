import { readFileSync } from 'node:fs';
import type { Environment, Report, Result } from '../../src/model/report.ts';
import { type GuestAnswer, makeFleetReport } from '../../src/run/fleet-report.ts';
import { hostile, hostileReport } from './hostile.ts';

/** What a run in a lab gave, its cases thinned out. */
const release = JSON.parse(readFileSync(new URL('./release.json', import.meta.url), 'utf8')) as Report;

const { guest: side, ...environment } = release.environment;

function answered(guest: string, results: readonly Result[]): GuestAnswer {
  return { row: { guest, durationMs: 61_000, ...(side === undefined ? {} : { side }) }, results };
}

function silent(guest: string, checks: readonly string[], words: string): GuestAnswer {
  const trouble = { code: 'unreachable', reason: words, next: 'Start it.' };
  const verdict = { kind: 'unknown', code: trouble.code, reason: words, next: trouble.next } as const;
  return {
    row: { guest, durationMs: 30_000, trouble },
    results: checks.map((check) => ({ check, mode: 'unknown', verdict, cases: [], durationMs: 0 })),
  };
}

function whole(answers: readonly GuestAnswer[], facts: Environment, checks: Report['checks']): Report {
  const made = makeFleetReport('check', '0.1.0', facts, answers);
  return checks === undefined ? made : { ...made, checks };
}

/** Two guests that were asked all, one of them well, and one that is dead. */
export function fleetReport(): Report {
  const well = release.results.filter(({ verdict }) => verdict.kind === 'pass' || verdict.kind === 'skip');
  const checks = [...new Set(release.results.map(({ check }) => check))];
  const answers = [
    answered('web', well),
    silent('gone', checks, 'ssh://gone: connection refused'),
    answered('db 1', release.results),
  ];
  return whole(answers, environment, release.checks);
}

/** The same with names that are markup, controls, or no text. */
export function hostileFleet(): Report {
  const { environment: facts, checks, results, baseline } = hostileReport();
  const answers = [answered(hostile, results), silent(`${hostile} 2`, [hostile], hostile)];
  const made = whole(answers, facts, checks);
  if (baseline === undefined) return made;
  const changes = baseline.changes.map((change) => ({ ...change, guest: hostile }));
  return { ...made, baseline: { ...baseline, changes } };
}

import path from 'node:path';
import type { Environment, Report, Result } from '../model/report.ts';
import { type GuestAnswer, makeFleetReport } from '../run/fleet-report.ts';
import { hasRunRecord, loadRunRecord } from '../run/run-record.ts';
import { directoryName, unansweredBy } from './fleet.ts';
import { packageVersion } from './version.ts';

/** The guests whose evidence is in a directory; undefined where it is that of one. */
export async function guestsAt(directory: string): Promise<readonly string[] | undefined> {
  return (await hasRunRecord(directory)) ? (await loadRunRecord(directory)).guests : undefined;
}

/**
 * The report of several guests from what was judged again.
 * @param results with the directories of their bundles, each below that of its guest.
 */
export function fleetOfResults(
  directory: string,
  guests: readonly string[],
  results: readonly Result[],
  environment: Environment,
): Report {
  const guestDir = ({ bundle = '' }: Result) =>
    path.relative(path.resolve(directory), bundle).split(path.sep)[0];
  const checks = [...new Set(results.map(({ check }) => check))];
  const answers = guests.map((guest): GuestAnswer => {
    const own = results.filter((result) => guestDir(result) === directoryName(guest));
    const durationMs = own.reduce((sum, result) => sum + result.durationMs, 0);
    const row = { guest, durationMs };
    return own.length > 0 ? { row, results: own } : withoutEvidence(row, checks);
  });
  return makeFleetReport('check', packageVersion(), environment, answers);
}

function withoutEvidence(row: GuestAnswer['row'], checks: readonly string[]): GuestAnswer {
  const trouble = {
    code: 'no-bundle',
    reason: 'there is no evidence of it: it was not asked, or not reached',
    next: 'Go on with the run: vfs-verify check --continue DIR, with the guests named as then.',
  };
  return {
    row: { ...row, trouble },
    results: unansweredBy(
      trouble,
      checks.map((check) => ({ check })),
    ),
  };
}

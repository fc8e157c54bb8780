import { compareFile } from '../../checks/compare/file.ts';
import { compareTree } from '../../checks/compare/tree.ts';
import { drop } from '../../checks/ledger/drop.ts';
import { reads } from '../../checks/ledger/reads.ts';
import { residency } from '../../checks/ledger/residency.ts';
import type { Check } from '../model/check.ts';
import { KnownError } from '../model/error.ts';
import type { Report, Result } from '../model/report.ts';
import { exitStatusOf } from '../model/verdict.ts';
import type { Bundle } from '../run/bundle.ts';
import { judgeBundle } from '../run/judge.ts';
import { markKnown } from '../run/known.ts';
import { makeReport } from '../run/report.ts';
import { type AgainstFlags, checksIn, readAgainst } from './against.ts';
import { bundlesAt } from './bundles.ts';
import { explainedAt, judgeExplained } from './judge-explained.ts';
import { fleetOfResults, guestsAt } from './judge-fleet.ts';
import { loadAll } from './load-all.ts';
import { printReport } from './print.ts';
import { writeReportFiles } from './report-files.ts';
import { packageVersion } from './version.ts';

interface JudgeFlags extends AgainstFlags {
  readonly checks?: string;
  readonly json?: boolean;
}

/** `vfs-verify judge DIR`: judges what `--bundle` saved again, by this version's judges and contract. */
export async function judge(given: string, flags: JudgeFlags): Promise<void> {
  const started = Date.now();
  const guests = await guestsAt(given);
  const against = await readAgainst(flags, guests);
  const explained = await explainedAt(given);
  if (explained !== undefined) {
    const results = await judgeExplained(given, explained);
    return tell(makeReport('explain', packageVersion(), explained.environment, results), against, flags);
  }
  const loaded = await loadAll(flags.checks);
  const results: Result[] = [];
  const bundles: Bundle[] = [];
  const used = new Set<Check>();
  for (const { directory, bundle } of await bundlesAt(given)) {
    bundles.push(bundle);
    const check = checkFor(
      bundle,
      loaded.map((each) => each.check),
    );
    const result = await judgeBundle(directory, bundle, check);
    const told = markKnown(result, against.findings, bundle.setting.versions);
    results.push({ ...told, ...pathOf(bundle), bundle: directory });
    if (!isOfPath(bundle)) used.add(check);
  }
  const command = bundles.every(isOfPath) ? commandOf(bundles) : 'check';
  const environment = environmentOf(bundles, started);
  const made =
    guests === undefined
      ? makeReport(command, packageVersion(), environment, results)
      : fleetOfResults(given, guests, results, environment);
  await tell(used.size === 0 ? made : { ...made, checks: checksIn([...used]) }, against, flags);
}

async function tell(
  made: Report,
  against: Awaited<ReturnType<typeof readAgainst>>,
  flags: JudgeFlags,
): Promise<void> {
  const { report, status } = against.answer(made);
  await writeReportFiles(against.files, report);
  printReport(report, flags.json === true);
  process.exitCode = status ?? exitStatusOf(report.verdict);
}

/** What asks about the user's own path has its arguments; a check of the same name has none. */
function isOfPath(bundle: Bundle): boolean {
  return typeof bundle.setting.args.guestPath === 'string';
}

/** What the bundles' own command was; several ones together are shown as paths. */
function commandOf(bundles: readonly Bundle[]): Report['command'] {
  const commands = ['reads', 'residency', 'drop'] as const;
  return commands.find((name) => bundles.every(({ check }) => check === name)) ?? 'md5';
}

function pathOf(bundle: Bundle): { path?: string } {
  return isOfPath(bundle) ? { path: String(bundle.setting.args.guestPath) } : {};
}

/**
 * The check that a bundle is of: one that judges a path of the user's, or one by its name.
 * @throws KnownError `no-such-check`
 */
export function checkFor(bundle: Bundle, checks: readonly Check[]): Check {
  const own: readonly Check[] = [compareFile, compareTree, reads, residency, drop];
  const found = (isOfPath(bundle) ? own : checks).find(({ name }) => name === bundle.check);
  if (found === undefined)
    throw new KnownError(
      'no-such-check',
      `the check "${bundle.check}" of this bundle is not known here`,
      'Name the folder it is in: --checks DIR.',
    );
  return found;
}

function environmentOf(bundles: readonly Bundle[], started: number): Report['environment'] {
  const setting = bundles[0]?.setting;
  return {
    startedAt: new Date(started).toISOString(),
    durationMs: Date.now() - started,
    seed: setting?.seed ?? 0,
    ...(setting?.share?.lab === undefined ? {} : { lab: setting.share.lab }),
    shares: bundles.map(({ setting: { share } }) => ({
      mode: share?.mode ?? 'unknown',
      how: share?.how ?? 'not known',
      ...(share?.server === undefined ? {} : { server: share.server }),
    })),
    versions: setting?.versions ?? {},
  };
}

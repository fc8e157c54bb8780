import { readFile } from 'node:fs/promises';
import path from 'node:path';
import type { ProgramSamples } from '../ledger/program-samples.ts';
import { KnownError } from '../model/error.ts';
import { isExplain } from '../model/explain-evidence.ts';
import type { Report, Result } from '../model/report.ts';
import { reportFaults } from '../report/validate.ts';
import { judgedAgain } from '../workload/explain/again.ts';

/**
 * The report of what `explain --bundle` wrote; undefined for a directory that is something else.
 * @throws KnownError `no-bundle` where it is one of explain's and not sound.
 */
export async function explainedAt(directory: string): Promise<Report | undefined> {
  const text = await readFile(path.join(directory, 'report.json'), 'utf8').catch(() => undefined);
  if (text === undefined) return undefined;
  const report = parsed(text) as Report | undefined;
  if (report?.command !== 'explain') return undefined;
  const [fault] = reportFaults(report);
  if (fault !== undefined) throw unsound(path.join(directory, 'report.json'), fault);
  return report;
}

/** Each of its runs, judged by the samples beside it. */
export async function judgeExplained(directory: string, report: Report): Promise<Result[]> {
  return Promise.all(
    report.results.map(async (result) => {
      const { evidence, reason } = result.verdict;
      // A program that did not start has no account.
      if (!isExplain(evidence)) return result;
      const file = path.join(directory, evidence.state ?? '', 'samples.json');
      const samples = parsed(await readFile(file, 'utf8').catch(() => '')) as ProgramSamples | undefined;
      if (samples?.counters === undefined) throw unsound(file, 'the samples of the run are not there');
      const verdict = judgedAgain(evidence, samples, { reason, by: report.tool.version });
      return { ...result, verdict, bundle: directory };
    }),
  );
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function unsound(file: string, why: string): KnownError {
  return new KnownError(
    'no-bundle',
    `${file}: ${why}`,
    'Name a directory that was written with --bundle DIR.',
  );
}

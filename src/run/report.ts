import { type Environment, type Report, type Result, reportSchemaId } from '../model/report.ts';
import { runVerdict } from '../model/verdict.ts';

/** Puts the results of a run together. */
export function makeReport(
  command: Report['command'],
  version: string,
  environment: Environment,
  results: readonly Result[],
): Report {
  return {
    schema: reportSchemaId,
    tool: { name: 'vfs-verify', version },
    command,
    verdict: runVerdict(results.map(({ verdict }) => verdict.kind)),
    environment,
    results,
  };
}

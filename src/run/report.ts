import { type Environment, failsAsKnown, type Report, type Result, reportSchemaId } from '../model/report.ts';
import { runVerdict, worstOf } from '../model/verdict.ts';

/** Puts the results of a run together. */
export function makeReport(
  command: Report['command'],
  version: string,
  environment: Environment,
  results: readonly Result[],
): Report {
  const known = results.filter(failsAsKnown);
  // A known defect hides nothing: where something else in its cell could not be told, that is what counts.
  const open = known.filter(({ cases }) => unlessKnown(cases)?.kind === 'unknown').length;
  const verdict = runVerdict(
    results.map((result) => result.verdict.kind),
    known.length,
  );
  return {
    schema: reportSchemaId,
    tool: { name: 'vfs-verify', version },
    command,
    verdict: verdict.kind === 'pass' && open > 0 ? { ...verdict, kind: 'unknown' } : verdict,
    environment,
    results,
  };
}

/** The worst of the cases whose end is not that of a known defect. */
function unlessKnown(cases: Result['cases']) {
  return worstOf(cases.filter(({ known }) => known === undefined).map(({ verdict }) => verdict));
}

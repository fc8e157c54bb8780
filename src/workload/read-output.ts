import { cleaned } from './cleaned.ts';
import { readDd } from './dd.ts';
import { decode } from './decode.ts';
import { readFioJson } from './fio-json.ts';
import { readFioText } from './fio-text.ts';
import { lineFinder } from './lines.ts';
import type { SavedRun } from './saved-run.ts';

/** One file of saved output, read. */
export interface SavedOutput {
  readonly file: string;
  readonly bytes: number;
  readonly runs: readonly SavedRun[];
  readonly damage: readonly string[];
  readonly missing: readonly string[];
  /** Where an offset of a run's figures stands in the file as it is. */
  readonly place: (at: number) => { readonly line: number; readonly column: number; readonly offset: number };
  /** Why there is nothing to judge, and what to do; absent where there is something. */
  readonly problem?: { readonly code: string; readonly why: string; readonly cure: string };
}

/** Reads fio's JSON, fio's text and dd's, with whatever stands around them. */
export function readOutput(file: string, bytes: Uint8Array): SavedOutput {
  const decoded = decode(bytes);
  const base = { file, bytes: bytes.length, runs: [], damage: [], missing: [] };
  if (decoded.text === undefined)
    return {
      ...base,
      place: () => ({ line: 1, column: 1, offset: 0 }),
      problem: { code: 'no-text', why: decoded.why, cure: decoded.cure },
    };
  const { text, damage, original } = cleaned(decoded.text);
  const lineOf = lineFinder(decoded.text);
  const place = (at: number) => {
    const offset = original(at);
    return { ...lineOf(offset), offset };
  };
  const runs = runsIn(text);
  const read = { ...base, runs, damage: [...decoded.damage, ...damage], place };
  const hasFigures = runs.some(({ jobs }) => jobs.some(({ directions }) => directions.length > 0));
  return hasFigures ? read : { ...read, problem: problemOf(text, runs) };
}

function runsIn(text: string): SavedRun[] {
  const json = readFioJson(text);
  if (json.length === 0) {
    const fio = readFioText(text);
    return fio.some(({ jobs }) => jobs.length > 0) ? fio : [...readDd(text), ...fio];
  }
  // Text beside JSON of the same run (--output-format=normal,json) says once more what the JSON says; what
  // only it has, the layout of files, is kept.
  const outside = blanked(text, json);
  const beside = readFioText(outside);
  const layouts = beside.flatMap((run) => run.layouts);
  const [first] = json;
  return json.map(({ run }) => (run === first?.run && layouts.length > 0 ? { ...run, layouts } : run));
}

/** The text with the JSON replaced by blanks: offsets stay. */
function blanked(text: string, parts: readonly { readonly at: number; readonly end: number }[]): string {
  let [result, from] = ['', 0];
  for (const { at, end } of parts) {
    if (at < from) continue;
    result += text.slice(from, at) + ' '.repeat(end - at);
    from = end;
  }
  return result + text.slice(from);
}

function problemOf(text: string, runs: readonly SavedRun[]): NonNullable<SavedOutput['problem']> {
  if (/^(?:[345];fio-\d|2;[^;\r\n]{1,200};\d{1,6};\d{1,6};\d+;)/m.test(text.slice(0, 1_000_000)))
    return {
      code: 'terse',
      why: "is fio's terse form (--minimal), which is not read",
      cure: 'Run it with --output-format=json, or without --minimal.',
    };
  if (/(?<!\d)\d{1,15}\+\d{1,15} records (?:in|out)/.test(text))
    return {
      code: 'no-results',
      why: "has dd's count of records and no time: this dd prints none, or was told not to",
      cure: 'Use dd of GNU coreutils without status=noxfer, or time it.',
    };
  const [run] = runs;
  const failed = runs.flatMap(({ jobs }) => jobs).find(({ error }) => (error?.value ?? 0) !== 0);
  if (failed !== undefined)
    return {
      code: 'no-results',
      why: `has no results: the job ${failed.name} ended with error ${failed.error?.value}${failed.errorText === undefined ? '' : ` (${failed.errorText})`} before it read or wrote anything`,
      cure: 'Save the output of a run that came to its end.',
    };
  if (run !== undefined)
    return {
      code: 'no-results',
      why: `has no results of ${run.program}: ${run.missing[0] ?? 'no job read or wrote anything'}`,
      cure: 'Save the output of a run that came to its end.',
    };
  return {
    code: 'not-recognized',
    why: "is neither fio's output nor dd's",
    cure: "Name a file with fio's output (text or --output-format=json), or with what dd prints at its end.",
  };
}

import { create } from 'xmlbuilder2';
import type { CaseResult, Report, Result } from '../model/report.ts';
import { casesIn } from './answer.ts';
import { printable } from './printable.ts';

/** What xmlbuilder2 makes. */
type Node = ReturnType<ReturnType<typeof create>['ele']>;

/**
 * A report in the dialect of JUnit XML that CI systems read: a test suite for each check, or, where several guests
 * were asked, for each guest; a test case for each mode and case. `fail` is a failure, `unknown` an error, `skip` is skipped. A fail that is a known defect
 * (`--known`) is skipped and says so, because the run's exit status passes over it too.
 */
export function renderJunit(report: Report): string {
  const { environment, results } = report;
  const document = create({ version: '1.0', encoding: 'UTF-8', invalidCharReplacement: '\ufffd' });
  const root = document.ele('testsuites', {
    name: 'vfs-verify',
    ...totals(results),
    time: seconds(environment.durationMs),
  });
  for (const [id, { name, machine, own, facts }] of suitesOf(report).entries()) {
    const suite = root.ele('testsuite', {
      id: String(id),
      name: printable(name),
      package: 'vfs-verify',
      ...totals(own),
      time: seconds(own.reduce((sum, { durationMs }) => sum + durationMs, 0)),
      timestamp: environment.startedAt.slice(0, 19),
      hostname: printable(machine),
    });
    addProperties(suite, report, facts);
    for (const result of own) for (const each of namedCases(result)) addCase(suite, result, each);
  }
  return `${document.end({ prettyPrint: true })}\n`;
}

interface Suite {
  readonly name: string;
  readonly machine: string;
  readonly own: readonly Result[];
  /** Beside those of the whole run. */
  readonly facts: Readonly<Record<string, string>>;
}

function suitesOf({ environment, results, guests }: Report): readonly Suite[] {
  if (guests !== undefined)
    return guests.map(({ guest, side }) => ({
      ...{ name: guest, machine: side?.name ?? guest },
      own: results.filter((result) => result.guest === guest),
      facts: side?.kernel === undefined ? {} : { 'guest-kernel': side.kernel },
    }));
  const machine = environment.host?.name ?? 'unknown';
  return [...new Set(results.map(({ check }) => check))].map((check) => ({
    ...{ name: check, machine, facts: {} },
    own: results.filter((result) => result.check === check),
  }));
}

type Fate = 'passed' | 'failure' | 'error' | 'skipped';

function fateOf({ verdict, known }: CaseResult): Fate {
  if (verdict.kind === 'fail') return known === undefined ? 'failure' : 'skipped';
  return verdict.kind === 'unknown' ? 'error' : verdict.kind === 'skip' ? 'skipped' : 'passed';
}

/** Every case has a name there. */
function namedCases(result: Result): readonly CaseResult[] {
  return casesIn(result).map((each) => (each.name === '' ? { ...each, name: 'all' } : each));
}

function totals(results: readonly Result[]): Record<string, string> {
  const fates = results.flatMap(namedCases).map(fateOf);
  const how = (fate: Fate) => String(fates.filter((each) => each === fate).length);
  return {
    tests: String(fates.length),
    failures: how('failure'),
    errors: how('error'),
    skipped: how('skipped'),
  };
}

function addProperties(suite: Node, { environment, tool }: Report, own: Suite['facts']): void {
  const properties = suite.ele('properties');
  const facts = {
    'vfs-verify': tool.version,
    seed: environment.seed.toString(16),
    ...environment.versions,
    ...(environment.lab === undefined ? {} : { lab: environment.lab }),
    ...own,
  };
  for (const [name, value] of Object.entries(facts))
    properties.ele('property', { name: printable(name), value: printable(value) });
}

function addCase(suite: Node, result: Result, each: CaseResult): void {
  const { verdict, known } = each;
  const node = suite.ele('testcase', {
    name: printable(
      [...(result.guest === undefined ? [] : [result.guest]), result.mode, each.name].join('/'),
    ),
    classname: printable(`vfs-verify.${result.check}`),
    time: seconds(each.durationMs),
  });
  const fate = fateOf(each);
  const told = toldLines(result, each);
  if (fate === 'skipped') {
    const reason = known === undefined ? verdict.reason : `known defect ${known.id}: ${known.title}`;
    node.ele('skipped', { message: printable(reason) });
  } else if (fate !== 'passed') {
    // Readers show either the message alone or the text alone: each must do without the other.
    node
      .ele(fate, { message: printable(messageOf(each)), type: printable(verdict.code ?? verdict.kind) })
      .txt(told.join('\n'));
  }
  const out = fate === 'skipped' && known !== undefined ? told : againLines(result, each);
  if (out.length > 0) node.ele('system-out').txt(out.join('\n'));
}

function messageOf({ verdict }: CaseResult): string {
  const { observed, reason } = verdict;
  return observed === undefined || observed === reason ? reason : `${reason}: ${observed}`;
}

function toldLines(result: Result, each: CaseResult): string[] {
  const { verdict, known } = each;
  const line = (label: string, text: string | undefined) =>
    text === undefined ? [] : [`${label.padEnd(9)} ${printable(text)}`];
  return [
    ...line('reason', verdict.reason),
    ...line('promised', verdict.promised),
    ...(verdict.sources ?? []).flatMap((source) => line('', `(${source})`)),
    ...line('observed', verdict.observed),
    ...line('known', known === undefined ? undefined : `${known.id}: ${known.title}`),
    ...line('next', verdict.next),
    ...againLines(result, each),
  ];
}

function againLines({ bundle }: Result, { rerun }: CaseResult): string[] {
  return [
    ...(rerun === undefined ? [] : [`again     ${printable(rerun)}`]),
    ...(bundle === undefined ? [] : [`bundle    ${printable(bundle)}`]),
  ];
}

/** Seconds with three decimals, as every reader takes them. */
function seconds(ms: number): string {
  return (ms / 1000).toFixed(3);
}

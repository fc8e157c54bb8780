import { promiseFor, type Versions } from '../contract/contract.ts';
import { contractMarkdown } from '../contract/markdown.ts';
import type { Row } from '../contract/row.ts';
import { rows } from '../contract/rows.ts';
import { describeCondition, linesOf } from '../contract/words.ts';
import { KnownError } from '../model/error.ts';
import { type Mode, parseMode } from '../model/mode.ts';
import { describePromise } from '../model/promise.ts';
import { wrapped } from '../report/layout.ts';
import { styleOf } from './print.ts';

/** Flags of `vfs-verify contract`. */
interface ContractFlags {
  readonly json?: boolean;
  readonly markdown?: boolean;
  readonly mode?: string;
  /** `guest-kernel=6.1,virtiofsd=1.10.0` */
  readonly versions?: string;
}

/** `vfs-verify contract [SCENARIO]`: what each mode promises, and where that is written. */
export async function contract(scenario: string | undefined, flags: ContractFlags): Promise<void> {
  if (flags.markdown === true) {
    process.stdout.write(contractMarkdown());
    return;
  }
  const chosen = chooseRows(scenario);
  const mode = flags.mode === undefined ? undefined : parseMode(flags.mode);
  const versions = parseVersions(flags.versions);
  if (flags.json === true) {
    const data = mode === undefined ? chosen : chosen.map((row) => promised(row, mode, versions));
    process.stdout.write(`${JSON.stringify(data, undefined, 2)}\n`);
    return;
  }
  const { width } = styleOf(process.stdout);
  const blocks =
    mode !== undefined
      ? chosen.map((row) => inMode(row, mode, versions, width, scenario !== undefined))
      : scenario === undefined
        ? [index(width), 'next: vfs-verify contract SCENARIO, or --mode MODE, or --json']
        : chosen.map((row) => allModes(row, width));
  const gap = mode !== undefined && scenario === undefined ? '\n' : '\n\n';
  process.stdout.write(`${blocks.join(gap)}\n`);
}

/** One scenario, all of a topic (`locks`), or everything. */
function chooseRows(scenario: string | undefined): readonly Row[] {
  if (scenario === undefined) return rows;
  const chosen = rows.filter((row) => row.scenario === scenario || row.scenario.startsWith(`${scenario}/`));
  if (chosen.length > 0) return chosen;
  throw new KnownError(
    'no-such-scenario',
    `the contract has no scenario "${scenario}"`,
    'vfs-verify contract lists all of them.',
  );
}

function parseVersions(text: string | undefined): Versions {
  const programs = ['guest-kernel', 'host-kernel', 'virtiofsd', 'qemu'];
  const pairs = (text ?? '').split(',').filter((pair) => pair !== '');
  return Object.fromEntries(
    pairs.map((pair) => {
      const [program = '', version = ''] = pair.split('=');
      if (!programs.includes(program) || !/^\d/.test(version)) {
        throw new KnownError(
          'bad-versions',
          `"${pair}" is no version of a program`,
          `Write --versions ${programs[0]}=6.1,${programs[2]}=1.13.2; the programs are ${programs.join(', ')}.`,
        );
      }
      return [program, version];
    }),
  );
}

function promised(row: Row, mode: Mode, versions: Versions) {
  const { scenario, title } = row;
  return { scenario, title, mode: mode.name, promise: promiseFor(scenario, mode, versions) ?? null };
}

/** All scenarios, one line each where it fits. */
function index(width: number): string {
  return rows
    .flatMap(({ scenario, title }) => [scenario, ...wrapped(title, { width, first: '    ' })])
    .join('\n');
}

/** One scenario: what each mode promises, why, and where that is written. */
function allModes(row: Row, width: number): string {
  const lines = linesOf(row).flatMap(({ columns, condition, promise }) => [
    ...wrapped(columns.join(', '), {
      width,
      first: condition === undefined ? '  ' : `  ${condition}: `,
      rest: '  ',
    }),
    ...wrapped(promise, { width, first: '      ' }),
  ]);
  const reasons = [
    ...wrapped(row.because, { width, first: '  why     ' }),
    ...(row.variants ?? []).flatMap(({ when, because }) =>
      because === undefined
        ? []
        : wrapped(`${describeCondition(when)}: ${because}`, { width, first: '          ' }),
    ),
    ...wrapped(sourcesOf(row).join('; '), { width, first: '  source  ' }),
  ];
  return [row.scenario, ...wrapped(row.title, { width, first: '  ' }), '', ...lines, '', ...reasons].join(
    '\n',
  );
}

function sourcesOf(row: Row): readonly string[] {
  return [...row.sources, ...(row.variants ?? []).flatMap(({ sources }) => sources ?? [])];
}

/** One scenario in one mode; `full`: with the reasons. */
function inMode(row: Row, mode: Mode, versions: Versions, width: number, full: boolean): string {
  const promise = promiseFor(row.scenario, mode, versions);
  const words = promise === undefined ? 'unknown: the contract says nothing' : describePromise(promise);
  const answer = [row.scenario, ...wrapped(words, { width, first: '      ' })];
  if (!full) return answer.join('\n');
  return [
    ...answer,
    ...wrapped(row.title, { width, first: '  case    ' }),
    ...(promise === undefined
      ? []
      : [
          ...wrapped(promise.because, { width, first: '  why     ' }),
          ...wrapped(promise.sources.join('; '), { width, first: '  source  ' }),
        ]),
  ].join('\n');
}

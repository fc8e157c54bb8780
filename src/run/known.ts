import { readdir, readFile, stat } from 'node:fs/promises';
import path from 'node:path';
import type { VersionRange } from '../contract/row.ts';
import { isWithin } from '../contract/versions.ts';
import { KnownError } from '../model/error.ts';
import type { CaseResult, Result } from '../model/report.ts';

/**
 * A defect of released software that is written down: one JSON file each (docs/findings/), or a list of them.
 * What is absent is not asked: without `modes` it is known in every mode.
 */
export interface Finding {
  readonly id: string;
  readonly title: string;
  readonly check: string;
  /** A case's name, or several. */
  readonly case?: string | readonly string[];
  readonly code: string;
  readonly modes?: readonly string[];
  /** Program's name, as in a report's environment (virtiofsd, guest-kernel …) → versions that have it. */
  readonly versions?: Readonly<Record<string, VersionRange>>;
  /** A page or an address. */
  readonly where?: string;
}

/**
 * Reads findings from a file, or from every .json file of a directory.
 * @throws KnownError `bad-findings`
 */
export async function loadFindings(place: string): Promise<readonly Finding[]> {
  const about = await stat(place).catch((cause: unknown) => {
    throw badFindings(place, 'it cannot be read', cause);
  });
  const files = about.isDirectory()
    ? (await readdir(place)).filter((name) => name.endsWith('.json')).map((name) => path.join(place, name))
    : [place];
  return (await Promise.all(files.sort().map(loadFile))).flat();
}

async function loadFile(file: string): Promise<readonly Finding[]> {
  let parsed: unknown;
  try {
    parsed = JSON.parse(await readFile(file, 'utf8'));
  } catch (cause) {
    throw badFindings(file, cause instanceof Error ? cause.message : String(cause), cause);
  }
  const list = Array.isArray(parsed) ? parsed : [parsed];
  const wrong = list.find((each) => !isFinding(each));
  if (wrong !== undefined)
    throw badFindings(file, `this is no finding: ${JSON.stringify(wrong).slice(0, 200)}`);
  return list as Finding[];
}

function badFindings(file: string, why: string, cause?: unknown): KnownError {
  return new KnownError(
    'bad-findings',
    `${file}: ${why}`,
    'A finding has id, title, check and code, and may have case, modes, versions and where (see docs/findings).',
    { cause },
  );
}

const text = (value: unknown) => typeof value === 'string' && value !== '';
const texts = (value: unknown) => Array.isArray(value) && value.every(text);

function isFinding(value: unknown): value is Finding {
  if (typeof value !== 'object' || value === null) return false;
  const { id, title, check, case: cases, code, modes, versions } = value as Record<string, unknown>;
  return (
    [id, title, check, code].every(text) &&
    (cases === undefined || text(cases) || texts(cases)) &&
    (modes === undefined || texts(modes)) &&
    (versions === undefined || (typeof versions === 'object' && versions !== null))
  );
}

/** Marks the fails of a result that are known on these versions. */
export function markKnown(
  result: Result,
  findings: readonly Finding[],
  versions: Readonly<Record<string, string>>,
): Result {
  const cases = result.cases.map((each): CaseResult => {
    if (each.verdict.kind !== 'fail') return each;
    const found = findings.find((finding) => isOf(finding, result, each, versions));
    if (found === undefined) return each;
    const { id, title, where } = found;
    return { ...each, known: { id, title, ...(where === undefined ? {} : { where }) } };
  });
  return { ...result, cases };
}

function isOf(
  finding: Finding,
  { check, mode }: Result,
  { name, verdict }: CaseResult,
  versions: Readonly<Record<string, string>>,
): boolean {
  const { case: cases, modes } = finding;
  return (
    finding.check === check &&
    finding.code === verdict.code &&
    (cases === undefined || cases === name || (Array.isArray(cases) && cases.includes(name))) &&
    (modes === undefined || modes.includes(mode) || modes.includes(withoutOthers(mode))) &&
    isOfVersions(finding, versions)
  );
}

/**
 * Options that say nothing of how a file's bytes and sizes are cached, which is what most findings are about.
 * `killpriv-v2` is none of them: what is known of set-ID bits depends on it.
 */
const others: ReadonlySet<string> = new Set([
  'announce-submounts',
  'inode-file-handles',
  'no-announce-submounts',
  'posix-acl',
  'preserve-noatime',
  'security-label',
  'security_model',
  'thread-pool-size',
  'xattr',
]);

/** `auto+xattr+thread-pool-size=4` is what is known of `auto`. */
function withoutOthers(mode: string): string {
  const [head, ...flags] = mode.split('+');
  return [head, ...flags.filter((flag) => !others.has(flag.split('=')[0] ?? flag))].join('+');
}

/** Whether these versions have it; one that is not known is not one of those that do. */
export function isOfVersions(finding: Finding, versions: Readonly<Record<string, string>>): boolean {
  return Object.entries(finding.versions ?? {}).every(
    ([program, range]) => isWithin(versions[program], range) === true,
  );
}

import { access, mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { KnownError } from '../model/error.ts';

/**
 * What a run of checks was asked, beside the evidence of its cells. With it a run that was killed is continued:
 * cells that have a bundle are not run again.
 */
export interface RunRecord {
  readonly schema: 'vfs-verify/run/1';
  readonly seed: number;
  readonly names: readonly string[];
  /** Undefined: every mode of the bench. */
  readonly modes?: string;
  readonly repeat: number;
  readonly systemWide: boolean;
  /** Absolute; checks from outside. */
  readonly checks?: string;
  /** Where several guests were asked: their names. Each has a directory here, with a record of its own. */
  readonly guests?: readonly string[];
  /** Of the one guest that was asked; none where there were several. */
  readonly versions: Readonly<Record<string, string>>;
}

const fileName = 'run.json';

/** Writes it down; a reader never sees half of it. */
export async function saveRunRecord(directory: string, record: RunRecord): Promise<void> {
  await mkdir(directory, { recursive: true });
  const file = path.join(directory, fileName);
  await writeFile(`${file}.part`, `${JSON.stringify(record, undefined, 2)}\n`);
  await rename(`${file}.part`, file);
}

/** Whether a directory holds the evidence of a run already. */
export async function hasRunRecord(directory: string): Promise<boolean> {
  return access(path.join(directory, fileName)).then(
    () => true,
    () => false,
  );
}

/**
 * Reads it back.
 * @throws KnownError `no-run`
 */
export async function loadRunRecord(directory: string): Promise<RunRecord> {
  const cure = 'Name the directory that an earlier run was given with --bundle.';
  let parsed: Partial<RunRecord> | null;
  try {
    parsed = JSON.parse(await readFile(path.join(directory, fileName), 'utf8')) as Partial<RunRecord> | null;
  } catch (cause) {
    throw new KnownError('no-run', `${directory} holds no readable ${fileName}`, cure, { cause });
  }
  if (parsed?.schema !== 'vfs-verify/run/1' || !Array.isArray(parsed.names))
    throw new KnownError('no-run', `${path.join(directory, fileName)} is of another version`, cure);
  return parsed as RunRecord;
}

/**
 * A run is continued as it was begun, on what it was begun on: anything else would be another run under its name.
 * @throws KnownError `run-differs`
 */
export function requireSameVersions(record: RunRecord, here: RunRecord['versions'], directory: string): void {
  const names = [...new Set([...Object.keys(record.versions), ...Object.keys(here)])];
  const differing = names.filter((name) => record.versions[name] !== here[name]);
  if (differing.length === 0) return;
  const told = differing
    .map((name) => `${name} was ${record.versions[name] ?? 'absent'}, is ${here[name] ?? 'absent'}`)
    .join('; ');
  throw new KnownError(
    'run-differs',
    `the run in ${directory} was begun on something else: ${told}`,
    'Bring up what it was begun on, or begin a new run with --bundle.',
  );
}

import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import type { Check } from '../model/check.ts';
import { KnownError } from '../model/error.ts';

/** The package's own checks, as built: the folder is the registry. */
export const ownChecksDir = fileURLToPath(new URL('../../checks', import.meta.url));

/** A check and the file that it came from. */
export interface LoadedCheck {
  readonly check: Check;
  readonly file: string;
}

/**
 * Loads every check of a folder: each file that exports one by default (`name.js`, `.mjs`, and `.ts`, which
 * is compiled on the fly). Sub-folders hold parts of checks and are not searched.
 * @throws KnownError `no-checks`, `bad-check`
 */
export async function loadChecks(directory: string): Promise<readonly LoadedCheck[]> {
  const names = await readdir(directory).catch((cause: unknown) => {
    throw new KnownError(
      'no-checks',
      `${directory} cannot be read`,
      'Name a folder with checks: --checks DIR.',
      { cause },
    );
  });
  const files = names
    .filter((name) => /\.(js|mjs|ts|mts)$/.test(name) && !/\.(d|test)\.m?ts$/.test(name))
    .sort();
  if (files.length === 0)
    throw new KnownError(
      'no-checks',
      `${directory} holds no checks`,
      'A check is a .ts, .mjs or .js file with a default export made by defineCheck.',
    );
  return Promise.all(files.map((name) => loadCheck(path.join(directory, name))));
}

/**
 * Loads one check.
 * @throws KnownError `bad-check`
 */
export async function loadCheck(file: string): Promise<LoadedCheck> {
  const cure = 'A check is a file whose default export is made by defineCheck (see docs/writing-a-check.md).';
  let check: unknown;
  try {
    check = await defaultExport(file);
  } catch (cause) {
    const words = cause instanceof Error ? cause.message : String(cause);
    throw new KnownError('bad-check', `${file} cannot be loaded: ${words}`, cure, { cause });
  }
  const fault = checkFault(check);
  if (fault !== undefined) throw new KnownError('bad-check', `${file}: ${fault}`, cure);
  return { check: check as Check, file };
}

async function defaultExport(file: string): Promise<unknown> {
  if (!/\.m?ts$/.test(file))
    return ((await import(pathToFileURL(file).href)) as { default?: unknown }).default;
  const { createJiti } = await import('jiti');
  // A check from outside imports "vfs-verify/check" without having this package installed beside it.
  const here = fileURLToPath(new URL('../', import.meta.url));
  const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js';
  const names = [
    'ages',
    'check',
    'digest',
    'observation',
    'operation',
    'outcome',
    'pattern',
    'promise',
    'ranges',
    'storm',
    'verdict',
    'wrong-bytes',
    'wrong-words',
  ];
  const alias = Object.fromEntries(
    names.map((name) => [`vfs-verify/${name}`, path.join(here, 'model', `${name}.${extension}`)]),
  );
  return createJiti(import.meta.url, { alias, fsCache: false }).import(file, { default: true });
}

function checkFault(value: unknown): string | undefined {
  if (typeof value !== 'object' || value === null) return 'its default export is no check';
  const { name, title, codes, cases, judge } = value as Record<string, unknown>;
  if (typeof name !== 'string' || !/^[a-z][a-z0-9-]*$/.test(name))
    return 'its name must be lower-case words joined by "-"';
  if (typeof title !== 'string') return 'it has no title';
  if (typeof codes !== 'object' || codes === null) return 'it lists no codes';
  if (typeof cases !== 'function' || typeof judge !== 'function')
    return 'it needs the functions cases and judge';
  return undefined;
}

/** A check that is to be run. */
export interface PickedCheck extends LoadedCheck {
  /** Only the cases of these names; undefined: all. */
  readonly only: readonly string[] | undefined;
}

/**
 * Picks checks by name; `NAME/CASE` picks one case. No names: all. That a case is there is for the run to see
 * (requireCases), which knows the cases.
 * @throws KnownError `no-such-check`
 */
export function pickChecks(loaded: readonly LoadedCheck[], names: readonly string[]): readonly PickedCheck[] {
  if (names.length === 0) return loaded.map((each) => ({ ...each, only: undefined }));
  const picked = new Map<LoadedCheck, PickedCheck>();
  for (const text of names) {
    const [name = '', only] = text.split(/\/(.*)/s, 2);
    const found = loaded.find(({ check }) => check.name === name);
    if (found === undefined) {
      throw new KnownError(
        'no-such-check',
        `there is no check "${name}"`,
        `There are: ${loaded.map(({ check }) => check.name).join(', ')}. See vfs-verify list.`,
      );
    }
    const before = picked.get(found);
    const all = only === undefined || (before !== undefined && before.only === undefined);
    picked.set(found, { ...found, only: all ? undefined : [...(before?.only ?? []), only] });
  }
  return [...picked.values()];
}

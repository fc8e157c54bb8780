import { stat } from 'node:fs/promises';
import path from 'node:path';
import { lilconfig } from 'lilconfig';
import { KnownError } from '../model/error.ts';
import type { Config, LoadedConfig } from './config.ts';
import type { Fault } from './faults.ts';
import { jsonSource, type Source, valueSource } from './source.ts';

const stem = 'vfs-verify.config';

/** In one directory, the first that is there. */
const places = ['json', 'jsonc', 'ts', 'mts', 'mjs', 'js'].map((extension) => `${stem}.${extension}`);

/**
 * Finds the file of settings upward from a directory, and reads it. Undefined where there is none.
 * @throws KnownError `config-not-yours` for a file that somebody else may write, since its commands are run;
 * `bad-config` with every fault that it has.
 */
export async function findConfig(from: string): Promise<LoadedConfig | undefined> {
  const found = await searcher(from, requireOwn).search(from);
  if (found === null) return undefined;
  return checked(found.filepath, found.config as Source | undefined);
}

/**
 * Reads a file of settings that the user has named; whoever owns it.
 * @throws KnownError `no-config`, `bad-config`
 */
export async function loadConfig(file: string): Promise<LoadedConfig> {
  const full = path.resolve(file);
  const found = await searcher(path.dirname(full))
    .load(full)
    .catch((error: unknown) => {
      if (error instanceof KnownError) throw error;
      throw new KnownError(
        'no-config',
        `${full} cannot be read (${(error as NodeJS.ErrnoException).code ?? (error as Error).message})`,
        `Name a file that is there, such as ${stem}.json.`,
        { cause: error },
      );
    });
  return checked(full, found?.config as Source | undefined);
}

/** @param admit is asked before a file is read or, being a module, run. */
function searcher(from: string, admit: (file: string) => Promise<void> = async () => {}) {
  const admitted =
    (load: (file: string, text: string) => Source | Promise<Source>) =>
    async (file: string, text: string) => {
      await admit(file);
      return load(file, text);
    };
  const [json, module] = [admitted(jsonSource), admitted(moduleSource)];
  return lilconfig('vfs-verify', {
    searchPlaces: places,
    // To the top: not only below the home directory.
    stopDir: path.parse(path.resolve(from)).root,
    // An empty file is a mistake, and not the one above it.
    ignoreEmptySearchPlaces: false,
    loaders: {
      '.json': json,
      '.jsonc': json,
      '.ts': module,
      '.mts': module,
      '.mjs': module,
      '.js': module,
    },
  });
}

/** jiti, because Node 20 runs no TypeScript; loaded when there is something to load. */
async function moduleSource(file: string): Promise<Source> {
  const { createJiti } = await import('jiti');
  try {
    return valueSource(await createJiti(import.meta.url, { fsCache: false }).import(file, { default: true }));
  } catch (error) {
    const words = error instanceof Error ? error.message : String(error);
    throw badConfig(
      file,
      [{ path: [], words: `it cannot be run: ${words.split('\n')[0]}` }],
      valueSource({}),
    );
  }
}

/** The schema is compiled for a file that is there; most runs have none. */
async function checked(file: string, source: Source | undefined): Promise<LoadedConfig> {
  const { faultsOf } = await import('./faults.ts');
  const read = source ?? jsonSource(file, '');
  const faults = [...read.faults, ...(read.faults.length > 0 ? [] : faultsOf(read.value))];
  if (faults.length > 0) throw badConfig(file, faults, read);
  return { file, config: read.value as Config };
}

/** All faults, each with its place; the first is the line. */
function badConfig(file: string, faults: readonly Fault[], source: Source): KnownError {
  const lines = faults.map((fault) => `${file}${source.placeOf(fault)}: ${fault.words}`);
  const more = lines.length > 1 ? ` (and ${lines.length - 1} more)` : '';
  return new KnownError(
    'bad-config',
    `${lines[0]}${more}`,
    'Mend the file; an editor that is given its "$schema" (docs/configuration.md) shows faults as you type.',
    lines.length > 1 ? { detail: lines.join('\n') } : {},
  );
}

/** As ssh sees to its own configuration: what names commands must not be somebody else's. */
async function requireOwn(file: string): Promise<void> {
  const own = process.getuid?.();
  const { uid, mode } = await stat(file);
  const others = (mode & 0o002) !== 0;
  if (own === undefined || (!others && (uid === own || uid === 0))) return;
  throw new KnownError(
    'config-not-yours',
    `${file} ${others ? 'may be written by everybody' : `belongs to the user ${uid}`}, and its commands would be run as you`,
    `Name it (--config ${file}) if you trust it, or leave it out (--no-config).`,
  );
}

import { readFile } from 'node:fs/promises';
import type { Config, GuestSettings, ShareSettings } from '../config/config.ts';
import { KnownError } from '../model/error.ts';

/** Where the shares of a guest are: what `--host` and `--map` say, and the modes that the file gives. */
export interface SharePlace {
  readonly host: string;
  /** The file says which host it is. */
  readonly hostOfFile: boolean;
  readonly map: readonly string[];
  /** The mode of a share by its directory in the guest, where the file says it. */
  readonly modeOf: Readonly<Record<string, string>>;
}

/** One guest that is asked, with its host and its shares. */
export interface Target extends SharePlace {
  /** As the user calls it: a name of the file of settings, or its address. */
  readonly name: string;
  readonly guest: string;
}

/** What was given by flags and environment; undefined where nothing was. */
export interface Given {
  readonly host: string | undefined;
  readonly map: readonly string[] | undefined;
}

/** What a guest's name means. */
export function targetOf(name: string, given: Given, config: Config): Target {
  const own = ownOf(config.guests, name);
  const settings = typeof own === 'object' ? own : { address: own ?? name };
  return { name, guest: settings.address, ...placeOf(settings, given, config) };
}

/** Flags first, then what the file says of this guest, then what it says of all. */
export function placeOf(
  { host, shares: names }: Pick<GuestSettings, 'host' | 'shares'>,
  given: Given,
  config: Config,
): SharePlace {
  const shares = given.map === undefined ? sharesOf(config, names) : [];
  return {
    host: hostOf(given.host ?? host ?? config.host, config) ?? 'local',
    hostOfFile: given.host === undefined && (host ?? config.host) !== undefined,
    map: given.map ?? shares.map(({ guestDir, hostDir }) => `${guestDir}=${hostDir}`),
    modeOf: Object.fromEntries(
      shares.flatMap(({ guestDir, mode }) => (mode === undefined ? [] : [[guestDir, mode]])),
    ),
  };
}

/** A host's address by its name. */
function hostOf(name: string | undefined, { hosts }: Config): string | undefined {
  return name === undefined ? undefined : (ownOf(hosts, name) ?? name);
}

function sharesOf({ shares = {} }: Config, names: readonly string[] | undefined): readonly ShareSettings[] {
  return (names ?? Object.keys(shares)).flatMap((name) => ownOf(shares, name) ?? []);
}

function ownOf<T>(named: Readonly<Record<string, T>> | undefined, name: string): T | undefined {
  return named !== undefined && Object.hasOwn(named, name) ? named[name] : undefined;
}

/**
 * Reads `--guests FILE`: one guest a line; empty lines and those that begin with # are passed over.
 * @throws KnownError `bad-flag`
 */
export async function guestsIn(file: string): Promise<readonly string[]> {
  const text = await readFile(file === '-' ? '/dev/stdin' : file, 'utf8').catch((error: unknown) => {
    throw new KnownError(
      'bad-flag',
      `--guests ${file} cannot be read (${(error as NodeJS.ErrnoException).code ?? String(error)})`,
      'Name a file with one guest a line, or - for standard input.',
      { cause: error },
    );
  });
  const names = text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.startsWith('#'));
  if (names.length > 0) return names;
  throw new KnownError('bad-flag', `--guests ${file} names no guest`, 'Write one guest a line.');
}

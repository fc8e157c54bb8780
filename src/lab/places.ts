import { createHash, randomBytes } from 'node:crypto';
import { accessSync, constants } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { isAbsolute, join } from 'node:path';
import { KnownError } from '../model/error.ts';

/** The XDG base directories say that a path that is not absolute is to be ignored. */
function xdg(variable: string, fallback: string): string {
  const value = process.env[variable];
  return value !== undefined && isAbsolute(value) ? value : fallback;
}

/** Where trees of programs and guest images are kept from run to run. */
export function cacheDirectory(): string {
  return join(xdg('XDG_CACHE_HOME', join(homedir(), '.cache')), 'vfs-verify');
}

/** The directory that holds one directory for each lab. */
export function labsDirectory(): string {
  return join(xdg('XDG_STATE_HOME', join(homedir(), '.local', 'state')), 'vfs-verify', 'labs');
}

/**
 * The directory of the lab with this name: keys, logs, journal, and the share unless the user gave one.
 * @throws KnownError `bad-lab-name`.
 */
export function labDirectory(name: string): string {
  if (!/^[a-z0-9][a-z0-9._-]{0,31}$/i.test(name)) {
    throw new KnownError(
      'bad-lab-name',
      `"${name}" cannot be the name of a lab`,
      'Use up to 32 letters, digits, dots, dashes and underscores, with a letter or digit first.',
    );
  }
  return join(labsDirectory(), name);
}

/** A name for a lab that a run makes for cases that would spoil another one. */
export function nameForCases(): string {
  return `own-${process.pid}-${randomBytes(4).toString('hex')}`;
}

/** The process that made a lab for cases of its own; undefined for any other lab. */
export function ownerOf(name: string): number | undefined {
  const pid = /^own-(\d+)-[0-9a-f]{8}$/.exec(name)?.[1];
  return pid === undefined ? undefined : Number(pid);
}

/**
 * The lock that is held while a lab is put up or taken down. It is in the cache, so that a lab's own
 * directory can be removed whole while the lock is held, and nothing of the lab is left behind.
 */
export function labLockFile(directory: string): string {
  const key = createHash('sha256').update(directory).digest('hex').slice(0, 16);
  return join(cacheDirectory(), 'locks', `lab-${key}`);
}

/** The address of a unix socket holds 107 bytes; the longest name below a run directory is `/g2-m99.w.sock`. */
const longestRunDirectory = 90;

/** A short, private directory for the sockets of the lab with this id. It is not made here. */
export function runDirectory(id: string): string {
  const parents = [process.env.XDG_RUNTIME_DIR, tmpdir(), '/tmp'];
  for (const parent of parents) {
    if (parent === undefined || !isAbsolute(parent)) continue;
    const directory = join(parent, `vfs-verify-${id}`);
    if (directory.length <= longestRunDirectory && isWritable(parent)) return directory;
  }
  return join('/tmp', `vfs-verify-${id}`);
}

function isWritable(directory: string): boolean {
  try {
    accessSync(directory, constants.W_OK | constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

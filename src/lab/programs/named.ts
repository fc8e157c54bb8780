import { accessSync, constants, existsSync, statSync } from 'node:fs';
import { delimiter, join, resolve } from 'node:path';
import { KnownError } from '../../model/error.ts';

/**
 * The program that the user named for a part of the lab. It is executed as given: a build under test or a
 * script of the user's own. A word without a slash is looked up in PATH.
 * @throws KnownError `program-missing`.
 */
export function namedProgram(option: string, given: string): string {
  const candidates = given.includes('/')
    ? [resolve(given)]
    : (process.env.PATH ?? '').split(delimiter).map((directory) => join(directory, given));
  const found = candidates.find((path) => existsSync(path) && statSync(path).isFile());
  if (found === undefined) {
    throw new KnownError(
      'program-missing',
      `${option} ${given}: there is no such program`,
      `Give the path of a program or script, or leave ${option} away to use the lab's own.`,
    );
  }
  try {
    accessSync(found, constants.X_OK);
  } catch {
    throw new KnownError('program-missing', `${option} ${given}: it is not executable`, `chmod +x ${found}`);
  }
  return found;
}

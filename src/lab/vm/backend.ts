import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { KnownError } from '../../model/error.ts';

const here = dirname(fileURLToPath(import.meta.url));
/** Beside dist/src when this runs from dist, below dist when from src. */
const places = [join(here, '../../../lab'), join(here, '../../../dist/lab')];

/**
 * The lab's own backend (src/lab/backend), which serves the modes with a DAX window.
 * @throws KnownError `program-missing`.
 */
export function backendProgram(): string {
  return built('vfs-lab-backend');
}

/**
 * The library that makes QEMU map files of any length into a window, and not tell daemons without one
 * (src/lab/backend/qemu).
 * @throws KnownError `program-missing`.
 */
export function pastEndLibrary(): string {
  return built('qemu-past-end.so');
}

function built(name: string): string {
  const found = places.map((place) => join(place, name)).find(existsSync);
  if (found === undefined) {
    throw new KnownError(
      'program-missing',
      `the lab's own backend, which serves dax modes, is not built (${name})`,
      'npm run build',
    );
  }
  return found;
}

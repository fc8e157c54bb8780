import path from 'node:path';
import { type LoadedCheck, loadChecks, ownChecksDir } from '../run/load-checks.ts';

/** The package's own checks, and those of a folder of the user's. */
export async function loadAll(extra: string | undefined): Promise<readonly LoadedCheck[]> {
  const own = await loadChecks(ownChecksDir);
  return extra === undefined ? own : [...own, ...(await loadChecks(path.resolve(extra)))];
}

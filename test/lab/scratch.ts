import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll } from 'vitest';
import { downLab } from './cli.ts';

/**
 * A directory for what the tests of a file write, and the end of the lab that they bring up. Registers the set-up and
 * the tear-down for the test file that calls it.
 */
export function useScratch(labName: string): { readonly directory: string } {
  const scratch = { directory: '' };
  beforeAll(async () => {
    scratch.directory = await mkdtemp(path.join(tmpdir(), 'vfs-verify-test-'));
  });
  afterAll(async () => {
    await downLab(labName);
    await rm(scratch.directory, { recursive: true, force: true });
  });
  return scratch;
}

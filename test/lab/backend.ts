import { readFile, rename, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import type { LabInfo } from '../../src/lab/info.ts';

/** The lab's own backend, to be given as `--virtiofsd`. Its faults are in src/lab/backend/README.md. */
export const backend = fileURLToPath(new URL('../../dist/lab/vfs-lab-backend', import.meta.url));

/**
 * Makes these the faults of a mode's daemon, from its next request on.
 * @param words such as `write-drop=7 fsync-ignored`; empty: none.
 */
export async function setFaults(lab: LabInfo, mode: string, words: string): Promise<void> {
  const file = `${socketOf(lab, mode)}.faults`;
  await writeFile(`${file}.new`, words);
  await rename(`${file}.new`, file);
}

/**
 * What a mode's daemon has served so far: requests by opcode (`READ`), `bytes-read`, `bytes-written`,
 * `bytes-mapped`, and how often a fault had a say (`faults`).
 */
export async function countsOf(lab: LabInfo, mode: string): Promise<ReadonlyMap<string, number>> {
  const text = await readFile(`${socketOf(lab, mode)}.counters`, 'utf8');
  return new Map(
    text
      .trim()
      .split('\n')
      .map((line) => line.split(/\s+/))
      .map(([name = '', count]) => [name, Number(count)]),
  );
}

function socketOf(lab: LabInfo, mode: string): string {
  const socket = lab.daemons[mode]?.socket;
  if (socket === undefined) throw new Error(`the lab has no daemon for ${mode}`);
  return socket;
}

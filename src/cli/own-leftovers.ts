import { readdirSync } from 'node:fs';
import path from 'node:path';
import { labList } from '../lab/status.ts';
import type { GroundFact } from '../model/ground.ts';
import { readJournal } from '../share/toggle/journal.ts';
import { togglesDirectory } from './toggle-place.ts';

/** What earlier runs of this user have left on this machine: labs that are half there, shares in another mode. */
export async function ownLeftovers(): Promise<readonly GroundFact[]> {
  const about = 'leftovers';
  const broken = (await labList()).filter(({ state }) => state === 'broken');
  const journals = namesIn(togglesDirectory()).flatMap((each) => {
    const journal = readJournal(path.join(togglesDirectory(), each));
    return journal === undefined || journal.interrupted === undefined ? [] : [journal];
  });
  return [
    ...broken.map(
      ({ name }): GroundFact => ({
        ...{ about, state: 'limited', said: `the lab "${name}" is only half there` },
        cure: `vfs-verify lab down ${name}`,
      }),
    ),
    ...journals.map(
      ({ interrupted, original }): GroundFact => ({
        ...{ about, state: 'limited' },
        said: `a share was left between two modes, at "${interrupted}"; it was in ${original.mode ?? 'a mode that was not told'}`,
        cure: 'vfs-verify mode PATH --restore',
      }),
    ),
  ];
}

function namesIn(directory: string): readonly string[] {
  try {
    return readdirSync(directory);
  } catch {
    return []; // Nothing was ever toggled.
  }
}

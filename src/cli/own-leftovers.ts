import { readdirSync } from 'node:fs';
import path from 'node:path';
import { ownerOf } from '../lab/places.ts';
import { identify } from '../lab/processes.ts';
import { labList } from '../lab/status.ts';
import type { GroundFact } from '../model/ground.ts';
import { readJournal } from '../share/toggle/journal.ts';
import { togglesDirectory } from './toggle-place.ts';

/** What earlier runs of this user have left on this machine: labs that are half there, shares in another mode. */
export async function ownLeftovers(): Promise<readonly GroundFact[]> {
  const about = 'leftovers';
  const labs = (await labList()).filter(({ name, state }) => state === 'broken' || isAbandoned(name));
  const journals = namesIn(togglesDirectory()).flatMap((each) => {
    const journal = readJournal(path.join(togglesDirectory(), each));
    return journal === undefined || journal.interrupted === undefined ? [] : [journal];
  });
  return [
    ...labs.map(
      ({ name, state }): GroundFact => ({
        ...{ about, state: 'limited' },
        said: `the lab "${name}" ${state === 'broken' ? 'is only half there' : 'was made by a run that was killed'}`,
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

/** Made by a run for its own cases, which ended before it took it down. */
function isAbandoned(name: string): boolean {
  const owner = ownerOf(name);
  return owner !== undefined && identify(owner) === undefined;
}

function namesIn(directory: string): readonly string[] {
  try {
    return readdirSync(directory);
  } catch {
    return []; // Nothing was ever toggled.
  }
}

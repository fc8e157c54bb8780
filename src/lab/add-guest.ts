import { rmSync } from 'node:fs';
import { KnownError } from '../model/error.ts';
import { bringUpGuest, filesOf, roleOf } from './guest-up.ts';
import type { LabGuest, LabInfo } from './info.ts';
import { type Journal, noteEnded, readJournal } from './journal.ts';
import { withLock } from './lock.ts';
import { labLockFile } from './places.ts';
import { endProcesses, isRunning, withDescendants } from './processes.ts';
import type { OnProgress } from './progress.ts';
import { prepareLab } from './up.ts';
import { readKeys } from './vm/keys.ts';
import { planShares } from './vm/shares.ts';
import type { Wish } from './wish.ts';

const bootTimeoutMs = 120_000;

/** A guest that was added to a lab that is up. */
export interface AddedGuest {
  readonly guest: LabGuest;
  /** Ends it and its daemons, and removes what it made; the lab is then as before. */
  remove(): Promise<void>;
}

/**
 * Adds a guest to a lab: the same modes over the same directory, daemons of its own. It is not in `lab status`,
 * but `lab down` ends it like the others.
 * @throws KnownError as `labUp` does.
 */
export async function addGuest(
  lab: LabInfo,
  onProgress: OnProgress,
  signal?: AbortSignal,
): Promise<AddedGuest> {
  const { directory, name, hostDir } = lab;
  const lock = { what: `the lab "${name}"`, limitMs: 2 * bootTimeoutMs };
  return withLock(labLockFile(directory), lock, async () => {
    const journal = journalOf(lab);
    const wish = JSON.parse(journal.wish) as Wish;
    // What is left out there is left out here, and nothing else.
    const { leftOut } = lab;
    const { programs, image, accelerator } = await prepareLab({ ...wish, signal }, onProgress);
    const number = nextNumber(journal, lab);
    const keys = await readKeys(programs.tree.root, directory);
    const remove = () => removeGuest(lab, number);
    const plan = {
      ...{ lab: name, directory, id: journal.id, sockets: journal.runDirectory, hostDir, keys },
      ...{
        wish: { ...wish, optional: [] },
        leftOut,
        programs,
        image,
        accelerator,
        limitMs: bootTimeoutMs,
        signal,
      },
    };
    try {
      return { guest: (await bringUpGuest(plan, number, undefined, onProgress)).guest, remove };
    } catch (error) {
      await remove();
      throw error;
    }
  });
}

function journalOf({ directory, name }: LabInfo): Journal {
  const journal = readJournal(directory);
  if (journal !== undefined) return journal;
  throw new KnownError('no-lab', `the lab "${name}" is not up any more`, 'Bring it up again.');
}

/** One that no guest of this lab has, or had before it was removed: its files might still be in use. */
function nextNumber({ processes }: Journal, { otherGuests }: LabInfo): number {
  const numbers = processes.map(({ role }) => Number(/^guest(\d+)\//.exec(role)?.[1] ?? 1));
  return Math.max(1 + otherGuests.length, ...numbers) + 1;
}

async function removeGuest(lab: LabInfo, number: number): Promise<void> {
  const { directory } = lab;
  const journal = journalOf(lab);
  const prefix = roleOf(number, '');
  const own = journal.processes.filter(({ role }) => role.startsWith(prefix));
  await endProcesses(() => withDescendants(own.filter(isRunning)), 5000);
  for (const role of new Set(own.map((each) => each.role))) noteEnded(directory, role);
  const wish = JSON.parse(journal.wish) as Wish;
  const layout = { sockets: journal.runDirectory, number, secondTag: wish.secondTag };
  for (const { socket } of planShares(wish.modes, layout))
    if (socket !== undefined) rmSync(socket, { force: true });
  for (const file of filesOf(directory, number)) rmSync(file, { force: true });
}

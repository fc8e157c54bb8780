import type { BenchAbility } from '../model/bench-verb.ts';
import { labDown } from './down.ts';
import type { LabInfo } from './info.ts';
import { readJournal } from './journal.ts';
import type { DiskKind } from './loop-disk.ts';
import { nameForCases, ownerOf } from './places.ts';
import { identify } from './processes.ts';
import type { Progress } from './progress.ts';
import { labList } from './status.ts';
import { labUp } from './up.ts';
import type { LabOptions, Wish } from './wish.ts';

/** Longer than for a lab that somebody waits for: a run may bring several up on a busy machine. */
const bootTimeoutMs = 180_000;

/**
 * A lab for cases that would spoil the one they are asked for: the same programs and machine, a directory of
 * its own, and a disk where one is needed. Whoever asks for it takes it down.
 * @throws KnownError as `labUp` does.
 */
export async function labForCases(
  like: LabInfo,
  modes: readonly string[],
  needs: readonly BenchAbility[],
  signal?: AbortSignal,
): Promise<LabInfo> {
  await removeAbandoned();
  const { dir: _, sshPort: _port, ...wish } = JSON.parse(readJournal(like.directory)?.wish ?? '{}') as Wish;
  const options = { ...wish, guests: 1, secondTag: false, disk: diskFor(needs, wish.disk) };
  return labUp({ ...options, name: nameForCases(), modes, bootTimeoutMs, signal }, () => {});
}

/**
 * A lab for one run, with what all checks ask for: a second guest, and each mode under a second tag. Whoever asks
 * for it takes it down.
 * @throws KnownError as `labUp` does.
 */
export async function labForRun(
  options: Pick<
    LabOptions,
    'modes' | 'skipImpossible' | 'qemu' | 'virtiofsd' | 'cVirtiofsd' | 'kernel' | 'signal'
  >,
  onProgress: (progress: Progress) => void,
): Promise<LabInfo> {
  await removeAbandoned();
  return labUp({ ...options, name: nameForCases(), guests: 2, secondTag: true, bootTimeoutMs }, onProgress);
}

function diskFor(needs: readonly BenchAbility[], usual: DiskKind = 'ext4'): DiskKind | undefined {
  if (needs.includes('disk.quota')) return 'btrfs';
  return needs.some((each) => each === 'power.cut' || each.startsWith('disk.')) ? usual : undefined;
}

/** What a run that was killed has left. */
async function removeAbandoned(): Promise<void> {
  for (const { name } of await labList()) {
    const owner = ownerOf(name);
    if (owner !== undefined && identify(owner) === undefined) await labDown(name);
  }
}

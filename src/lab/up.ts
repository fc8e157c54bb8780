import { mkdirSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { KnownError } from '../model/error.ts';
import { parseMode } from '../model/mode.ts';
import { clearLab } from './cleanup.ts';
import { requireSpace, sayingDiskFull } from './disk.ts';
import { type GuestImage, guestImage } from './guest/image.ts';
import { type BroughtUp, bringUpGuest } from './guest-up.ts';
import type { LabInfo } from './info.ts';
import { beginJournal, newLabId, readJournal } from './journal.ts';
import { cannotBeHad, type LeftOut } from './left-out.ts';
import { withLock } from './lock.ts';
import { makeDisk, planDisk, requireRoot, shareOn } from './loop-disk.ts';
import { labDirectory, labLockFile, runDirectory } from './places.ts';
import { findPrograms, type Programs } from './programs/programs.ts';
import { versionOf } from './programs/version.ts';
import { type OnProgress, timed } from './progress.ts';
import { infoFile, labStatus, missingParts } from './status.ts';
import { requireLinux } from './supported.ts';
import { chooseAccelerator } from './trial.ts';
import { backendProgram } from './vm/backend.ts';
import { makeKeys } from './vm/keys.ts';
import { planShares } from './vm/shares.ts';
import { differingFlags, type LabOptions, type Wish, wishOf } from './wish.ts';

const bootTimeoutMs = 60_000;
/** The guest's own archive, keys, logs; the share's content is the user's affair. */
const labBytes = 64 * 1024 * 1024;

/**
 * Brings a lab up, or finds it up already: one guest or more in which each mode's mount has
 * been seen to be there.
 * When this returns, everything runs on without us; when it throws, nothing does.
 * @throws KnownError `lab-differs` (it is up with other options), `program-missing`, `bad-kernel`,
 * `bad-mode`, `mode-not-in-lab`, `bad-directory`, `port-in-use`, `daemon-ended`, `vm-ended`,
 * `guest-not-up`, `guest-failed`, `mount-missing`, `disk-full`, `tree-failed`, `lock-timeout`, `lab-unsupported`.
 */
export async function labUp(options: LabOptions, onProgress: OnProgress): Promise<LabInfo> {
  requireLinux();
  const name = options.name ?? 'default';
  const directory = labDirectory(name);
  const wish = wishOf(options);
  const limitMs = options.bootTimeoutMs ?? bootTimeoutMs;
  const lock = {
    what: `the lab "${name}"`,
    limitMs: limitMs + 60_000,
    onWait: () => onProgress({ text: `waiting for another run that is at work on the lab "${name}"` }),
  };
  requireDirectory(wish.dir);
  if (wish.disk !== undefined) requireRoot(`--disk ${wish.disk}`);
  if (wish.disk !== undefined && wish.dir !== undefined)
    throw new KnownError('bad-flag', '--dir and --disk exclude each other', 'Leave one of them away.');
  requireSpace(directory, labBytes, 'the lab');
  const { programs, image, accelerator } = await prepareLab(options, onProgress);
  const leftOut = await cannotBeHad(wish.modes, programs);
  refuseImpossible(wish, leftOut);
  return withLock(labLockFile(directory), lock, async () => {
    const there = await upAlready(name, wish, onProgress);
    if (there !== undefined) return there;
    try {
      return await sayingDiskFull(directory, labBytes, 'the lab', () =>
        bringUp(
          { name, directory, wish, leftOut, programs, image, accelerator, limitMs, signal: options.signal },
          onProgress,
        ),
      );
    } catch (error) {
      await clearLab(directory, { keepLogs: true });
      throw error;
    }
  });
}

/**
 * Makes what all labs share and what takes long the first time: the tree of programs, the guest's image, and
 * the knowledge whether KVM works here.
 */
export async function prepareLab(
  options: LabOptions,
  onProgress: OnProgress,
): Promise<{ programs: Programs; image: GuestImage; accelerator: 'tcg' | 'kvm' }> {
  const wish = wishOf(options);
  const programs = await findPrograms(wish, onProgress, options.signal);
  const image = await guestImage(programs, onProgress);
  const accelerator =
    wish.accelerator === 'auto' ? await chooseAccelerator(programs, onProgress) : wish.accelerator;
  return { programs, image, accelerator };
}

/** The lab if it is up and as wished; what is left of one that is not wholly up is cleared away. */
async function upAlready(name: string, wish: Wish, onProgress: OnProgress): Promise<LabInfo | undefined> {
  const status = await labStatus(name);
  const directory = status.directory;
  if (status.state === 'up') {
    const flags = differingFlags(readJournal(directory)?.wish ?? '{}', JSON.stringify(wish));
    if (flags.length === 0) {
      onProgress({ text: `the lab "${name}" is up already` });
      return status as LabInfo;
    }
    const flag = name === 'default' ? '' : ` --name ${name}`;
    throw new KnownError(
      'lab-differs',
      `the lab "${name}" is up with other options (${flags.join(', ')})`,
      `Take it down first (vfs-verify lab down${flag}), or give the new one another --name.`,
    );
  }
  const gone = missingParts(directory);
  await clearLab(directory);
  if (status.state === 'broken') {
    const why = gone.length > 0 ? ` (${gone.join(', ')} had ended)` : '';
    onProgress({ text: `cleared away what was left of the lab "${name}"${why}` });
  }
  return undefined;
}

interface Plan {
  readonly name: string;
  readonly directory: string;
  readonly wish: Wish;
  readonly leftOut: readonly LeftOut[];
  readonly programs: Programs;
  readonly image: GuestImage;
  readonly accelerator: 'tcg' | 'kvm';
  readonly limitMs: number;
  readonly signal: AbortSignal | undefined;
}

/** @throws KnownError `mode-not-in-lab` for a mode that cannot be had and was asked for by its name. */
function refuseImpossible({ optional }: Wish, leftOut: readonly LeftOut[]): void {
  const refused = leftOut.find(({ mode }) => !optional.includes(mode));
  if (refused === undefined) return;
  throw new KnownError(
    'mode-not-in-lab',
    `the mode ${refused.mode} cannot be had: ${refused.why}`,
    'Leave it out of --modes, or go on without it: --skip-impossible.',
  );
}

async function bringUp(plan: Plan, onProgress: OnProgress): Promise<LabInfo> {
  const { name, directory, wish, programs } = plan;
  const id = newLabId();
  const sockets = runDirectory(id);
  const disk = wish.disk === undefined ? undefined : planDisk(directory, wish.disk, wish.diskMiB);
  const hostDir = wish.dir ?? (disk === undefined ? join(directory, 'share') : shareOn(disk));
  // What cannot be served is said before anything is made.
  planShares(
    wish.modes.filter((mode) => !plan.leftOut.some((each) => each.mode === mode)),
    { sockets },
  );

  beginJournal(directory, { id, runDirectory: sockets, wish: JSON.stringify(wish) });
  // Not recursive: it must not be there yet, in a directory where others may write.
  mkdirSync(sockets, { mode: 0o700 });
  if (disk === undefined) mkdirSync(hostDir, { recursive: true });
  else await timed(onProgress, `made a disk with ${disk.kind}`, () => makeDisk(directory, disk));

  const keys = await makeKeys(programs.tree.root, directory);
  const guestPlan = { ...plan, lab: name, id, sockets, hostDir, keys };
  const [first, ...others] = await allOrFirstError(
    Array.from({ length: wish.guests }, (_, index) =>
      bringUpGuest(guestPlan, index + 1, index === 0 ? wish.sshPort : undefined, onProgress),
    ),
  );
  const info: LabInfo = {
    schema: 'vfs-verify/lab/1',
    name,
    state: 'up',
    hostDir,
    ...(disk === undefined ? {} : { disk }),
    ...(first as BroughtUp).guest,
    otherGuests: others.map(({ guest }) => guest),
    leftOut: (first as BroughtUp).leftOut,
    programs: {
      qemu: { argv: programs.qemu.argv, version: programs.qemu.version },
      virtiofsd: { argv: programs.virtiofsd.argv, version: programs.virtiofsd.version },
      ...(programs.cVirtiofsd === undefined
        ? {}
        : { 'c-virtiofsd': { argv: programs.cVirtiofsd.argv, version: programs.cVirtiofsd.version } }),
      ...(await ownBackend(wish.modes)),
      'guest-kernel': { argv: [programs.kernel.image], version: programs.kernel.version },
    },
    directory,
    accelerator: plan.accelerator,
  };
  // Written last and whole: that it is there says that the lab came up.
  writeFileSync(`${infoFile(directory)}.fresh`, `${JSON.stringify(info, null, 2)}\n`, { mode: 0o600 });
  renameSync(`${infoFile(directory)}.fresh`, infoFile(directory));
  return info;
}

/** Waits for all of them, so that nothing is still being started when the first error goes on. */
async function allOrFirstError<T>(promises: readonly Promise<T>[]): Promise<T[]> {
  const settled = await Promise.allSettled(promises);
  const failed = settled.find((each) => each.status === 'rejected');
  if (failed !== undefined) throw failed.reason;
  return settled.map((each) => (each as PromiseFulfilledResult<T>).value);
}

/** The lab's own backend, where one of these modes is served by it. */
async function ownBackend(modes: readonly string[]): Promise<LabInfo['programs']> {
  if (modes.every((mode) => parseMode(mode).dax === undefined)) return {};
  const argv = [backendProgram()];
  return { 'lab-backend': { argv, version: await versionOf(argv) } };
}

function requireDirectory(dir: string | undefined): void {
  if (dir === undefined || statSync(dir, { throwIfNoEntry: false })?.isDirectory()) return;
  throw new KnownError('bad-directory', `--dir ${dir}: there is no such directory`, `mkdir -p ${dir}`);
}

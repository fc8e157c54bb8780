import { labDown } from '../lab/down.ts';
import { labInUse } from '../lab/find.ts';
import { labForRun } from '../lab/for-cases.ts';
import { KnownError } from '../model/error.ts';
import { interruption } from './interruption.ts';
import type { SideFlags } from './sides.ts';

/** Programs to be tried, in place of the lab's own. */
export interface ProgramFlags {
  readonly virtiofsd?: string;
  readonly cVirtiofsd?: string;
  readonly qemu?: string;
  readonly kernel?: string;
}

/** The programs that were named, as flags. */
export function programWords({ virtiofsd, cVirtiofsd, qemu, kernel }: ProgramFlags): string[] {
  const named = { virtiofsd, 'c-virtiofsd': cVirtiofsd, qemu, kernel };
  return Object.entries(named).flatMap(([flag, value]) => (value === undefined ? [] : [`--${flag}`, value]));
}

/**
 * Does the work in a lab that is there for it alone, where `--lab` asks for one and programs are named, or none is
 * up; otherwise where the flags say.
 * @param work takes the flags that name the lab.
 * @throws KnownError `bad-flag`, and what bringing a lab up throws.
 */
export async function inLabOfRun<F extends SideFlags & ProgramFlags & { readonly modes?: string }>(
  flags: F,
  work: (flags: F) => Promise<void>,
): Promise<void> {
  const programs = programWords(flags);
  const asked = flags.lab === true && flags.labName === undefined && flags.guest === undefined;
  if (programs.length > 0 && !asked)
    throw new KnownError(
      'bad-flag',
      `${programs[0]} is for a lab that is brought up for this run`,
      'Give it with --lab, without a name and without --guest.',
    );
  if (!asked || (programs.length === 0 && (await labInUse()) !== undefined)) return work(flags);
  const name = await broughtUp(flags);
  if (name === undefined) return;
  try {
    await work({ ...flags, labName: name });
  } finally {
    await labDown(name);
  }
}

/** The name of a lab of our own; undefined where Ctrl-C came first. */
async function broughtUp({
  modes,
  virtiofsd,
  cVirtiofsd,
  qemu,
  kernel,
}: ProgramFlags & { readonly modes?: string }): Promise<string | undefined> {
  const { signal, stop } = interruption();
  const named = modes?.split(',').map((each) => each.trim());
  try {
    const lab = await labForRun(
      { modes: named, virtiofsd, cVirtiofsd, qemu, kernel, signal },
      ({ text }) => void process.stderr.write(`lab: ${text}\n`),
    );
    return lab.name;
  } catch (error) {
    if (!signal.aborted) throw error;
    process.exitCode = 130;
    return undefined;
  } finally {
    stop();
  }
}

import { statSync } from 'node:fs';
import { join } from 'node:path';
import { KnownError } from '../../model/error.ts';
import { parseMode } from '../../model/mode.ts';
import type { OnProgress } from '../progress.ts';
import { cVirtiofsd } from './c-virtiofsd.ts';
import { type Kernel, kernelIn, namedKernel } from './kernel.ts';
import { namedProgram } from './named.ts';
import { type ProgramTree, programTree, treeProgram } from './tree.ts';
import { versionOf } from './version.ts';

/** How a program is run, and what it says it is. */
export interface Program {
  readonly argv: readonly string[];
  readonly version: string;
  /** The program itself, where `argv` begins with a loader. */
  readonly file: string;
}

/** Everything that a lab is made of. */
export interface Programs {
  readonly tree: ProgramTree;
  readonly qemu: Program;
  readonly virtiofsd: Program;
  /** Where a mode is served by it. */
  readonly cVirtiofsd?: Program;
  /** Why there is none, where every mode that it would serve may be left out. */
  readonly noCVirtiofsd?: string;
  readonly kernel: Kernel;
}

/**
 * The programs of a lab: its own, and in their places those that the user named.
 * @throws KnownError as `programTree`, `namedProgram`, `namedKernel` and `cVirtiofsd` do.
 */
export async function findPrograms(
  named: {
    readonly qemu?: string | undefined;
    readonly virtiofsd?: string | undefined;
    readonly cVirtiofsd?: string | undefined;
    readonly kernel?: string | undefined;
    /** Names of the lab's modes. */
    readonly modes: readonly string[];
    /** Those of them that may be left out. */
    readonly optional: readonly string[];
  },
  onProgress: OnProgress,
  signal?: AbortSignal,
): Promise<Programs> {
  // What the user named is looked at first: a typing mistake should not cost the making of a tree.
  const qemu = named.qemu === undefined ? undefined : await own('--qemu', named.qemu);
  const virtiofsd = named.virtiofsd === undefined ? undefined : await own('--virtiofsd', named.virtiofsd);
  const c = named.cVirtiofsd === undefined ? undefined : await own('--c-virtiofsd', named.cVirtiofsd);
  const kernel = named.kernel === undefined ? undefined : await namedKernel(named.kernel, onProgress);
  const cDaemon = await cDaemonFor(named.modes, named.optional, () => c ?? cVirtiofsd(onProgress));
  const tree = await programTree(onProgress, signal);
  const data = ['qemu', 'seabios'].flatMap((name) => ['-L', join(tree.root, 'usr/share', name)]);
  return {
    tree,
    qemu: qemu ?? {
      argv: [...treeProgram(tree.root, 'usr/bin/qemu-system-x86_64'), ...data],
      version: tree.versions.qemu,
      file: join(tree.root, 'usr/bin/qemu-system-x86_64'),
    },
    virtiofsd: virtiofsd ?? {
      argv: treeProgram(tree.root, 'usr/libexec/virtiofsd'),
      version: tree.versions.virtiofsd,
      file: join(tree.root, 'usr/libexec/virtiofsd'),
    },
    ...cDaemon,
    kernel: kernel ?? kernelIn(tree.root),
  };
}

async function cDaemonFor(
  modes: readonly string[],
  optional: readonly string[],
  find: () => Program | Promise<Program>,
): Promise<Pick<Programs, 'cVirtiofsd' | 'noCVirtiofsd'>> {
  const served = modes.filter((mode) => parseMode(mode).server === 'c');
  if (served.length === 0) return {};
  try {
    return { cVirtiofsd: await find() };
  } catch (error) {
    if (!(error instanceof KnownError) || !served.every((mode) => optional.includes(mode))) throw error;
    return { noCVirtiofsd: error.message };
  }
}

async function own(option: string, given: string): Promise<Program> {
  const file = namedProgram(option, given);
  return { argv: [file], version: await versionOf([file]), file };
}

/** Tells one build of a program from another: its argv, and its file's size and time of change. */
export function programKey(program: Program): string {
  const { size, mtimeMs } = statSync(program.file);
  return JSON.stringify([program.argv, size, mtimeMs]);
}

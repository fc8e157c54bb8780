import { randomBytes } from 'node:crypto';
import { appendFileSync, existsSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { identify, type ProcessIdentity } from './processes.ts';

/**
 * What a lab has made outside its own directory, written down before it is made. Whoever comes after a
 * killed run reads here what there is to end and to remove.
 */
export interface Journal {
  /** Unique among all labs of all users and times. */
  readonly id: string;
  /** Of the boot in which it was put up: after another one none of its processes can be left. */
  readonly bootId: string;
  /** Where the sockets are. */
  readonly runDirectory: string;
  /** What the lab was asked to be (see `sameWish`). */
  readonly wish: string;
  readonly processes: readonly (ProcessIdentity & { readonly role: string })[];
  /** Directories on which it has mounted file systems, the first first. */
  readonly mounts: readonly string[];
}

type Line =
  | {
      readonly what: 'lab';
      readonly id: string;
      readonly bootId: string;
      readonly runDirectory: string;
      readonly wish: string;
    }
  | { readonly what: 'process'; readonly role: string; readonly pid: number; readonly startTime: number }
  | { readonly what: 'ended'; readonly role: string }
  | { readonly what: 'mount'; readonly on: string };

const fileIn = (directory: string) => join(directory, 'journal.jsonl');

/** A lab's id: short, since it is part of a socket's path. */
export function newLabId(): string {
  return randomBytes(6).toString('hex');
}

/** What every process of the lab carries in its environment, and what it passes on to those it starts. */
export function labMark(id: string): { readonly env: Record<string, string>; readonly mark: string } {
  return { env: { VFS_VERIFY_LAB: id }, mark: `VFS_VERIFY_LAB=${id}` };
}

/** This boot of the machine. */
export function currentBootId(): string {
  return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
}

/** Makes a lab's directory and begins its journal. */
export function beginJournal(
  directory: string,
  lab: { readonly id: string; readonly runDirectory: string; readonly wish: string },
): void {
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  write(directory, { what: 'lab', bootId: currentBootId(), ...lab });
}

/** Writes down a process that has just been started. */
export function noteProcess(directory: string, role: string, pid: number): ProcessIdentity | undefined {
  const identity = identify(pid);
  if (identity !== undefined) write(directory, { what: 'process', role, ...identity });
  return identity;
}

/** Writes down that processes with this role were ended on purpose: the lab is whole without them. */
export function noteEnded(directory: string, role: string): void {
  write(directory, { what: 'ended', role });
}

/** Writes down that a file system is about to be mounted here. */
export function noteMount(directory: string, on: string): void {
  write(directory, { what: 'mount', on });
}

/** Reads a lab's journal; undefined where there is none, or nothing whole in it. */
export function readJournal(directory: string): Journal | undefined {
  if (!existsSync(fileIn(directory))) return undefined;
  let lab: (Line & { what: 'lab' }) | undefined;
  let processes: (ProcessIdentity & { role: string })[] = [];
  const mounts: string[] = [];
  for (const text of readFileSync(fileIn(directory), 'utf8').split('\n')) {
    const line = parseLine(text);
    if (line?.what === 'lab') lab = line;
    if (line?.what === 'process') {
      processes.push({ role: line.role, pid: line.pid, startTime: line.startTime });
    }
    if (line?.what === 'ended') processes = processes.filter(({ role }) => role !== line.role);
    if (line?.what === 'mount') mounts.push(line.on);
  }
  if (lab === undefined) return undefined;
  const { id, bootId, runDirectory, wish } = lab;
  return { id, bootId, runDirectory, wish, processes, mounts };
}

/** The newest process of each role: one that took over from another (a worker from its parent) is later. */
export function currentProcesses(journal: Journal): Journal['processes'] {
  return [...new Map(journal.processes.map((each) => [each.role, each])).values()];
}

/** The last line may be torn: its writer was killed, or the disk was full. */
function parseLine(text: string): Line | undefined {
  try {
    return JSON.parse(text) as Line;
  } catch {
    return undefined;
  }
}

function write(directory: string, line: Line): void {
  appendFileSync(fileIn(directory), `${JSON.stringify(line)}\n`, { mode: 0o600 });
}

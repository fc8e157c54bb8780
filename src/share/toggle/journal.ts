import {
  closeSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readFileSync,
  rmSync,
  writeSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { KnownError } from '../../model/error.ts';
import type { ShareState } from './toggle.ts';

/** What a share was before it was first toggled, and how far the last toggle came. */
export interface ToggleJournal {
  /** How it is toggled: a form's name and its argument. */
  readonly form: string;
  readonly argument: string | undefined;
  readonly original: ShareState;
  /** `about` of every step that was begun. */
  readonly begun: readonly unknown[];
  /** The title of the step at which a process was killed, or failed; undefined where the last toggle ended well. */
  readonly interrupted: string | undefined;
  /** The process that is at it now. */
  readonly busy: number | undefined;
  /** The mode that it was last put into. */
  readonly mode: string | undefined;
}

type Line =
  | {
      readonly what: 'share';
      readonly schema: 'vfs-verify/toggle/1';
      readonly form: string;
      readonly argument?: string;
      readonly original: ShareState;
    }
  | {
      readonly what: 'turn';
      readonly to: string | undefined;
      readonly pid: number;
      readonly startTime: number;
    }
  | { readonly what: 'step'; readonly title: string; readonly about?: unknown }
  | { readonly what: 'done'; readonly mode: string | undefined };

const fileIn = (directory: string) => join(directory, 'journal.jsonl');

/** Writes one line, which is on the disk when this returns. */
export function noteLine(directory: string, line: Line): void {
  const file = fileIn(directory);
  const isNew = !existsSync(file);
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  const handle = openSync(file, 'a', 0o600);
  try {
    writeSync(handle, `${JSON.stringify(line)}\n`);
    fsyncSync(handle);
  } finally {
    closeSync(handle);
  }
  if (isNew) syncDirectory(directory);
}

/** The name is on the disk only when its directory is. */
function syncDirectory(directory: string): void {
  for (const each of [directory, dirname(directory)]) {
    const handle = openSync(each, 'r');
    try {
      fsyncSync(handle);
    } finally {
      closeSync(handle);
    }
  }
}

/** A line that says that this process begins to toggle. */
export function turnLine(to: string | undefined): Line {
  return { what: 'turn', to, pid: process.pid, startTime: startTimeOf(process.pid) ?? 0 };
}

/**
 * Reads a share's journal; undefined where the share is as it always was.
 * @throws KnownError `journal-damaged`: it is there, and does not say how the share was.
 */
export function readJournal(directory: string): ToggleJournal | undefined {
  const file = fileIn(directory);
  if (!existsSync(file)) return undefined;
  const lines = readFileSync(file, 'utf8').split('\n').flatMap(parsed);
  const share = lines.find((line) => line.what === 'share');
  // A line that is torn was being written when its writer ended: nothing had been begun by then.
  if (share === undefined && lines.length === 0) return undefined;
  if (share === undefined || share.schema !== 'vfs-verify/toggle/1')
    throw new KnownError(
      'journal-damaged',
      `${file} does not say how the share was`,
      'It was written by another version, or is damaged: bring the share back by hand, then remove that file.',
    );
  const last = lines.filter(({ what }) => what === 'step' || what === 'done').at(-1);
  const turn = lines.filter((line) => line.what === 'turn').at(-1);
  const ended = lines.findLastIndex(({ what }) => what === 'done') > lines.lastIndexOf(turn ?? share);
  const runs = turn !== undefined && turn.startTime === startTimeOf(turn.pid);
  return {
    form: share.form,
    argument: share.argument,
    original: share.original,
    begun: lines.flatMap((line) => (line.what === 'step' && line.about !== undefined ? [line.about] : [])),
    interrupted: ended ? undefined : last?.what === 'step' ? last.title : 'the beginning',
    busy: !ended && runs && turn.pid !== process.pid ? turn.pid : undefined,
    mode: lines.filter((line) => line.what === 'done').at(-1)?.mode,
  };
}

/** The share is as it was: there is nothing more to remember, nor a log to read. */
export function removeJournal(directory: string): void {
  rmSync(directory, { recursive: true, force: true });
}

function parsed(text: string): Line[] {
  try {
    return [JSON.parse(text) as Line];
  } catch {
    return [];
  }
}

/** In clock ticks after boot: numbers of processes come again, this pair does not. */
function startTimeOf(pid: number): number | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'latin1');
    return Number(text.slice(text.lastIndexOf(')') + 2).split(' ')[19]);
  } catch {
    return undefined;
  }
}

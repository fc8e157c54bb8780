import { type Found, found } from './found.ts';
import type { JobOptions } from './saved-run.ts';

/** fio's own other names for options that are asked for here. */
const aliases: Readonly<Record<string, string>> = {
  blocksize: 'bs',
  readwrite: 'rw',
  timeout: 'runtime',
  io_limit: 'io_size',
};

/** A command as it was typed, with the options of each of its jobs. */
export interface FioCommand {
  readonly words: readonly string[];
  readonly at: number;
  readonly end: number;
  /** By job name; a command without `--name` has none. */
  readonly jobs: ReadonlyMap<string, JobOptions>;
  /** A job file was named: its options are not known. */
  readonly hasJobFile: boolean;
}

const commandStart = /(?:^|[\s$#%>`"'/])fio(?=[ \t\\]+-{1,2}[a-zA-Z])/g;
const maxCommand = 8192;

/** Every fio command in a text; the prompt or path before it does not matter. */
export function fioCommands(text: string): FioCommand[] {
  const commands: FioCommand[] = [];
  commandStart.lastIndex = 0;
  for (let match = commandStart.exec(text); match !== null && commands.length < 1000; ) {
    const at = match.index + match[0].length - 3;
    const command = readCommand(text.slice(at, at + maxCommand), at);
    commands.push(command);
    commandStart.lastIndex = Math.max(command.end, commandStart.lastIndex);
    match = commandStart.exec(text);
  }
  return commands;
}

interface Word {
  readonly text: string;
  readonly at: number;
  readonly end: number;
}

function readCommand(text: string, offset: number): FioCommand {
  const words: Word[] = [];
  let hasJobFile = false;
  for (const word of shellWords(text)) {
    if (words.length === 0 || word.text.startsWith('-')) {
      words.push(word);
      continue;
    }
    const before = words.at(-1)?.text ?? '';
    if (takesNext(before) && !word.text.endsWith(':')) words.push(word);
    else if (/\.(?:fio|ini|job|conf)$/.test(word.text)) {
      hasJobFile = true;
      words.push(word);
    } else break;
  }
  const jobs = new Map<string, Map<string, Found<string>>>();
  const global = new Map<string, Found<string>>();
  let current = global;
  for (let index = 1; index < words.length; index += 1) {
    const word = words[index];
    if (word === undefined || !word.text.startsWith('-')) continue;
    const [, name = '', joined] = /^-{1,2}([\w-]+)(?:=(.*))?$/s.exec(word.text) ?? [];
    const next = words[index + 1];
    const value = joined ?? (next === undefined || next.text.startsWith('-') ? '1' : next.text);
    if (name === 'name') {
      current = new Map(global);
      jobs.set(value, current);
    }
    current.set(optionName(name), found(value, offset + word.at));
  }
  return {
    words: words.map((word) => word.text),
    at: offset,
    end: offset + (words.at(-1)?.end ?? 3),
    jobs,
    hasJobFile,
  };
}

/** Flags that are complete without a value. */
const bare = new Set([
  'time_based',
  'group_reporting',
  'thread',
  'stonewall',
  'minimal',
  'norandommap',
  'new_group',
]);

function takesNext(word: string): boolean {
  return word.startsWith('-') && !word.includes('=') && !bare.has(word.replace(/^-+/, ''));
}

export function optionName(name: string): string {
  const plain = name.replaceAll('-', '_');
  return aliases[plain] ?? plain;
}

/** Words as a shell splits them, up to the end of the command. */
function* shellWords(text: string): Generator<Word> {
  const piece = /\\\r?\n|[ \t]+|"([^"\r\n]{0,1000})"|'([^'\r\n]{0,1000})'|\\(.)|[\r\n;|&]|[^\s"'\\;|&]+/gy;
  let [word, at, end, open] = ['', 0, 0, false];
  for (let match = piece.exec(text); match !== null; match = piece.exec(text)) {
    const [all, double, single, escaped] = match;
    if (/^(?:[ \t]+|\\\r?\n)$/.test(all)) {
      if (open) yield { text: word, at, end };
      [word, open] = ['', false];
      continue;
    }
    if (/^[\r\n;|&]$/.test(all)) break;
    if (!open) at = match.index;
    word += double ?? single ?? escaped ?? all;
    [open, end] = [true, match.index + all.length];
  }
  if (open) yield { text: word, at, end };
}

/** Options of a job file that was saved with the output: `[job]` sections of `name=value` lines. */
export function jobFileOptions(text: string, from: number, to: number): ReadonlyMap<string, JobOptions> {
  const region = text.slice(from, Math.min(to, from + 65_536));
  const jobs = new Map<string, Map<string, Found<string>>>();
  let global = new Map<string, Found<string>>();
  let current: Map<string, Found<string>> | undefined;
  const line =
    /^[ \t]{0,16}(?:\[([^\]\r\n]{1,200})\]|([a-z_]{2,40})(?:[ \t]{0,8}=[ \t]{0,8}([^\r\n]{0,400}))?)[ \t\r]*$/gm;
  for (const match of region.matchAll(line)) {
    const [, section, name, value] = match;
    if (section === 'global') current = global = new Map();
    else if (section !== undefined) {
      current = new Map(global);
      jobs.set(section, current);
    } else if (name !== undefined)
      current?.set(optionName(name), found((value ?? '1').trim(), from + match.index));
  }
  return jobs;
}

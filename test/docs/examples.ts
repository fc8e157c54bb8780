import { readdirSync, readFileSync } from 'node:fs';
import { mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';

/**
 * The examples in the documentation: every block of a terminal session (```console) in README.md and docs. A comment
 * above one says what it needs:
 *
 * ```
 * <!-- example: lab, status 1 -->              a lab with the modes that it has by itself; how its last command ends
 * <!-- example: status 2
 * before: seq 9 >numbers -->                   a line of the shell that makes what it is about
 * <!-- not run: the reason -->                 an example that the suite cannot run
 * ```
 */
export interface Example {
  /** `docs/tutorial.md:12` */
  readonly place: string;
  readonly commands: readonly { readonly command: string; readonly output: readonly string[] }[];
  readonly needsLab: boolean;
  readonly status: number;
  readonly before: string | undefined;
  readonly notRun: string | undefined;
}

export const root = fileURLToPath(new URL('../..', import.meta.url));

/** One command may take so long, on a machine that has much else to do. */
export const commandMs = 200_000;

/** The pages, relative to the root. */
export function pages(): readonly string[] {
  const docs = readdirSync(path.join(root, 'docs'), { recursive: true, encoding: 'utf8' });
  return ['README.md', ...docs.filter((name) => name.endsWith('.md')).map((name) => `docs/${name}`)].sort();
}

/** A fenced block, with the comment right above it. */
export interface Block {
  readonly place: string;
  readonly info: string;
  readonly lines: readonly string[];
  readonly comment: string;
}

export function blocksOf(page: string): readonly Block[] {
  const text = readFileSync(path.join(root, page), 'utf8');
  const fenced = /(?:<!--((?:(?!-->)[\s\S])*)-->\n+)?^```(\w*)\n([\s\S]*?)^```$/gm;
  return [...text.matchAll(fenced)].map(
    ({ 0: whole, 1: comment = '', 2: info = '', 3: body = '', index }) => ({
      place: `${page}:${text.slice(0, index + whole.indexOf('```')).split('\n').length}`,
      info,
      lines: body.trimEnd().split('\n'),
      comment: comment.trim(),
    }),
  );
}

/** Whether somebody who reads it would type our command. */
export function isSession({ info, lines }: Block): boolean {
  return info === 'console' || (info !== 'text' && lines.some((line) => /^(\$ )?vfs-verify /.test(line)));
}

function exampleOf({ place, comment, lines }: Block): Example {
  const [first = '', ...rest] = comment.split('\n');
  const notRun = /^not run: ([\s\S]*)$/.exec(comment)?.[1];
  const words =
    /^example:(.*)$/
      .exec(first)?.[1]
      ?.split(',')
      .map((word) => word.trim()) ?? [];
  const before = rest.join('\n').replace(/^before:\s*/, '');
  return {
    place,
    commands: commandsOf(lines),
    needsLab: words.includes('lab'),
    status: Number(words.find((word) => word.startsWith('status '))?.slice('status '.length) ?? 0),
    before: before === '' ? undefined : before,
    notRun: notRun?.replaceAll(/\s+/g, ' '),
  };
}

/** Lines that begin with `$ ` and those that continue them, each with what it printed. */
function commandsOf(lines: readonly string[]): Example['commands'] {
  const commands: { command: string; output: string[] }[] = [];
  let open = false;
  for (const line of lines) {
    const last = commands.at(-1);
    if (open && last !== undefined) last.command += `\n${line}`;
    else if (line.startsWith('$ ')) commands.push({ command: line.slice(2), output: [] });
    else last?.output.push(line);
    open = (open || line.startsWith('$ ')) && line.endsWith('\\');
  }
  return commands;
}

/** All of them that are to be run, and those that are not. */
export function examples(): readonly Example[] {
  return pages().flatMap(blocksOf).filter(isSession).map(exampleOf);
}

/**
 * What text says without its figures: words, in their order. Numbers, digests, units and bars are all one; where a
 * line is broken does not matter.
 */
function shapeOf(text: string): readonly string[] {
  return text
    .split(/\s+/)
    .map((word) =>
      word
        .replaceAll(/\S*(?=\/vfs-verify\/labs\/)/g, '')
        .replaceAll(/\b[0-9a-f]{7,}\b…?/g, '#')
        .replaceAll(/[<>≤≥~]?\d[\d.,]*/g, '#')
        .replaceAll(/^(?:B|KiB|MiB|GiB|ns|µs|ms|s|min)(?=[),;:.]*$|\/s)/g, 'unit')
        .replaceAll(/[\u2580-\u259f▁·]+/g, ''),
    )
    .filter((word) => word !== '');
}

/**
 * Where what was printed has another shape than what is written; undefined where it has the same. A line that begins
 * with `…`, and the end of one that ends with it, stand for anything.
 */
export function differenceOf(written: readonly string[], printed: string): string | undefined {
  const there = shapeOf(printed);
  let at = 0;
  let anywhere = false;
  for (const part of partsOf(written)) {
    if (part === 'anything') {
      anywhere = true;
      continue;
    }
    const from = anywhere ? indexOf(there, part, at) : startsAt(there, part, at) ? at : -1;
    if (from < 0) return `not in the place of "${part.slice(0, 12).join(' ')} …"`;
    at = from + part.length;
    anywhere = false;
  }
  return anywhere || at === there.length ? undefined : `more than is written: "${there.slice(at).join(' ')}"`;
}

function partsOf(lines: readonly string[]): (readonly string[] | 'anything')[] {
  const parts: (string[] | 'anything')[] = [];
  for (const line of lines) {
    const last = parts.at(-1);
    if (line.trimStart().startsWith('…')) parts.push('anything');
    else {
      const words = shapeOf(line.replace(/ …$/, ''));
      if (Array.isArray(last)) last.push(...words);
      else parts.push([...words]);
      if (line.endsWith(' …')) parts.push('anything');
    }
  }
  return parts.filter((part) => part.length > 0);
}

function startsAt(there: readonly string[], part: readonly string[], at: number): boolean {
  return part.every((word, index) => there[at + index] === word);
}

function indexOf(there: readonly string[], part: readonly string[], from: number): number {
  for (let at = from; at + part.length <= there.length; at += 1) if (startsAt(there, part, at)) return at;
  return -1;
}

function lines(...all: readonly string[]): string {
  return `${all.join('\n')}\n`;
}

function namingLab(lab: string): readonly string[] {
  return [
    'case "$*" in',
    '  *--guest*|*--lab*) ;;',
    `  md5*|reads*|residency*|drop*|mode*|explain*|check*) one=$1; shift; set -- "$one" --lab=${lab} "$@" ;;`,
    'esac',
  ];
}

/** A directory in which examples are run: `vfs-verify` is on the PATH, and the project's docs are there. */
export interface Place {
  readonly directory: string;
  /** What is wrong with an example; undefined for one that is as it is written. */
  run(example: Example): Promise<string | undefined>;
  remove(): Promise<void>;
}

/**
 * @param lab is named to every command that works on a share and says nothing of a guest: a reader's machine has no other.
 */
export async function makePlace(lab?: string): Promise<Place> {
  const directory = await mkdtemp(path.join(tmpdir(), 'vfs-verify-docs-'));
  const program = path.join(root, 'bin/vfs-verify.js');
  await writeFile(
    path.join(directory, 'vfs-verify'),
    lines(
      '#!/bin/sh',
      ...(lab === undefined ? [] : namingLab(lab)),
      `exec '${process.execPath}' '${program}' "$@"`,
    ),
    {
      mode: 0o755,
    },
  );
  for (const name of ['docs', 'checks', 'examples'])
    await symlink(path.join(root, name), path.join(directory, name));
  const shell = async (command: string) =>
    execa('bash', ['-c', command], {
      cwd: directory,
      env: { PATH: `${directory}:${process.env.PATH}`, NO_COLOR: '1' },
      reject: false,
      all: true,
      stdin: 'ignore',
      timeout: commandMs,
    });
  return {
    directory,
    async run({ before, commands, status }) {
      if (before !== undefined) {
        const made = await shell(before);
        if (made.exitCode !== 0) return `what comes before it failed: ${made.all}`;
      }
      for (const [index, { command, output }] of commands.entries()) {
        const { exitCode, stdout, all } = await shell(command);
        const expected = index === commands.length - 1 ? status : 0;
        if (exitCode !== expected) return `$ ${command}\nended with ${exitCode} and not ${expected}:\n${all}`;
        // A session that shows a command alone says nothing of what it prints.
        if (output.every((line) => line.trim() === '')) continue;
        const difference = differenceOf(output, stdout) && differenceOf(output, all);
        if (difference !== undefined) return `$ ${command}\n${difference}; it printed:\n${all}`;
      }
      return undefined;
    },
    remove: () => rm(directory, { recursive: true, force: true }),
  };
}

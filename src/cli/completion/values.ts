import type { Argument, Command, Option } from 'commander';
import { rows } from '../../contract/rows.ts';
import { labList } from '../../lab/status.ts';
import { allModes } from '../../model/mode.ts';
import { describeCheck } from '../../run/describe.ts';
import { loadAll } from '../load-all.ts';
import type { Answer, Candidate } from './answer.ts';

/** The words that a flag knows, where they are few and always the same: of every command, or of each that is named. */
export const fixedWords: Readonly<
  Record<string, readonly string[] | { readonly [command: string]: readonly string[] }>
> = {
  '--algo': ['md5', 'sha256', 'xxh3'],
  '--order': ['seq', 'random'],
  '--drop': ['none', 'guest', 'host', 'both'],
  '--side': ['guest', 'host', 'both'],
  '--states': ['cold', 'host-warm', 'guest-warm'],
  '--device': ['hdd', 'ssd', 'nvme'],
  '--share': { diagnose: ['virtiofs', '9p'] },
  '--sudo': ['host', 'guest', 'both'],
  '--via': ['lab', 'qmp:', 'libvirt:', 'remount', 'hook:'],
  '--report': {
    check: ['text=', 'json=', 'junit=', 'html='],
    judge: ['text=', 'json=', 'junit=', 'html='],
    explain: ['text=', 'json=', 'html=', 'csv='],
  },
  '--guest': ['local', 'ssh://', 'exec:'],
  '--host': ['local', 'ssh://', 'exec:'],
};

/** What takes several words, joined by commas. */
const lists = ['--modes', '--states'];
const modeFlags = ['--modes', '--mode', '--set'];

/** Values of a flag or an argument: what the program itself knows, else names of files where it takes one. */
export async function valuesOf(of: Option | Argument, command: Command, typed: string): Promise<Answer> {
  const flag = 'long' in of ? of.long : undefined;
  const found = await knownValues(of, flag, command, typed);
  if (found !== undefined) return { candidates: found, files: false };
  return { candidates: [], files: /file|dir|path|program|bundle|report|command/.test(placeholderOf(of)) };
}

async function knownValues(
  of: Option | Argument,
  flag: string | undefined,
  command: Command,
  typed: string,
): Promise<readonly Candidate[] | undefined> {
  if (of.argChoices !== undefined) return of.argChoices.map(word);
  const words = flag === undefined ? undefined : modeFlags.includes(flag) ? allModes : wordsOf(flag, command);
  if (words !== undefined && flag !== undefined)
    return lists.includes(flag) ? joined(words, typed) : words.map(word);
  const placeholder = placeholderOf(of);
  const inLab = command.parent?.name() === 'lab';
  if (flag === '--lab' || (inLab && placeholder === 'name')) return labNames();
  if (flag === undefined && placeholder === 'name' && command.name() === 'check') return checkNames(typed);
  if (flag === undefined && placeholder === 'scenario') return scenarios();
  return undefined;
}

function wordsOf(flag: string, command: Command): readonly string[] | undefined {
  const words = fixedWords[flag];
  return words === undefined || isList(words) ? words : words[command.name()];
}

function isList(words: (typeof fixedWords)[string]): words is readonly string[] {
  return Array.isArray(words);
}

/** `file` of `-o, --output <file>` and of `<file...>`. */
function placeholderOf(of: Option | Argument): string {
  return 'long' in of ? (/[<[]([^>\]]*)/.exec(of.flags)?.[1] ?? '') : of.name();
}

function word(value: string): Candidate {
  return { value };
}

/** One more word of a list, after those that are there. */
function joined(words: readonly string[], typed: string): readonly Candidate[] {
  const before = typed.slice(0, typed.lastIndexOf(',') + 1);
  const given = before.split(',');
  return words.filter((each) => !given.includes(each)).map((each) => ({ value: `${before}${each}` }));
}

async function labNames(): Promise<readonly Candidate[]> {
  return (await labList()).map(({ name, state }) => ({ value: name, means: state }));
}

/** Checks, and the cases of one when its name and a slash are there. */
async function checkNames(typed: string): Promise<readonly Candidate[]> {
  const checks = (await loadAll(undefined)).map(({ check }) => check);
  const chosen = checks.find(({ name }) => typed.startsWith(`${name}/`));
  return chosen === undefined
    ? checks.map(({ name, title }) => ({ value: name, means: title }))
    : describeCheck(chosen).cases.map(({ name }) => ({ value: `${chosen.name}/${name}` }));
}

function scenarios(): readonly Candidate[] {
  const topics = new Set(rows.map(({ scenario }) => scenario.split('/')[0] ?? scenario));
  return [
    ...[...topics].map(word),
    ...rows.map(({ scenario, title }) => ({ value: scenario, means: title })),
  ];
}

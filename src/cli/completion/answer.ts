import type { Argument, Command, Option } from 'commander';

/** One word that could stand there, and what it means in a few words. */
export interface Candidate {
  readonly value: string;
  readonly means?: string;
}

/** What could stand where the user is. `files`: names of this machine's files as well. */
export interface Answer {
  readonly candidates: readonly Candidate[];
  readonly files: boolean;
}

/** What a value of a flag or an argument can be, given what has been typed of it. */
export type Values = (of: Option | Argument, command: Command, typed: string) => Promise<Answer>;

/**
 * What could stand in the place of the last word of a command line.
 * @param root the whole program. @param words without the program's own name; the last is the one that is being
 * typed, and may be empty.
 */
export async function answerFor(root: Command, words: readonly string[], values: Values): Promise<Answer> {
  const typed = words.at(-1) ?? '';
  const { command, operands, awaiting, onlyOperands } = readWords(root, words.slice(0, -1));
  if (awaiting !== undefined) return startingWith(typed, await values(awaiting, command, typed));
  if (!onlyOperands && typed.startsWith('-')) return ofFlag(command, typed, values);
  if (operands === 0 && command.commands.length > 0) return startingWith(typed, ofCommands(command));
  const given = command.registeredArguments;
  const argument = given[operands] ?? (given.at(-1)?.variadic === true ? given.at(-1) : undefined);
  return argument === undefined ? nothing : startingWith(typed, await values(argument, command, typed));
}

const nothing: Answer = { candidates: [], files: false };

interface Place {
  readonly command: Command;
  /** How many there are already. */
  readonly operands: number;
  /** The flag whose value comes next. */
  readonly awaiting: Option | undefined;
  readonly onlyOperands: boolean;
}

/** Reads what has been typed, as commander would. */
function readWords(root: Command, words: readonly string[]): Place {
  let place: Place = { command: root, operands: 0, awaiting: undefined, onlyOperands: false };
  for (const word of words) place = afterWord(place, word);
  return place;
}

function afterWord(place: Place, word: string): Place {
  const { command, operands, awaiting, onlyOperands } = place;
  if (awaiting !== undefined) return { ...place, awaiting: undefined };
  if (!onlyOperands && word === '--') return { ...place, onlyOperands: true };
  if (!onlyOperands && word.startsWith('-')) {
    const option = command.options.find(({ long, short }) => long === word || short === word);
    return option?.required === true ? { ...place, awaiting: option } : place;
  }
  const sub = operands === 0 ? command.commands.find((each) => each.name() === word) : undefined;
  if (sub !== undefined) return { ...place, command: sub };
  return { ...place, operands: operands + 1, onlyOperands: onlyOperands || passesThrough(command) };
}

/**
 * Whether what follows the first operand belongs to another program (`explain`, `lab exec`). Commander is told so
 * by passThroughOptions(), and has no way to ask for it.
 */
function passesThrough(command: Command): boolean {
  return (command as unknown as { _passThroughOptions?: boolean })._passThroughOptions === true;
}

async function ofFlag(command: Command, typed: string, values: Values): Promise<Answer> {
  const [flag = '', ...value] = typed.split('=');
  const help = command.createHelp();
  const options = help.visibleOptions(command);
  if (value.length > 0) {
    const option = options.find((each) => each.long === flag);
    if (option === undefined) return nothing;
    const { candidates } = await values(option, command, value.join('='));
    return startingWith(typed, {
      candidates: candidates.map((each) => ({ ...each, value: `${flag}=${each.value}` })),
      files: false,
    });
  }
  const candidates = options.flatMap((option) => {
    const means = help.optionDescription(option);
    return option.long === undefined ? [] : [{ value: option.long, means }];
  });
  return startingWith(typed, { candidates, files: false });
}

function ofCommands(command: Command): Answer {
  const help = command.createHelp();
  const candidates = help
    .visibleCommands(command)
    .map((each) => ({ value: each.name(), means: help.subcommandDescription(each) }));
  return { candidates, files: false };
}

function startingWith(typed: string, { candidates, files }: Answer): Answer {
  return { candidates: candidates.filter(({ value }) => value.startsWith(typed)), files };
}

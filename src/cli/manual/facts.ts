import type { Command } from 'commander';

/** A flag or an argument, and what it means. */
export interface Term {
  readonly term: string;
  readonly means: string;
}

/** A command as its help tells it: what the manual and the pages in docs/commands are made from. */
export interface CommandFacts {
  /** `lab up`; empty for the program itself. */
  readonly name: string;
  /** `vfs-verify lab up [options] [name]` */
  readonly usage: string;
  readonly description: string;
  readonly arguments: readonly Term[];
  readonly flags: readonly Term[];
  readonly commands: readonly CommandFacts[];
}

/** What commander knows of a command and of those below it; nothing that is hidden. */
export function factsOf(command: Command, above: readonly string[] = []): CommandFacts {
  const help = command.createHelp();
  const names = command.parent === null ? above : [...above, command.name()];
  return {
    name: names.join(' '),
    usage: help.commandUsage(command),
    description: command.description(),
    arguments: help
      .visibleArguments(command)
      .map((each) => ({ term: help.argumentTerm(each), means: help.argumentDescription(each) })),
    flags: help
      .visibleOptions(command)
      .map((each) => ({ term: help.optionTerm(each), means: help.optionDescription(each) })),
    commands: help
      .visibleCommands(command)
      .filter((each) => each.name() !== 'help')
      .map((each) => factsOf(each, names)),
  };
}

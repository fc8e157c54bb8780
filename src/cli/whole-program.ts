import type { Command } from 'commander';
import { labCommand } from './lab.ts';
import { program } from './program.ts';

/** The program with the commands of `lab` in it: for completion, the manual and the pages in docs/commands. */
export function wholeProgram(): Command {
  return program(labCommand().name('lab'));
}

import { answerFor } from './completion/answer.ts';
import { scripts, type shells } from './completion/scripts.ts';
import { wholeProgram } from './whole-program.ts';

/** `vfs-verify completion SHELL`: what that shell reads to complete our commands. */
export function completion(shell: (typeof shells)[number]): void {
  process.stdout.write(scripts[shell]);
}

/** What those scripts ask: each word that could stand in the place of the last one, a line each. */
export async function complete(words: readonly string[]): Promise<void> {
  // Its contract, checks and labs are loaded only where a value is asked for.
  const { candidates, files } = await answerFor(wholeProgram(), words, async (...asked) =>
    (await import('./completion/values.ts')).valuesOf(...asked),
  );
  const lines = candidates.map(({ value, means = '' }) => `${value}\t${means.replaceAll(/\s+/g, ' ')}\n`);
  process.stdout.write(`${lines.join('')}${files ? ':files\n' : ''}`);
}

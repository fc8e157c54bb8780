import { parseArgs } from 'node:util';
import { TaskError, UsageAsked } from './child.mjs';

/**
 * Reads a task's flags as parseArgs does. `--help` and a flag that is not known end the task with its usage.
 * @template {import('node:util').ParseArgsConfig} Config
 * @param {string} usage
 * @param {Config} config
 */
export function readFlags(usage, config) {
  const words = config.args ?? process.argv.slice(2);
  if (words.some((word) => word === '--help' || word === '-h')) throw new UsageAsked(usage);
  try {
    return parseArgs(config);
  } catch (error) {
    if (!(error instanceof TypeError && 'code' in error && /^ERR_PARSE_ARGS/.test(String(error.code))))
      throw error;
    // What follows its first sentence is about the shell's "--".
    const [sentence = ''] = error.message.split(/\. |\n/);
    throw new TaskError(`${sentence}\n${usage}`);
  }
}

/**
 * A whole number above 0.
 * @param {string} text
 * @param {string} flag
 */
export function count(text, flag) {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1) throw new TaskError(`${flag} ${text} is no number above 0`);
  return value;
}

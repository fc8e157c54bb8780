import { createRequire } from 'node:module';

// By require: a CommonJS package that is imported is read once more for its names, and --help would wait for that.
const commander = createRequire(import.meta.url)('commander') as typeof import('commander');

export const { Argument, Command, CommanderError, Option } = commander;

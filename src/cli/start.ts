import { readFileSync } from 'node:fs';
import { CommanderError } from 'commander';
import { userArguments } from './arguments.ts';
import { reportFailure } from './failure.ts';
import { program } from './program.ts';

/**
 * `--lab` takes no value, so that `check --lab md5` means the check; a name is joined on: `--lab=NAME`.
 */
function splitLabName(args: readonly string[]): string[] {
  const end = args.indexOf('--');
  return args.flatMap((each, index) =>
    each.startsWith('--lab=') && (end < 0 || index < end)
      ? ['--lab', '--lab-name', each.slice('--lab='.length)]
      : [each],
  );
}

/** Commander's own complaints are usage errors: exit status 2; help and version end well. */
function statusOf(error: unknown): number {
  // The statuses of `explain` are those of the program that it runs; a wrong flag of ours is not among them.
  const status = error instanceof CommanderError ? (error.exitCode === 0 ? 0 : 2) : reportFailure(error);
  return status !== 0 && process.argv[2] === 'explain' ? 125 : status;
}

try {
  const args = splitLabName(userArguments(process.argv.slice(2), commandLineBytes()));
  // The probe is asked for its own, which commander's way of printing a version cannot wait for.
  if (args[0] === '--version' || args[0] === '-V') await (await import('./versions.ts')).printVersions();
  else await program().parseAsync(args, { from: 'user' });
} catch (error) {
  process.exitCode = statusOf(error);
}

function commandLineBytes(): Uint8Array | undefined {
  try {
    return readFileSync('/proc/self/cmdline');
  } catch {
    return undefined;
  }
}

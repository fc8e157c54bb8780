import { readFileSync } from 'node:fs';
import { CommanderError } from './commander.ts';
import { program } from './program.ts';

// What only some command lines need is imported for them alone: everybody waits for the rest.

/** The user's arguments; where Node could not read one as UTF-8, with its bytes as they are. */
async function argumentsGiven(): Promise<readonly string[]> {
  const given = process.argv.slice(2);
  if (!given.some((each) => each.includes('\ufffd'))) return given;
  return (await import('./arguments.ts')).userArguments(given, commandLineBytes());
}

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
async function statusOf(error: unknown): Promise<number> {
  const status =
    error instanceof CommanderError
      ? error.exitCode === 0
        ? 0
        : 2
      : (await import('./failure.ts')).reportFailure(error);
  // The statuses of `explain` are those of the program that it runs; a wrong flag of ours is not among them.
  return status !== 0 && process.argv[2] === 'explain' ? 125 : status;
}

try {
  const args = splitLabName(await argumentsGiven());
  // The probe is asked for its own, which commander's way of printing a version cannot wait for.
  if (args[0] === '--version' || args[0] === '-V') await (await import('./versions.ts')).printVersions();
  else await program().parseAsync(args, { from: 'user' });
} catch (error) {
  process.exitCode = await statusOf(error);
}

function commandLineBytes(): Uint8Array | undefined {
  try {
    return readFileSync('/proc/self/cmdline');
  } catch {
    return undefined;
  }
}

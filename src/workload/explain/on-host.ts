import type { HostRun } from '../../model/explain-evidence.ts';
import type { Share } from '../../share/share.ts';
import { type Command, type Place, type Running, type Streams, startAttended } from './attended.ts';
import { rateIn } from './claims.ts';

/** The command with the guest's directories as the host calls them, the longest first: shares may be nested. */
export function hostCommand(command: Command, shares: readonly Share[]): Command {
  const byLength = [...shares].sort((a, b) => b.guestDir.length - a.guestDir.length);
  const argv = command.argv.map((word) => inHostWords(word, byLength));
  const { directory } = command;
  return {
    ...command,
    argv,
    ...(directory === undefined ? {} : { directory: inHostWords(directory, byLength) }),
  };
}

/** A directory stands at the beginning of a word, or behind what parts names: `of=`, `a:b`, quotes, blanks. */
function inHostWords(word: string, shares: readonly Share[]): string {
  let [result, rest] = ['', word];
  while (rest !== '') {
    const parted = result === '' || /[=:,;\s'"<>(]$/.test(result);
    const share = parted
      ? shares.find(
          ({ guestDir }) =>
            rest.startsWith(guestDir) && /^(?:$|[/:,;\s'"<>)])/.test(rest.slice(guestDir.length)),
        )
      : undefined;
    const taken = share === undefined ? (rest[0] ?? '') : share.guestDir;
    result += share === undefined ? taken : share.hostDir;
    rest = rest.slice(taken.length);
  }
  return result;
}

/** Runs the same job on the host's view of the files. What the disk gave is charged to the program itself there. */
export async function runOnHost(
  host: Place,
  command: Command,
  shares: readonly Share[],
  streams: Streams,
  onRunning: (running: Running) => void,
): Promise<HostRun> {
  const there = hostCommand(command, shares);
  const output: Buffer[] = [];
  const running = await startAttended(
    host,
    there,
    [...new Set(shares.map(({ hostDir }) => hostDir))],
    streams,
    { onOutput: (chunk) => output.push(chunk) },
  );
  onRunning(running);
  const { status, end, failed } = await running.done;
  const rate = rateIn(Buffer.concat(output));
  return {
    command: there.argv,
    status,
    ...(failed === undefined ? {} : { failed }),
    ...(end === undefined
      ? {}
      : {
          seconds: end.atNs / 1e9,
          askedBytes: [end.rchar - (end.beforeFirst?.rchar ?? 0), end.wchar - (end.beforeFirst?.wchar ?? 0)],
          diskReadBytes: end.readBytes,
        }),
    ...(rate === undefined ? {} : { rate }),
  };
}

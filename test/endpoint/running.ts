import { readdir, readFile } from 'node:fs/promises';

/** The command lines of all processes that have this argument: to see that a program has really ended. */
export async function runningWith(argument: string): Promise<string[]> {
  const pids = (await readdir('/proc')).filter((entry) => /^\d+$/.test(entry));
  const lines = await Promise.all(
    pids.map((pid) => readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')),
  );
  return lines.filter((line) => line.split('\0').includes(argument));
}

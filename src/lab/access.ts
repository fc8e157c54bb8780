import { existsSync, readdirSync } from 'node:fs';
import { constants } from 'node:os';
import { join } from 'node:path';
import type { Readable, Writable } from 'node:stream';
import { execa } from 'execa';
import { connectSsh } from '../endpoint/ssh.ts';
import { KnownError } from '../model/error.ts';
import type { LabGuest } from './info.ts';
import { labDirectory } from './places.ts';
import { logText } from './vm/background.ts';

/**
 * Logs into the guest with OpenSSH's client, on our own terminal. It verifies the guest's host key.
 * @param words a command for the guest; none for a shell.
 * @returns the client's exit status.
 * @throws KnownError `program-missing`.
 */
export async function labSsh({ ssh }: LabGuest, words: readonly string[] = []): Promise<number> {
  const options = [
    ...['-F', 'none', '-i', ssh.keyFile, '-p', String(ssh.port)],
    ...['-o', 'IdentitiesOnly=yes', '-o', 'StrictHostKeyChecking=yes'],
    // In quotes, since the client takes this value for a list.
    ...['-o', `UserKnownHostsFile="${ssh.knownHostsFile}"`],
  ];
  const argv = [...options, `${ssh.user}@${ssh.host}`, ...words];
  const ended = await execa('ssh', argv, { stdio: 'inherit', reject: false });
  if (ended.code !== 'ENOENT') return ended.exitCode ?? 255;
  throw new KnownError(
    'program-missing',
    'there is no ssh client on this machine',
    'apt-get install openssh-client, or use: vfs-verify lab exec -- COMMAND',
  );
}

/**
 * Runs a program in the guest, its streams joined to ours.
 * @returns its exit status, or 128 and its signal's number as a shell has it.
 * @throws KnownError as `connectSsh` does, and `connection-lost`.
 */
export async function labExec(
  guest: LabGuest,
  argv: readonly string[],
  streams: { readonly stdin: Readable; readonly stdout: Writable; readonly stderr: Writable },
): Promise<number> {
  const connection = await connectSsh({ ...guest.ssh, strict: true });
  try {
    const program = await connection.spawn(argv);
    program.stdin.on('error', () => {}); // It may end before it has read all.
    streams.stdin.pipe(program.stdin);
    const spoken = [copied(program.stdout, streams.stdout), copied(program.stderr, streams.stderr)];
    const ended = await program.ended;
    streams.stdin.unpipe(program.stdin);
    if (ended.lost !== undefined) {
      throw new KnownError(
        'connection-lost',
        `the connection to the lab's guest was lost: ${ended.lost}`,
        'vfs-verify lab status says whether the lab still runs, and lab logs what it said.',
      );
    }
    await Promise.all(spoken);
    if (ended.status !== undefined) return ended.status;
    return 128 + (constants.signals[`SIG${ended.signal?.replace(/^SIG/, '')}` as NodeJS.Signals] ?? 0);
  } finally {
    await connection.close();
  }
}

/** Copies to the end, without ending the target: it is our own standard output. */
async function copied(from: Readable, to: Writable): Promise<void> {
  for await (const chunk of from) {
    if (!to.write(chunk)) await new Promise((resolve) => to.once('drain', resolve));
  }
}

/** One of a lab's logs: `console`, `qemu`, or `virtiofsd-MODE`. */
export interface LabLog {
  readonly name: string;
  readonly file: string;
  readonly text: string;
}

/** The logs of a lab; those of one that did not come up are kept until the next one. */
export function labLogs(name = 'default'): LabLog[] {
  const directory = labDirectory(name);
  if (!existsSync(directory)) return [];
  return readdirSync(directory)
    .filter((each) => each.endsWith('.log'))
    .sort()
    .map((each) => {
      const file = join(directory, each);
      return { name: each.slice(0, -'.log'.length), file, text: logText(file) };
    });
}

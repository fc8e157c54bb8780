import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { execa } from 'execa';
import { treeProgram } from '../programs/tree.ts';

/** The keys of one lab, made for it alone. Public keys are in the form of authorized_keys. */
export interface LabKeys {
  /** The client's private key, in OpenSSH's format. */
  readonly clientKeyFile: string;
  readonly clientKey: string;
  /** The guest's, in dropbear's format. */
  readonly hostKeyBytes: Buffer;
  readonly hostKey: string;
}

/** Makes the keys of a lab in its directory. */
export async function makeKeys(treeRoot: string, directory: string): Promise<LabKeys> {
  const clientKeyFile = join(directory, 'key');
  const [client, host] = await Promise.all(
    ['key.dropbear', 'host_key'].map((name) =>
      publicKey(treeRoot, ['-t', 'ed25519', '-f', join(directory, name)]),
    ),
  );
  await run(treeRoot, 'dropbearconvert', [
    'dropbear',
    'openssh',
    join(directory, 'key.dropbear'),
    clientKeyFile,
  ]);
  const hostKeyBytes = readFileSync(join(directory, 'host_key'));
  return { clientKeyFile, clientKey: client ?? '', hostKeyBytes, hostKey: host ?? '' };
}

/** The keys that `makeKeys` made there. */
export async function readKeys(treeRoot: string, directory: string): Promise<LabKeys> {
  const [client, host] = await Promise.all(
    ['key.dropbear', 'host_key'].map((name) => publicKey(treeRoot, ['-y', '-f', join(directory, name)])),
  );
  return {
    clientKeyFile: join(directory, 'key'),
    clientKey: client ?? '',
    hostKeyBytes: readFileSync(join(directory, 'host_key')),
    hostKey: host ?? '',
  };
}

/** Says in OpenSSH's words that this host key is the guest's, at the port where it is reached. */
export function writeKnownHosts(
  file: string,
  address: { host: string; port: number },
  hostKey: string,
): void {
  writeFileSync(file, `[${address.host}]:${address.port} ${hostKey}\n`);
}

async function publicKey(treeRoot: string, words: readonly string[]): Promise<string> {
  const text = await run(treeRoot, 'dropbearkey', words);
  const line = text.split('\n').find((each) => each.startsWith('ssh-ed25519 ')) ?? '';
  // Without the comment, which names whoever made it.
  return line.split(' ').slice(0, 2).join(' ');
}

async function run(treeRoot: string, program: string, words: readonly string[]): Promise<string> {
  const [loader = '', ...before] = treeProgram(treeRoot, `usr/bin/${program}`);
  const { stdout } = await execa(loader, [...before, ...words], { stdin: 'ignore', timeout: 10_000 });
  return stdout;
}

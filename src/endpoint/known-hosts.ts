import { createHash, createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import { mkdir, open, readFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { matchesPatterns } from './host-pattern.ts';

/** One usable line of a known_hosts file. */
export interface KnownHost {
  readonly file: string;
  /** From 1. */
  readonly line: number;
  readonly marker: 'revoked' | 'cert-authority' | undefined;
  /** Comma-separated patterns, or one hashed name `|1|salt|hash`. */
  readonly names: string;
  readonly keyType: string;
  readonly key: Buffer;
}

/** What the files say about the key that a host has shown. */
export type HostKeyState =
  | { readonly kind: 'known' }
  | { readonly kind: 'revoked'; readonly entry: KnownHost }
  /** Known by another key: of this type, or (`otherType`) only by types that the host did not show. */
  | { readonly kind: 'changed'; readonly entry: KnownHost; readonly otherType: boolean }
  /** `authority` is a @cert-authority line for this host, which would need certificates to be of use. */
  | { readonly kind: 'unknown'; readonly authority: KnownHost | undefined };

/** Reads the files in their order; one that does not exist is empty, a line that makes no sense is none. */
export async function readKnownHosts(files: readonly string[]): Promise<KnownHost[]> {
  const texts = await Promise.all(files.map((file) => readFile(file, 'utf8').catch(() => '')));
  return texts.flatMap((text, index) => parseKnownHosts(text, files[index] ?? ''));
}

/** The usable lines of one file. */
export function parseKnownHosts(text: string, file: string): KnownHost[] {
  return text.split('\n').flatMap((line, index) => {
    const entry = parseLine(line);
    return entry === undefined ? [] : [{ file, line: index + 1, ...entry }];
  });
}

function parseLine(line: string): Omit<KnownHost, 'file' | 'line'> | undefined {
  if (/^\s*(#|$)/.test(line)) return undefined;
  const words = line.trim().split(/\s+/);
  const marker = words[0]?.startsWith('@') ? words.shift()?.slice(1) : undefined;
  if (marker !== undefined && marker !== 'revoked' && marker !== 'cert-authority') return undefined;
  const [names, keyType, base64] = words;
  if (names === undefined || keyType === undefined || base64 === undefined) return undefined;
  const key = Buffer.from(base64, 'base64');
  return keyTypeOf(key) === keyType ? { marker, names, keyType, key } : undefined;
}

/** The name under which known_hosts keeps a host: with its port unless that is 22. */
export function knownHostsName(host: string, port: number): string {
  return port === 22 ? host.toLowerCase() : `[${host.toLowerCase()}]:${port}`;
}

/** Whether the host of a line is this one (a name as `knownHostsName` gives it). */
export function namesHost(names: string, name: string): boolean {
  if (!names.startsWith('|')) return matchesPatterns(names.toLowerCase().split(','), name);
  const [, version, salt, hash] = names.split('|');
  if (version !== '1' || salt === undefined || hash === undefined) return false;
  const expected = Buffer.from(hash, 'base64');
  const actual = hashName(name, Buffer.from(salt, 'base64'));
  return expected.length === actual.length && timingSafeEqual(expected, actual);
}

function hashName(name: string, salt: Buffer): Buffer {
  return createHmac('sha1', salt).update(name).digest();
}

/**
 * Judges the key that a host has shown.
 * @param names of the host, the first being its own; a match of a later one counts only if the key is equal.
 */
export function hostKeyState(
  entries: readonly KnownHost[],
  names: readonly string[],
  key: Buffer,
): HostKeyState {
  const type = keyTypeOf(key);
  const [own = '', ...fallbacks] = names;
  const ofHost = entries.filter((entry) => namesHost(entry.names, own));
  const ofAnyName = entries.filter((entry) => names.some((name) => namesHost(entry.names, name)));
  const revoked = ofAnyName.find((entry) => entry.marker === 'revoked' && entry.key.equals(key));
  if (revoked !== undefined) return { kind: 'revoked', entry: revoked };

  const plain = ofHost.filter((entry) => entry.marker === undefined);
  if (plain.some((entry) => entry.key.equals(key))) return { kind: 'known' };
  const sameType = plain.find((entry) => entry.keyType === type);
  if (sameType !== undefined) return { kind: 'changed', entry: sameType, otherType: false };
  // A host known by one type that shows only another is not a new host: whoever stands between could
  // simply not offer the known type.
  const other = plain[0];
  if (other !== undefined) return { kind: 'changed', entry: other, otherType: true };

  const underFallback = entries.some(
    (entry) =>
      entry.marker === undefined &&
      entry.key.equals(key) &&
      fallbacks.some((name) => namesHost(entry.names, name)),
  );
  if (underFallback) return { kind: 'known' };
  return { kind: 'unknown', authority: ofHost.find((entry) => entry.marker === 'cert-authority') };
}

/**
 * The host key algorithms to ask for, those of known keys first: a host that has several keys would
 * otherwise show one that is not in the file, and look changed.
 * @param supported all algorithms that the client can do, in its own order.
 */
export function hostKeyAlgorithms(
  entries: readonly KnownHost[],
  names: readonly string[],
  supported: readonly string[],
): string[] {
  const knownTypes = new Set(
    entries
      .filter((entry) => entry.marker === undefined && names.some((name) => namesHost(entry.names, name)))
      .map((entry) => entry.keyType),
  );
  const typeOf = (algorithm: string) => (algorithm.startsWith('rsa-sha2-') ? 'ssh-rsa' : algorithm);
  return [
    ...supported.filter((algorithm) => knownTypes.has(typeOf(algorithm))),
    ...supported.filter((algorithm) => !knownTypes.has(typeOf(algorithm))),
  ];
}

/** `SHA256:…` as ssh-keygen -l prints it. */
export function fingerprint(key: Buffer): string {
  return `SHA256:${createHash('sha256').update(key).digest('base64').replace(/=+$/, '')}`;
}

/** The type that a public key blob says it is: its first string. Empty if it is no key at all. */
export function keyTypeOf(key: Buffer): string {
  if (key.length < 4) return '';
  const length = key.readUInt32BE(0);
  return length > 64 || key.length < 4 + length ? '' : key.toString('latin1', 4, 4 + length);
}

/** Adds a host to a known_hosts file, which is made (0600, its directory 0700) if it is not there. */
export async function addKnownHost(file: string, name: string, key: Buffer, hashed: boolean): Promise<void> {
  await mkdir(dirname(file), { recursive: true, mode: 0o700 });
  const handle = await open(file, 'a+', 0o600);
  try {
    const { size } = await handle.stat();
    const last = Buffer.alloc(1);
    if (size > 0) await handle.read(last, 0, 1, size - 1);
    const salt = randomBytes(20);
    const shown = hashed ? `|1|${salt.toString('base64')}|${hashName(name, salt).toString('base64')}` : name;
    const separator = size > 0 && last.toString() !== '\n' ? '\n' : '';
    await handle.appendFile(`${separator}${shown} ${keyTypeOf(key)} ${key.toString('base64')}\n`);
  } finally {
    await handle.close();
  }
}

import { execFileSync } from 'node:child_process';
import { readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import {
  addKnownHost,
  fingerprint,
  hostKeyAlgorithms,
  hostKeyState,
  keyTypeOf,
  knownHostsName,
  namesHost,
  parseKnownHosts,
  readKnownHosts,
} from '../../src/endpoint/known-hosts.ts';
import { makeHome, makeKey } from './ssh-server.ts';

const ed25519 = makeKey();
const other = makeKey();
const ecdsa = makeKey('ecdsa');
const blob = (key: { parsed: { getPublicSSH(): Buffer } }) => key.parsed.getPublicSSH();
const stateIn = (text: string, names: string | readonly string[], key = ed25519) =>
  hostKeyState(parseKnownHosts(text, '/kh'), [names].flat(), blob(key));

describe('names', () => {
  test('a port other than 22 is part of the name', () => {
    expect(knownHostsName('Guest', 22)).toBe('guest');
    expect(knownHostsName('127.0.0.1', 2222)).toBe('[127.0.0.1]:2222');
  });

  test.each([
    ['guest', 'guest', true],
    ['GUEST', 'guest', true],
    ['a,guest,b', 'guest', true],
    ['guest', '[guest]:2222', false],
    ['[guest]:2222', '[guest]:2222', true],
    ['[guest]:*', '[guest]:2222', true],
    ['*.example.org', 'a.example.org', true],
    ['*.example.org', 'example.org', false],
    ['gues?', 'guest', true],
    ['guest?', 'guest', false],
    ['*,!guest', 'guest', false],
    ['!guest,*', 'guest', false],
    ['!guest,*', 'other', true],
    ['!guest', 'other', false],
    ['g.est', 'guest', false],
  ])('%s names %s: %s', (names, name, expected) => {
    expect(namesHost(names, name)).toBe(expected);
  });

  test('a pattern made to be slow is not', () => {
    expect(namesHost(`${'*a'.repeat(30)}b`, 'a'.repeat(200))).toBe(false);
  });

  test('a hashed name is recognised', () => {
    // Made by ssh-keygen -H for [127.0.0.1]:2222 and for guest.example.org.
    const port = '|1|7KsjjJNsFdJr1iF8qDClQOhO928=|7HLjwn0qZ/k/lkR+o6OSZ7BI2K0=';
    const plain = '|1|+xzqVJ54gLgiI5xBe4hXRXL5pkU=|NoiiJwrxpZK9FGlQGtOhHBH5y7U=';
    expect(namesHost(port, '[127.0.0.1]:2222')).toBe(true);
    expect(namesHost(port, '127.0.0.1')).toBe(false);
    expect(namesHost(plain, 'guest.example.org')).toBe(true);
    expect(namesHost('|1|bad', 'x')).toBe(false);
    expect(namesHost('|2|a=|b=', 'x')).toBe(false);
    expect(namesHost('|1|a|', 'x')).toBe(false);
  });
});

describe('what the files say about a key', () => {
  test('the same key is known, and where there are several of its type each of them is', () => {
    expect(stateIn(`guest ${ed25519.line} a comment\n`, 'guest').kind).toBe('known');
    expect(stateIn(`guest ${other.line}\nguest ${ed25519.line}`, 'guest').kind).toBe('known');
  });

  test('another key of the type is a change, with its place', () => {
    expect(stateIn(`# x\n\nguest ${other.line}\n`, 'guest')).toMatchObject({
      kind: 'changed',
      otherType: false,
      entry: { file: '/kh', line: 3 },
    });
  });

  test('a host known only by another type is a change too', () => {
    expect(stateIn(`guest ${ecdsa.line}\n`, 'guest')).toMatchObject({ kind: 'changed', otherType: true });
  });

  test('a host that is in no line is unknown', () => {
    expect(stateIn(`elsewhere ${ed25519.line}\n`, 'guest')).toEqual({
      kind: 'unknown',
      authority: undefined,
    });
  });

  test('a revoked key stays revoked even where another line trusts it', () => {
    expect(stateIn(`guest ${ed25519.line}\n@revoked * ${ed25519.line}\n`, 'guest')).toMatchObject({
      kind: 'revoked',
      entry: { line: 2 },
    });
    expect(stateIn(`@revoked guest ${other.line}\n`, 'guest').kind).toBe('unknown');
  });

  test('a certificate authority is named and not taken for a key', () => {
    expect(stateIn(`@cert-authority *.org ${ed25519.line}\n`, 'a.org')).toMatchObject({
      kind: 'unknown',
      authority: { line: 1 },
    });
  });

  test('the name without its port counts only for the very same key', () => {
    const names = ['[guest]:2222', 'guest'];
    expect(stateIn(`guest ${ed25519.line}\n`, names).kind).toBe('known');
    expect(stateIn(`guest ${other.line}\n`, names).kind).toBe('unknown');
    expect(stateIn(`guest ${ed25519.line}\n[guest]:2222 ${other.line}\n`, names).kind).toBe('changed');
  });

  test('lines that make no sense are passed over', () => {
    const [type, base64] = ed25519.line.split(' ');
    const text = [
      'guest',
      `guest ${type}`,
      `guest ecdsa-sha2-nistp256 ${base64}`,
      'guest ssh-ed25519 !!!!',
      `@unheard-of guest ${ed25519.line}`,
      '\0\0\0',
      `\t guest ${ed25519.line}\r`,
    ].join('\n');
    expect(parseKnownHosts(text, '/kh')).toHaveLength(1);
    expect(stateIn(text, 'guest').kind).toBe('known');
  });
});

test('known types of key are asked for first', () => {
  const entries = parseKnownHosts(`guest ${ecdsa.line}\n`, '/kh');
  const supported = ['ssh-ed25519', 'ecdsa-sha2-nistp256', 'rsa-sha2-512'];
  expect(hostKeyAlgorithms(entries, ['guest'], supported)).toEqual([
    'ecdsa-sha2-nistp256',
    'ssh-ed25519',
    'rsa-sha2-512',
  ]);
  expect(hostKeyAlgorithms(entries, ['other'], supported)).toEqual(supported);
});

describe('adding a host', () => {
  let home: Awaited<ReturnType<typeof makeHome>>;
  beforeEach(async () => {
    home = await makeHome();
  });
  afterEach(() => home.remove());

  test('makes the directory and the file for the user alone', async () => {
    const file = join(home.path, '.ssh/known_hosts');
    await addKnownHost(file, '[guest]:2222', blob(ed25519), false);
    expect(await readFile(file, 'utf8')).toBe(`[guest]:2222 ${ed25519.line}\n`);
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    expect((await stat(join(home.path, '.ssh'))).mode & 0o777).toBe(0o700);
  });

  test('leaves what is there, even without a last newline, and can hash the name', async () => {
    const file = await home.write('known_hosts', `guest ${ecdsa.line}`);
    await addKnownHost(file, 'new.org', blob(ed25519), true);
    const text = await readFile(file, 'utf8');
    expect(text).toMatch(/^guest .*\n\|1\|.*\n$/);
    const entries = await readKnownHosts(['/nonexistent', file]);
    expect(hostKeyState(entries, ['new.org'], blob(ed25519)).kind).toBe('known');
    expect(hostKeyState(entries, ['guest'], blob(ecdsa)).kind).toBe('known');
  });

  test('agrees with ssh-keygen, where that is installed', async (context) => {
    const file = join(home.path, 'kh');
    const program = 'ssh-keygen';
    const keygen = (...args: string[]) => execFileSync(program, args, { encoding: 'utf8', stdio: 'pipe' });
    try {
      keygen('-F', 'x', '-f', await home.write('empty', `x ${ed25519.line}\n`));
    } catch {
      return context.skip();
    }
    await addKnownHost(file, '[127.0.0.1]:2222', blob(ed25519), true);
    expect(keygen('-F', '[127.0.0.1]:2222', '-f', file)).toContain('found: line 1');
    await writeFile(file, `guest.example.org,[::1]:22 ${ed25519.line}\n`);
    keygen('-H', '-f', file);
    const entries = await readKnownHosts([file]);
    expect(hostKeyState(entries, ['guest.example.org'], blob(ed25519)).kind).toBe('known');
    expect(keygen('-l', '-f', file)).toContain(fingerprint(blob(ed25519)));
  });
});

test('a blob that is no key has no type', () => {
  expect(keyTypeOf(Buffer.from('xx'))).toBe('');
  expect(keyTypeOf(Buffer.from([0, 0, 0, 60, 1, 2]))).toBe('');
  expect(keyTypeOf(blob(ed25519))).toBe('ssh-ed25519');
});

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { debianMirror, parseDeb822, parseOneLine } from '../../src/lab/programs/apt-sources.ts';

let apt: string;

beforeEach(() => {
  apt = mkdtempSync(join(tmpdir(), 'vfs-verify-apt-'));
  mkdirSync(join(apt, 'sources.list.d'));
});

afterEach(() => rmSync(apt, { recursive: true, force: true }));

test('one-line sources are read with their options; comments and source archives are not', () => {
  const text = [
    '# deb http://old.example/debian sid main',
    'deb-src http://mirror.example/debian trixie main',
    '  deb [arch=amd64 signed-by=/etc/keys/k.gpg trusted=yes] http://mirror.example/debian trixie main contrib',
  ].join('\n');
  expect(parseOneLine(text)).toEqual([
    {
      uri: 'http://mirror.example/debian',
      suites: ['trixie'],
      signedBy: '/etc/keys/k.gpg',
      trusted: true,
    },
  ]);
});

test('deb822 paragraphs may hold comments, several values and a key of their own', () => {
  const text = [
    'Types: deb deb-src',
    '# a comment inside',
    'URIs: http://one.example/debian http://two.example/debian',
    'Suites: trixie',
    ' trixie-updates',
    'Components: main',
    'Signed-By:',
    ' -----BEGIN PGP PUBLIC KEY BLOCK-----',
    ' .',
    '',
    'Types: deb',
    'Enabled: no',
    'URIs: http://off.example/debian',
    'Suites: sid',
  ].join('\n');
  const suites = ['trixie', 'trixie-updates'];
  expect(parseDeb822(text)).toEqual([
    { uri: 'http://one.example/debian', suites, signedBy: undefined, trusted: false },
    { uri: 'http://two.example/debian', suites, signedBy: undefined, trusted: false },
  ]);
});

test('the mirror is the one of the archive, not that of security updates or of another distribution', () => {
  writeFileSync(
    join(apt, 'sources.list'),
    'deb http://security.example/debian-security trixie-security main\n',
  );
  writeFileSync(join(apt, 'sources.list.d/other.list'), 'deb http://archive.example/ubuntu noble main\n');
  writeFileSync(
    join(apt, 'sources.list.d/debian.sources'),
    'Types: deb\nURIs: https://mirror.example/pub/debian/\nSuites: bookworm\nComponents: main\n',
  );
  expect(debianMirror(apt).uri).toBe('https://mirror.example/pub/debian/');
});

test('a list of mirrors counts, and a snapshot of one day does not', () => {
  writeFileSync(
    join(apt, 'sources.list'),
    'deb http://snapshot.example/archive/debian/20250101T000000Z trixie main\n' +
      'deb mirror+file:/etc/apt/mirrors/debian.list trixie main\n',
  );
  expect(debianMirror(apt).uri).toBe('mirror+file:/etc/apt/mirrors/debian.list');
});

test('a machine that has no Debian mirror gets the one of Debian itself', () => {
  expect(debianMirror(join(apt, 'nothing-here')).uri).toBe('http://deb.debian.org/debian');
});

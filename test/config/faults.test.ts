import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { loadConfig } from '../../src/config/load.ts';
import type { KnownError } from '../../src/model/error.ts';

let directory: string;
beforeAll(async () => {
  directory = await mkdtemp(path.join(tmpdir(), 'vfs-verify-config-'));
});
afterAll(() => rm(directory, { recursive: true, force: true }));

async function faultsIn(name: string, text: string): Promise<{ file: string; lines: string[] }> {
  const file = path.join(directory, name);
  await writeFile(file, text);
  const error = await loadConfig(file).then(
    () => undefined,
    (thrown: KnownError) => thrown,
  );
  expect(error?.code, 'it was refused').toBe('bad-config');
  const lines = (error?.detail ?? error?.message ?? '').split('\n');
  return { file, lines: lines.map((line) => line.replace(file, '')) };
}

/** What is wrong, the file, and the place and words of every fault. */
const wrong: readonly (readonly [string, string, readonly string[]])[] = [
  ['an empty file', '', [':1:1: the file is empty']],
  [
    'no JSON at all',
    'guest = web',
    [':1:1', ':1:7', ':1:9'].map((place) => `${place}: no JSON: invalid symbol`),
  ],
  [
    'a comma that is missing',
    '{\n  "guest": "a"\n  "host": "b"\n}',
    [':3:3: no JSON: a comma is missing here'],
  ],
  ['a brace that is missing', '{ "guest": "a"', [':1:15: no JSON: a close brace is missing here']],
  ['a name that is there twice', '{\n  "host": "a",\n  "host": "b"\n}', [':3:3: "host" is there twice']],
  ['a list instead of settings', '["web"]', [':1:1: the file is a list, and must be an object']],
  [
    'a setting that does not exist',
    '{\n  "gest": "web"\n}',
    [':2:3: "gest" is no setting; known: guest, host, guests, hosts, shares, modes, limits'],
  ],
  ['a number for an address', '{ "host": 22 }', [':1:11: "host" is a number, and must be a string']],
  ['null for a guest', '{ "guest": null }', [':1:12: "guest" is null, and must be a string']],
  ['an empty address', '{ "guest": "" }', [':1:12: "guest" is empty']],
  ['an empty list of guests', '{ "guest": [] }', [':1:12: "guest" is an empty list']],
  ['one guest twice', '{ "guest": ["a", "b", "a"] }', [':1:23: "guest" has the same entry twice']],
  [
    'an address that is none',
    '{ "hosts": { "a": "http://x" } }',
    [':1:19: "http://x" names no machine: only ssh:// is understood'],
  ],
  [
    'a command that is none',
    '{ "guests": { "a": "exec:docker \'exec" } }',
    [':1:20: "exec:docker \'exec" names no machine: a quotation mark has no second one'],
  ],
  [
    'a guest without an address',
    '{ "guests": {\n "web": { "host": "local" } } }',
    [':2:9: "guests.web" lacks "address"'],
  ],
  [
    'a name that no flag could hold',
    '{ "hosts": { "a b": "local" } }',
    [':1:14: "a b" is no name: letters, digits and . _ - only'],
  ],
  [
    'a share without a directory',
    '{ "shares": { "d": { "guestDir": "/mnt" } } }',
    [':1:20: "shares.d" lacks "hostDir"'],
  ],
  [
    'a directory that is relative',
    '{ "shares": { "d": { "guestDir": "mnt", "hostDir": "/srv" } } }',
    [':1:34: "shares.d.guestDir" must be an absolute path, not "mnt"'],
  ],
  [
    'a mode that is none',
    '{ "shares": { "d": { "guestDir": "/m", "hostDir": "/s", "mode": "atuo" } } }',
    [':1:65: "atuo" is not a mode'],
  ],
  [
    'a share that is not there',
    '{ "guests": { "a": { "address": "local", "shares": ["x"] } },\n "shares": { "y": { "guestDir": "/m", "hostDir": "/s" } } }',
    [':1:53: there is no share "x"; there are: y'],
  ],
  [
    'a limit that is no number',
    '{ "limits": { "timeoutSeconds": "30" } }',
    [':1:33: "limits.timeoutSeconds" is a string, and must be a number'],
  ],
  ['a limit out of bounds', '{ "limits": { "jobs": 0 } }', [':1:23: "limits.jobs" must be >= 1']],
  [
    'a mode that is not in the list of modes',
    '{ "modes": ["auto", "fast"] }',
    [':1:21: "fast" is not a mode'],
  ],
  [
    'several faults at once',
    '{\n  "gest": 1,\n  "limits": { "jobs": 1.5 },\n  "modes": "auto"\n}',
    [
      ':2:3: "gest" is no setting; known: guest, host, guests, hosts, shares, modes, limits',
      ':4:12: "modes" is a string, and must be a list',
      ':3:23: "limits.jobs" is a number, and must be an integer',
    ],
  ],
];

test.each(wrong)('%s', async (_, text, expected) => {
  const { lines } = await faultsIn('vfs-verify.config.json', text);
  expect([...lines].sort()).toEqual([...expected].sort());
});

test('the one line says how many faults there are besides', async () => {
  const file = path.join(directory, 'several.json');
  await writeFile(file, '{ "a": 1, "b": 2, "c": 3 }');
  await expect(loadConfig(file)).rejects.toMatchObject({
    message: expect.stringMatching(/several\.json:1:3: .*\(and 2 more\)$/),
  });
});

test.each([
  [
    'vfs-verify.config.ts',
    'const hosts: Record<string, string> = { a: "http://x" };\nexport default { hosts };',
    ', at hosts.a: "http://x" names no machine: only ssh:// is understood',
  ],
  [
    'vfs-verify.config.mjs',
    'export default { gest: 1 };',
    ', at gest: "gest" is no setting; known: guest, host, guests, hosts, shares, modes, limits',
  ],
])('%s: a program has names instead of lines', async (name, text, expected) => {
  expect((await faultsIn(name, text)).lines).toEqual([expected]);
});

test.each([
  ['cannot be parsed', 'export default {'],
  ['throws', 'throw new Error("no such vault");'],
])('a program that %s', async (_, text) => {
  const { lines } = await faultsIn('broken.mjs', text);
  expect(lines[0]).toMatch(/^: it cannot be run: /);
});

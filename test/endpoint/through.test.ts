import { spawnSync } from 'node:child_process';
import { afterAll, describe, expect, test } from 'vitest';
import { openEndpoint } from '../../src/endpoint/open.ts';
import { throughEndpoint } from '../../src/endpoint/through.ts';
import { runningWith } from './running.ts';

/** Executes the words after it as they are, as docker exec, kubectl exec, nsenter and chroot do. */
const direct = `exec:sh -c 'exec "$@"' direct`;
/** Joins them with spaces for another shell, as ssh does. */
const joining = `exec:sh -c 'exec sh -c "$*"' joining`;
/** In a mount and process namespace of its own. */
const namespace = 'exec:unshare -m -p --fork --mount-proc';
const mayUnshare = spawnSync('unshare', ['-m', '-p', '--fork', '--mount-proc', 'true']).status === 0;
const hasScript = spawnSync('script', ['-qc', 'true', '/dev/null'], { input: '' }).status === 0;

const weird = ['', "it's", '"', '\\', '!', '$(id)', '$HOME', '`id`', 'a\nb', '-n', '*', '~', '#', 'é😀', ' '];

const kinds = [direct, joining, ...(mayUnshare ? [namespace] : [])];

describe.each(kinds)('%s', (spec) => {
  const there = throughEndpoint(spec);
  afterAll(() => there.close());

  test('a program runs to its end, with input, both outputs and its status', async () => {
    expect(await there.exec(['sh', '-c', 'cat; echo oops >&2; exit 3'], { input: 'in\n' })).toEqual({
      status: 3,
      signal: undefined,
      stdout: 'in\n',
      stderr: 'oops\n',
      truncated: false,
    });
  });

  test('words arrive as they are', async () => {
    const { stdout } = await there.exec(['printf', '[%s]', ...weird]);
    expect(stdout).toBe(weird.map((word) => `[${word}]`).join(''));
  });

  test('the environment arrives as it is', async () => {
    const program = await there.spawn(['sh', '-c', 'printf %s "$ODD"'], { env: { ODD: weird.join('|') } });
    expect(Buffer.concat(await program.stdout.toArray()).toString()).toBe(weird.join('|'));
  });

  test('bytes of every value go through in both directions', async () => {
    const bytes = Buffer.alloc(2 << 20, Buffer.from(Array.from({ length: 256 }, (_, index) => index)));
    const cat = await there.spawn(['cat']);
    cat.stdin.end(bytes);
    expect(Buffer.concat(await cat.stdout.toArray()).equals(bytes)).toBe(true);
    expect(await cat.ended).toEqual({ status: 0 });
  });

  test('a program that is not there is named', async () => {
    await expect(there.exec(['no-such-program', 'x'])).rejects.toMatchObject({
      code: 'command-not-started',
      message: expect.stringContaining('no-such-program could not be started: not found'),
    });
  });

  test('a program that outlives its limit is ended', async () => {
    const marker = `8${process.pid}.${kinds.indexOf(spec)}5`;
    await expect(there.exec(['sleep', marker], { timeoutMs: 300 })).rejects.toMatchObject({
      code: 'command-timeout',
    });
    await expect.poll(() => runningWith(marker), { timeout: 10_000 }).toEqual([]);
  });
});

test('a greeting on either output is passed over', async () => {
  const there = throughEndpoint(
    `exec:sh -c 'echo Welcome; echo Notice >&2; printf "no end of line"; exec "$@"' it`,
  );
  expect((await there.exec(['echo', 'hello'])).stdout).toBe('hello\n');
  await there.close();
});

test('what the program writes at once is not lost with the greeting', async () => {
  const there = throughEndpoint(direct);
  const runs = await Promise.all(Array.from({ length: 8 }, (_, index) => there.exec(['echo', `${index}`])));
  expect(runs.map(({ stdout }) => stdout)).toEqual(runs.map((_, index) => `${index}\n`));
  await there.close();
});

test('openEndpoint knows it by its prefix', async () => {
  const there = await openEndpoint(direct);
  expect(there).toMatchObject({ kind: 'through', name: direct });
  await there.close();
});

describe('no shell answers', () => {
  const refusals: readonly (readonly [string, string, object])[] = [
    [
      'the command ends early',
      `exec:sh -c 'echo "Error: no such container: web" >&2; exit 1' it`,
      {
        code: 'unreachable',
        message: expect.stringContaining('ended with status 1 before a shell answered'),
        detail: 'Error: no such container: web',
      },
    ],
    [
      'there is no sh over there',
      `exec:sh -c 'echo "exec: \\"sh\\": executable file not found" >&2; exit 127' it`,
      { code: 'unreachable', cure: expect.stringContaining('no sh over there') },
    ],
    [
      'the command does not exist',
      'exec:no-such-command --flag',
      {
        code: 'unreachable',
        message: expect.stringContaining('no-such-command could not be started: not found'),
      },
    ],
    [
      'it asks for a password on its output and waits',
      `exec:sh -c 'printf "admin@vm password: "; sleep 60' it`,
      { code: 'auth', detail: 'admin@vm password:' },
    ],
    [
      'it wants a terminal to ask at',
      `exec:sh -c 'echo "sudo: a terminal is required to read the password" >&2; exit 1' it`,
      { code: 'auth', cure: expect.stringContaining('sudo -n') },
    ],
    [
      'it says nothing',
      `exec:sh -c 'exec sleep 60' it`,
      { code: 'unreachable', message: expect.stringContaining('no shell answered within 1 s') },
    ],
    [
      'it talks without an end',
      'exec:yes',
      { code: 'unreachable', message: expect.stringContaining('256 KiB') },
    ],
  ];
  test.each(refusals)('%s', async (_, spec, error) => {
    await expect(throughEndpoint(spec, { connectTimeoutMs: 1000 }).exec(['true'])).rejects.toMatchObject(
      error,
    );
  });

  test.skipIf(!hasScript)('it gives a terminal', async () => {
    const there = throughEndpoint(`exec:sh -c 'exec script -qc sh /dev/null' it`);
    await expect(there.exec(['true'])).rejects.toMatchObject({
      code: 'unreachable',
      message: expect.stringContaining('gives a terminal'),
    });
    await there.close();
  });
});

test.each([
  ['exec:', 'the command is missing'],
  ['exec:   ', 'the command is missing'],
  ["exec:docker 'exec", 'a quotation mark has no second one'],
])('%s names no machine', async (spec, why) => {
  await expect(openEndpoint(spec)).rejects.toMatchObject({
    code: 'bad-target',
    message: expect.stringContaining(why),
  });
});

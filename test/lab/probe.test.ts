import { createHash, randomBytes } from 'node:crypto';
import { truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Endpoint } from '../../src/endpoint/endpoint.ts';
import { connectSsh } from '../../src/endpoint/ssh.ts';
import { labDown } from '../../src/lab/down.ts';
import type { LabInfo } from '../../src/lab/info.ts';
import { labUp } from '../../src/lab/up.ts';
import { digestOfBytes } from '../../src/model/digest.ts';
import type {
  BlockDigests,
  EvictResult,
  HashResult,
  ManyResult,
  PageState,
} from '../../src/model/operation.ts';
import { patternBytes } from '../../src/model/pattern.ts';
import { startProbe } from '../../src/probe/install.ts';
import type { ProbeSession } from '../../src/probe/session.ts';

const name = `probe-${process.pid}`;
let lab: LabInfo;
let endpoint: Endpoint;
let session: ProbeSession;

beforeAll(async () => {
  lab = await labUp({ name, modes: ['auto', 'always+writeback', 'never'] }, () => {});
  endpoint = await connectSsh({ ...lab.ssh, strict: true });
  // As in any other guest, which has no probe of its own.
  await inGuest('mv /usr/libexec/vfs-verify /usr/libexec/aside');
  session = await startProbe(endpoint);
});
afterAll(async () => {
  await session?.close();
  await endpoint?.close();
  await labDown(name);
});

function options(mode: string) {
  return { root: lab.mounts[mode] ?? '', limitMs: 60_000, limitName: 'test' };
}

async function inGuest(line: string): Promise<string> {
  return (await endpoint.exec(['sh', '-c', line])).stdout;
}

test('it runs from memory in the guest, with nothing of it left in a file', async () => {
  expect(session.hello).toMatchObject({ arch: 'x86_64', uid: 0, pageSize: 4096 });
  expect(await inGuest('ls -d /dev/shm/vfs-probe* /run/vfs-probe* /tmp/vfs-probe* 2>/dev/null')).toBe('');
  expect(await inGuest(`readlink /proc/${session.hello.pid}/exe`)).toContain('(deleted)');
});

test('in a guest that has it installed it runs from there', async () => {
  await inGuest('mv /usr/libexec/aside /usr/libexec/vfs-verify');
  const other = await startProbe(endpoint);
  expect(await inGuest(`readlink /proc/${other.hello.pid}/exe`)).toMatch(/^\/usr\/libexec\/vfs-verify\//);
  await other.close();
});

test('bytes that one side wrote are hashed alike on the other, block by block', async () => {
  const bytes = randomBytes(5_000_001);
  writeFileSync(join(lab.hostDir, 'from the host'), bytes);
  for (const mode of ['auto', 'always+writeback', 'never']) {
    const blocks: BlockDigests[] = [];
    const outcome = await session.request(
      mode,
      { do: 'hash', path: 'from the host', algorithm: 'md5', block: 1024 * 1024, blockAlgorithm: 'md5' },
      { ...options(mode), onBulk: (items) => void blocks.push(...(items as BlockDigests[])) },
    );
    expect(outcome).toMatchObject({
      kind: 'value',
      value: { digest: createHash('md5').update(bytes).digest('hex'), bytes: bytes.length } as HashResult,
    });
    const last = Buffer.from(blocks.at(-1)?.base64 ?? '', 'base64').subarray(-16);
    expect(last.toString('hex')).toBe(digestOfBytes('md5', bytes.subarray(4 * 1024 * 1024)));
  }
});

test('page state is seen through FUSE, and dirty guest pages are left alone', async () => {
  const key = { seed: 1, fileId: 2, writer: 3, generation: 4 };
  const outcome = await session.request(
    'writer',
    {
      do: 'many',
      list: [
        { do: 'open', path: 'written', flags: ['rdwr', 'creat'], as: 'f' },
        { do: 'fill', file: 'f', range: { offset: 0, length: 64 * 4096 }, ...key },
        { do: 'pages', file: 'f' },
        { do: 'evict', file: 'f' },
        { do: 'fsync', file: 'f' },
        { do: 'evict', file: 'f' },
        { do: 'hash', file: 'f', algorithm: 'md5' },
      ],
    },
    options('always+writeback'),
  );
  if (outcome.kind !== 'value') throw new Error(JSON.stringify(outcome));
  const { values } = outcome.value as ManyResult;
  expect(values[2] as PageState).toMatchObject({ by: 'cachestat', pages: 64, cached: 64 });
  expect((values[2] as PageState).dirty).toBeGreaterThan(0);
  expect(values[3] as EvictResult).toMatchObject({ evicted: false });
  expect(values[5] as EvictResult).toMatchObject({ evicted: true, after: { cached: 0 } });
  expect(values[6]).toMatchObject({ digest: digestOfBytes('md5', patternBytes(key, 0, 64 * 4096)) });
});

test('a daemon that dies during a hash leaves one worker stuck and named, and the rest alive', async () => {
  writeFileSync(join(lab.hostDir, 'endless'), '');
  truncateSync(join(lab.hostDir, 'endless'), 64 * 1024 ** 3);
  let seen = 0;
  const hashing = session.request(
    'victim',
    { do: 'hash', path: 'endless', algorithm: 'md5' },
    {
      ...options('auto'),
      limitMs: 3000,
      silent: true,
      limitName: '--timeout',
      onProgress: ({ bytes }) => {
        seen = bytes ?? 0;
      },
    },
  );
  while (seen === 0) await sleep(50);
  const daemon = lab.daemons.auto;
  if (daemon === undefined) throw new Error('no daemon for auto');
  process.kill(daemon.pid, 'SIGKILL');
  const outcome = await hashing;
  expect(outcome).toMatchObject({ kind: 'stuck', limit: '--timeout', state: 'D', killed: false });
  const { pid, where } = outcome as { pid: number; where?: string };
  expect(where).toMatch(/request_wait_answer|folio_wait/);
  expect(await session.request('other', { do: 'stat', path: '.' }, options('never'))).toMatchObject({
    kind: 'value',
  });
  expect(await session.close()).toEqual({ leftBehind: [{ actor: 'victim', pid }] });
  expect(await inGuest('ps')).toContain(`${pid}`);
});

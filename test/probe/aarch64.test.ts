import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { localEndpoint } from '../../src/endpoint/local.ts';
import { digestOfBytes } from '../../src/model/digest.ts';
import { patternBytes } from '../../src/model/pattern.ts';
import { startProbe } from '../../src/probe/install.ts';

const program = join(import.meta.dirname, '../../dist/probe/vfs-probe-aarch64');
const emulator = 'qemu-aarch64-static';
const canRun = existsSync(program) && spawnSync(emulator, ['--version']).status === 0;
const work = mkdtempSync(join(tmpdir(), 'vfs-probe-aarch64-'));
afterAll(() => rmSync(work, { recursive: true, force: true }));

test.skipIf(!canRun)('the aarch64 program hashes, walks and fills as the other one does', async () => {
  const local = localEndpoint();
  // startProbe runs what is built for this machine; here that is a script that starts the emulator.
  const arch = process.arch === 'arm64' ? 'aarch64' : 'x86_64';
  const directory = join(work, 'programs');
  spawnSync('mkdir', [directory]);
  writeFileSync(join(directory, `vfs-probe-${arch}`), `#!/bin/sh\nexec ${emulator} "${program}" "$@"\n`, {
    mode: 0o755,
  });
  const session = await startProbe(local, { directory });
  try {
    expect(session.hello.arch).toBe('aarch64');
    const key = { seed: 5, fileId: 6, writer: 7, generation: 8 };
    const options = { root: work, limitMs: 15_000, limitName: 'test' };
    const range = { offset: 0, length: 3_000_001 };
    const outcome = await session.request(
      'a',
      {
        do: 'many',
        list: [
          { do: 'open', path: 'filled', flags: ['rdwr', 'creat'], as: 'f' },
          { do: 'fill', file: 'f', range, ...key },
          { do: 'hash', file: 'f', algorithm: 'md5', block: 1024 * 1024 },
          { do: 'walk', path: 'filled', algorithm: 'sha256' },
          { do: 'stat', path: 'missing' },
        ],
      },
      options,
    );
    expect(outcome).toMatchObject({
      kind: 'value',
      value: {
        values: [
          {},
          { bytes: range.length },
          { digest: digestOfBytes('md5', patternBytes(key, 0, range.length)) },
          { entries: 1, bytes: range.length },
        ],
        stopped: { errno: 'ENOENT' },
      },
    });
    if (session.hello.features.includes('cachestat')) return;
    // The emulator knows no cachestat: the way of kernels before 6.5.
    const pages = await session.request('a', { do: 'pages', file: 'f', map: true }, options);
    expect(pages).toMatchObject({
      kind: 'value',
      value: { by: 'mincore', pages: 733, cached: 733, runs: [0, 733] },
    });
    const evict = { do: 'evict', file: 'f' } as const;
    expect(await session.request('a', evict, options)).toMatchObject({ value: { evicted: false } });
    await session.request('a', { do: 'fsync', file: 'f' }, options);
    expect(await session.request('a', { ...evict, evenDirty: true }, options)).toMatchObject({
      value: { evicted: true, after: { by: 'mincore', cached: 0 } },
    });
  } finally {
    await session.close();
  }
});

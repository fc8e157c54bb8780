import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { TreeEntry, WalkResult } from '../../src/model/operation.ts';
import { compareTreePaths } from '../../src/model/path.ts';
import { useSide } from '../probe/side.ts';

// Needs no guest, but more seconds than a unit test may take.
const side = useSide();

test('a hundred thousand small files are walked in bounded memory, with progress', async () => {
  const files = 100_000;
  for (let directory = 0; directory < 10; directory += 1) {
    const path = join(side.root, `many/${directory}`);
    mkdirSync(path, { recursive: true });
    for (let file = 0; file < files / 10; file += 1) {
      writeFileSync(join(path, `a file of quite an ordinary name ${file}`), `${file}`);
    }
  }
  let progress = 0;
  let count = 0;
  let last: string | undefined;
  let sorted = true;
  const outcome = await side.request(
    'walker',
    { do: 'walk', path: 'many', algorithm: 'md5' },
    {
      limitMs: 60_000,
      onProgress: () => {
        progress += 1;
      },
      onBulk: (items) => {
        for (const { path } of items as TreeEntry[]) {
          count += 1;
          if (last !== undefined && compareTreePaths(last, path) >= 0) sorted = false;
          last = path;
        }
      },
    },
  );
  expect(outcome).toMatchObject({
    kind: 'value',
    value: { entries: files + 11 } satisfies Partial<WalkResult>,
  });
  expect({ count, sorted }).toEqual({ count: files + 11, sorted: true });
  expect(progress).toBeGreaterThan(0);
  expect(peakKib(side.session.hello.pid)).toBeLessThan(32 * 1024);
  for (const pid of childrenOf(side.session.hello.pid)) expect(peakKib(pid)).toBeLessThan(32 * 1024);
  await side.value({ do: 'remove-tree', path: 'many' }, { limitMs: 60_000 });
}, 120_000);

function peakKib(pid: number): number {
  return Number(/^VmHWM:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]);
}

function childrenOf(pid: number): number[] {
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim();
  return children === '' ? [] : children.split(' ').map(Number);
}

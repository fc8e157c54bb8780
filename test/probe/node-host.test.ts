import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import type { HashResult, Operation, TreeEntry } from '../../src/model/operation.ts';
import { startNodeHost } from '../../src/probe/node-host.ts';
import { useSide, withBulk } from './side.ts';

const side = useSide();
const node = startNodeHost();
afterAll(() => node.close());

const inNode = (op: Operation, options = {}) =>
  node.request('a', op, { root: side.root, limitMs: 5000, limitName: 'test', ...options });

/** The same operation by the probe and by node: what is no time and no page state must be the same. */
async function both(op: Operation) {
  const [probe, own] = await Promise.all([side.request('a', op), inNode(op)]);
  const plain = (outcome: object) => ({ ...outcome, beginNs: 0, endNs: 0 });
  return [plain(own), plain(probe)] as const;
}

test('plain node answers as the probe does', async () => {
  const bytes = randomBytes(2_500_000);
  writeFileSync(join(side.root, 'file'), bytes);
  symlinkSync('file', join(side.root, 'link'));
  mkdirSync(join(side.root, 'directory'));
  const operations: Operation[] = [
    { do: 'list', path: '.' },
    { do: 'stat', path: 'nothing', follow: true },
    { do: 'open', path: 'file', flags: ['rdonly'], as: 'f' },
    { do: 'read', file: 'f', offset: 2_499_990, length: 100 },
    { do: 'read', file: 'f', length: 3 },
    { do: 'close', file: 'f' },
    { do: 'read', file: 'f', length: 3 },
    { do: 'hash', path: 'directory', algorithm: 'md5' },
  ];
  for (const op of operations) {
    const [own, probe] = await both(op);
    // Which call refused it is each side's own.
    expect({ ...own, call: undefined }).toEqual({ ...probe, call: undefined });
  }
  for (const path of ['file', 'link', 'directory', '.']) {
    const [own, probe] = await both({ do: 'stat', path });
    expect(probe).toMatchObject(own);
  }
});

test('digests of a file, of its blocks and of its ranges are those of the probe', async () => {
  writeFileSync(join(side.root, 'hashed'), randomBytes(3_000_001));
  for (const algorithm of ['md5', 'sha256'] as const) {
    for (const range of [undefined, { offset: 5, length: 1_500_000 }]) {
      const op = {
        do: 'hash',
        path: 'hashed',
        algorithm,
        block: 12_288,
        blockAlgorithm: 'md5',
        ...(range === undefined ? {} : { range }),
      } as const;
      const results: (HashResult | undefined)[] = [];
      const blocks: unknown[][] = [];
      for (const run of [side.request.bind(side, 'a'), inNode]) {
        blocks.push(
          await withBulk(async (options) => {
            const outcome = await run(op, options);
            results.push(outcome.kind === 'value' ? (outcome.value as HashResult) : undefined);
          }),
        );
      }
      expect(results[1]?.digest).toBe(results[0]?.digest);
      expect(results[1]?.bytes).toBe(results[0]?.bytes);
      expect(blocks[1]).toEqual(blocks[0]);
    }
  }
});

test('a tree is walked in the same order with the same entries', async () => {
  mkdirSync(join(side.root, 'tree/a/b'), { recursive: true });
  writeFileSync(Buffer.concat([Buffer.from(join(side.root, 'tree/a/')), Buffer.from([0xff, 0x0a])]), 'odd');
  writeFileSync(join(side.root, 'tree/a.b'), '');
  symlinkSync('nowhere', join(side.root, 'tree/a/link'));
  const op = { do: 'walk', path: 'tree', algorithm: 'md5' } as const;
  const [own, probe] = [
    await withBulk<TreeEntry>((options) => inNode(op, options)),
    await withBulk<TreeEntry>((options) => side.request('a', op, options)),
  ];
  expect(own).toEqual(probe);
  expect(own).toHaveLength(6);
});

test('what plain node cannot do is refused by name', async () => {
  writeFileSync(join(side.root, 'file'), '');
  for (const op of [
    { do: 'hash', path: 'file', algorithm: 'xxh3' },
    { do: 'hash', path: 'file', algorithm: 'md5', block: 4096 },
    { do: 'hash', path: 'file', algorithm: 'md5', direct: true },
    { do: 'open', path: 'file', flags: ['rdwr'], as: 'f' },
    { do: 'mkdir', path: 'new' },
  ] as Operation[]) {
    expect(await inNode(op)).toMatchObject({ kind: 'errno', errno: 'ENOSYS' });
  }
});

test('a limit ends the waiting here too', async () => {
  execFileSync('mkfifo', [join(side.root, 'fifo')]);
  writeFileSync(join(side.root, 'file'), '');
  const outcome = await inNode(
    { do: 'open', path: 'fifo', flags: ['rdonly'], as: 'f' },
    { limitMs: 100, limitName: '--timeout' },
  );
  expect(outcome).toMatchObject({ kind: 'stuck', limit: '--timeout' });
  // Lets node's own thread go again.
  execFileSync('sh', ['-c', ': >"$0"', join(side.root, 'fifo')]);
  expect(await inNode({ do: 'stat', path: 'file' })).toMatchObject({ kind: 'value' });
});

import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import type { ObserveResult } from '../../src/model/observation.ts';
import type { HashResult, ManyResult, Operation, Stat, TreeEntry } from '../../src/model/operation.ts';
import type { Outcome } from '../../src/model/outcome.ts';
import { startNodeHost } from '../../src/probe/node-host.ts';
import type { RequestOptions } from '../../src/probe/session.ts';
import { useSide, withBulk } from './side.ts';

const side = useSide();
const node = startNodeHost();
afterAll(() => node.close());

const key = { seed: 7, fileId: 1, writer: 2, generation: 3 };

/** Without what differs from one run to the next (times, inodes, which call refused it), and what only the probe sees. */
function comparable(name: string, value: unknown): unknown {
  return /Ns$|^(ino|dev|call|blocks512|dax|pages)$/.test(name) ? undefined : value;
}

const inNode = (op: Operation, options: Partial<RequestOptions> = {}) =>
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
    { do: 'open', path: 'file', flags: ['rdwr', 'direct'], as: 'f' },
    { do: 'rename', path: 'file', to: 'other', flags: ['exchange'] },
    { do: 'evict', file: 'f' },
    { do: 'observe', looks: [{ see: 'pages', file: 'f' }], limitMs: 1 },
  ] as Operation[]) {
    const what = node.lacks?.(op);
    expect(what).toBeTypeOf('string');
    expect(await inNode(op)).toMatchObject({
      kind: 'errno',
      errno: 'ENOSYS',
      call: `plain node has no ${what}: it`,
    });
    expect(node.lacks?.({ do: 'many', list: [{ do: 'clock' }, op], anyway: true })).toBe(what);
  }
});

test('names and files are made and changed as the probe does it', async () => {
  const bytes = Buffer.from('0123456789').toString('base64');
  const made = (name: string): Operation[] => [
    { do: 'mkdir', path: name, mode: 0o1777 },
    { do: 'open', path: `${name}/f`, flags: ['creat', 'excl', 'rdwr'], mode: 0o666, as: name },
    { do: 'write', file: name, base64: bytes },
    { do: 'write', file: name, offset: 5, base64: bytes },
    { do: 'fill', file: name, range: { offset: 100, length: 9000 }, chunk: 4000, ...key },
    { do: 'ftruncate', file: name, length: 9000 },
    { do: 'fchmod', file: name, mode: 0o640 },
    { do: 'fsync', file: name },
    { do: 'hash-ranges', file: name, algorithm: 'md5', ranges: [{ offset: 50, length: 100_000 }] },
    { do: 'close', file: name },
    { do: 'open', path: `${name}/f`, flags: ['append', 'wronly'], as: name },
    // Wherever it is told to write: Linux appends.
    { do: 'write', file: name, offset: 3, base64: bytes },
    { do: 'fill', file: name, range: { offset: 64, length: 64 }, ...key },
    { do: 'close', file: name },
    { do: 'link', path: `${name}/f`, to: `${name}/g` },
    { do: 'symlink', target: 'a \udcff', path: `${name}/s` },
    { do: 'readlink', path: `${name}/s` },
    { do: 'rename', path: `${name}/g`, to: `${name}/h` },
    { do: 'truncate', path: `${name}/h`, length: 9050 },
    { do: 'chmod', path: `${name}/h`, mode: 0o444 },
    { do: 'utimens', path: `${name}/h`, atimeNs: '1700000000125000000', mtimeNs: '1700000456789000001' },
    { do: 'hash', path: `${name}/f`, algorithm: 'sha256' },
    { do: 'list', path: name },
    { do: 'unlink', path: `${name}/s` },
    { do: 'unlink', path: `${name}/s` },
    { do: 'mkdir', path: `${name}/d` },
    { do: 'rmdir', path: `${name}/d` },
    { do: 'rmdir', path: name },
    { do: 'remove-tree', path: `${name}/h` },
  ];
  const ofBoth = await Promise.all(
    [inNode, side.request.bind(side, 'maker')].map(async (run, at) => {
      const name = `made-${at}`;
      const outcome = await run({ do: 'many', list: made(name), anyway: true });
      const { values } = (outcome as { value: ManyResult }).value;
      return JSON.parse(JSON.stringify(values, comparable)) as object[];
    }),
  );
  expect(ofBoth[0]).toEqual(ofBoth[1]);
  const looks: Operation = {
    do: 'many',
    list: ['', '/f', '/h'].flatMap((each) => [
      { do: 'stat', path: `made-0${each}` },
      { do: 'stat', path: `made-1${each}` },
    ]),
  };
  const { values } = ((await inNode(looks)) as { value: { values: Stat[] } }).value;
  for (let at = 0; at < values.length; at += 2) {
    const [own, probe] = values.slice(at, at + 2);
    expect(own).toMatchObject({ mode: probe?.mode, size: probe?.size, nlink: probe?.nlink });
    if (own?.type === 'file') expect(own.mtimeNs).toBe('1700000456789000001');
  }
  writeFileSync(join(side.root, 'kept'), '');
  symlinkSync('../kept', join(side.root, 'made-0/away'));
  mkdirSync(join(side.root, 'made-0/deep/er'), { recursive: true });
  expect(await inNode({ do: 'remove-tree', path: 'made-0' })).toMatchObject({ value: { removed: 6 } });
  expect(await inNode({ do: 'stat', path: 'kept' })).toMatchObject({ kind: 'value' });
});

test('it waits until something is seen, and says when, as the probe does', async () => {
  writeFileSync(join(side.root, 'watched'), 'before');
  writeFileSync(join(side.root, 'odd'), '');
  const observe: Operation = {
    do: 'observe',
    limitMs: 20_000,
    everyUs: 2000,
    looks: [
      { see: 'stat', path: 'watched', fields: ['size', 'type'], until: { is: { size: 5 } } },
      { see: 'content', path: 'watched', offset: 0, length: 100 },
      { see: 'name', path: 'gone', until: { is: { exists: false } } },
      { see: 'listed', path: '.', name: 'odd' },
      { see: 'readlink', path: 'odd' },
    ],
  };
  const list: Operation = { do: 'observe', limitMs: 0, looks: [{ see: 'list', path: '.' }] };
  const [own, probe] = await Promise.all(
    [inNode, side.request.bind(side, 'observer')].map(async (run) => {
      const listed = await run(list);
      let seen = Promise.resolve(listed);
      await new Promise<void>((resolve) => {
        seen = run(observe, { onProgress: () => resolve(), limitMs: 30_000 });
      });
      return { listed, seen: () => seen };
    }),
  );
  if (own === undefined || probe === undefined) throw new Error('two sides were asked');
  writeFileSync(join(side.root, 'watched'), 'after');
  const valuesOf = (outcome: Outcome) => {
    const { reached, looks } = (outcome as { value: ObserveResult }).value;
    return { reached, seen: looks.map(({ seen }) => seen.map(({ value }) => ({ ...value, call: '' }))) };
  };
  expect(valuesOf(own.listed)).toEqual(valuesOf(probe.listed));
  const [ownSeen, probeSeen] = await Promise.all([own.seen(), probe.seen()]);
  // Between the two the file may have been seen empty, by either.
  const ends = ({ reached, seen }: ReturnType<typeof valuesOf>) => [
    reached,
    seen.map((each) => [each[0], each.at(-1)]),
  ];
  expect(ends(valuesOf(ownSeen))).toEqual(ends(valuesOf(probeSeen)));
  const [sizes] = (ownSeen as { value: ObserveResult }).value.looks;
  const last = sizes?.seen.at(-1);
  expect(last?.first[0]).toBeGreaterThan(sizes?.seen[0]?.last[1] ?? Number.NaN);
});

test('what nobody wants any more is given up, and what was not begun is not', async () => {
  writeFileSync(join(side.root, 'f'), '');
  const cancel = new AbortController();
  const waiting = inNode({ do: 'wait', ms: 600_000 }, { cancel: cancel.signal, limitMs: 600_000 });
  const behind = inNode({ do: 'unlink', path: 'f' }, { cancel: cancel.signal });
  cancel.abort('enough');
  expect(await waiting).toEqual({ kind: 'not-run', reason: 'enough' });
  expect(await behind).toEqual({ kind: 'not-run', reason: 'enough' });
  expect(await inNode({ do: 'stat', path: 'f' })).toMatchObject({ kind: 'value' });
});

test('a read that hangs is given up with its file, and said to be left behind', async () => {
  const fifo = join(side.root, 'held');
  execFileSync('mkfifo', [fifo]);
  const own = startNodeHost();
  const ask = (op: Operation) =>
    own.request('reader', op, { root: side.root, limitMs: 300, limitName: 'test' });
  expect(await ask({ do: 'open', path: 'held', flags: ['rdwr'], as: 'f' })).toMatchObject({ kind: 'value' });
  expect(await ask({ do: 'read', file: 'f', length: 1 })).toMatchObject({ kind: 'stuck' });
  expect(await ask({ do: 'read', file: 'f', length: 1 })).toMatchObject({ errno: 'EBADF' });
  expect(await own.close()).toEqual({ leftBehind: [{ actor: 'reader', pid: process.pid }] });
  writeFileSync(fifo, 'x');
  await expect.poll(async () => (await own.close()).leftBehind, { timeout: 10_000 }).toEqual([]);
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

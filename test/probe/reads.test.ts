import { randomBytes } from 'node:crypto';
import { closeSync, ftruncateSync, openSync, readFileSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type {
  CountersResult,
  EvictResult,
  ExtentsResult,
  PageState,
  ProcessFilesResult,
  ReadsResult,
} from '../../src/model/operation.ts';
import { type Read, type ReadBatch, type ReadPlan, readOffset, readsOf } from '../../src/model/read-plan.ts';
import { useSide, withBulk } from './side.ts';

const side = useSide();
const page = 4096;

let opened = 0;

/** A file of random bytes, open under the name that is returned. */
async function open(bytes: number, name = `reads-${opened}`): Promise<string> {
  opened += 1;
  writeFileSync(join(side.root, name), randomBytes(bytes));
  await side.value({ do: 'open', path: name, flags: ['rdonly'], as: name });
  return name;
}

async function readAll(
  plan: ReadPlan,
  from: { file: string } | { map: string },
): Promise<{ result: ReadsResult; reads: Read[] }> {
  let result: ReadsResult | undefined;
  const batches = await withBulk<ReadBatch>(async (options) => {
    result = await side.value<ReadsResult>({ do: 'reads', ...from, ...plan }, options);
  });
  if (result === undefined) throw new Error('no result');
  return { result, reads: batches.flatMap((batch) => [...readsOf(plan, batch)]) };
}

describe('a run of reads', () => {
  it('gives every read its time, and the bytes that it gave', async () => {
    const size = 10 * page + 100;
    const file = await open(size);
    const plan: ReadPlan = {
      order: 'seq',
      block: page,
      range: { offset: 0, length: size },
      count: 11,
      seed: 0,
      passes: 3,
    };
    const { result, reads } = await readAll(plan, { file });
    expect(result).toMatchObject({ reads: 33, bytes: 3 * size });
    expect(reads).toHaveLength(33);
    expect(reads.reduce((sum, { bytes }) => sum + bytes, 0)).toBe(3 * size);
    expect(reads[10]).toMatchObject({ offset: 10 * page, bytes: 100 });
    expect(reads.every(({ ns }) => ns > 0)).toBe(true);
    expect(reads.reduce((sum, { ns }) => sum + ns, 0)).toBe(result.ns);
  });

  it("agrees to the byte with the kernel's own count of the reading process", async () => {
    const file = await open(100 * page);
    const plan: ReadPlan = {
      order: 'random',
      block: 1000,
      range: { offset: 0, length: 100 * page },
      count: 500,
      seed: 3,
      passes: 1,
    };
    const { result } = await readAll(plan, { file });
    expect(result.rchar).toBe(result.bytes);
    expect(result.syscr).toBe(500);
  });

  it('visits the pages that the plan names, and no others', async () => {
    const pages = 1000;
    const file = await open(pages * page);
    const plan: ReadPlan = {
      order: 'random',
      block: page,
      range: { offset: 0, length: pages * page },
      count: 100,
      seed: 0x91c2_0001,
      passes: 1,
    };
    await side.value({ do: 'fsync', file });
    const { after } = await side.value<EvictResult>({ do: 'evict', file, evenDirty: true });
    expect(after.cached).toBe(0);
    await side.value({ do: 'advise', file, advice: 'random' });
    await readAll(plan, { file });
    const { runs = [] } = await side.value<PageState>({ do: 'pages', file, map: true });
    const present = new Set<number>();
    let at = 0;
    for (const [index, run] of runs.entries()) {
      if (index % 2 === 1) for (let each = at; each < at + run; each += 1) present.add(each);
      at += run;
    }
    const planned = Array.from({ length: 100 }, (_, index) => readOffset(plan, index) / page);
    // Large folios may bring neighbours along; what was read must be there.
    expect(planned.filter((each) => !present.has(each))).toEqual([]);
    expect(present.size).toBeLessThan(300);
  });

  it('loads from a mapping, and stops where it ends', async () => {
    const file = await open(3 * page);
    await side.value({
      do: 'map',
      file,
      as: 'm',
      offset: 0,
      length: 2 * page + 10,
      protection: 'read',
      share: 'shared',
    });
    const plan: ReadPlan = {
      order: 'seq',
      block: page,
      range: { offset: 0, length: 3 * page },
      count: 3,
      seed: 0,
      passes: 1,
    };
    const { result } = await readAll(plan, { map: 'm' });
    expect(result).toMatchObject({ reads: 3, bytes: 2 * page + 10, rchar: 0 });
  });

  it('sends a long run in many batches', async () => {
    const file = await open(page);
    const plan: ReadPlan = {
      order: 'seq',
      block: 1,
      range: { offset: 0, length: page },
      count: 100_000,
      seed: 0,
      passes: 1,
    };
    const { reads } = await readAll(plan, { file });
    expect(reads).toHaveLength(100_000);
  });

  it('refuses what cannot be read', async () => {
    await side.value({ do: 'open', path: '.', flags: ['rdonly', 'directory'], as: 'directory' });
    const plan: ReadPlan = {
      order: 'seq',
      block: 1,
      range: { offset: 0, length: 9 },
      count: 1,
      seed: 0,
      passes: 1,
    };
    expect(await side.refusal({ do: 'reads', file: 'directory', ...plan })).toBe('EISDIR pread64');
  });
});

describe('the samples around a run', () => {
  it('name holes and extents that were never written', async () => {
    const path = join(side.root, 'sparse');
    const fd = openSync(path, 'w');
    writeSync(fd, randomBytes(2 * page), 0, 2 * page, 4 * page);
    ftruncateSync(fd, 16 * page);
    closeSync(fd);
    await side.value({ do: 'open', path: 'sparse', flags: ['rdwr'], as: 'sparse' });
    await side.value({ do: 'fallocate', file: 'sparse', offset: 8 * page, length: 2 * page });
    await side.value({ do: 'fsync', file: 'sparse' });
    const extents = await side.value<ExtentsResult>({ do: 'extents', file: 'sparse' });
    if (extents.by !== 'fiemap') return;
    expect(extents.empty).toEqual([
      { offset: 0, length: 4 * page, kind: 'hole' },
      { offset: 6 * page, length: 2 * page, kind: 'hole' },
      { offset: 8 * page, length: 2 * page, kind: 'unwritten' },
      { offset: 10 * page, length: 6 * page, kind: 'hole' },
    ]);
    expect(
      await side.value<ExtentsResult>({
        do: 'extents',
        file: 'sparse',
        range: { offset: 2 * page, length: 3 * page },
      }),
    ).toMatchObject({ empty: [{ offset: 2 * page, length: 2 * page, kind: 'hole' }] });
  });

  it("read another process's counters, and say why not", async () => {
    const { processes } = await side.value<CountersResult>({
      do: 'counters',
      processes: [process.pid, 2 ** 31 - 1],
    });
    const own = Number(/rchar: (\d+)/.exec(readFileSync('/proc/self/io', 'utf8'))?.[1]);
    expect(processes[0]?.rchar).toBeGreaterThan(0);
    expect(processes[0]?.rchar).toBeLessThanOrEqual(own);
    expect(processes[1]).toEqual({ pid: 2 ** 31 - 1, error: 'ENOENT' });
  });

  it('say how another process holds the file open', async () => {
    const file = await open(page, 'held');
    const fd = openSync(join(side.root, 'held'), 'r');
    expect(await side.value<ProcessFilesResult>({ do: 'process-files', pid: process.pid, file })).toEqual({
      opened: 1,
      direct: 0,
    });
    closeSync(fd);
    expect(await side.value<ProcessFilesResult>({ do: 'process-files', pid: process.pid, file })).toEqual({
      opened: 0,
      direct: 0,
    });
  });

  it('look through a descriptor of somebody else, without opening the file', async () => {
    writeFileSync(join(side.root, 'borrowed'), randomBytes(3 * page));
    expect(await side.refusal({ do: 'borrow', path: 'borrowed', as: 'b' })).toMatch(/^ENOENT borrow/);
    const fd = openSync(join(side.root, 'borrowed'), 'r');
    expect(await side.value({ do: 'borrow', path: 'borrowed', as: 'b' })).toEqual({ pid: process.pid });
    closeSync(fd);
    expect(await side.value({ do: 'read', file: 'b', offset: 0, length: 4 * page })).toMatchObject({
      bytes: 3 * page,
    });
    expect(await side.refusal({ do: 'borrow', path: 'missing', as: 'c' })).toBe('ENOENT statx');
  });
});

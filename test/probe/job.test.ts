import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readOutput } from '../../src/workload/read-output.ts';
import { builtProbe } from './side.ts';

// The probe's own runner on this machine's files, its report read as fio's is.

const mib = 1024 * 1024;
let directory = '';

beforeAll(async () => {
  directory = await mkdtemp(path.join(tmpdir(), 'vfs-probe-job-'));
});
afterAll(() => rm(directory, { recursive: true, force: true }));

const file = (name: string) => path.join(directory, name);

async function job(words: readonly string[], ...files: readonly string[]) {
  const ran = await promisify(execFile)(await builtProbe(), ['job', ...words, '--', ...files]);
  const { runs, problem } = readOutput('stdout', Buffer.from(ran.stdout));
  const [run] = runs;
  const [done] = run?.jobs ?? [];
  if (done === undefined) throw new Error(`${problem?.why}\n${ran.stdout}`);
  const of = (name: string) => done.directions.find(({ direction }) => direction === name);
  return { stdout: ran.stdout, job: done, read: of('read'), write: of('write') };
}

describe('the probe’s own runner', () => {
  it('lays out a file that is not there, reads each block once, and reports as fio does', async () => {
    const {
      stdout,
      job: done,
      read,
      write,
    } = await job(['name=r', 'rw=randread', 'bs=4096', `size=${mib}`], file('laid-out'));
    expect(stdout).toMatch(/^r: Laying out IO file \(1 file \/ 1MiB\)$/m);
    expect((await stat(file('laid-out'))).size).toBe(mib);
    expect(done).toMatchObject({ name: 'r', workload: { value: 'randread' }, engine: { value: 'psync' } });
    expect(read).toMatchObject({ bytes: { value: mib }, requests: { value: 256 } });
    expect(write).toBeUndefined();
    const latency = read?.clat;
    if (latency === undefined) throw new Error('no latency');
    expect(latency.min.value).toBeLessThanOrEqual(latency.mean.value);
    expect(latency.mean.value).toBeLessThanOrEqual(latency.max.value);
    const median = read?.percentiles.find(([percent]) => percent === 50)?.[1].value ?? 0;
    expect(median).toBeGreaterThanOrEqual(latency.min.value * 0.98);
    expect(median).toBeLessThanOrEqual(latency.max.value * 1.02);
  });

  it('writes through either engine, and counts its fsyncs', async () => {
    for (const engine of ['psync', 'mmap']) {
      const { job: done, write } = await job(
        [`ioengine=${engine}`, 'rw=write', 'bs=4096', 'size=65536', 'fsync=4', 'end_fsync=1'],
        file(`written-${engine}`),
      );
      expect(write).toMatchObject({ bytes: { value: 65_536 }, requests: { value: 16 } });
      expect(done.sync?.count?.value, engine).toBe(5);
      const bytes = await readFile(file(`written-${engine}`));
      expect(bytes).toHaveLength(65_536);
      // No block is the other's.
      expect(new Set(Array.from({ length: 16 }, (_, at) => bytes.readInt32LE(at * 4096))).size).toBe(16);
    }
  });

  it('takes several files in turns, and mixes reads and writes', async () => {
    const { read, write } = await job(
      ['rw=randrw', 'rwmixread=50', 'bs=4096', `size=${2 * mib}`, 'randseed=7'],
      file('first'),
      file('second'),
    );
    expect((read?.requests?.value ?? 0) + (write?.requests?.value ?? 0)).toBe(512);
    expect(read?.requests?.value).toBeGreaterThan(100);
    expect(write?.requests?.value).toBeGreaterThan(100);
    expect((await stat(file('second'))).size).toBe(mib);
  });

  it('ends by its time, beginning anew as often as it takes', async () => {
    await writeFile(file('small'), Buffer.alloc(8192));
    const { read } = await job(
      ['rw=read', 'bs=4096', 'size=8192', 'time_based=1', 'runtime_ns=100000000'],
      file('small'),
    );
    expect(read?.requests?.value).toBeGreaterThan(2);
    expect(read?.runtimeMs?.value).toBeGreaterThanOrEqual(100);
  });

  it('says what failed, and does not run what it does not understand', async () => {
    await expect(job(['rw=read', 'size=4096'], file('no/such/directory'))).rejects.toThrow('laying out');
    await expect(job(['rw=trim', 'size=4096'], file('small'))).rejects.toThrow('usage');
  });
});

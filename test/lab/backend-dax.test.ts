import { createHash, randomBytes } from 'node:crypto';
import { appendFile, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Endpoint } from '../../src/endpoint/endpoint.ts';
import { connectSsh } from '../../src/endpoint/ssh.ts';
import type { LabInfo } from '../../src/lab/info.ts';
import { countsOf, setFaults } from './backend.ts';
import { downLab, upLab } from './cli.ts';

// The DAX window of the lab's own backend, with its counters as the oracle and dax=never as the control.

const MiB = 2 ** 20;
const name = `backend-dax-${process.pid}`;
let lab: LabInfo;
let guest: Endpoint;

async function up(...modes: readonly string[]): Promise<void> {
  lab = await upLab(name, '--modes', modes.join(','));
  guest = await connectSsh({ ...lab.ssh, strict: true });
}

async function down(): Promise<void> {
  await guest?.close();
  await downLab(name);
}

const md5 = (bytes: Uint8Array) => createHash('md5').update(bytes).digest('hex');
const onHost = (file: string) => path.join(lab.hostDir, file);

/** Runs a shell line in the mount of a mode; what it prints. */
async function inMode(mode: string, line: string): Promise<string> {
  const ran = await guest.exec(['sh', '-c', `cd '/mnt/${mode}' && { ${line}; }`]);
  return ran.stdout.trim();
}

async function digestIn(mode: string, file: string): Promise<string | undefined> {
  return (await inMode(mode, `md5sum < ${file}`)).split(' ')[0];
}

/** How much each count of a mode's daemon grows by what is done. */
async function counting(mode: string, work: () => Promise<unknown>): Promise<(count: string) => number> {
  const before = await countsOf(lab, mode);
  await work();
  const after = await countsOf(lab, mode);
  return (count) => (after.get(count) ?? 0) - (before.get(count) ?? 0);
}

async function cachedKiB(): Promise<number> {
  const meminfo = await inMode('auto+dax=never', 'cat /proc/meminfo');
  return Number(/^Cached:\s+(\d+)/m.exec(meminfo)?.[1]);
}

describe('where every daemon is the lab’s own', () => {
  beforeAll(() => up('auto+dax=always', 'auto+dax=inode', 'auto+dax=never'));
  afterAll(down);

  it('a file larger than the window is read right through it, without a FUSE_READ', async () => {
    const bytes = randomBytes(40 * MiB + 12_345);
    await writeFile(onHost('large'), bytes);
    for (const mode of ['auto+dax=always', 'auto+dax=inode']) {
      const cached = await cachedKiB();
      const grown = await counting(mode, async () => expect(await digestIn(mode, 'large')).toBe(md5(bytes)));
      expect([grown('READ'), grown('SETUPMAPPING')], mode).toEqual([0, 21]);
      expect(grown('REMOVEMAPPING'), mode).toBeGreaterThan(0);
      expect((await cachedKiB()) - cached, mode).toBeLessThan(1024);
    }
    const cached = await cachedKiB();
    const grown = await counting('auto+dax=never', async () =>
      expect(await digestIn('auto+dax=never', 'large')).toBe(md5(bytes)),
    );
    expect([grown('bytes-read'), grown('SETUPMAPPING')]).toEqual([bytes.length, 0]);
    expect((await cachedKiB()) - cached).toBeGreaterThan(38 * 1024);
  });

  it('what one side writes, the other reads at once', async () => {
    const mode = 'auto+dax=always';
    await writeFile(onHost('both'), 'a'.repeat(5000));
    expect(await inMode(mode, 'head -c 4 both')).toBe('aaaa');
    await inMode(mode, 'printf GUEST 1<>both');
    expect((await readFile(onHost('both'), 'utf8')).slice(0, 8)).toBe('GUESTaaa');
    const file = await readFile(onHost('both'));
    file.write('HOST', 0);
    await writeFile(onHost('both'), file, { flag: 'r+' });
    expect(await inMode(mode, 'head -c 8 both')).toBe('HOSTTaaa');
  });

  it('empty files, parts of pages, and files that grow on either side are right', async () => {
    const mode = 'auto+dax=always';
    await writeFile(onHost('grows'), '');
    expect(await inMode(mode, 'cat grows; printf one >> grows; cat grows')).toBe('one');
    await appendFile(onHost('grows'), 'two');
    expect(await inMode(mode, 'sleep 1.2; cat grows; printf three >> grows; cat grows')).toBe(
      'onetwoonetwothree',
    );
    expect(await readFile(onHost('grows'), 'utf8')).toBe('onetwothree');
  });

  it.each(['dax-offset', 'dax-copy', 'dax-last-range', 'dax-shared-base'])(
    'the fault %s shows',
    async (fault) => {
      const mode = 'auto+dax=inode';
      const files = [`${fault}-1`, `${fault}-2`];
      const bytes = files.map(() => randomBytes(3 * MiB));
      for (const [at, file] of files.entries()) await writeFile(onHost(file), bytes[at] ?? '');
      await setFaults(lab, mode, fault);
      for (const file of files) await digestIn(mode, file);
      // What was mapped stays so, and a copy shows when the file itself is another.
      if (fault === 'dax-copy') {
        bytes[1]?.fill(1);
        await writeFile(onHost(files[1] ?? ''), bytes[1] ?? '', { flag: 'r+' });
      }
      const seen = await digestIn(mode, files[1] ?? '');
      await setFaults(lab, mode, '');
      expect(seen).not.toBe(md5(bytes[1] ?? Buffer.of()));
    },
  );
});

describe('beside a released daemon, which ends when more of a file is mapped than there is', () => {
  beforeAll(() => up('auto', 'auto+dax=always', 'auto+dax=inode'));
  afterAll(down);

  it('files of whole pages are mapped, and the other daemon goes on', async () => {
    const bytes = randomBytes(3 * MiB + 8192);
    await writeFile(onHost('whole'), bytes);
    for (const mode of ['auto+dax=always', 'auto+dax=inode', 'auto']) {
      expect(await digestIn(mode, 'whole'), mode).toBe(md5(bytes));
    }
    expect((await countsOf(lab, 'auto+dax=always')).get('READ')).toBe(0);
    expect((await countsOf(lab, 'auto+dax=inode')).get('READ')).toBe(0);
  });

  it('a file with a part of a page is read by FUSE_READ, or not at all, and never wrong', async () => {
    await writeFile(onHost('part'), 'hello, world');
    expect(await inMode('auto+dax=inode', 'cat part')).toBe('hello, world');
    expect(await inMode('auto+dax=always', 'cat part 2>/dev/null || echo error')).toBe('error');
  });

  it('a mapped file grows by whole pages, and the guest is told no other size', async () => {
    const mode = 'auto+dax=inode';
    await writeFile(onHost('pages'), 'a'.repeat(4096));
    // Held open, so that it stays mapped.
    const held = 'exec 3<pages; head -c 1 <&3 >/dev/null';
    const grown = 'head -c 4096 /dev/zero | tr "\\0" b >> pages; md5sum < pages';
    expect(await inMode(mode, `${held}; ${grown}`)).toContain(
      md5(Buffer.from('a'.repeat(4096) + 'b'.repeat(4096))),
    );
    expect(await inMode(mode, `${held}; printf c >> pages 2>/dev/null || echo refused`)).toBe('refused');
    const seen = inMode(mode, `${held}; sleep 3; wc -c < pages`);
    await new Promise((resolve) => setTimeout(resolve, 1000));
    await appendFile(onHost('pages'), 'b'.repeat(4096 + 12));
    expect(await seen).toBe(String(3 * 4096));
  });
});

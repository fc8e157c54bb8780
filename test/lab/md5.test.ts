import { createHash } from 'node:crypto';
import {
  appendFile,
  link,
  mkdir,
  mkdtemp,
  open,
  readFile,
  rename,
  rm,
  symlink,
  truncate,
  unlink,
  utimes,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { LabInfo } from '../../src/lab/info.ts';
import type { ComparisonEvidence, TreeEvidence } from '../../src/model/comparison.ts';
import { labModes } from '../../src/model/mode.ts';
import { patternBytes } from '../../src/model/pattern.ts';
import { downLab, inGuest, reportOf, upLab, vfsVerify } from './cli.ts';

const name = `md5-${process.pid}`;
let lab: LabInfo;
let scratch = '';
beforeAll(async () => {
  lab = await upLab(name);
  scratch = await mkdtemp(path.join(tmpdir(), 'vfs-verify-test-'));
});
afterAll(async () => {
  await downLab(name);
  await rm(scratch, { recursive: true, force: true });
});

const onHost = (file: string) => path.join(lab.hostDir, file);
const inMode = (mode: string, file: string) => `${lab.mounts[mode]}/${file}`;
const bytes = (generation: number, length: number) =>
  patternBytes({ seed: 5, fileId: 1, writer: 1, generation }, 0, length);
const md5 = (content: Uint8Array) => createHash('md5').update(content).digest('hex');
const evidenceOf = (result: { verdict: { evidence?: unknown } }) =>
  result.verdict.evidence as ComparisonEvidence;
const compare = (...args: string[]) => reportOf(['md5', `--lab=${name}`, ...args]);

describe.each(labModes)('in mode %s', (mode) => {
  const size = 3 * 1024 * 1024 + 1234;
  const file = `in ${mode}`;

  it('a file that the host wrote is the same on both sides', async () => {
    await writeFile(onHost(file), bytes(1, size));
    const { status, first } = await compare(inMode(mode, file));
    expect(status).toBe(0);
    expect(evidenceOf(first)).toMatchObject({
      guest: { digest: md5(bytes(1, size)), bytes: size },
      host: { digest: md5(bytes(1, size)) },
    });
    expect(first.mode).toBe(mode);
  });

  it("a file that the host changes behind the guest's back is found where the mode keeps pages, and said to be permitted", async () => {
    await inGuest(name, `cat '${inMode(mode, file)}' >/dev/null`);
    const changed = bytes(1, size).slice();
    changed.set(bytes(2, 5000), 2 * 1024 * 1024 + 4096);
    const handle = await open(onHost(file), 'r+');
    await handle.write(
      changed.subarray(2 * 1024 * 1024 + 4096, 2 * 1024 * 1024 + 4096 + 5000),
      0,
      5000,
      2 * 1024 * 1024 + 4096,
    );
    await handle.close();
    const { status, first } = await compare(inMode(mode, file));
    if (!mode.startsWith('always')) {
      expect(first.verdict.kind, JSON.stringify(first.verdict)).toBe('pass');
      expect(evidenceOf(first).guest?.digest).toBe(md5(changed));
      return;
    }
    expect(status).toBe(1);
    expect(first.verdict.code).toBe('differs-permitted');
    expect(evidenceOf(first).layer).toBe('stale-guest-cache');
    expect(evidenceOf(first).ranges).toEqual([{ offset: 2 * 1024 * 1024 + 4096, length: 8192 }]);
    expect(evidenceOf(first).votes.find(({ who }) => who === 'guest-evicted')?.agreesWith).toContain(
      'host-cache',
    );
  });

  it('files of every length that the guest wrote are the same', async () => {
    const lengths = [0, 1, 4095, 4096, 4097, 1024 * 1024, 1024 * 1024 + 1];
    const target = (length: number) => inMode(mode, `guest ${mode} ${length}`);
    const write = (length: number) => `head -c ${length} /dev/urandom > '${target(length)}'`;
    await inGuest(name, lengths.map(write).join('; '));
    const { status, report } = await compare(...lengths.map(target));
    expect(status, JSON.stringify(report.results.map(({ verdict }) => verdict))).toBe(0);
    for (const [index, length] of lengths.entries()) {
      const written = await readFile(onHost(`guest ${mode} ${length}`));
      const { host } = evidenceOf(report.results[index] ?? { verdict: {} });
      expect(host).toMatchObject({ digest: md5(written), bytes: length });
    }
  });
});

describe('digests', () => {
  it.each(['md5', 'sha256', 'xxh3'])('by %s agree', async (algorithm) => {
    await writeFile(onHost('digest'), bytes(3, 100_000));
    const { status, first } = await compare('--algo', algorithm, inMode('auto', 'digest'));
    expect(status).toBe(0);
    if (algorithm !== 'xxh3')
      expect(evidenceOf(first).guest?.digest).toBe(
        createHash(algorithm).update(bytes(3, 100_000)).digest('hex'),
      );
  });

  it('that are not what was expected: both sides agree and both are wrong', async () => {
    const right = await compare('--expect', md5(bytes(3, 100_000)).toUpperCase(), inMode('auto', 'digest'));
    expect(right.status).toBe(0);
    const wrong = await compare('--expect', md5(bytes(4, 100_000)), inMode('auto', 'digest'));
    expect(wrong.status).toBe(1);
    expect(wrong.first.verdict.code).toBe('agree-and-wrong');
    const words = await vfsVerify([
      'md5',
      `--lab=${name}`,
      '--expect',
      md5(bytes(4, 100_000)),
      inMode('auto', 'digest'),
    ]);
    expect(words.stdout).toContain('both sides agree and both are wrong');
  });
});

describe('the layer', () => {
  it('is a stale size where the host appended and the mode keeps attributes', async () => {
    await writeFile(onHost('grows'), bytes(1, 8192));
    await inGuest(name, `cat '${inMode('always', 'grows')}' >/dev/null`);
    await appendFile(onHost('grows'), bytes(2, 4096));
    const { first } = await compare(inMode('always', 'grows'));
    expect(first.verdict.code).toBe('differs-permitted');
    expect(evidenceOf(first).layer).toBe('stale-size');
    expect(evidenceOf(first).ranges).toEqual([{ offset: 8192, length: 4096 }]);
  });

  it('is a stale name where the host renamed another file over it', async () => {
    await writeFile(onHost('name'), bytes(1, 8192));
    await inGuest(name, `cat '${inMode('always', 'name')}' >/dev/null`);
    await writeFile(onHost('name.new'), bytes(2, 8192));
    await rename(onHost('name.new'), onHost('name'));
    const { first } = await compare(inMode('always', 'name'));
    expect(first.verdict.code).toBe('differs-permitted');
    expect(evidenceOf(first).layer).toBe('stale-name');
  });

  it('is data that the guest has not written back, which is not evicted', async () => {
    const target = inMode('always+writeback', 'dirty');
    await writeFile(onHost('dirty'), bytes(1, 65_536));
    // The writer holds the file open and closes no copy of the descriptor, so that nothing flushes it.
    await inGuest(name, `(exec 1<>'${target}' 2>/dev/null; printf XYZ; sleep 60) & sleep 0.5`);
    const { first, status } = await compare(target);
    expect(status).toBe(1);
    expect(evidenceOf(first).layer).toBe('guest-not-written-back');
    expect(first.verdict.code).toBe('differs-permitted');
    expect(evidenceOf(first).votes.find(({ who }) => who === 'guest-evicted')?.note).toContain('dirty');
    // Our own close flushes them, whatever we do: that is said.
    expect(evidenceOf(first).disturbed.join()).toContain('write its dirty pages back');
  });
});

describe('odd files', () => {
  it('with odd names are compared', async () => {
    const odd = ['a b', 'quote\'s "two"', 'new\nline', '-dash', '\u{1f600}é', 'back\\slash', '$(id)`id`'];
    for (const each of odd) await writeFile(onHost(each), bytes(1, 5000));
    const { status, report } = await compare('--', ...odd.map((each) => inMode('auto', each)));
    expect(status, JSON.stringify(report.results)).toBe(0);
    expect(report.results).toHaveLength(odd.length);
  });

  it('with a name that is no UTF-8 are compared, in a tree and by name', async () => {
    await mkdir(onHost('bytes'));
    await writeFile(
      Buffer.concat([Buffer.from(`${onHost('bytes')}/a`), Buffer.of(0xff, 0xfe)]),
      bytes(1, 5000),
    );
    const tree = await compare('--recursive', inMode('auto', 'bytes'));
    expect(tree.status, JSON.stringify(tree.first)).toBe(0);
    expect((tree.first.verdict.evidence as TreeEvidence).entries).toBe(2);
    // Only a shell can put such a name on a command line.
    const ran = await vfsVerifyByShell(
      `md5 --lab=${name} "$(printf '${inMode('auto', 'bytes')}/a\\377\\376')" --json`,
    );
    expect(JSON.parse(ran.stdout)).toMatchObject({ verdict: { kind: 'pass' } });
  });

  it('that are sparse and larger than the memory of the guest are compared', async () => {
    const handle = await open(onHost('sparse'), 'w');
    await handle.truncate(1_500_000_001);
    await handle.write(bytes(1, 10_000), 0, 10_000, 1_000_000_000);
    await handle.close();
    const { status, first } = await compare('--algo', 'xxh3', inMode('never', 'sparse'));
    expect(first.verdict, JSON.stringify(first)).toMatchObject({ kind: 'pass' });
    expect(status).toBe(0);
    await unlink(onHost('sparse'));
  });

  it('by a link inside the share are those that it leads to; a link out of it is said', async () => {
    await writeFile(onHost('target'), bytes(1, 100));
    await symlink('target', onHost('link'));
    await symlink('/etc/hostname', onHost('out'));
    expect((await compare(inMode('auto', 'link'))).status).toBe(0);
    const out = await compare(inMode('auto', 'out'));
    expect(out.status).toBe(2);
    expect(out.first.verdict.code).toBe('outside-share');
  });

  it('that change while they are hashed are unknown', async () => {
    const handle = await open(onHost('busy'), 'w');
    await handle.truncate(300 * 1024 * 1024);
    let stop = false;
    const writing = (async () => {
      for (let at = 0; !stop; at += 4096) {
        await handle.write(bytes(at % 60_000, 4096), 0, 4096, at % (200 * 1024 * 1024));
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
    })();
    const { status, first } = await compare(inMode('auto', 'busy'));
    stop = true;
    await writing;
    await handle.close();
    expect(first.verdict).toMatchObject({ kind: 'unknown', code: 'changed-while-hashed' });
    expect(status).toBe(2);
    await unlink(onHost('busy'));
  });
});

describe('what cannot be compared', () => {
  it('is told apart: missing on both sides, on one, a directory, outside the share, a relative path', async () => {
    expect((await compare(inMode('auto', 'nothing'))).first.verdict).toMatchObject({
      kind: 'unknown',
      code: 'no-such-file',
    });
    await writeFile(onHost('removed'), 'x');
    await inGuest(name, `cat '${inMode('always', 'removed')}' >/dev/null`);
    await unlink(onHost('removed'));
    const removed = await compare(inMode('always', 'removed'));
    expect([removed.status, removed.first.verdict.code]).toEqual([1, 'only-on-guest']);
    const directory = await compare(inMode('auto', ''));
    expect([directory.status, directory.first.verdict.code]).toEqual([2, 'not-a-file']);
    expect(directory.first.verdict.next).toContain('--recursive');
    const outside = await compare('/etc/hostname');
    expect([outside.status, outside.first.verdict.code]).toEqual([2, 'outside-share']);
    const relative = await vfsVerify(['md5', 'file']);
    expect(relative.status).toBe(2);
    expect(relative.stderr).toContain('absolute');
  });

  it('does not hide the paths that can be: the worst verdict is the status', async () => {
    await writeFile(onHost('fine'), 'x');
    const { status, report } = await compare(inMode('auto', 'fine'), inMode('auto', 'nothing'));
    expect(status).toBe(2);
    expect(report.results.map(({ verdict }) => verdict.kind)).toEqual(['pass', 'unknown']);
  });
});

describe('a tree', () => {
  it('is compared by names, types, sizes, link targets and bytes', async () => {
    await mkdir(onHost('tree/sub/deep'), { recursive: true });
    for (let i = 0; i < 50; i += 1) await writeFile(onHost(`tree/sub/f${i}`), bytes(i, 100 * i));
    await symlink('nowhere', onHost('tree/dangling'));
    await link(onHost('tree/sub/f3'), onHost('tree/hard'));
    const { status, first } = await compare('--recursive', inMode('never', 'tree'));
    expect(status, JSON.stringify(first.verdict)).toBe(0);
    expect((first.verdict.evidence as TreeEvidence).entries).toBe(55);
  });

  it('whose differences the mode caches are all found', async () => {
    await inGuest(
      name,
      `find '${inMode('always', 'tree')}' -type f -exec cat {} + >/dev/null; ls -lR '${inMode('always', 'tree')}' >/dev/null`,
    );
    await writeFile(onHost('tree/sub/f7'), bytes(99, 700));
    await appendFile(onHost('tree/sub/f8'), 'more');
    await unlink(onHost('tree/sub/f9'));
    await truncate(onHost('tree/sub/f10'), 5);
    const { status, first } = await compare('--recursive', inMode('always', 'tree'));
    expect(status).toBe(1);
    const { counts, differences } = first.verdict.evidence as TreeEvidence;
    expect(differences.map(({ path: where, what }) => `${where} ${what}`).sort()).toEqual([
      'sub/f10 size',
      'sub/f7 digest',
      'sub/f8 size',
      'sub/f9 only-guest',
    ]);
    expect(counts).toEqual({ size: 2, digest: 1, 'only-guest': 1 });
  });
});

describe('evidence', () => {
  it('is kept by --bundle and judged again without a guest, with the same verdict', async () => {
    await writeFile(onHost('kept'), bytes(1, 70_000));
    await inGuest(name, `cat '${inMode('always', 'kept')}' >/dev/null`);
    await writeFile(onHost('kept'), bytes(2, 70_000));
    await utimes(onHost('kept'), 1, 1);
    const bundle = path.join(scratch, 'bundle');
    const live = await compare('--bundle', bundle, inMode('always', 'kept'));
    const again = await reportOf(['judge', bundle]);
    expect(again.status).toBe(1);
    expect(again.first.verdict).toEqual(live.first.verdict);
  });
});

async function vfsVerifyByShell(line: string) {
  const { execa } = await import('execa');
  const bin = path.resolve(import.meta.dirname, '../../bin/vfs-verify.js');
  return execa('sh', ['-c', `exec node '${bin}' ${line}`], { reject: false, timeout: 60_000 });
}

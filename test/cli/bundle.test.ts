import { appendFile, cp, mkdir, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Bundle } from '../../src/run/bundle.ts';
import { type LocalShare, localShare } from './program.ts';

const findings = fileURLToPath(new URL('../../docs/findings', import.meta.url));

/** What nobody else may see. Each is planted where evidence has such things. */
const secrets = {
  directory: 'acme-payroll',
  file: 'merger plan Q3.xlsx',
  target: 'hidden-target.pem',
  host: 'galadriel.corp.example',
  shortHost: 'galadriel',
  user: 'eowyn',
  lab: 'numenor',
  ip: '10.20.30.40',
  ip6: 'fd12:3456:789a::42',
  mac: '52:54:00:ab:cd:ef',
  uuid: '6ba7b810-9dad-11d1-80b4-00c04fd430c8',
  kernel: 'acmecorp',
  content: 'the password is swordfish',
  command: 'payrolld',
};

/** The program is started several times in each test. */
const patienceMs = 120_000;

let share: LocalShare;
beforeAll(async () => {
  share = await localShare();
});
afterAll(() => rm(share.directory, { recursive: true, force: true }));

/** Every file below a directory, with what its base64 stands for. */
async function everything(directory: string): Promise<string> {
  const names = await readdir(directory, { recursive: true, withFileTypes: true });
  const texts = await Promise.all(
    names
      .filter((each) => each.isFile())
      .map(async (each) => {
        const text = await readFile(path.join(each.parentPath, each.name), 'utf8');
        const hidden = [...text.matchAll(/[A-Za-z0-9+/]{8,}={0,2}/g)].map(([found]) =>
          Buffer.from(found, 'base64').toString('latin1'),
        );
        return [each.name, text, ...hidden].join('\n');
      }),
  );
  return texts.join('\n');
}

/** Packs evidence and unpacks it again. */
async function packed(evidence: string, ...flags: readonly string[]) {
  const [file, into] = [path.join(share.directory, 'packed.tar.gz'), path.join(share.directory, 'unpacked')];
  await rm(into, { recursive: true, force: true });
  await mkdir(into);
  const ran = await share.run('bundle', '--redact', evidence, '-o', file, ...flags);
  await execa('tar', ['-xzf', file, '-C', into]);
  return { ...ran, directory: path.join(into, 'vfs-verify-evidence') };
}

function expectNoSecret(text: string): void {
  const found = Object.values(secrets).filter((secret) => text.toLowerCase().includes(secret.toLowerCase()));
  expect(found).toEqual([]);
}

async function verdictOf(directory: string) {
  const { status, stdout } = await share.run('judge', directory, '--json');
  const { results } = JSON.parse(stdout) as {
    results: { cases: { verdict: { kind: string; code?: string } }[] }[];
  };
  return {
    status,
    cases: results.flatMap(({ cases }) => cases.map(({ verdict: { kind, code } }) => ({ kind, code }))),
  };
}

describe('evidence of a check, packed for a bug report', () => {
  const names = [
    'fuse-append-torn',
    'fuse-splice-direct-io',
    'fuse-seek-dirty',
    'virtiofsd-readdirplus-gone',
  ];

  it.each(names)(
    '%s has nothing in it that was planted, and is judged the same',
    async (name) => {
      const evidence = path.join(share.directory, name);
      await cp(path.join(findings, name), evidence, { recursive: true });
      const file = path.join(evidence, 'bundle.json');
      const before = await verdictOf(evidence);
      await writeFile(file, JSON.stringify(planted(JSON.parse(await readFile(file, 'utf8')) as Bundle)));
      const { status, stdout, directory } = await packed(evidence);
      expect(stdout).toContain('judged as before');
      expect(status).toBe(0);
      expectNoSecret(await everything(directory));
      expect(await verdictOf(path.join(directory, 'evidence'))).toEqual(before);
      expect(await readFile(path.join(directory, 'README.md'), 'utf8')).toContain('guest-kernel 6.12.107');
      // Whoever packs it sees what was replaced; it is nowhere in the archive.
      expect(stdout).toContain(secrets.directory);
    },
    patienceMs,
  );

  it(
    'has the failing case as a script',
    async () => {
      const evidence = path.join(findings, 'fuse-splice-direct-io');
      const { directory } = await packed(evidence);
      expect(await readFile(path.join(directory, 'repro/1.sh'), 'utf8')).toContain('python3');
    },
    patienceMs,
  );

  it('that cannot be written is told with what to do', async () => {
    const nowhere = path.join(share.directory, 'none', 'packed.tar.gz');
    const evidence = path.join(findings, 'fuse-splice-direct-io');
    const ran = await share.run('bundle', '--redact', evidence, '-o', nowhere);
    expect(ran).toMatchObject({
      status: 2,
      stderr: expect.stringContaining(`${nowhere} cannot be written (ENOENT)`),
    });
  });

  it(
    "has of a kernel's log what has to do with the share, and no more",
    async () => {
      const log = path.join(share.directory, 'dmesg.txt');
      await writeFile(
        log,
        [
          `[    0.000000] Linux version 6.12.107 (${secrets.user}@${secrets.host}) #1 SMP`,
          `[    1.000000] usb 1-1: Product: ${secrets.command}`,
          `[   12.345678] BUG: unable to handle page fault for address: ffff888103a4b000`,
          `[   12.345679] CPU: 0 UID: 0 PID: 812 Comm: ${secrets.command} Not tainted 6.12.107-${secrets.kernel} #1`,
          `[   12.345680] RIP: 0010:workingset_test_recent+0x5c/0x1b0`,
          `[   12.345681] Code: ${Buffer.from(secrets.content).toString('hex')}`,
          `[   12.345682]  filemap_cachestat+0x1a2/0x2f0`,
          `[   13.000000] virtiofs: tag <${secrets.lab}> at ${secrets.ip} ${secrets.mac}`,
        ].join('\n'),
      );
      const { directory } = await packed(path.join(findings, 'fuse-dax-mtime'), '--kernel-log', log);
      const kept = await readFile(path.join(directory, 'kernel/1.log'), 'utf8');
      expect(kept).toContain('BUG: unable to handle page fault');
      expect(kept).toContain('workingset_test_recent+0x5c/0x1b0');
      expect(kept).toContain('filemap_cachestat+0x1a2/0x2f0');
      expectNoSecret(await everything(directory));
      expect(kept).not.toContain(Buffer.from(secrets.content).toString('hex'));
    },
    patienceMs,
  );
});

describe("evidence of the user's own files, packed for a bug report", () => {
  it(
    'has no name, digest or byte of them, and the same differences',
    async () => {
      const [host, guest] = ['host', 'guest'].map((side) =>
        path.join(share.directory, side, secrets.directory),
      ) as [string, string];
      for (const [side, text] of [
        [host, secrets.content],
        [guest, 'another text of that size'],
      ] as const) {
        await mkdir(path.join(side, 'below'), { recursive: true });
        await writeFile(path.join(side, secrets.file), text);
        await writeFile(path.join(side, 'below', `${secrets.user}.txt`), 'the same on both');
        await symlink(secrets.target, path.join(side, 'below/link'));
      }
      await appendFile(path.join(host, 'only-here.txt'), secrets.content);
      const evidence = path.join(share.directory, 'tree');
      const flags = ['--guest', 'local', '--map', `${guest}=${host}`, '--mode', 'never', '--bundle'];
      const differs = await share.run('md5', '--recursive', guest, ...flags, evidence);
      expect(differs.status).toBe(1);
      const file = path.join(share.directory, 'one-file');
      expect((await share.run('md5', path.join(guest, secrets.file), ...flags, file)).status).toBe(1);

      for (const each of [evidence, file]) {
        const before = await verdictOf(each);
        const { stdout, status, directory } = await packed(each);
        expect(stdout).toContain('judged as before');
        expect(status).toBe(0);
        const text = await everything(directory);
        expectNoSecret(text);
        for (const digest of await digestsOf(host)) expect(text).not.toContain(digest);
        expect(await verdictOf(path.join(directory, 'evidence'))).toEqual(before);
      }
    },
    patienceMs,
  );
});

async function digestsOf(directory: string): Promise<readonly string[]> {
  const { stdout } = await execa('md5sum', [
    path.join(directory, secrets.file),
    path.join(directory, 'only-here.txt'),
  ]);
  return stdout.split('\n').map((line) => line.slice(line.startsWith('\\') ? 1 : 0).split(' ')[0] ?? '');
}

/** A bundle of this project's, as if it came from somebody with secrets. */
function planted({ setting, cases, ...rest }: Bundle): Bundle {
  const views = Object.fromEntries(
    Object.entries(setting.views).map(([view, facts]) => [
      view,
      { ...facts, root: `/srv/${secrets.directory}/${view}`, kernel: `6.12.0-${secrets.kernel}` },
    ]),
  );
  const words = `ssh ${secrets.user}@${secrets.host} (${secrets.ip}, ${secrets.ip6}, ${secrets.mac}) ${secrets.uuid}, ${secrets.shortHost}`;
  const outcomes = {
    'a-look': { kind: 'value', value: { note: `asked ${words} about ${secrets.command}` } },
    'a-read': {
      kind: 'value',
      value: { bytes: 25, base64: Buffer.from(secrets.content).toString('base64') },
    },
    'a-link': { kind: 'value', value: { target: `/home/${secrets.user}/${secrets.target}` } },
    'a-list': { kind: 'value', value: { entries: [{ name: secrets.file, type: 'file' }] } },
  } as const;
  const steps = Object.keys(outcomes).map(
    (id) => ({ id, actor: 'host', op: { do: 'wait', ms: 1 } }) as const,
  );
  return {
    ...rest,
    setting: {
      ...setting,
      views,
      share: { mode: 'auto', how: `the daemon's command line, by ${words}`, lab: secrets.lab },
      versions: { ...setting.versions, 'host-kernel': `6.18.44-${secrets.kernel}` },
    },
    cases: cases.map((record) => ({
      ...record,
      steps: [...record.steps, ...steps],
      outcomes: { ...record.outcomes, ...outcomes },
    })),
  } as Bundle;
}

import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { execa } from 'execa';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { localEndpoint } from '../../src/endpoint/local.ts';
import { connectSsh } from '../../src/endpoint/ssh.ts';
import { addressesOf, sharesOfDomains, sharesWithGuest } from '../../src/share/libvirt/shares.ts';
import { program, type Ran, reportOf, vfsVerify } from './cli.ts';
import { makeDomain, type TestDomain } from './libvirt/domain.ts';
import { type PrivateLibvirtd, startLibvirtd } from './libvirt/private-libvirtd.ts';

// A real libvirtd, and a guest of it whose share is put into other modes by --via libvirt.

const bootMs = 100_000;
const name = 'one';
let libvirtd: PrivateLibvirtd;
let domain: TestDomain;
let flags: readonly string[];
let env: Record<string, string>;
/** What the domain is started from at first. */
let original: string;

beforeAll(async () => {
  libvirtd = await startLibvirtd();
  domain = await makeDomain(libvirtd.directory, name);
  const file = join(libvirtd.directory, 'one.xml');
  writeFileSync(file, domain.xml);
  await libvirtd.virsh('define', file);
  await libvirtd.virsh('start', name);
  original = await definition();
  env = { HOME: homeWith(domain), XDG_STATE_HOME: join(libvirtd.directory, 'state') };
  flags = ['--guest', 'guest', '--map', `/mnt/data=${domain.hostDir}`];
  await mountByHand();
}, 2 * bootMs);

afterAll(() => libvirtd?.end());

/** A user whose ssh knows the guest. */
function homeWith({ ssh }: TestDomain): string {
  const home = join(libvirtd.directory, 'home');
  mkdirSync(join(home, '.ssh'), { recursive: true, mode: 0o700 });
  const lines = [
    'Host guest 127.0.0.1',
    'HostName 127.0.0.1',
    `Port ${ssh.port}`,
    'User root',
    `IdentityFile ${ssh.keyFile}`,
    `UserKnownHostsFile ${ssh.knownHostsFile}`,
  ];
  writeFileSync(join(home, '.ssh/config'), `${lines.join('\n')}\n`, { mode: 0o600 });
  return home;
}

/** As an administrator would who has not written it into the guest's fstab. */
async function mountByHand(): Promise<void> {
  const line = 'mkdir /mnt/data && mount -t virtiofs -o noatime data /mnt/data';
  const deadline = performance.now() + bootMs;
  for (;;) {
    try {
      const guest = await connectSsh({ host: '127.0.0.1', user: 'root', strict: true, ...domain.ssh });
      const { status, stderr } = await guest.exec(['sh', '-c', line]);
      await guest.close();
      if (status !== 0) throw new Error(`in the guest, ${line}: ${stderr}`);
      return;
    } catch (error) {
      if (performance.now() > deadline) throw error;
      await sleep(300);
    }
  }
}

function mode(...more: readonly string[]): Promise<Ran> {
  return vfsVerify(['mode', '/mnt/data', ...flags, ...more], { env, timeoutMs: 2 * bootMs });
}

function via(where = `${libvirtd.uri}#${name}`): string[] {
  return ['--via', `libvirt:${where}`];
}

function definition(): Promise<string> {
  return libvirtd.virsh('dumpxml', '--inactive', '--security-info', name);
}

/** What the guest has mounted of the domain's shares: its first words in /proc/mounts. */
async function mounts(): Promise<string> {
  const guest = await connectSsh({ host: '127.0.0.1', user: 'root', strict: true, ...domain.ssh });
  const { stdout } = await guest.exec(['grep', '^data \\|^nine ', '/proc/mounts']);
  await guest.close();
  return stdout;
}

test('the mode of a domain’s share is shown, by the words that libvirt gave its daemon', async () => {
  const ran = await mode('--no-prove', '--json');
  expect(ran.status, ran.stderr).toBe(0);
  expect(JSON.parse(ran.stdout)).toMatchObject({ mode: 'auto', how: "the daemon's command line" });
});

test('nothing is changed without consent, and what would be done is said', async () => {
  // No domain is named: the one with the share is found.
  const ran = await mode('--set', 'always', ...via(`${libvirtd.uri}#`));
  expect(ran.status).toBe(2);
  expect(ran.stderr).toContain('one would be restarted');
  expect(ran.stderr).toContain("+ <cache mode='always'/>");
  expect(ran.stderr).toContain('--restart-guest');
  expect(await definition()).toBe(original);
  expect(await libvirtd.virsh('domid', name)).toMatch(/^1\s*$/);
});

test('what cannot be done is refused before anything is changed', async () => {
  const writeback = await mode('--set', 'auto+writeback', ...via(), '--restart-guest');
  expect(writeback.status).toBe(2);
  expect(writeback.stderr).toContain('no words for the mode auto+writeback');
  expect(writeback.stderr).toContain('"$@" --cache=auto --writeback');

  const other = join(libvirtd.directory, 'two.xml');
  const uuid = '8e6f5b1c-4a6d-4c57-9f0e-0d2f3a4b5c6d';
  writeFileSync(
    other,
    domain.xml.replace('<name>one<', '<name>two<').replace(/<uuid>.*<\/uuid>/, `<uuid>${uuid}</uuid>`),
  );
  await libvirtd.virsh('define', other);
  const wrong = await mode('--set', 'always', ...via(`${libvirtd.uri}#two`), '--restart-guest');
  expect(wrong.status).toBe(2);
  expect(wrong.stderr).toContain('another machine than two');

  const none = await mode('--set', 'always', ...via(`${libvirtd.uri}#three`), '--restart-guest');
  expect(none.stderr).toMatch(/failed to get domain/);
  expect(await definition()).toBe(original);
});

test('a toggle that is killed while the domain starts is brought back', async () => {
  const args = ['mode', '/mnt/data', ...flags, '--set', 'always', ...via(), '--restart-guest'];
  const running = execa(process.execPath, [program, ...args], { reject: false, env, timeout: bootMs });
  let said = '';
  running.stderr.on('data', (chunk) => {
    said += chunk;
    if (said.includes('start the domain one')) running.kill('SIGKILL');
  });
  expect((await running).signal, said).toBe('SIGKILL');
  expect(await definition()).toContain("<cache mode='always'/>");

  const blocked = await mode('--set', 'never', ...via(), '--restart-guest');
  expect(blocked.stderr).toContain('--restore');
  const back = await mode('--restore', '--restart-guest', '--no-prove');
  expect(back.status, back.stderr).toBe(0);
  expect(back.stdout).toMatch(/^auto /);
  expect(await definition()).toBe(original);
  expect(await mounts()).toMatch(/nine \/mnt\/nine 9p[\s\S]*data \/mnt\/data virtiofs rw,noatime/);
});

test('the share is put into another mode, which guest and host then see', async () => {
  writeFileSync(join(domain.hostDir, 'kept'), 'kept');
  const ran = await mode('--set', 'always', ...via(), '--restart-guest', '--json');
  expect(ran.status, ran.stderr).toBe(0);
  const told = JSON.parse(ran.stdout);
  expect(told).toMatchObject({ mode: 'always', original: 'auto', proof: { verdict: { kind: 'pass' } } });
  expect(told.evidence.join('\n')).toContain(`-o source=${domain.hostDir},cache=always`);
  expect((await definition()).replace(/>\s*<cache mode='always'\/>\s*<\/binary>/, '/>')).toBe(original);
  expect(await mounts()).toContain('data /mnt/data virtiofs rw,noatime');
  expect(readFileSync(join(domain.hostDir, 'kept'), 'utf8')).toBe('kept');
});

test('the shares of all domains are found, with the process that serves each', async () => {
  const found = await sharesOfDomains({ host: localEndpoint(), uri: libvirtd.uri });
  expect(found).toMatchObject([
    {
      ...{ domain: name, tag: 'data', type: 'virtiofs', hostDir: domain.hostDir },
      ...{ mode: { name: 'always' }, server: expect.stringMatching(/^virtiofsd \d/) },
    },
    { domain: name, tag: 'nine', type: '9p', hostDir: domain.hostDir, server: 'QEMU', mode: undefined },
  ]);
  const words = readFileSync(`/proc/${found[0]?.daemonPid}/cmdline`, 'utf8').split('\0');
  expect(words).toContain(`source=${domain.hostDir},cache=always`);
  // With a directory of the share mounted once more, in another place.
  const guest = await connectSsh({ host: '127.0.0.1', user: 'root', strict: true, ...domain.ssh });
  try {
    mkdirSync(join(domain.hostDir, 'part'), { recursive: true });
    const line = 'mkdir /mnt/part && mount --bind /mnt/data/part /mnt/part';
    expect((await guest.exec(['sh', '-c', line])).stderr).toBe('');
    const shares = await sharesWithGuest({ host: localEndpoint(), uri: libvirtd.uri }, guest);
    const daemonPid = found[0]?.daemonPid;
    expect(shares).toMatchObject([
      { guestDir: '/mnt/nine', hostDir: domain.hostDir, mode: { name: '9p:none' }, tag: 'nine' },
      { guestDir: '/mnt/data', hostDir: domain.hostDir, mode: { name: 'always' }, tag: 'data', daemonPid },
      { guestDir: '/mnt/part', hostDir: join(domain.hostDir, 'part'), mode: { name: 'always' }, daemonPid },
    ]);
    expect((await guest.exec(['umount', '/mnt/part'])).status).toBe(0);
  } finally {
    await guest.close();
  }
  // libvirt knows none of QEMU's own network.
  expect(await addressesOf({ host: localEndpoint(), uri: libvirtd.uri }, name)).toEqual([]);
});

test('no flag is needed: the machine, its way in and its shares are found', async () => {
  writeFileSync(join(domain.hostDir, 'found'), 'found');
  const { status, report, stderr } = await reportOf(['md5', '/mnt/data/found'], { env });
  expect(status, stderr).toBe(0);
  const mode = expect.stringMatching(/^(auto|always)$/);
  expect(report.environment.shares).toMatchObject([
    { guestDir: '/mnt/nine', hostDir: domain.hostDir, mode: '9p:none', server: 'QEMU' },
    { guestDir: '/mnt/data', hostDir: domain.hostDir, mode, how: "the daemon's command line" },
  ]);
});

test('a daemon that refuses its words costs nothing: the domain is as it was at first', async () => {
  const script = readFileSync(domain.virtiofsd, 'utf8');
  const refusal = 'case "$*" in *cache=none*) echo "no such policy" >&2; exit 1 ;; esac';
  writeFileSync(domain.virtiofsd, script.replace('\n', `\n${refusal}\n`));
  const ran = await mode('--set', 'never', ...via(), '--restart-guest');
  expect(ran.status).toBe(2);
  expect(ran.stderr).toContain('could not start the domain one');
  expect(ran.stderr).toContain('The share is as it was');
  expect(await definition()).toBe(original);
  expect(await mounts()).toContain('data /mnt/data virtiofs rw,noatime');
  const shown = await mode('--no-prove', '--json');
  expect(JSON.parse(shown.stdout)).toMatchObject({ mode: 'auto' });
});

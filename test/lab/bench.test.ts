import { closeSync, existsSync, fsyncSync, openSync, readdirSync, readFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { LabInfo } from '../../src/lab/info.ts';
import { identify } from '../../src/lab/processes.ts';
import { labStatus } from '../../src/lab/status.ts';
import { labVerbs } from '../../src/lab/verbs.ts';
import type { BenchOperation } from '../../src/model/bench-verb.ts';
import type { ProbeSession } from '../../src/probe/session.ts';
import type { BenchDone } from '../../src/share/bench-verbs.ts';
import { downLab, inGuest, upLab, vfsVerify } from './cli.ts';

// What only a lab can do to the ground under a share.

const name = `bench-${process.pid}`;
const mode = 'auto';
let lab: LabInfo;

afterAll(() => downLab(name));

function doIt(op: Omit<BenchOperation, 'do'> & { readonly fault?: string }): Promise<BenchDone> {
  return labVerbs(lab, mode).carryOut({ do: 'bench', ...op } as BenchOperation, { mode });
}

function writeOnHost(file: string, text: string, options: { readonly sync: boolean }): void {
  const fd = openSync(join(lab.hostDir, file), 'w');
  writeSync(fd, text);
  if (options.sync) fsyncSync(fd);
  closeSync(fd);
}

/** How a shell line in the guest ended, and what it said. */
async function tried(line: string): Promise<string> {
  return inGuest(name, `${line} 2>&1; echo "status $?"`);
}

describe('two guests on one directory, which is on a disk of its own', () => {
  beforeAll(async () => {
    lab = await upLab(name, '--modes', 'auto,9p:none', '--guests', '2', '--second-tag', '--disk', 'ext4');
  });

  test('see the same files, under both tags, and each is reached by its number', async () => {
    expect(lab.otherGuests).toHaveLength(1);
    await inGuest(name, 'echo one > /mnt/auto/from-guest');
    const second = await vfsVerify([
      'lab',
      'exec',
      '--name',
      name,
      '--guest',
      '2',
      '--',
      'sh',
      '-c',
      'hostname; cat /mnt/*/from-guest',
    ]);
    expect(second.stdout).toBe(`${name}-2\n${'one\n'.repeat(4)}`.trim());
    expect(readdirSync(lab.hostDir)).toContain('from-guest');
    expect(lab.otherTags).toEqual({ auto: '/mnt/auto@2', '9p:none': '/mnt/9p:none@2' });
    const none = await vfsVerify(['lab', 'exec', '--name', name, '--guest', '3', '--', 'true']);
    expect(none.status).toBe(2);
  });

  test('the power is cut: what was synced is on the medium, what was not is not', async () => {
    writeOnHost('synced', 'safe', { sync: true });
    await inGuest(name, 'echo lost > /mnt/auto/unsynced; echo kept > /mnt/auto/kept; sync /mnt/auto/kept');
    const { views, undo } = await doIt({ verb: 'power.cut' });
    const root = String(views?.medium?.root);
    expect(readFileSync(join(root, 'synced'), 'utf8')).toBe('safe');
    expect(readFileSync(join(root, 'kept'), 'utf8')).toBe('kept\n');
    const unsynced = join(root, 'unsynced');
    expect(existsSync(unsynced) ? readFileSync(unsynced, 'utf8') : '').toBe('');
    // The share goes on.
    expect(await inGuest(name, 'cat /mnt/auto/unsynced')).toBe('lost');
    await undo?.();
    expect(existsSync(root)).toBe(false);
  });

  test('a full disk is refused in the guest, until it is mended', async () => {
    const { value } = await doIt({ verb: 'disk.fault', fault: 'no-space' });
    expect(value.freeBytes).toBeLessThan(8192);
    const line = 'dd if=/dev/zero of=/mnt/auto/large bs=64k count=16 conv=fsync';
    expect(await tried(line)).toMatch(/No space left on device[\s\S]*status 1$/);
    await doIt({ verb: 'disk.mend' });
    expect(await tried(line)).toMatch(/status 0$/);
  });

  test('a guest is added, looked through, and removed', async () => {
    const { views, undo } = await doIt({ verb: 'guest.add' });
    const { on, root } = views?.guest2 ?? {};
    expect(root).toEqual(lab.mounts);
    const outcome = await (on as ProbeSession).request(
      'reader',
      { do: 'list', path: '.' },
      { root: (root as Record<string, string>)[mode] ?? '', limitMs: 10_000, limitName: 'test' },
    );
    expect(outcome).toMatchObject({
      kind: 'value',
      value: { names: expect.arrayContaining(['from-guest']) },
    });
    await undo?.();
    expect((await labStatus(name)).state).toBe('up');
    expect(readdirSync(lab.directory).filter((each) => each.includes('-3'))).toEqual([
      'virtiofsd-auto-3.log',
      'virtiofsd-auto@2-3.log',
    ]);
  });

  test('an error from below reaches whoever syncs', async () => {
    await doIt({ verb: 'disk.fault', fault: 'io-error' });
    const line = 'dd if=/dev/urandom of=/mnt/9p:none/broken bs=1M count=32 conv=fsync';
    expect(await tried(line)).toMatch(/(Input\/output error|Read-only file system)[\s\S]*status 1$/);
    await doIt({ verb: 'disk.mend' });
  });

  test('the daemon is killed, then the machine', async () => {
    expect(labVerbs(lab, '9p:none').can).not.toContain('daemon.kill');
    const { value } = await doIt({ verb: 'daemon.kill' });
    expect(value.pid).toBe(lab.daemons.auto?.pid);
    expect(identify(lab.daemons.auto?.pid ?? 0)).toBeUndefined();
    await doIt({ verb: 'vm.kill' });
    expect(identify(lab.qemu.pid)).toBeUndefined();
    expect((await labStatus(name)).state).toBe('broken');
  });

  test('lab down leaves no mount and no loop device', async () => {
    await downLab(name);
    expect(existsSync(lab.directory)).toBe(false);
    expect(readFileSync('/proc/self/mountinfo', 'utf8')).not.toContain(lab.directory);
  });
});

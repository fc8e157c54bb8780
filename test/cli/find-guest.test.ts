import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { discoverShares } from '../../src/cli/discover.ts';
import { findGuest, machineAt } from '../../src/cli/find-guest.ts';
import { localEndpoint } from '../../src/endpoint/local.ts';
import { scriptedEndpoint } from '../../src/endpoint/scripted.ts';
import type { Machine } from '../../src/share/discover/machines.ts';

const host = localEndpoint();
const flags = { host: 'local' };
const stateBefore = process.env.XDG_STATE_HOME;
let state: string;

// No lab of whoever runs the tests is in the way.
beforeAll(async () => {
  state = await mkdtemp(path.join(tmpdir(), 'vfs-verify-test-'));
  process.env.XDG_STATE_HOME = state;
});

afterAll(async () => {
  if (stateBefore === undefined) delete process.env.XDG_STATE_HOME;
  else process.env.XDG_STATE_HOME = stateBefore;
  await rm(state, { recursive: true, force: true });
  await host.close();
});

function machine(pid: number, port?: number, more: Partial<Machine> = {}): Machine {
  const share = {
    type: 'virtiofs' as const,
    tag: `tag-${pid}`,
    hostDir: '/srv',
    mode: undefined,
    modeHow: '',
  };
  return {
    ...{ pid, name: `vm${pid}`, uuid: undefined, qmpSocket: undefined, memoryShared: true, ofLibvirt: false },
    ...{ ofLab: false, shares: [share] },
    sshForwards: port === undefined ? [] : [{ host: '127.0.0.1', port }],
    ...more,
  };
}

describe('the guest that is meant where no flag names one', () => {
  it('is the one machine that has a way in; those of labs are not guessed', async () => {
    const machines = [machine(1, 2222), machine(2), machine(3, 3333, { ofLab: true })];
    expect(await findGuest(flags, host, machines)).toEqual({ guest: 'ssh://127.0.0.1:2222' });
  });

  it('is asked for where there are two, with the flag that picks each', async () => {
    await expect(findGuest(flags, host, [machine(1, 2222), machine(2, 3333)])).rejects.toMatchObject({
      code: 'several-guests',
      detail: [
        '--guest ssh://127.0.0.1:2222  the machine "vm1" (QEMU, pid 1): tag-1',
        '--guest ssh://127.0.0.1:3333  the machine "vm2" (QEMU, pid 2): tag-2',
      ].join('\n'),
    });
  });

  it('is missing where there is none, or no way into it', async () => {
    await expect(findGuest(flags, host, [machine(7)])).rejects.toMatchObject({
      code: 'no-guest',
      message: expect.stringContaining('no way into the machine "vm7" (QEMU, pid 7)'),
    });
  });

  it('is known by the port of this machine that leads to it', () => {
    const machines = [machine(1, 2222), machine(2, 3333)];
    expect(machineAt('ssh://root@127.0.0.1:3333', machines)?.pid).toBe(2);
    expect(machineAt('ssh://root@localhost:3333', machines)?.pid).toBe(2);
    expect(machineAt('ssh://root@10.0.0.1:3333', machines)).toBeUndefined();
    expect(machineAt('ssh://root@127.0.0.1', machines)).toBeUndefined();
    const other = machine(3, 2222, { sshForwards: [{ host: '127.0.0.2', port: 2222 }] });
    expect(machineAt('ssh://root@127.0.0.2:2222', [...machines, other])?.pid).toBe(3);
    expect(machineAt('an-alias', machines)).toBeUndefined();
    expect(machineAt('ssh://a b', machines)).toBeUndefined();
  });
});

describe('the shares of a guest behind a port of this computer', () => {
  const guest = scriptedEndpoint({
    exec: ([program, file]) => {
      if (program === 'stat') return '42\n';
      return file === '/proc/self/mountinfo'
        ? '31 1 0:27 / /mnt/data rw - virtiofs tag-1 rw\n'
        : { status: 1 };
    },
  });
  const machines = [machine(1, 2222)];
  const tunnel = { host: 'local', guest: 'ssh://root@localhost:2222' };

  it('are those of the machine that has the port', async () => {
    const { shares } = await discoverShares(tunnel, guest, host, machines);
    expect(shares).toMatchObject([{ guestDir: '/mnt/data', hostDir: '/srv' }]);
  });

  it('are looked for anew where the machines are on another host: the port may be a tunnel to anywhere', async () => {
    const elsewhere = scriptedEndpoint({ exec: () => '43\n' });
    const asked = discoverShares({ ...tunnel, host: 'ssh://hv' }, guest, elsewhere, machines);
    await expect(asked).rejects.toMatchObject({ code: 'no-daemon' });
  });
});

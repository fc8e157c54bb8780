import { describe, expect, it } from 'vitest';
import type { Endpoint } from '../../../src/endpoint/endpoint.ts';
import { scriptedEndpoint } from '../../../src/endpoint/scripted.ts';
import { parseMode } from '../../../src/model/mode.ts';
import { sharesOfGuest } from '../../../src/share/discover/guest-shares.ts';
import type { Machine, MachineShare } from '../../../src/share/discover/machines.ts';

const uuid = 'c7a5fdbd-edaf-9455-926a-d65c16db1809';

function share(tag: string, hostDir: string, more: Partial<MachineShare> = {}): MachineShare {
  const mode = parseMode('auto');
  return { type: 'virtiofs', tag, hostDir, mode, modeHow: "the daemon's command line", ...more };
}

function machine(pid: number, shares: readonly MachineShare[], more: Partial<Machine> = {}): Machine {
  return {
    ...{ pid, shares, name: undefined, uuid: undefined, sshForwards: [], qmpSocket: undefined },
    ...{ memoryShared: true, ofLibvirt: false, ofLab: false, ...more },
  };
}

/** A side that has these mounts and inodes; one without an inode does not say. */
function side(mounts: readonly string[], inodes: Readonly<Record<string, string>>, own = ''): Endpoint {
  return scriptedEndpoint({
    exec: ([program, ...words]) => {
      if (program === 'cat' && words[0] === '/proc/self/mountinfo') return mounts.join('\n');
      if (program === 'cat') return own === '' ? { status: 1 } : `${own}\n`;
      const inode = inodes[words.at(-1) ?? ''];
      return inode === undefined ? { status: 1 } : `${inode}\n`;
    },
  });
}

const data = '31 1 0:27 / /mnt/data rw,relatime - virtiofs data rw';
const bound = '32 1 0:27 /deep/er /mnt/part rw,relatime - virtiofs data rw';
const nine = '33 1 0:29 / /mnt/nine rw,relatime - 9p nine rw,cache=0xf,access=client,trans=virtio';

describe("a guest's mounts", () => {
  it('are placed on the host, bind mounts and 9p too, each with its own mode', async () => {
    const machines = [
      machine(1, [share('data', '/srv'), share('nine', '/old', { type: '9p', mode: undefined })]),
    ];
    const tcp = '34 1 0:30 / /mnt/far rw - 9p nine rw,trans=tcp';
    const guest = side([data, bound, nine, tcp], {});
    const { shares, mounts, unplaced } = await sharesOfGuest(guest, side([], {}), machines, { pid: 1 });
    expect(shares).toMatchObject([
      { guestDir: '/mnt/data', hostDir: '/srv', mode: { name: 'auto' }, tag: 'data' },
      { guestDir: '/mnt/part', hostDir: '/srv/deep/er', mode: { name: 'auto' }, tag: 'data' },
      {
        guestDir: '/mnt/nine',
        hostDir: '/old',
        mode: { name: '9p:loose' },
        modeHow: "the guest's mount options",
      },
    ]);
    expect([mounts.length, unplaced.length]).toEqual([4, 0]);
  });

  it("of 9p have QEMU's way to keep owners in their mode, where it keeps them beside the files", async () => {
    const nineOf = share('nine', '/old', { type: '9p', mode: undefined, securityModel: 'mapped' });
    const { shares } = await sharesOfGuest(side([nine], {}), side([], {}), [machine(1, [nineOf])], {
      pid: 1,
    });
    expect(shares.map(({ mode }) => mode?.name)).toEqual(['9p:loose+security_model=mapped-xattr']);
  });

  it('of one directory are the one on top: nobody sees what it covers', async () => {
    const machines = [machine(1, [share('data', '/srv'), share('new', '/other')])];
    const over = '36 31 0:33 / /mnt/data rw - virtiofs new rw';
    const { shares } = await sharesOfGuest(side([data, over], {}), side([], {}), machines, { pid: 1 });
    expect(shares).toMatchObject([{ guestDir: '/mnt/data', hostDir: '/other', tag: 'new' }]);
  });

  it('belong to the machine whose UUID the guest has', async () => {
    const machines = [machine(1, [share('data', '/a')], { uuid }), machine(2, [share('data', '/b')])];
    const { shares } = await sharesOfGuest(side([data], {}, uuid.toUpperCase()), side([], {}), machines);
    expect(shares.map(({ hostDir }) => hostDir)).toEqual(['/a']);
  });

  it('are told apart by the inode where two machines have the same tag', async () => {
    const machines = [machine(1, [share('data', '/a')]), machine(2, [share('data', '/b')])];
    const host = side([], { '/a': '11', '/b': '22' });
    const { shares } = await sharesOfGuest(side([data], { '/mnt/data': '22' }), host, machines);
    expect(shares.map(({ hostDir }) => hostDir)).toEqual(['/b']);
  });

  it('of a machine elsewhere are nobody’s, although a machine here has the same tag', async () => {
    const here = [machine(1, [share('data', '/a')], { uuid: '00000000-0000-4000-8000-000000000001' })];
    const byUuid = await sharesOfGuest(side([data], {}, uuid), side([], {}), here);
    expect([byUuid.shares.length, byUuid.unplaced.length]).toEqual([0, 1]);
    const nameless = [machine(1, [share('data', '/a')])];
    const host = side([], { '/a': '11' });
    const byInode = await sharesOfGuest(side([data], { '/mnt/data': '22' }), host, nameless);
    expect([byInode.shares.length, byInode.unplaced.length]).toEqual([0, 1]);
  });

  it('that may be any of two directories are an error that lists both with their flags', async () => {
    const machines = [machine(1, [share('data', '/a')]), machine(2, [share('data', '/b')])];
    await expect(sharesOfGuest(side([data], {}), side([], {}), machines)).rejects.toMatchObject({
      code: 'several-shares',
      detail: '--map /mnt/data=/a\n--map /mnt/data=/b',
    });
  });

  it('of one directory that two machines have are what both agree in', async () => {
    const always = { mode: parseMode('always'), daemonPid: 8 };
    const machines = [
      machine(1, [share('data', '/a', { daemonPid: 7 })]),
      machine(2, [share('data', '/a', always)]),
    ];
    const { shares } = await sharesOfGuest(side([data], {}), side([], {}), machines);
    expect(shares[0]).toMatchObject({ hostDir: '/a', mode: undefined });
    expect(shares[0]?.daemonPid).toBeUndefined();
    const same = [machine(1, [share('data', '/a')]), machine(2, [share('data', '/a')])];
    expect((await sharesOfGuest(side([data], {}), side([], {}), same)).shares[0]?.mode?.name).toBe('auto');
  });

  it('of one directory under two tags are caches of their own', async () => {
    const machines = [machine(1, [share('data', '/srv'), share('more', '/srv')])];
    const more = '35 1 0:31 / /mnt/more rw - virtiofs more rw';
    const { shares } = await sharesOfGuest(side([data, more], {}), side([], {}), machines, { pid: 1 });
    expect(shares.map(({ elsewhere }) => elsewhere)).toEqual([
      { 'guest-other-tag': '/mnt/more' },
      { 'guest-other-tag': '/mnt/data' },
    ]);
  });
});

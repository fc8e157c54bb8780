import { describe, expect, it } from 'vitest';
import { localEndpoint } from '../../src/endpoint/local.ts';
import { abilities } from '../../src/ground/abilities.ts';
import { clockFact } from '../../src/ground/clocks.ts';
import { lookAtSide, parseSide } from '../../src/ground/look-at-side.ts';
import { privilegedDeeds } from '../../src/ground/privileged.ts';
import { type SeenShare, shareFacts } from '../../src/ground/share-facts.ts';
import { sideFacts } from '../../src/ground/side-facts.ts';
import type { GroundFact } from '../../src/model/ground.ts';
import { parseMode } from '../../src/model/mode.ts';
import { share, side } from './facts.ts';

function notOk(facts: readonly GroundFact[]): readonly string[] {
  return facts.filter(({ state }) => state !== 'ok').map(({ about, state }) => `${about}: ${state}`);
}

function cans(...seen: Parameters<typeof abilities>): Readonly<Record<string, string>> {
  return Object.fromEntries(abilities(...seen).map(({ command, can }) => [command, can]));
}

describe('a side', () => {
  it('that is root on a new kernel lacks nothing', () => {
    expect(notOk(sideFacts(side('host')))).toEqual([]);
    expect(notOk(sideFacts(side('guest')))).toEqual([]);
  });

  it('of an ordinary user says what that costs, and the cure by where it is', () => {
    const ground = { user: 'me', sudo: 'none' as const };
    const rights = (where: 'host' | 'guest', more: object) =>
      sideFacts(side(where, { uid: 1000, ...more })).find(({ about }) => about === 'rights');
    expect(rights('host', { ground })).toMatchObject({ state: 'limited', cure: 'sudo vfs-verify …' });
    expect(rights('guest', { ground })?.cure).toBe('log in there as root: --guest ssh://root@vm:2222');
    expect(rights('guest', { ground, flag: 'me@vm' })?.cure).toContain('ssh://root@vm');
    expect(rights('guest', { ground, flag: 'local' })?.cure).toBe('sudo vfs-verify …');
    expect(rights('guest', { ground, flag: 'exec:docker exec -i c' })?.cure).toContain("--guest 'exec:");
    expect(rights('host', { ground: { user: 'me', sudo: 'free' } })?.cure).toContain('--sudo');
  });

  it('on an old kernel, or without a probe, says what of page caches is not seen', () => {
    expect(notOk(sideFacts(side('host', { features: ['mincore'] })))).toEqual(['page-state: limited']);
    expect(notOk(sideFacts(side('host', { features: [] })))).toEqual(['page-state: missing']);
  });

  it('where plain node stands in for the probe has a cure on Linux, and none elsewhere', () => {
    const elsewhere = sideFacts(side('host', { node: 'darwin', uid: 501 }));
    expect(elsewhere[0]?.said).toBe('darwin 23.5.0, plain node stands in for the probe');
    expect(notOk(elsewhere)).toEqual(['page-state: limited']);
    expect(elsewhere.filter(({ cure }) => cure !== undefined)).toEqual([]);
    const unbuilt = sideFacts(side('host', { node: 'linux', uid: 501 }));
    expect(unbuilt.find(({ about }) => about === 'page-state')?.cure).toContain('npm run build');
  });

  it('says what killed runs left behind, with the command that removes it', () => {
    const ground = { leftDirectories: ['/dev/shm/vfs-probe-a b'], stuckProbes: [812] };
    const facts = sideFacts(side('guest', { ground })).filter(({ about }) => about === 'leftovers');
    expect(facts.map(({ cure }) => cure)).toEqual([
      "rm -r '/dev/shm/vfs-probe-a b'",
      'only a reboot ends it',
    ]);
  });

  it('is asked by a script whose answer is read, and which this machine understands', async () => {
    expect(parseSide('user me\nsudo free\ntracepoints\nleft /tmp/vfs-probe-1\nstuck 12\nstuck 13\n')).toEqual(
      {
        ...{ user: 'me', sudo: 'free', fuseTracepoints: true },
        ...{ leftDirectories: ['/tmp/vfs-probe-1'], stuckProbes: [12, 13] },
      },
    );
    const here = localEndpoint();
    try {
      expect((await lookAtSide(here)).user).not.toBe('unknown');
    } finally {
      await here.close();
    }
  });
});

describe('two clocks', () => {
  it('are told with the bounds of the measurement, and are apart only where that is sure', () => {
    expect(clockFact([-2, 3])).toMatchObject({
      state: 'ok',
      said: 'the clock is as the host has it (± 2.5 ms)',
    });
    expect(clockFact([100, 4000]).state).toBe('ok');
    expect(clockFact([-7300, -7290])).toMatchObject({
      state: 'limited',
      said: expect.stringContaining("7.3 s behind the host's (± 5.0 ms)"),
    });
  });
});

describe('a share', () => {
  it('of which everything is known lacks nothing', () => {
    expect(notOk(shareFacts(share()))).toEqual([]);
  });

  it.each<[string, Partial<SeenShare>, readonly string[]]>([
    ['that is not where it was said', { inodes: { guest: '5', host: undefined } }, ['place: missing']],
    ['whose daemon is dead', { inodes: { guest: undefined, host: '5' } }, ['place: missing']],
    ['that may be another directory', { inodes: { guest: '5', host: '6' } }, ['place: limited']],
    ['without a known mode', { mode: undefined, modeHow: 'not known' }, ['mode: limited']],
    ['whose daemon is not seen', { daemon: undefined }, ['daemon: limited']],
    ['whose host is no Linux', { daemon: undefined, hostIsLinux: false }, ['daemon: limited']],
    ['whose daemon may not be counted', { daemon: { pid: 7, refused: 'EACCES' } }, ['daemon: limited']],
    ['of a machine with memory of its own', { memoryShared: false }, ['memory: missing']],
    ['without direct I/O', { mode: parseMode('auto') }, ['direct-io: limited']],
    ['that is read-only', { readOnly: true }, ['space: missing']],
    ['on a full disk', { freeBytes: 1e6 }, ['space: limited']],
    ['with leftovers', { leftDirectories: ['.vfs-verify-x'] }, ['leftovers: limited']],
    [
      'that one kernel has twice, and nobody serves',
      { type: undefined, mode: parseMode('local:bind'), daemon: undefined, memoryShared: undefined },
      [],
    ],
    ['of 9p', { type: '9p', mode: parseMode('9p:loose'), memoryShared: false }, []],
  ])('%s is told so', (_, more, expected) => {
    const facts = shareFacts(share(more));
    expect(notOk(facts)).toEqual(expected);
    for (const { state, cure } of facts) if (state !== 'ok') expect(cure).not.toBe('');
  });

  it('has cures that a shell takes as they are, whatever its directories are called', () => {
    const odd = { hostDir: "/srv/a b's", guestDir: '/mnt/$x', freeBytes: 1e6, leftDirectories: ['.left'] };
    const cures = shareFacts(share({ ...odd, inodes: { guest: '5', host: undefined } })).map(
      ({ cure }) => cure,
    );
    expect(cures).toEqual(
      expect.arrayContaining([
        `--map '/mnt/$x'=HOSTDIR`,
        `df -h '/srv/a b'\\''s'`,
        `rm -r '/srv/a b'\\''s/.left'`,
      ]),
    );
  });
});

describe('what can be done', () => {
  it('is everything where nothing lacks, and nothing where a side or a share does', () => {
    expect(new Set(Object.values(cans(side('host'), side('guest'), [share()])))).toEqual(new Set(['yes']));
    for (const seen of [
      cans(undefined, side('guest'), []),
      cans(side('host'), undefined, []),
      cans(side('host'), side('guest'), []),
    ])
      expect(new Set(Object.values(seen))).toEqual(new Set(['no']));
  });

  it('is told by command: an ordinary user compares, but does not drop everything', () => {
    const user = { uid: 1000, ground: { user: 'me' } };
    const uncounted = share({ daemon: { pid: 7, refused: 'EACCES' } });
    expect(cans(side('host', user), side('guest', user), [uncounted])).toMatchObject({
      ...{ md5: 'yes', check: 'yes', reads: 'in part', explain: 'in part', 'drop PATH': 'yes' },
      'drop --system-wide': 'no',
    });
    const free = { uid: 1000, ground: { user: 'me', sudo: 'free' as const } };
    expect(cans(side('host', free), side('guest'), [share()])['drop --system-wide']).toBe('yes');
  });

  it('is in part where plain node stands in for the probe on one side', () => {
    const host = side('host', { node: 'darwin', uid: 501 });
    const inPart = { check: 'in part', residency: 'in part', 'drop PATH': 'in part' };
    expect(cans(host, side('guest'), [share()])).toMatchObject({ md5: 'yes', ...inPart });
    const user = { uid: 1000, ground: { user: 'me', sudo: 'none' as const } };
    expect(cans(host, side('guest', user), [share()])['drop --system-wide']).toBe('no');
  });

  it('names the share that is less than the others', () => {
    const other = share({ guestDir: '/mnt/b', readOnly: true });
    const check = abilities(side('host'), side('guest'), [share(), other]).find(
      ({ command }) => command === 'check',
    );
    expect(check).toMatchObject({ can: 'in part', why: expect.stringContaining('/mnt/b') });
  });
});

describe('what is done as root', () => {
  it('is listed by command and flags', () => {
    const does = (command: string, flags: Record<string, unknown> = {}) =>
      privilegedDeeds(command, flags).map(({ does: deed }) => deed.split(' ')[0]);
    expect(does('md5')).toEqual(['ls']);
    expect(does('reads')).toEqual(['ls', 'cat']);
    expect(does('reads', { systemWide: true })).toEqual(['ls', 'cat', 'echo']);
    expect(does('mode', { set: 'auto' })).toEqual(['ls', 'umount;']);
    expect(does('md5', { map: ['/a=/b'] })).toEqual([]);
    expect(does('list')).toEqual([]);
  });
});

import { spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Ground } from '../../src/model/ground.ts';
import type { Report } from '../../src/model/report.ts';
import { type Elsewhere, elsewhere, linuxGuest, mayBeElsewhere } from '../elsewhere.ts';
import { type LocalShare, localShare } from './program.ts';

// The program where nothing of Linux is: what a Mac is, as far as that can be had here. The guest is this machine, so
// that both see one directory, by a bind mount: everything must be seen at once (mode local:bind).

describe.skipIf(!mayBeElsewhere)('on a host that is no Linux', { timeout: 240_000 }, () => {
  let local: LocalShare;
  let host: Elsewhere;
  let both: readonly string[];
  const at = (...names: string[]) => path.join(local.directory, ...names);
  const guest = (prepare = 'true') => linuxGuest(`mount --bind ${at('share')} ${at('seen')}; ${prepare}`);

  beforeAll(async () => {
    local = await localShare();
    host = elsewhere(local.directory);
    for (const name of ['seen', 'other']) mkdirSync(at(name));
    writeFileSync(at('share', 'file'), Buffer.alloc(3_000_000, 'as it is\n'));
    writeFileSync(at('other', 'file'), Buffer.alloc(3_000_000, 'as it is\n').fill('X', 2_000_000, 2_000_001));
    both = ['--guest', guest(), '--map', `${at('seen')}=${at('share')}`];
  });
  afterAll(() => rmSync(local.directory, { recursive: true, force: true }));

  it('files and trees are compared, and what differs is found', async () => {
    const same = await host.run('md5', at('seen', 'file'), ...both);
    expect(same, same.stderr).toMatchObject({ status: 0, stdout: expect.stringMatching(/^same/) });
    const trees = await host.run('md5', '--recursive', at('seen'), ...both);
    expect(trees, trees.stderr).toMatchObject({ status: 0, stdout: expect.stringMatching(/^same/) });
    const elsewise = ['--guest', guest(), '--map', `${at('seen')}=${at('other')}`, '--json'];
    const differs = await host.run('md5', at('seen', 'file'), ...elsewise);
    expect(differs.status, differs.stderr).toBe(1);
    const [result] = (JSON.parse(differs.stdout) as Report).results;
    expect(result?.verdict).toMatchObject({
      code: 'differs',
      evidence: { ranges: [{ offset: 1_998_848, length: 4096 }] },
    });
    const other = await host.run('md5', at('seen', 'file'), ...both, '--algo', 'xxh3');
    expect(other).toMatchObject({ status: 2, stderr: expect.stringContaining('has no xxh3 digests') });
  });

  it('checks run; what the probe alone can do on the host is a skip that says so', async () => {
    const names = ['guest-write', 'host-append', 'attributes', 'lookup', 'locks', 'md5'];
    const ran = await host.run('check', ...names, ...both, '--mode', 'local:bind', '--json');
    expect(ran.status, ran.stdout + ran.stderr).toBe(0);
    const { results, environment } = JSON.parse(ran.stdout) as Report;
    expect(environment.host).toMatchObject({ arch: 'node', kernel: expect.stringMatching(/^darwin /) });
    expect(results.map(({ check, verdict }) => [check, verdict.kind])).toEqual(
      results.map(({ check }) => [check, 'pass']),
    );
    const cases = results.flatMap(({ check, cases: each }) => each.map((one) => ({ check, ...one })));
    const skipped = cases.filter(({ verdict }) => verdict.kind !== 'pass');
    expect(skipped.map(({ check, name, verdict }) => `${check}/${name}: ${verdict.reason}`)).toEqual(
      expect.arrayContaining([
        'attributes/xattr-from-host: needs the probe on the host: plain node has no extended attributes',
        'guest-write/host-mapped: needs the probe on the host: plain node has no mappings',
        'locks/across-sides: needs the probe on the host: plain node has no locks',
      ]),
    );
    expect(skipped.every(({ verdict }) => verdict.kind === 'skip')).toBe(true);
    expect(cases.length - skipped.length).toBeGreaterThan(30);
    expect(readdirSync(at('share'))).toEqual(['file']);
  });

  it('doctor says what can be done, without a cure where there is none', async () => {
    const ran = await host.run('doctor', ...both, '--json');
    expect(ran.status, ran.stderr).toBe(0);
    const { abilities, places } = JSON.parse(ran.stdout) as Ground;
    const can = Object.fromEntries(abilities.map(({ command, can: how }) => [command, how]));
    expect(can).toMatchObject({ md5: 'yes', check: 'in part', 'drop PATH': 'in part', 'mode --set': 'no' });
    const facts = (where: string) => places.find((each) => each.where === where)?.facts ?? [];
    expect(facts('host')[0]?.said).toMatch(/^darwin .*plain node stands in for the probe$/);
    const silent = ['page-state', 'daemon'];
    const ofThese = [...facts('host'), ...facts('share')].filter(({ about }) => silent.includes(about));
    expect(ofThese.map(({ about, state, cure }) => [about, state, cure])).toEqual(
      silent.map((about) => [about, 'limited', undefined]),
    );
  });

  it('the mode is unknown with its reason, Apple’s own server among them', async () => {
    const mode = await host.run('mode', at('seen'), ...both, '--no-prove');
    expect(mode).toMatchObject({ status: 2, stdout: expect.stringContaining('UNKNOWN') });
    expect(mode.stdout).toContain('not known: no daemon that serves this directory is seen');
    const firmware =
      'mount -t tmpfs t /sys; mkdir -p /sys/class/dmi/id; echo "Apple Virtualization Generic Platform" >/sys/class/dmi/id/product_name';
    const ofApple = ['--guest', guest(firmware), '--map', `${at('seen')}=${at('share')}`];
    const md5 = await host.run('md5', at('seen', 'file'), ...ofApple, '--json');
    expect(md5.status, md5.stderr).toBe(0);
    expect((JSON.parse(md5.stdout) as Report).environment.shares[0]).toMatchObject({
      mode: 'unknown',
      how: expect.stringContaining("Apple's Virtualization.framework serves it"),
    });
  });

  it('reads, residency, drop and explain tell what the guest tells', async () => {
    const file = at('seen', 'file');
    const reads = await host.run('reads', file, ...both, '--order', 'random', '--count', '50');
    expect(reads, reads.stderr).toMatchObject({ status: 0 });
    expect(reads.stdout).toContain('plain node has no state of pages');
    const dropped = await host.run('reads', file, ...both, '--count', '5', '--drop', 'host', '--system-wide');
    expect(dropped.stdout).toContain('not dropped on the host: plain node has no drop_caches');
    expect(dropped.stdout).not.toContain('caches were dropped');
    const residency = await host.run('residency', file, ...both, '--mode', 'local:bind');
    expect(residency.stdout).toMatch(/host {2}its page state could not be read: plain node has no state of/);
    const drop = await host.run('drop', file, ...both, '--side', 'host');
    expect(drop).toMatchObject({ status: 2, stdout: expect.stringContaining('plain node has no eviction') });
    const explained = await host.run('explain', ...both, '--file', file, '--', 'cat', file);
    expect(explained.status, explained.stderr).toBe(0);
    expect(explained.stderr).toMatch(/read: asked .*MiB/);
    const onHost = await host.run('explain', ...both, '--on-host', '--file', file, '--', 'cat', file);
    expect(onHost).toMatchObject({ status: 125, stdout: '' });
    expect(onHost.stderr).toContain('plain node stands in for the probe');
  });

  it('a call that hangs in the kernel is given up, and does not keep the program', async () => {
    const fifo = at('fifo');
    spawnSync('mkfifo', [fifo]);
    const hang = {
      id: 'hang',
      actor: 'one',
      op: { do: 'open', path: fifo, flags: ['rdonly'], as: 'f' },
      limit: { ms: 300, name: 'the limit of a test' },
    };
    const plan = { name: 'one', scenarios: [], isolation: 'shared', needs: ['writable'], steps: [hang] };
    writeFileSync(
      at('checks', 'hanging.mjs'),
      `export default {
        name: 'hanging', title: 'it hangs', codes: { stuck: 'it hangs' },
        cases: () => [${JSON.stringify({ ...plan, actors: { one: 'host' } })}],
        judge: (observed) => ({ kind: 'unknown', code: 'stuck', reason: observed.outcome('hang').kind }),
      };`,
    );
    const ran = await host.run('check', 'hanging', '--checks', at('checks'), ...both, '--json');
    const [result] = (JSON.parse(ran.stdout) as Report).results;
    expect(result?.verdict).toMatchObject({ kind: 'unknown', reason: 'stuck' });
    // It was ended, since node would wait for the call; nothing of the run is left.
    expect(ran.status).toBeUndefined();
    expect(readdirSync(at('share'))).toEqual(['file']);
  });

  it('no guest is looked for, and no lab is made', async () => {
    const noGuest = await host.run('md5', at('seen', 'file'));
    expect(noGuest).toMatchObject({ status: 2, stdout: '' });
    expect(noGuest.stderr).toContain('machines are looked for on Linux only (this is darwin)');
    for (const verb of ['up', 'down']) {
      const lab = await host.run('lab', verb);
      expect([lab.status, lab.stderr]).toEqual([2, expect.stringContaining('a lab needs Linux')]);
    }
  });
});

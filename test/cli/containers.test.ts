import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Ground } from '../../src/model/ground.ts';
import type { Report } from '../../src/model/report.ts';
import { type Container, startContainer } from './container.ts';
import { type LocalShare, localShare } from './program.ts';

// A real container of podman with a volume: host and container are two views of one directory.

/** Why none can be had here; undefined: it can. What podman wants of a kernel differs from one machine to the next. */
const whyNot = await startContainer([]).then(
  (container) => container.end(),
  (error: unknown) => (error instanceof Error ? error.message : String(error)),
);
if (whyNot !== undefined) console.warn(`skipped: no container can be started here: ${whyNot}`);

describe.skipIf(whyNot !== undefined)('a container with a volume', { timeout: 180_000 }, () => {
  let local: LocalShare;
  let container: Container;
  const at = (...names: string[]) => path.join(local.directory, ...names);

  beforeAll(async () => {
    local = await localShare();
    mkdirSync(at('share', 'deep'));
    writeFileSync(at('share', 'deep', 'file'), 'as it was\n');
    container = await startContainer(['-v', `${at('share')}:/data`]);
  }, 120_000);
  afterAll(() => {
    container?.end();
    rmSync(local.directory, { recursive: true, force: true });
  });
  const run = (command: string, ...args: string[]) => local.run(command, ...args, '--guest', container.guest);

  it('is found without a map: which directory of the host the volume is, and its mode', async () => {
    const { status, stdout, stderr } = await run('md5', '/data/deep/file', '--json');
    expect(status, stderr).toBe(0);
    const { environment, results } = JSON.parse(stdout) as Report;
    expect(environment.shares).toMatchObject([
      { guestDir: '/data', hostDir: at('share'), mode: 'local:bind' },
    ]);
    expect(results[0]?.verdict.kind).toBe('pass');
  });

  it('keeps every promise of one kernel', async () => {
    const ran = await run('check', 'guest-write', 'host-append', 'locks');
    expect(ran.status, ran.stdout).toBe(0);
    expect(ran.stdout).toMatch(/^every promise was kept/);
  });

  it('is well for doctor, which knows that nobody serves it', async () => {
    const ran = await run('doctor', '--json');
    expect(ran.status, ran.stderr).toBe(0);
    const { places } = JSON.parse(ran.stdout) as Ground;
    const share = places.find(({ where }) => where === 'share');
    expect(share?.name).toBe(`/data = ${at('share')}`);
    const said = Object.fromEntries(share?.facts.map(({ about, said: words }) => [about, words]) ?? []);
    expect(said).toMatchObject({
      place: expect.stringContaining('the same inode on both sides'),
      mode: expect.stringContaining('local:bind'),
      daemon: expect.stringContaining('nobody serves it'),
    });
  });

  it('that has stopped is told with what podman says of it', async () => {
    container.stop();
    const ran = await run('md5', '/data/deep/file', '--map', `/data=${at('share')}`);
    expect(ran.status).toBe(2);
    expect(ran.stderr).toContain('before a shell answered');
    expect(ran.stderr).toMatch(/container/);
  });
});

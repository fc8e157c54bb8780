import path from 'node:path';
import { execa } from 'execa';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { LabInfo } from '../../src/lab/info.ts';
import { labModes } from '../../src/model/mode.ts';
import type { Result } from '../../src/model/report.ts';
import { downLab, inGuest, reportOf, upLab } from './cli.ts';
import { writeRewritingDaemon } from './rewriting-daemon.ts';
import { useScratch } from './scratch.ts';
import { readsOtherwise } from './told/others.ts';

// The ladder on the released daemon, as it is told and otherwise.

const name = `read-path-${process.pid}`;
const modes = [...labModes, 'auto+allow-direct-io'];
const scratch = useScratch(name);
let honest: LabInfo;

async function run(mode: string, rung: string): Promise<Result> {
  return (await reportOf(['check', `--lab=${name}`, '--modes', mode, `read-path/${rung}`, '--seed', '7']))
    .first;
}

/** Evicts every file of a rung's size on the host, over and over. */
function evictOnHost(): { stop(): Promise<void> } {
  const drop = 'dd of={} oflag=nocache conv=notrunc,fdatasync count=0 status=none';
  const line = `while :; do find "$0" -type f -size 1024k -exec ${drop} ';'; sleep 0.02; done`;
  const loop = execa('sh', ['-c', line, honest.hostDir], {
    reject: false,
    timeout: 100_000,
    stderr: 'ignore',
  });
  return {
    async stop() {
      loop.kill();
      await loop;
    },
  };
}

/** The whole ladder in every mode, in one run. */
async function everyMode(): Promise<{ readonly status: number | undefined; of(mode: string): Result }> {
  const ladder = ['check', `--lab=${name}`, '--modes', modes.join(','), 'read-path', '--seed', '7'];
  const { status, report } = await reportOf(ladder);
  return { status, of: (asked) => report.results.find(({ mode }) => mode === asked) as Result };
}

const bytesBy = (source: string) => `1,048,576 bytes by ${source}`;

describe('a daemon that serves the mode it is told', () => {
  let ran: Awaited<ReturnType<typeof everyMode>>;
  beforeAll(async () => {
    honest = await upLab(name, '--modes', modes.join(','));
    ran = await everyMode();
  });
  afterAll(() => downLab(name));

  it.each(modes)('in mode %s: every byte comes by the path and from the medium of its rung', (mode) => {
    const first = ran.of(mode);
    expect(ran.status, JSON.stringify(first)).toBe(0);
    for (const { name: each, verdict } of first.cases) expect(verdict.kind, each).toBe('pass');
    const caches = mode !== 'never' && mode !== 'metadata';
    expect(Object.fromEntries(first.cases.map((each) => [each.name, each.verdict.reason]))).toEqual({
      cold: bytesBy('fuse/disk'),
      'host-warm': bytesBy('fuse/host-cache'),
      'guest-warm': bytesBy(caches ? 'guest-cache' : 'fuse/host-cache'),
      'guest-warm-reopened': bytesBy(mode.startsWith('always') ? 'guest-cache' : 'fuse/host-cache'),
      'guest-dropped': bytesBy('fuse/host-cache'),
      'host-dropped': bytesBy(caches ? 'guest-cache' : 'fuse/disk'),
      'both-dropped': bytesBy('fuse/disk'),
      'o-direct': bytesBy(mode.endsWith('direct-io') ? 'fuse/disk' : 'fuse/host-cache'),
    });
  });

  it('gives accounts of short benchmarks that add up, from each state and in every mode', async () => {
    const asked = ['benchmark-plausibility', '--modes', modes.join(','), '--seed', '7'];
    const { status, report } = await reportOf(['check', `--lab=${name}`, ...asked]);
    expect(report.results.map(({ mode }) => mode)).toEqual(modes);
    for (const { mode, cases } of report.results)
      for (const { name: each, verdict } of cases)
        expect(verdict.kind, `${each} in ${mode}: ${verdict.reason}`).toBe('pass');
    expect(status).toBe(0);
  });

  it('is not accused while somebody drops all caches in the guest', async () => {
    const drops = 'while [ -e /tmp/drops ]; do echo 1 > /proc/sys/vm/drop_caches; sleep 0.1; done';
    await inGuest(name, `touch /tmp/drops; (${drops}) >/dev/null 2>&1 </dev/null &`);
    const first = await run('always', 'guest-warm-reopened');
    await inGuest(name, 'rm /tmp/drops');
    expect(first.verdict.kind, JSON.stringify(first)).not.toBe('fail');
  });

  it('is not accused while somebody evicts the files on the host', async () => {
    const evictions = evictOnHost();
    const first = await run('auto', 'o-direct');
    const asked = ['benchmark-plausibility', '--modes', 'auto,never', '--seed', '7'];
    const { report } = await reportOf(['check', `--lab=${name}`, ...asked]);
    await evictions.stop();
    for (const each of [first, ...report.results])
      expect(each.verdict.kind, JSON.stringify(each)).not.toBe('fail');
  });
});

describe('a daemon that serves another mode:', () => {
  let ran: Awaited<ReturnType<typeof everyMode>>;
  beforeAll(async () => {
    const script = path.join(scratch.directory, 'virtiofsd');
    const names = readsOtherwise.map(({ policy, really }) => [policy, really]);
    await writeRewritingDaemon(script, honest, Object.fromEntries(names));
    await upLab(name, '--virtiofsd', script, '--modes', modes.join(','));
    ran = await everyMode();
  });
  afterAll(() => downLab(name));

  it.each(readsOtherwise)('told $policy and serving $really, it is found out', ({ policy, fails }) => {
    const first = ran.of(policy);
    const failed = first.cases.filter(({ verdict }) => verdict.kind === 'fail');
    expect(
      Object.fromEntries(failed.map((one) => [`read-path/${one.name}`, one.verdict.code])),
      JSON.stringify(first.cases),
    ).toEqual(fails);
    for (const { verdict } of failed) expect(verdict.promised).toContain(`mode ${policy}`);
  });
});

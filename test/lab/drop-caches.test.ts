import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { LabInfo } from '../../src/lab/info.ts';
import { labModes } from '../../src/model/mode.ts';
import type { Result } from '../../src/model/report.ts';
import { downLab, reportOf, upLab } from './cli.ts';
import { upLyingLab } from './lying-daemon.ts';
import { useScratch } from './scratch.ts';
import { throughShim } from './told/others.ts';

const name = `drop-caches-${process.pid}`;
const scratch = useScratch(name);
let honest: LabInfo;

function run(modes: readonly string[]) {
  return reportOf(['check', `--lab=${name}`, '--modes', modes.join(','), 'drop-caches', '--seed', '5']);
}

describe('a released daemon', () => {
  let ran: Awaited<ReturnType<typeof run>>;
  beforeAll(async () => {
    honest = await upLab(name);
    ran = await run(labModes);
  });
  const resultOf = (asked: string) => ran.report.results.find(({ mode }) => mode === asked) as Result;
  afterAll(() => downLab(name));

  it.each(labModes)('passes in mode %s, system-wide drops in the guest included', (mode) => {
    const first = resultOf(mode);
    expect(ran.status, JSON.stringify(first)).toBe(0);
    const kinds = Object.fromEntries(first.cases.map((each) => [each.name, each.verdict.kind]));
    // Where files are opened with DIRECT_IO there are no shared mappings; names are not kept in mode never.
    const direct = mode === 'never' || mode === 'metadata';
    expect(kinds).toMatchObject({
      'guest-file': 'pass',
      'guest-mapped': 'pass',
      'guest-dirty': 'pass',
      'guest-dirty-mapped': direct ? 'skip' : 'pass',
      'host-file': 'pass',
      'host-mapped': 'pass',
      'host-dirty': 'pass',
      'guest-system-wide': 'pass',
    });
    if (mode === 'never') expect(kinds['guest-system-wide-names']).toBe('skip');
    if (mode.startsWith('always')) expect(kinds['guest-system-wide-names']).toBe('pass');
  });

  it('is asked in the guest with dirty pages under writeback, and none is lost', () => {
    const dirty = resultOf('auto+writeback').cases.find((each) => each.name === 'guest-dirty');
    expect(dirty?.verdict.reason).toContain('8 dirty pages were refused');
  });
});

describe('a daemon that lies', () => {
  async function failures(lie: 'flip-read' | 'drop-write', modes: readonly string[]) {
    await upLyingLab(name, lie, scratch.directory, honest, '--modes', modes.join(','));
    try {
      return (await run(modes)).report.results;
    } finally {
      await downLab(name);
    }
  }

  it('about what it reads is found when the pages that hid it are dropped', async () => {
    for (const { mode, cases } of await failures('flip-read', ['auto', 'always'])) {
      const found = cases.find((each) => each.name === 'guest-file');
      expect(found?.verdict, mode).toMatchObject({
        kind: 'fail',
        code: throughShim['flip-read'].dropCaches['drop-caches/guest-file'],
      });
    }
  });

  it('about what it wrote is found when dirty pages are written back', async () => {
    for (const { mode, cases } of await failures('drop-write', ['auto+writeback'])) {
      const codes = cases.filter(({ verdict }) => verdict.kind === 'fail').map(({ verdict }) => verdict.code);
      const expected = throughShim['drop-write'].dropCaches['drop-caches/guest-dirty'].split('|');
      expect(codes, JSON.stringify(cases)).toContain('dirty-lost');
      expect(
        codes.filter((code) => !expected.includes(code ?? '')),
        mode,
      ).toEqual([]);
    }
  });
});

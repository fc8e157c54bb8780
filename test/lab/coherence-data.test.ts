import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Report, Result } from '../../src/model/report.ts';
import { type Finding, isOfVersions, loadFindings } from '../../src/run/known.ts';
import { downLab, reportOf, upLab } from './cli.ts';
import { lyingMode, writeManyLiars } from './lying-daemon.ts';
import { type LyingDaemon, liesAboutData as lies } from './told/data.ts';

// Each check of the bytes fails, with the code that says how, on a daemon that spoils bytes in its way; the same
// cases pass on the same daemon where it does not lie. All daemons serve one guest, each in a mode of its own.

const name = `coherence-data-${process.pid}`;

/**
 * What released software does by itself (docs/findings): shown in the modes that have it, and in no other. The read
 * that never ends costs a CPU of the guest and is seen elsewhere (ninep.test.ts).
 */
const findings = (await loadFindings(fileURLToPath(new URL('../../docs/findings', import.meta.url)))).filter(
  ({ code }) => code !== 'never-ended',
);
/** Two must meet for these, who may miss each other on a busy machine. */
const byChance: ReadonlySet<string> = new Set([
  'fuse-append-torn',
  'virtiofsd-readdirplus-gone',
  'ninep-readdir-gone',
]);
const namesOf = ({ check, case: names = [] }: Finding) => [names].flat().map((each) => `${check}/${each}`);
const defective = [...new Set(findings.flatMap(namesOf))];
const released = [
  ...['never', 'metadata', 'auto', 'always', 'auto+writeback', 'always+writeback'],
  ...['9p:readahead', '9p:mmap', '9p:loose'],
];

const cases = [...new Set(lies.flatMap(({ fails }) => Object.keys(fails)))];
const modeOf = ({ policy, lie }: LyingDaemon) => lyingMode(policy, lie);
const honest = ['never', 'auto', 'auto+writeback'];

let directory = '';
const results: Result[] = [];
let ofReleased: Report;

beforeAll(async () => {
  directory = await mkdtemp(path.join(tmpdir(), 'vfs-verify-test-'));
  const script = path.join(directory, 'virtiofsd');
  await writeManyLiars(script, directory);
  const modes = [...new Set([...honest, ...released, ...lies.map(modeOf)])];
  await upLab(name, '--virtiofsd', script, '--modes', modes.join(','), '--boot-timeout', '120');
  const run = async (asked: readonly string[], modes: readonly string[]) => {
    const flags = ['--modes', modes.join(','), '--seed', '5', '--known', 'docs/findings'];
    const { report } = await reportOf(['check', `--lab=${name}`, ...asked, ...flags]);
    results.push(...report.results);
    return report;
  };
  await run(cases, honest);
  ofReleased = await run(defective, released);
  // A check and the modes in which it is lied to at a time: all checks in all modes would take longer.
  for (const check of new Set(cases.map((each) => each.split('/')[0] ?? ''))) {
    const own = cases.filter((each) => each.startsWith(`${check}/`));
    await run(own, lies.filter(({ fails }) => own.some((each) => each in fails)).map(modeOf));
  }
}, 600_000);
afterAll(async () => {
  await downLab(name);
  await rm(directory, { recursive: true, force: true });
});

function verdictOf(mode: string, text: string) {
  const [check, each] = text.split('/', 2);
  const result = results.find((one) => one.check === check && one.mode === mode);
  return result?.cases.find((one) => one.name === each)?.verdict;
}

describe('a daemon that is honest', () => {
  it.each(honest)('passes in %s', (mode) => {
    for (const text of cases) expect(verdictOf(mode, text), text).toMatchObject({ kind: 'pass' });
  });
});

describe('released software', () => {
  const endedIn = (mode: string) =>
    ofReleased.results
      .filter((result) => result.mode === mode)
      .flatMap(({ check, cases: ended }) =>
        ended.map(({ name: each, verdict, known }) => ({ text: `${check}/${each}`, verdict, known })),
      );

  it.each(released)('shows in %s each defect that is written down for it, and no other', (mode) => {
    for (const { text, verdict, known } of endedIn(mode)) {
      const { versions } = ofReleased.environment;
      const finding = findings.find(
        (each) => each.modes?.includes(mode) && namesOf(each).includes(text) && isOfVersions(each, versions),
      );
      const expected = finding === undefined ? 'pass' : `${finding.code}, known as ${finding.id}`;
      const seen = verdict.kind === 'fail' ? `${verdict.code}, known as ${known?.id}` : verdict.kind;
      if (finding !== undefined && byChance.has(finding.id) && seen === 'pass') continue;
      // What a 9p mode does not have, such as O_DIRECT, is skipped.
      expect(seen === 'skip' ? 'pass' : seen, `${text}: ${verdict.reason}`).toBe(expected);
    }
  });

  it('tears an append that crosses a page where it caches', () => {
    const torn = released.filter((mode) => endedIn(mode).some(({ verdict }) => verdict.code === 'torn'));
    expect(['auto', 'always']).toEqual(expect.arrayContaining(torn));
    expect(torn).not.toEqual([]);
  });

  it('holds what is promised otherwise', () => {
    expect(ofReleased.verdict).toMatchObject({ kind: 'pass', counts: { fail: expect.any(Number) } });
    expect(ofReleased.verdict.counts.known).toBe(ofReleased.verdict.counts.fail);
  });
});

describe.each(lies.map((told) => ({ ...told, mode: modeOf(told) })))(
  'a daemon in $policy with the lie $lie',
  ({ mode, fails }) => {
    it.each(Object.entries(fails))('fails %s with %s', (text, code) => {
      expect(verdictOf(mode, text)).toMatchObject({
        kind: 'fail',
        code: expect.stringMatching(`^(${code})$`),
      });
    });
  },
);

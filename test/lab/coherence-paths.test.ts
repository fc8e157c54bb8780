import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Result } from '../../src/model/report.ts';
import { downLab, reportOf, upLab } from './cli.ts';
import { modeOfLiar, writeLiars } from './lying-backend.ts';
import { type Misbehaving, misbehaviours as told } from './told/paths.ts';

// The checks of access paths, of two writers, of open flags, locks and events fail on a daemon that misbehaves
// in their way, each with the code that says how; on the same daemon without a fault they pass. All daemons
// serve one guest, each in a mode of its own.

const name = `coherence-paths-${process.pid}`;

const modes = told.map(modeOfLiar);
const cases = [...new Set(told.flatMap(({ fails }) => Object.keys(fails)))];
const isHonest = ({ fails }: Misbehaving) => Object.keys(fails).length === 0;

let directory = '';
const results: Result[] = [];

beforeAll(async () => {
  directory = await mkdtemp(path.join(tmpdir(), 'vfs-verify-test-'));
  const script = path.join(directory, 'virtiofsd');
  await writeLiars(script, told);
  await upLab(name, '--virtiofsd', script, '--modes', modes.join(','), '--boot-timeout', '300');
  // A check and the modes in which it is lied to at a time: all checks in all modes would take longer.
  for (const check of new Set(cases.map((each) => each.split('/')[0] ?? ''))) {
    const own = cases.filter((each) => each.startsWith(`${check}/`));
    const asked = told.flatMap((each, index) =>
      isHonest(each) || own.some((text) => text in each.fails || each.passes?.includes(text) === true)
        ? (modes[index] ?? [])
        : [],
    );
    const { report } = await reportOf([
      'check',
      `--lab=${name}`,
      ...own,
      '--modes',
      asked.join(','),
      '--seed',
      '5',
    ]);
    results.push(...report.results);
  }
}, 600_000);
afterAll(async () => {
  await downLab(name);
  await rm(directory, { recursive: true, force: true });
});

function verdictOf(mode: string | undefined, text: string) {
  const [check, each] = text.split('/', 2);
  const result = results.find((one) => one.check === check && one.mode === mode);
  return result?.cases.find((one) => one.name === each)?.verdict;
}

describe.each(told.map((each, index) => ({ ...each, index })))(
  'the backend in $policy with $options $faults',
  (each) => {
    const mode = modes[each.index];
    if (isHonest(each))
      it.each(cases)('passes %s', (text) => {
        expect(verdictOf(mode, text)).toMatchObject({ kind: 'pass' });
      });
    if (each.passes !== undefined)
      it.each(each.passes)('passes %s', (text) => {
        expect(verdictOf(mode, text)).toMatchObject({ kind: 'pass' });
      });
    if (!isHonest(each))
      it.each(Object.entries(each.fails))('fails %s with %s', (text, code) => {
        expect(verdictOf(mode, text)).toMatchObject({ kind: 'fail', code });
      });
  },
);

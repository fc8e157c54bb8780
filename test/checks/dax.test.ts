import { describe, expect, it } from 'vitest';
import daxCoherence from '../../checks/dax-coherence.ts';
import daxPath from '../../checks/dax-path.ts';
import daxWindow from '../../checks/dax-window.ts';
import modeInForce from '../../checks/mode-in-force.ts';
import type { Setting } from '../../src/model/check.ts';
import { parseMode } from '../../src/model/mode.ts';
import type { Verdict } from '../../src/model/verdict.ts';
import type { Bundle } from '../../src/run/bundle.ts';
import { useLocalShare } from './local-share.ts';

// A local directory that is declared to have a window, and has none.

const share = useLocalShare();

/** The bundle as it would be if every file in it were in DAX state. */
function inDaxState(bundle: Bundle): Bundle {
  const changed = JSON.parse(JSON.stringify(bundle).replaceAll('"dax":false', '"dax":true')) as Bundle;
  // Then nobody would have asked what is mounted.
  const cases = changed.cases.map((each) => ({
    ...each,
    steps: each.steps.filter(({ id }) => id !== 'mounts'),
  }));
  return { ...changed, cases };
}

/** Every bit of what an actor saw by loads is another one. */
function withWrongLoads(bundle: Bundle): Bundle {
  const changed = JSON.parse(JSON.stringify(inDaxState(bundle))) as {
    cases: { steps: unknown[]; outcomes: Record<string, { value?: { values?: { base64?: string }[] } }> }[];
  };
  for (const { outcomes } of changed.cases) {
    for (const values of Object.values(outcomes).map(({ value }) => value?.values ?? []))
      for (const value of values.filter((each) => each?.base64 !== undefined))
        value.base64 = flipped(value.base64 ?? '');
  }
  return changed as unknown as Bundle;
}

function flipped(base64: string): string {
  return Buffer.from(Buffer.from(base64, 'base64').map((byte) => byte ^ 0xff)).toString('base64');
}

function kinds(verdicts: Readonly<Record<string, Verdict>>): readonly string[] {
  return [...new Set(Object.values(verdicts).map(({ kind }) => kind))];
}

describe.each([daxPath, daxCoherence, daxWindow])('$name where there is no window', (check) => {
  it('is skipped in every case, says what is mounted, and never passes', async () => {
    for (const mode of ['auto+dax=always', 'auto+dax=inode']) {
      const { cases } = await share.run(check, mode);
      expect(cases.length).toBeGreaterThan(2);
      for (const { name, verdict } of cases) {
        expect(verdict.kind, name).toBe('skip');
        // No daemon can be seen here.
        if (verdict.code === 'need-not-met') continue;
        expect(verdict.code, name).toBe('no-window');
        expect(verdict.reason, name).toMatch(/and only virtiofs has a window/);
      }
    }
  });

  it('has no case in a mode without one', () => {
    for (const mode of ['auto', 'auto+dax=never', '9p:loose'])
      expect(check.cases(settingIn(mode))).toEqual([]);
  });
});

it('pages of a file in DAX state in the guest’s cache are a fail of dax-path', async () => {
  await share.run(daxPath, 'auto+dax=inode');
  const { 'per-file': verdict } = await share.judgedAgain(daxPath, inDaxState);
  expect(verdict).toMatchObject({ kind: 'fail', code: 'cached-in-guest' });
});

describe('what was seen through a window', () => {
  it.each([daxCoherence, daxWindow])('$name passes where both sides see one memory', async (check) => {
    await share.run(check, 'auto+dax=always');
    expect(kinds(await share.judgedAgain(check, inDaxState))).toEqual(['pass']);
  });

  it.each([daxCoherence, daxWindow])('$name fails on bytes that nobody wrote', async (check) => {
    await share.run(check, 'auto+dax=always');
    const verdicts = await share.judgedAgain(check, withWrongLoads);
    expect(kinds(verdicts)).toEqual(['fail']);
    expect(new Set(Object.values(verdicts).map(({ code }) => code))).toEqual(new Set(['wrong-bytes']));
  });
});

it('a mode that names dax=always, and is not mounted so, is found by mode-in-force', async () => {
  const alone = {
    ...modeInForce,
    cases: (setting: Setting) => modeInForce.cases(setting).filter(({ name }) => name === 'dax-state'),
  };
  const { cases } = await share.run(alone, 'auto+dax=always');
  const verdict = cases.find(({ name }) => name === 'dax-state')?.verdict;
  expect(verdict).toMatchObject({ kind: 'fail', code: 'dax-not-as-declared' });
  const never = await share.run(alone, 'auto+dax=never');
  expect(never.cases.find(({ name }) => name === 'dax-state')?.verdict.kind).toBe('pass');
});

function settingIn(mode: string): Setting {
  return { mode: parseMode(mode), views: {}, versions: {}, seed: 1, args: {} };
}

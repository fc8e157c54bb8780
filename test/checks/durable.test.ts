import { describe, expect, it } from 'vitest';
import directoryFsync from '../../checks/directory-fsync.ts';
import fsyncDurable from '../../checks/fsync-durable.ts';
import writeErrors from '../../checks/write-errors.ts';
import { promiseFor } from '../../src/contract/contract.ts';
import type { Check, Observed, Setting } from '../../src/model/check.ts';
import { parseMode } from '../../src/model/mode.ts';
import type { PageState } from '../../src/model/operation.ts';
import type { Outcome } from '../../src/model/outcome.ts';
import { patternBytes } from '../../src/model/pattern.ts';
import type { Verdict } from '../../src/model/verdict.ts';

// The judges of durability on literal answers.

const seed = 7;

/** The verdict of a case whose steps gave these values (lists: a `many`); a step that is not named gave none. */
async function judged(
  check: Check,
  name: string,
  values: Readonly<Record<string, readonly unknown[]>>,
  mode = 'auto',
): Promise<Verdict> {
  const setting = { mode: parseMode(mode), views: {}, versions: {}, seed, args: {} } as Setting;
  const plan = check.cases(setting).find((each) => each.name === name);
  if (plan === undefined) throw new Error(`no case ${name}`);
  const outcome = (id: string): Outcome => ({
    kind: 'value',
    value: { values: values[id] ?? [], timesNs: [] },
  });
  const observed = {
    setting,
    case: plan,
    steps: plan.steps,
    outcome,
    value: (id: string) => (outcome(id) as { value: unknown }).value,
  } as unknown as Observed;
  return check.judge(observed, (scenario) => promiseFor(scenario, setting.mode, {}));
}

const opened = {};
const content = (fileId: number, generation: number, length: number) => ({
  base64: Buffer.from(patternBytes({ seed, fileId, writer: 2, generation }, 0, length)).toString('base64'),
});
const gone = { errno: 'ENOENT', call: 'open' };
const unread = { errno: 'EBADF', call: 'read' };

describe('pages after a sync', () => {
  const state = (dirty: number): PageState => ({
    by: 'cachestat',
    pageSize: 4096,
    pages: 16,
    cached: 16,
    dirty,
    writeback: 0,
  });
  const pages = (before: number, after: number, magic = 0xef53) =>
    judged(fsyncDurable, 'fsync', {
      before: [{ magic }, opened, state(before)],
      after: [opened, state(after)],
    });

  it('are clean, where others are seen to be dirty', async () => {
    expect(await pages(16, 0)).toMatchObject({ kind: 'pass' });
  });
  it('that are dirty are a fail, whatever the control shows', async () => {
    expect(await pages(16, 3)).toMatchObject({ kind: 'fail', code: 'not-written-back' });
    expect(await pages(0, 3)).toMatchObject({ kind: 'fail', code: 'not-written-back' });
  });
  it('say nothing where no dirty page can be seen, or where there is no disk', async () => {
    expect(await pages(0, 0)).toMatchObject({ kind: 'unknown', code: 'could-not-tell' });
    expect(await pages(16, 16, 0x01021994)).toMatchObject({ kind: 'skip', code: 'not-here' });
  });
});

describe('after the power is cut', () => {
  const whole = [opened, content(6, 1, 204_800), opened, content(7, 2, 204_800), gone, unread];
  it('what was synced is there, and what was not may be gone', async () => {
    expect(await judged(fsyncDurable, 'power-cut', { left: whole })).toMatchObject({ kind: 'pass' });
  });
  it('an older generation, an empty file and a missing one are named', async () => {
    const older = [...whole.slice(0, 3), content(7, 1, 204_800), ...whole.slice(4)];
    expect(await judged(fsyncDurable, 'power-cut', { left: older })).toMatchObject({
      code: 'synced-and-lost',
      observed: expect.stringContaining('generation'),
    });
    const empty = [opened, { base64: '' }, ...whole.slice(2)];
    expect((await judged(fsyncDurable, 'power-cut', { left: empty })).observed).toBe(
      'new is empty, of 204800 bytes',
    );
    const missing = [gone, unread, ...whole.slice(2)];
    expect((await judged(fsyncDurable, 'power-cut', { left: missing })).observed).toContain('ENOENT');
  });
  it('names are exactly those that were synced', async () => {
    const names = (list: readonly string[]) =>
      judged(directoryFsync, 'power-cut', { left: [{ names: list }] });
    expect(await names(['moved-to', 'new', 'stays', 'sub'])).toMatchObject({ kind: 'pass' });
    expect(await names(['moved-from', 'stays'])).toMatchObject({ kind: 'fail', code: 'names-lost' });
  });
});

describe('after the daemon is killed', () => {
  const left = [gone, unread, opened, content(4, 1, 102_400), opened, content(5, 1, 102_400)];
  it('what write() took must be there where each write is sent, and may be gone where it waits', async () => {
    expect(await judged(fsyncDurable, 'daemon-kill', { left })).toMatchObject({
      code: 'acknowledged-and-lost',
    });
    expect(await judged(fsyncDurable, 'daemon-kill', { left }, 'auto+writeback')).toMatchObject({
      kind: 'pass',
    });
  });
  it('what was synced must be there in every mode', async () => {
    const lost = [...left.slice(0, 4), opened, { base64: '' }];
    expect(await judged(fsyncDurable, 'daemon-kill', { left: lost }, 'auto+writeback')).toMatchObject({
      code: 'acknowledged-and-lost',
    });
  });
});

describe('an error below', () => {
  const full = { errno: 'ENOSPC', call: 'pwrite' };
  const errors = (mode: string, values: Readonly<Record<string, readonly unknown[]>>) =>
    judged(writeErrors, 'no-space', { left: [opened, { base64: '' }], ...values }, mode);

  it('is heard of at write, or where writes wait at fsync', async () => {
    expect(await errors('auto', { write: [opened, full] })).toMatchObject({ kind: 'pass' });
    expect(await errors('auto+writeback', { fsync: [full] })).toMatchObject({ kind: 'pass' });
    expect(await errors('auto', { fsync: [full] })).toMatchObject({ kind: 'fail', code: 'surfaced-late' });
  });
  it('that nobody hears of is swallowed where bytes are missing', async () => {
    expect(await errors('auto', {})).toMatchObject({ kind: 'fail', code: 'swallowed' });
    expect(await errors('auto', { left: [] })).toMatchObject({ kind: 'unknown', code: 'could-not-tell' });
  });
});

describe('fsync of a directory', () => {
  const refused = { errno: 'EBADF', call: 'fsync' };
  it('that only the guest is refused is a fail', async () => {
    expect(await judged(directoryFsync, 'accepted', { guest: [refused], host: [{}] })).toMatchObject({
      kind: 'fail',
      code: 'refused',
    });
    expect(await judged(directoryFsync, 'accepted', { guest: [refused], host: [refused] })).toMatchObject({
      kind: 'skip',
    });
  });
});

import { beforeAll, describe, expect, it } from 'vitest';
import guestWrite from '../../checks/guest-write.ts';
import holes from '../../checks/holes.ts';
import hostAppend from '../../checks/host-append.ts';
import hostRewrite from '../../checks/host-rewrite.ts';
import hostTruncate from '../../checks/host-truncate.ts';
import type { Check } from '../../src/model/check.ts';
import { parseMode } from '../../src/model/mode.ts';
import type { ManyResult, Operation } from '../../src/model/operation.ts';
import type { Outcome } from '../../src/model/outcome.ts';
import type { Verdict } from '../../src/model/verdict.ts';
import type { Bundle, CaseRecord } from '../../src/run/bundle.ts';
import { useLocalShare } from './local-share.ts';

// Stories as they went on a local directory, with one thing in what came back changed: that alone decides.

const share = useLocalShare();
const checks: readonly Check[] = [hostRewrite, guestWrite, hostAppend, hostTruncate, holes];
beforeAll(async () => {
  for (const check of checks) await share.run(check, 'auto');
}, 60_000);

/** What is changed in one case. */
interface Change {
  readonly mode?: string;
  readonly outcomes?: (record: CaseRecord) => Readonly<Record<string, Outcome>>;
  readonly steps?: (record: CaseRecord) => CaseRecord['steps'];
}

async function verdictOf(check: Check, name: string, change: Change): Promise<Verdict> {
  const verdicts = await share.judgedAgain(check, (bundle): Bundle => {
    const { mode = 'auto' } = change;
    const cases = bundle.cases.map((record) =>
      record.case.name === name
        ? {
            ...record,
            outcomes: { ...record.outcomes, ...change.outcomes?.(record) },
            steps: [...record.steps, ...(change.steps?.(record) ?? [])],
          }
        : record,
    );
    return { ...bundle, setting: { ...bundle.setting, mode: parseMode(mode) }, cases };
  });
  return verdicts[name] as Verdict;
}

function manyOf(record: CaseRecord, step: string): ManyResult {
  const outcome = record.outcomes[step];
  if (outcome?.kind !== 'value') throw new Error(`${step} did not end`);
  return outcome.value as ManyResult;
}

/** The bytes of the last read of a step. */
function lastRead(record: CaseRecord, step: string): Buffer {
  const value = manyOf(record, step).values.findLast((each) => 'base64' in (each as object));
  return Buffer.from((value as { readonly base64: string }).base64, 'base64');
}

/** The same step, its last read having given these bytes; `afterMs`: so long after the guest last looked. */
function having(
  record: CaseRecord,
  step: string,
  bytes: Uint8Array,
  afterMs?: number,
): Record<string, Outcome> {
  const many = manyOf(record, step);
  const at = many.values.findLastIndex((each) => 'base64' in (each as object));
  const value = { base64: Buffer.from(bytes).toString('base64'), bytes: bytes.length };
  const timesNs = many.timesNs.map((each) => {
    if (afterMs === undefined) return each;
    const beginNs = (manyOf(record, 'warm').timesNs.at(-1)?.[1] ?? 0) + afterMs * 1e6;
    return [beginNs, beginNs + 1000] as const;
  });
  return { [step]: { kind: 'value', value: { ...many, values: many.values.with(at, value), timesNs } } };
}

const staleIn = (step: string, afterMs?: number) => (record: CaseRecord) =>
  having(record, step, lastRead(record, 'warm'), afterMs);

/** The newest bytes, changed by a function. */
const bent =
  (step: string, change: (bytes: Buffer, old: Buffer) => Uint8Array) =>
  (record: CaseRecord): Record<string, Outcome> =>
    having(record, step, change(lastRead(record, step), lastRead(record, 'warm')));

describe('old bytes', () => {
  it('fail where the mode promises the newest', async () => {
    const verdict = await verdictOf(hostRewrite, 'reopened', { outcomes: staleIn('reopened') });
    expect(verdict).toMatchObject({ kind: 'fail', code: 'stale', promised: 'fresh at once' });
    expect(verdict.observed).toMatch(/4096–22479 as before generation 2/);
  });

  it('are permitted for a second after the last look, and then no longer', async () => {
    const at = (afterMs: number) =>
      verdictOf(hostRewrite, 'kept-descriptor', { outcomes: staleIn('at-once', afterMs) });
    expect(await at(999)).toMatchObject({ kind: 'pass', stale: true });
    expect(await at(1001)).toMatchObject({ kind: 'unknown', code: 'at-the-bound' });
    expect(await at(1101)).toMatchObject({ kind: 'fail', code: 'stale-too-long' });
  });

  it('may be of another version in each page', async () => {
    const outcomes = bent('at-once', (bytes, old) => {
      bytes.set(old.subarray(4096, 8192), 4096);
      return bytes;
    });
    const verdict = await verdictOf(hostRewrite, 'kept-descriptor', { outcomes });
    expect(verdict).toMatchObject({ kind: 'pass', stale: true });
    expect(verdict.reason).toContain('4096–8191');
  });

  it('are permitted until an event, and fail after it', async () => {
    const whole: Operation = { do: 'read', file: 'f', offset: 0, length: 22_480 };
    const opened: Operation = { do: 'open', path: 'f', flags: ['rdwr'], as: 'f:again' };
    const mode = 'auto+writeback';
    const until = await verdictOf(hostRewrite, 'kept-descriptor', {
      mode,
      outcomes: staleIn('at-once', 9000),
    });
    expect(until).toMatchObject({ kind: 'pass', stale: true });
    const after = await verdictOf(hostRewrite, 'kept-descriptor', {
      mode,
      steps: () => [{ id: 'opened-again', actor: 'guest', op: { do: 'many', list: [opened, whole] } }],
      outcomes: (record) => ({
        'opened-again': {
          kind: 'value',
          value: {
            values: [{}, manyOf(record, 'warm').values[1]],
            timesNs: [
              [9e12, 9e12],
              [9e12, 9e12],
            ],
          },
        },
      }),
    });
    expect(after).toMatchObject({ kind: 'fail', code: 'stale-after-event' });
    expect(after.reason).toContain('after the next open');
  });

  it('are unknown where the contract is silent', async () => {
    const change = { mode: 'auto+some-new-flag', outcomes: staleIn('at-once') };
    expect(await verdictOf(hostRewrite, 'kept-descriptor', change)).toMatchObject({
      kind: 'unknown',
      code: 'no-promise',
    });
  });
});

describe('bytes that were never there', () => {
  const wrong: readonly [string, (bytes: Buffer, old: Buffer) => Uint8Array, string, RegExp][] = [
    [
      'a flipped bit',
      (bytes) => {
        bytes[5000] = (bytes[5000] as number) ^ 4;
        return bytes;
      },
      'wrong-bytes',
      /bit/,
    ],
    ['a page of zeros', (bytes) => bytes.fill(0, 4096, 8192), 'wrong-bytes', /zeros/],
    [
      'a page of another place',
      (bytes) => {
        bytes.copyWithin(4096, 0, 4096);
        return bytes;
      },
      'wrong-bytes',
      /0x1000/,
    ],
    [
      'two versions in one page',
      (bytes, old) => {
        bytes.set(old.subarray(4096, 6144), 4096);
        return bytes;
      },
      'wrong-bytes',
      /0x1000–0x17ff is older: generation 1 of the host/,
    ],
    ['an end where it never ended', (bytes) => bytes.subarray(0, 9000), 'wrong-size', /9000 bytes/],
  ];

  it.each(wrong)('fail and are named: %s', async (_, change, code, words) => {
    const verdict = await verdictOf(hostRewrite, 'kept-descriptor', { outcomes: bent('at-once', change) });
    expect(verdict).toMatchObject({ kind: 'fail', code });
    expect(verdict.reason).toMatch(words);
  });

  it('fail where the contract is silent as well', async () => {
    const outcomes = bent('at-once', (bytes) => bytes.fill(0, 4096, 8192));
    const verdict = await verdictOf(hostRewrite, 'kept-descriptor', { mode: 'auto+some-new-flag', outcomes });
    expect(verdict).toMatchObject({ kind: 'fail', code: 'wrong-bytes' });
  });

  it('are zeros behind the old end of file once the size is the new one', async () => {
    const outcomes = bent('at-once', (bytes) => bytes.fill(0, 2 * 4096 + 2000));
    expect(await verdictOf(hostAppend, 'read', { outcomes })).toMatchObject({
      kind: 'fail',
      code: 'wrong-bytes',
    });
  });

  it('are holes over data', async () => {
    const outcomes = (record: CaseRecord): Record<string, Outcome> => {
      const many = manyOf(record, 'map');
      const nothing = { errno: 'ENXIO', call: 'lseek' };
      return { map: { kind: 'value', value: { ...many, values: many.values.with(0, nothing) } } };
    };
    expect(await verdictOf(holes, 'host-sparse', { outcomes })).toMatchObject({
      kind: 'fail',
      code: 'hole-over-data',
    });
  });
});

describe('what the guest wrote', () => {
  const unseen = (record: CaseRecord) =>
    having(
      record,
      'at-once',
      lastRead(record, 'at-once')
        .subarray(0, 4 * 4096 + 2000)
        .fill(0, 0, 0),
    );

  it('may wait there under writeback, in whole pages, and nowhere else', async () => {
    // The host ends the file where it ended, and has all else: a flush that has not come to its last page.
    expect(await verdictOf(guestWrite, 'append', { mode: 'auto+writeback', outcomes: unseen })).toMatchObject(
      { kind: 'pass', stale: true },
    );
    expect(await verdictOf(guestWrite, 'append', { outcomes: unseen })).toMatchObject({
      kind: 'fail',
      code: 'stale',
    });
  });

  it('is refused through a mapping where the mode refuses that', async () => {
    const outcomes = (record: CaseRecord): Record<string, Outcome> => {
      const { values, timesNs } = manyOf(record, 'store');
      const value = {
        values: values.slice(0, 1),
        timesNs: timesNs.slice(0, 2),
        stopped: { errno: 'ENODEV', call: 'mmap' },
      };
      return { store: { kind: 'value', value } };
    };
    const verdict = await verdictOf(guestWrite, 'stored-msync', { mode: 'never', outcomes });
    expect(verdict).toMatchObject({ kind: 'pass', promised: 'refused with ENODEV' });
    expect(await verdictOf(guestWrite, 'stored-msync', { outcomes })).toMatchObject({
      kind: 'unknown',
      code: 'could-not-run',
    });
    expect(await verdictOf(guestWrite, 'stored-msync', { mode: 'never' })).toMatchObject({
      kind: 'unknown',
      code: 'not-refused',
    });
  });
});

describe('an operation that failed', () => {
  it.each<[string, Outcome]>([
    ['was refused', { kind: 'errno', errno: 'EIO', call: 'pread' }],
    ['is stuck', { kind: 'stuck', limit: 'the limit of a step', limitMs: 30_000 }],
    ['lost its guest', { kind: 'gone', reason: 'the guest went away' }],
  ])('accuses nobody: it %s', async (_, outcome) => {
    const verdict = await verdictOf(hostRewrite, 'reopened', { outcomes: () => ({ reopened: outcome }) });
    expect(verdict).toMatchObject({ kind: 'unknown', code: 'could-not-run' });
  });
});

describe('a read that does not end', () => {
  const stuck: Outcome = {
    kind: 'stuck',
    limit: 'the limit of a step',
    limitMs: 30_000,
    state: 'R',
    killed: false,
  };
  const many = (value: object): Outcome => ({ kind: 'value', value: { values: [], timesNs: [], ...value } });
  const served = many({});
  const steps = (record: CaseRecord) =>
    record.steps.slice(-1).map((step) => ({ ...step, id: 'meanwhile', actor: 'witness' }));
  const endless = (atOnce: Outcome, meanwhile: Outcome) =>
    verdictOf(hostTruncate, 'host-cut-read', {
      outcomes: () => ({ 'at-once': atOnce, meanwhile }),
      steps,
    });

  it('fails where another process is served meanwhile, and SIGKILL does not end it', async () => {
    const verdict = await endless(stuck, served);
    expect(verdict).toMatchObject({ kind: 'fail', code: 'never-ended', promised: 'a read ends' });
    expect(verdict.observed).toContain('state R');
  });

  it.each<[string, Outcome, Outcome]>([
    ['the witness waits too: the share is dead', stuck, stuck],
    ['the witness is refused: the share is broken', stuck, many({ stopped: { errno: 'EIO', call: 'open' } })],
    ['it could be ended: perhaps it was only slow', { ...stuck, killed: true }, served],
  ])('accuses nobody where %s', async (_, atOnce, meanwhile) => {
    expect(await endless(atOnce, meanwhile)).toMatchObject({ kind: 'unknown', code: 'could-not-run' });
  });
});

describe('a read across a new end', () => {
  const refused = (errno: string) => (record: CaseRecord) => {
    const value = { ...manyOf(record, 'at-once'), values: [], stopped: { errno, call: 'pread' } };
    return { 'at-once': { kind: 'value', value } satisfies Outcome };
  };

  it('fails where it is refused with an error that no read has, and is untold with any other', async () => {
    const verdict = (errno: string) => verdictOf(hostTruncate, 'host-cut-read', { outcomes: refused(errno) });
    expect(await verdict('ENODATA')).toMatchObject({ kind: 'fail', code: 'read-refused' });
    expect(await verdict('EIO')).toMatchObject({ kind: 'unknown', code: 'could-not-run' });
  });
});

describe('a page that waits to be written back', () => {
  const dirty = (pages: object) => (record: CaseRecord) => {
    const value = manyOf(record, 'try-dirty');
    const values = value.values.map((each) => ('by' in (each as object) ? pages : each));
    return { 'try-dirty': { kind: 'value', value: { ...value, values } } satisfies Outcome };
  };
  const mode = 'auto+writeback';

  it('was there in one try, or the map of holes says nothing of it', async () => {
    const none = { mode, outcomes: dirty({ by: 'cachestat', cached: 1, dirty: 0 }) };
    expect(await verdictOf(holes, 'guest-sparse', none)).toMatchObject({
      kind: 'unknown',
      code: 'never-in-question',
    });
    const one = { mode, outcomes: dirty({ by: 'cachestat', cached: 1, dirty: 1 }) };
    expect(await verdictOf(holes, 'guest-sparse', one)).toMatchObject({ kind: 'pass' });
    for (const other of ['auto', 'never+writeback', 'metadata+writeback'])
      expect(await verdictOf(holes, 'guest-sparse', { ...none, mode: other })).toMatchObject({
        kind: 'pass',
      });
  });

  it('is not asked for where a kernel cannot count it', async () => {
    const blind = { mode, outcomes: dirty({ by: 'mincore', cached: 1 }) };
    expect(await verdictOf(holes, 'guest-sparse', blind)).toMatchObject({ kind: 'pass' });
  });
});

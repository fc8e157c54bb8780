import { describe, expect, it } from 'vitest';
import { accountOf, nameActs } from '../../checks/events/acts.ts';
import { differenceOf } from '../../checks/flags/compare.ts';
import locks from '../../checks/locks.ts';
import type { Case, Observed, Promises } from '../../src/model/check.ts';
import type { EventsResult, Operation } from '../../src/model/operation.ts';
import type { Commitment } from '../../src/model/promise.ts';

const setting = { mode: undefined, views: {}, versions: {}, seed: 1, args: {} };

/** A case of the check `locks` in which each question was answered by a rule. */
function asked(name: string, answer: (step: string, op: Operation) => string | undefined): Observed {
  const one = locks.cases().find((each) => each.name === name) as Case;
  const value = (id: string) => {
    const op = one.steps.find((step) => step.id === id)?.op;
    const list = op?.do === 'many' ? op.list : [];
    return {
      values: list.map((each) => {
        const errno = each.do === 'lock' ? answer(id, each) : undefined;
        return errno === undefined ? {} : { errno, call: 'fcntl' };
      }),
      timesNs: list.map((_, index) => [index * 1000, index * 1000 + 500]),
    };
  };
  return {
    setting,
    case: one,
    steps: one.steps,
    outcome: (id) => ({ kind: 'value', value: value(id) }),
    value: <T>(id: string) => value(id) as T,
    bulk: async function* () {},
    account: async () => undefined,
  };
}

function promising(freshness: Commitment): Promises {
  return (scenario) => ({ scenario, freshness, because: '', sources: [] });
}

const excludes = promising({ kind: 'excludes' });
const localOnly = promising({ kind: 'local-only' });
const mode = (op: Operation) => (op.do === 'lock' ? op.mode : undefined);
const held = ['other-asks', 'one-asks'];
/** The kernel of one machine. */
const asLocal = (step: string, op: Operation) => {
  const last = step === 'other-takes-back' && op.do === 'lock' && op.range?.offset !== 100;
  const front = step === 'one-shares' && mode(op) === 'exclusive';
  return (held.includes(step) || last || front) && mode(op) !== 'unlock' ? 'EAGAIN' : undefined;
};

describe('locks', () => {
  it('pass where they exclude and exclusion is promised', () => {
    expect(locks.judge(asked('one-guest', asLocal), excludes)).toMatchObject({ kind: 'pass' });
  });

  it('are granted to both where they exclude by promise', () => {
    const verdict = locks.judge(
      asked('one-guest', () => undefined),
      excludes,
    );
    expect(verdict).toMatchObject({ kind: 'fail', code: 'both-hold' });
  });

  it('are granted to both and reported as local where the mode says so', () => {
    const verdict = locks.judge(
      asked('across-sides', () => undefined),
      localOnly,
    );
    expect(verdict).toMatchObject({ kind: 'pass', reason: expect.stringContaining('local to one mount') });
  });

  it('pass where they exclude although nothing promises it', () => {
    expect(locks.judge(asked('across-guests', asLocal), localOnly)).toMatchObject({ kind: 'pass' });
  });

  it.each([
    ['one-takes', 'not-granted'],
    ['other-takes', 'not-released'],
    ['one-shares', 'shared-refused'],
    ['one-takes-front', 'not-released'],
  ])('refused in %s are %s', (where, code) => {
    const refusing = (step: string, op: Operation) => (step === where ? 'EAGAIN' : asLocal(step, op));
    expect(locks.judge(asked('one-guest', refusing), excludes)).toMatchObject({ kind: 'fail', code });
  });

  it('on a half that nobody holds are range-refused', () => {
    const refusing = (step: string, op: Operation) =>
      step === 'other-takes-back' ? 'EAGAIN' : asLocal(step, op);
    const verdict = locks.judge(asked('one-guest', refusing), excludes);
    expect(verdict).toMatchObject({ kind: 'fail', code: 'range-refused' });
  });

  it('that are held by one who closed the file are not released', () => {
    const refusing = (step: string) => (step === 'one-takes' ? 'EAGAIN' : undefined);
    const verdict = locks.judge(asked('closed-in-one-guest', refusing), excludes);
    expect(verdict).toMatchObject({ kind: 'fail', code: 'not-released' });
  });

  it('that cannot be had for another reason say nothing', () => {
    const verdict = locks.judge(
      asked('one-guest', () => 'ENOLCK'),
      excludes,
    );
    expect(verdict).toMatchObject({ kind: 'unknown', code: 'could-not-run' });
  });

  it('may be refused in the blocking form where the contract says so', () => {
    const refused = asked('wait-across-sides', (step) => (step === 'other-waits' ? 'EOPNOTSUPP' : undefined));
    const promised = promising({ kind: 'error', errno: 'EOPNOTSUPP' });
    expect(locks.judge(refused, promised)).toMatchObject({ kind: 'pass' });
    expect(locks.judge(refused, excludes)).toMatchObject({ kind: 'unknown' });
  });

  it('that are never given to one who waits are not released', () => {
    const waiting = asked('wait-one-guest', (step) => (step === 'other-waits' ? 'ETIMEDOUT' : undefined));
    expect(locks.judge(waiting, excludes)).toMatchObject({ kind: 'fail', code: 'not-released' });
  });

  it('that are given to one who waits before they were given back are held by both', () => {
    // By the clock above the first one ends its wait at 500 ns and gives back at 1000 ns.
    const waiting = asked('wait-one-guest', () => undefined);
    expect(locks.judge(waiting, excludes)).toMatchObject({ kind: 'fail', code: 'both-hold' });
  });
});

type Event = EventsResult['events'][number];

/** What a local file system tells of all that is done to names. */
const complete: readonly Event[] = nameActs.flatMap(({ makes, words }) =>
  makes.map(({ event, name }) => ({
    path: 'd',
    mask: [event],
    name,
    atNs: 0,
    ...(makes.length === 2 ? { cookie: words.length } : {}),
  })),
);
const nothing = { missing: [], otherKind: [], disordered: [], apart: [], unasked: [] };

describe('events', () => {
  it('are complete', () => {
    expect(accountOf(nameActs, { events: complete })).toEqual(nothing);
  });

  it('are missing', () => {
    const events = complete.filter(({ name }) => name !== 'removed');
    expect(accountOf(nameActs, { events }).missing).toMatchObject([{ event: 'delete', name: 'removed' }]);
  });

  it('are of another kind', () => {
    const events = complete.map(
      (each): Event => (each.name === 'removed' ? { ...each, mask: ['attrib'] } : each),
    );
    expect(accountOf(nameActs, { events }).otherKind).toMatchObject([
      { event: 'delete', name: 'removed', instead: ['attrib'] },
    ]);
  });

  it('are in another order', () => {
    const [first, ...others] = complete as readonly [Event, ...Event[]];
    const { disordered } = accountOf(nameActs, { events: [...others, first] });
    expect(disordered.length).toBeGreaterThan(0);
  });

  it('of one rename do not belong together', () => {
    const events = complete.map((each): Event => (each.name === 'renamed' ? { ...each, cookie: 1 } : each));
    expect(accountOf(nameActs, { events }).apart).toEqual(['renaming']);
  });

  it('tell of what nobody did', () => {
    const events: readonly Event[] = [...complete, { path: 'd', mask: ['create'], name: 'moved', atNs: 0 }];
    expect(accountOf(nameActs, { events }).unasked).toEqual(['create moved']);
  });
});

describe('what an open does, held against what it does locally', () => {
  const names = ['open', 'flags', 'write', 'read', 'type'];
  const file = (size: number) => ({ type: 'file', size, mode: 0o100600 });
  const read = (text: string) => ({ base64: Buffer.from(text).toString('base64'), bytes: text.length });
  const local = [{}, { flags: ['rdwr'] }, { bytes: 4 }, read('nnnn'), file(4)];
  const difference = (index: number, value: unknown, excused: readonly string[] = []) =>
    differenceOf(
      names,
      local.map((each, at) => (at === index ? value : each)),
      local,
      excused,
    )?.code;

  it('is the same', () => {
    expect(differenceOf(names, local, local, [])).toBeUndefined();
  });

  it.each([
    ['refused', 0, { errno: 'EINVAL', call: 'openat' }],
    ['other-flags', 1, { flags: ['rdwr', 'append'] }],
    ['other-bytes', 2, { bytes: 3 }],
    ['other-bytes', 3, read('nnno')],
    ['other-name', 4, file(8)],
  ])('is %s', (code, index, value) => {
    expect(difference(index, value)).toBe(code);
  });

  it('may be refused with what the contract excuses', () => {
    expect(difference(0, { errno: 'EOPNOTSUPP', call: 'openat' }, ['EOPNOTSUPP'])).toBeUndefined();
  });

  it('is not refused, or otherwise, where it is locally', () => {
    const refused = [{ errno: 'EEXIST', call: 'openat' }];
    expect(differenceOf(['open'], [{}], refused, [])?.code).toBe('not-refused');
    expect(differenceOf(['open'], [{ errno: 'EISDIR', call: 'openat' }], refused, [])?.code).toBe(
      'other-errno',
    );
  });
});

import { beforeAll, describe, expect, it } from 'vitest';
import setUserId from '../../checks/set-user-id.ts';
import type { ManyResult, Stat } from '../../src/model/operation.ts';
import type { Outcome } from '../../src/model/outcome.ts';
import type { Verdict } from '../../src/model/verdict.ts';
import type { Bundle, CaseRecord } from '../../src/run/bundle.ts';
import { useLocalShare } from './local-share.ts';

// What went on in a local directory, where all is as it should be, with one thing in what came back changed.

const share = useLocalShare();
beforeAll(() => share.run(setUserId, 'auto').then(() => undefined), 60_000);

const isRoot = process.getuid?.() === 0;
const refusal = (call: string, errno: string) => ({ stopped: { call, errno } });

type Change = (record: CaseRecord) => Readonly<Record<string, Outcome>>;

function resultOf<T>({ outcomes }: CaseRecord, step: string): T {
  const outcome = outcomes[step];
  if (outcome?.kind !== 'value') throw new Error(`${step} did not end`);
  return outcome.value as T;
}

/** Members of a step's value, changed. */
const having =
  (step: string, members: object): Change =>
  (record) => ({ [step]: { kind: 'value', value: { ...resultOf<object>(record, step), ...members } } });

const modeIn = (step: string, mode: number) => having(step, { mode });

/** The mode that is asked for last in /tmp, before the file is removed. */
const locally =
  (mode: number): Change =>
  (record) => {
    const many = resultOf<ManyResult>(record, 'local');
    const values = many.values.with(-2, { ...(many.values.at(-2) as Stat), mode });
    return { local: { kind: 'value', value: { ...many, values } } };
  };

/** A request that stopped at a refusal, after so many values. */
const stopped =
  (step: string, after: number, call: string, errno: string): Change =>
  (record) => {
    const values = resultOf<ManyResult>(record, step).values.slice(0, after);
    return having(step, { values, ...refusal(call, errno) })(record);
  };

async function verdictOf(name: string, ...changes: readonly Change[]): Promise<Verdict> {
  const verdicts = await share.judgedAgain(setUserId, (bundle): Bundle => {
    const changed = (record: CaseRecord): CaseRecord => ({
      ...record,
      outcomes: Object.assign({}, record.outcomes, ...changes.map((change) => change(record))),
    });
    const cases = bundle.cases.map((each) => (each.case.name === name ? changed(each) : each));
    return { ...bundle, cases };
  });
  return verdicts[name] as Verdict;
}

describe('bits that an ordinary user’s change leaves', () => {
  it('are a fail, whichever side shows them, and the reason says which', async () => {
    const both = await verdictOf('write', modeIn('in-guest', 0o6710), modeIn('on-host', 0o6710));
    expect(both).toMatchObject({ kind: 'fail', code: 'bits-kept' });
    expect(both.reason).toContain('6710 in the guest and 6710 on the host, and 0710 in the guest');
    const guest = await verdictOf('append', modeIn('in-guest', 0o4710));
    expect(guest).toMatchObject({ kind: 'fail', code: 'bits-kept', observed: '4710 in the guest' });
    const host = await verdictOf('punch', modeIn('on-host', 0o2710));
    expect(host).toMatchObject({ kind: 'fail', code: 'bits-kept', observed: '2710 on the host' });
  });

  it('are nobody’s fault where the guest’s own kernel leaves them', async () => {
    const verdict = await verdictOf('allocate', modeIn('in-guest', 0o6710), locally(0o6710));
    expect(verdict).toMatchObject({ kind: 'skip', code: 'not-here' });
  });

  it('say nothing on a host that keeps modes elsewhere', async () => {
    const elsewhere = [modeIn('made-on-host', 0o600), modeIn('on-host', 0o600)];
    expect(await verdictOf('write', ...elsewhere)).toMatchObject({ kind: 'pass' });
    expect(await verdictOf('write', ...elsewhere, modeIn('in-guest', 0o6710))).toMatchObject({
      kind: 'fail',
      observed: '6710 in the guest',
    });
  });
});

describe('a change that is refused', () => {
  it('is a skip where the share does not have it, and otherwise could not be run', async () => {
    const after = isRoot ? 2 : 1;
    const lacking = await verdictOf('punch', stopped('change', after, 'fallocate', 'EOPNOTSUPP'));
    expect(lacking).toMatchObject({ kind: 'skip', reason: expect.stringContaining('EOPNOTSUPP') });
    const full = await verdictOf('allocate', stopped('change', after, 'fallocate', 'ENOSPC'));
    expect(full).toMatchObject({ kind: 'unknown', code: 'could-not-run' });
  });

  it('says nothing where the bits could not be set', async () => {
    const unset: Change = (record) => {
      const { values, ...rest } = resultOf<ManyResult>(record, 'make');
      const last = { ...(values.at(-1) as Stat), mode: 0o710 };
      return { make: { kind: 'value', value: { ...rest, values: values.with(-1, last) } } };
    };
    const verdict = await verdictOf('write', unset);
    expect(verdict).toMatchObject({ kind: 'unknown', code: 'could-not-run' });
    expect(verdict.reason).toContain('the guest shows 0710');
  });
});

describe.skipIf(!isRoot)('where the guest’s side is root', () => {
  it('no file of another user is a skip, and a user who cannot be had is no accusation', async () => {
    const ours = await verdictOf('write', stopped('make', 3, 'chown', 'EPERM'));
    expect(ours).toMatchObject({ kind: 'skip', reason: expect.stringContaining('no file of another user') });
    const stays = await verdictOf(
      'write',
      stopped('change', 0, 'setgroups', 'EINVAL'),
      modeIn('in-guest', 0o6710),
    );
    expect(stays).toMatchObject({ kind: 'unknown', code: 'could-not-run' });
  });

  it('bits that root’s change takes are a fail, but not where the share maps users', async () => {
    const lost = [modeIn('in-guest', 0o710), modeIn('on-host', 0o710)];
    expect(await verdictOf('root-keeps', ...lost)).toMatchObject({ kind: 'fail', code: 'bits-lost' });
    const mapped = having('made-on-host', { uid: 161_183 });
    expect(await verdictOf('root-keeps', ...lost, mapped)).toMatchObject({ kind: 'skip', code: 'not-here' });
  });
});

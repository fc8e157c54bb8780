import {
  type Case,
  defineCheck,
  type Observed,
  type Promises,
  type Setting,
  type Step,
} from '../src/model/check.ts';
import type { ManyResult, Operation, Stat } from '../src/model/operation.ts';
import { describeOutcome } from '../src/model/outcome.ts';
import { describePromise } from '../src/model/promise.ts';
import type { Verdict } from '../src/model/verdict.ts';
import { becoming, cleared, making, set, setIdBits, stranger, type Way, ways } from './set-user-id/ways.ts';

function lookAfter(step: string, id: string, actor: 'keeper' | 'host'): Step {
  return { id, actor, op: { do: 'stat', path: 'f' }, after: [{ step, has: 'ended' }] };
}

/**
 * Each case has a file with both set-ID bits, which somebody in the guest changes in one way. The same is done in the
 * guest's own /tmp, and that is the control: what its kernel clears there, and leaves there, it is to clear and to
 * leave on the share.
 */
function caseOf(way: Way, setting: Setting): Case {
  const { guest } = setting.views;
  const isRoot = guest?.rootUser === true;
  // Where the guest's side is no root it is an ordinary user already.
  const become: readonly Operation[] = isRoot && way.by === 'user' ? [becoming] : [];
  const local = `/tmp/.vfs-verify-${setting.seed.toString(36)}-${setting.mode?.name ?? 'any'}-${way.name}`;
  return {
    name: way.name,
    scenarios: [way.scenario],
    isolation: 'shared',
    needs: ['writable', ...(way.needs ?? [])],
    actors: { keeper: 'guest', user: 'guest', local: 'guest', host: 'host' },
    steps: [
      { id: 'make', actor: 'keeper', op: { do: 'many', list: making('f', isRoot) } },
      lookAfter('make', 'made-on-host', 'host'),
      {
        id: 'change',
        actor: 'user',
        // In one request: nothing of it is done by root if the first is refused, or the worker is lost.
        op: { do: 'many', list: [...become, ...way.ops('f', 'share')] },
        after: [{ step: 'made-on-host', has: 'ended' }],
      },
      lookAfter('change', 'in-guest', 'keeper'),
      lookAfter('in-guest', 'on-host', 'host'),
      {
        id: 'local',
        actor: 'local',
        // One that an earlier run left goes first; in /tmp its owner may remove the new one.
        op: {
          do: 'many',
          anyway: true,
          list: [
            { do: 'unlink', path: local },
            ...making(local, isRoot),
            ...become,
            ...way.ops(local, 'local'),
            { do: 'stat', path: local },
            { do: 'unlink', path: local },
          ],
        },
      },
    ],
  };
}

/** A share, or the file system below it, does not have that operation. */
const lacking = new Set(['EOPNOTSUPP', 'ENOSYS', 'EINVAL']);
/** A share whose server may not give files away. */
const forbidding = new Set(['EPERM', 'EINVAL', 'EOPNOTSUPP']);

const octal = (mode: number) => mode.toString(8).padStart(4, '0');

function notHere(reason: string): Verdict {
  return { kind: 'skip', code: 'not-here', reason };
}

function couldNotRun(reason: string): Verdict {
  return { kind: 'unknown', code: 'could-not-run', reason };
}

/** What keeps from telling: the file could not be had, or the change was refused. */
function troubleIn({ steps, outcome, value, setting }: Observed, { words, by }: Way): Verdict | undefined {
  for (const { id, actor } of steps) {
    const ended = outcome(id);
    if (ended.kind !== 'value') return couldNotRun(`${actor}, ${id}: ${describeOutcome(ended)}`);
  }
  const made = value<ManyResult>('make');
  const { stopped: unmade } = made ?? {};
  if (unmade !== undefined) {
    const reason = `${unmade.call} failed with ${unmade.errno}`;
    return unmade.call === 'chown' && forbidding.has(unmade.errno)
      ? notHere(`no file of another user can be had on this share: ${reason}`)
      : couldNotRun(`keeper, make: ${reason}`);
  }
  const before = made?.values.at(-1) as Stat;
  if (before.mode !== set)
    return couldNotRun(`right after chmod ${octal(set)} the guest shows ${octal(before.mode)}`);
  if (by === 'root' && value<Stat>('made-on-host')?.uid !== stranger)
    return notHere(
      'on the host the file is of another user: who serves it maps users, and need not have CAP_FSETID there',
    );
  const { stopped: refused, values } = value<ManyResult>('change') ?? { values: [] };
  if (refused === undefined) return undefined;
  const reason = `${words}: ${refused.call} failed with ${refused.errno}`;
  const isOurs = by === 'user' && setting.views.guest?.rootUser === true && values.length === 0;
  return !isOurs && lacking.has(refused.errno) ? notHere(reason) : couldNotRun(reason);
}

/** What is left of the file in the guest's own /tmp; a verdict where that says nothing. */
function controlOf({ value }: Observed, { words, by }: Way): number | Verdict {
  const [, ...values] = value<ManyResult>('local')?.values ?? [];
  // The last one removes it.
  const refusal = values.slice(0, -1).find((each) => (each as { errno?: string }).errno !== undefined);
  if (refusal !== undefined) {
    const { call, errno } = refusal as { readonly call: string; readonly errno: string };
    return notHere(`the control in the guest's /tmp: ${call} failed with ${errno}`);
  }
  const { mode } = values.at(-2) as Stat;
  if (mode === (by === 'user' ? cleared : set)) return mode;
  return notHere(`in the guest's /tmp ${words} leaves ${octal(mode)} too`);
}

function judge(observed: Observed, promises: Promises): Verdict {
  const way = ways.find(({ name }) => name === observed.case.name);
  const promise = way && promises(way.scenario);
  if (way === undefined || promise === undefined)
    return {
      kind: 'unknown',
      code: 'no-promise',
      reason: `the contract knows no promise for ${observed.case.scenarios[0] ?? 'this'} here`,
    };
  const control = troubleIn(observed, way) ?? controlOf(observed, way);
  if (typeof control !== 'number') return control;
  const words = { promised: describePromise(promise), sources: promise.sources };
  const modeOf = (step: string) => observed.value<Stat>(step)?.mode ?? 0;
  const seen = [
    { where: 'in the guest', mode: modeOf('in-guest') },
    // Where the host's file never had them (9p's mapped files), it says nothing.
    ...(modeOf('made-on-host') === set ? [{ where: 'on the host', mode: modeOf('on-host') }] : []),
  ];
  const found = seen
    .filter(({ mode }) => (mode & setIdBits) !== (control & setIdBits))
    .map(({ where, mode }) => `${octal(mode)} ${where}`);
  if (found.length === 0)
    return {
      kind: 'pass',
      reason: `${way.words}: ${octal(control)} afterwards, as in the guest's /tmp`,
      ...words,
    };
  return {
    kind: 'fail',
    code: way.by === 'user' ? 'bits-kept' : 'bits-lost',
    reason: `${way.words}: afterwards the mode is ${found.join(' and ')}, and ${octal(control)} in the guest's /tmp`,
    ...words,
    observed: found.join(', '),
    evidence: {
      before: octal(set),
      local: octal(control),
      seen: seen.map(({ where, mode }) => ({ where, mode: octal(mode) })),
    },
  };
}

/** Set-user-ID programs stay what their owner made of them: whoever else changes one takes its bits away. */
export default defineCheck({
  name: 'set-user-id',
  title: 'what an ordinary user changes loses its set-user-ID and set-group-ID bits, as it does locally',
  codes: {
    'bits-kept': 'an ordinary user changed a file, and it is set-user-ID or set-group-ID still',
    'bits-lost': 'root, who has CAP_FSETID, changed a file, and it is no longer set-user-ID or set-group-ID',
    'no-promise': 'the contract does not know this mode',
    'could-not-run': 'a step did not end well, or was refused',
    'not-here': 'the question does not arise here',
  },
  cases: (setting) => ways.map((way) => caseOf(way, setting)),
  judge,
});

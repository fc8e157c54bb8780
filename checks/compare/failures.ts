import type { Observed, Promises, Step } from '../../src/model/check.ts';
import type { Stat } from '../../src/model/operation.ts';
import { describeOutcome } from '../../src/model/outcome.ts';
import { shellWord } from '../../src/model/shell-word.ts';
import type { Verdict } from '../../src/model/verdict.ts';
import { adviceFor, dropNames } from './ends.ts';
import { argsOf } from './looks.ts';

/** Verdicts for a comparison that could not be made: a hang, a dead side, a missing or an odd file. */

/** What kept us from telling: a hang, a dead side, an interruption. */
export function operatingFailure(observed: Observed): Verdict | undefined {
  const stuck = observed.steps.find((step) => observed.outcome(step.id).kind === 'stuck');
  if (stuck !== undefined) return stuckVerdict(observed, stuck);
  const gone = observed.steps.find((step) => ['gone', 'signal'].includes(observed.outcome(step.id).kind));
  if (gone !== undefined) {
    return {
      kind: 'unknown',
      code: 'gone',
      reason: `the ${gone.actor} went away while the file was read: ${describeOutcome(observed.outcome(gone.id))}`,
      next: `see that the ${gone.actor} runs and can be reached, then repeat`,
    };
  }
  const interrupted = observed.steps.find((step) => {
    const outcome = observed.outcome(step.id);
    return outcome.kind === 'not-run' && outcome.reason.includes('interrupted');
  });
  if (interrupted !== undefined)
    return { kind: 'unknown', code: 'interrupted', reason: 'the run was interrupted', next: 'repeat' };
  return undefined;
}

function stuckVerdict(observed: Observed, step: Step): Verdict {
  const outcome = observed.outcome(step.id);
  if (outcome.kind !== 'stuck') throw new Error('not a stuck step');
  const seconds = outcome.limitMs / 1000;
  const silent = step.limit?.silent === true;
  const about = silent
    ? `no byte arrived for ${seconds} s (${outcome.limit}, without progress)`
    : `${step.op.do} gave no answer for ${seconds} s (${outcome.limit})`;
  const pid = observed.setting.daemonPid;
  const dead = pid !== undefined && daemonIsGone(observed);
  const process = outcome.pid === undefined ? 'The reading process' : `The reading process ${outcome.pid}`;
  const held =
    outcome.killed === true
      ? `${process} on the ${step.actor} was ended.`
      : `${process} on the ${step.actor} cannot be killed${outcome.state === 'D' ? ' (it waits in the kernel, state D)' : ''}; only a reboot ends it.`;
  return {
    kind: 'unknown',
    code: 'stuck',
    reason: `the ${step.actor}: ${about}`,
    observed: dead ? `the daemon (pid ${pid}) is gone; QEMU does not reconnect it. ${held}` : held,
    next: dead
      ? 'start the share again (reboot the guest), then repeat'
      : outcome.killed === true
        ? 'look at what the side is doing, or give a longer --timeout, then repeat'
        : 'see whether the daemon of this share still runs; reboot the guest if not, then repeat',
    evidence: {
      side: step.actor,
      pid: outcome.pid,
      state: outcome.state,
      where: outcome.where,
      killed: outcome.killed,
      daemonPid: pid,
      daemonGone: dead,
    },
  };
}

function daemonIsGone(observed: Observed): boolean {
  if (!observed.steps.some((step) => step.id === 'daemon-open')) return false;
  const outcome = observed.outcome('daemon-open');
  if (outcome.kind === 'errno') return outcome.errno === 'ENOENT';
  // A dead process that nobody has reaped still has its /proc entry, in state Z.
  const text = observed.value<{ base64: string }>('daemon-read')?.base64;
  return text !== undefined && /\) Z /.test(atob(text));
}

/** One side only, no right to read it, or no regular file. */
export function oneSided(observed: Observed, promises: Promises): Verdict | undefined {
  const args = argsOf(observed.setting);
  const errnoOf = (step: string) => {
    const outcome = observed.outcome(step);
    return outcome.kind === 'errno' ? outcome.errno : undefined;
  };
  const absent = (step: string) => ['ENOENT', 'ENOTDIR', 'ESTALE'].includes(errnoOf(step) ?? '');
  if (absent('host-stat') && absent('guest-stat')) {
    return {
      kind: 'unknown',
      code: 'no-such-file',
      reason: 'neither side has this path',
      next: `look at the path: guest ${args.guestPath}, host ${args.hostPath}`,
    };
  }
  for (const [step, side] of [
    ['host-stat', 'host'],
    ['guest-stat', 'guest'],
    ['host-open', 'host'],
    ['guest-open', 'guest'],
  ] as const) {
    if (absent(step)) {
      const other = side === 'host' ? 'guest' : 'host';
      // What the guest has not seen yet: that the host made it, or that it removed it.
      const missed = other === 'host' ? 'create/after-failed-lookup' : 'unlink/stat';
      const advice = adviceFor(promises(missed), [dropNames]);
      return {
        kind: 'fail',
        code: `only-on-${other}`,
        reason: `only the ${other} has this path; the ${side} says ${errnoOf(step)}`,
        promised: 'both sides have the file',
        observed: `${side === 'host' ? args.hostPath : args.guestPath}: ${errnoOf(step)} on the ${side}`,
        next: `if it was ${other === 'host' ? 'made' : 'removed'} on the host a moment ago: ${advice}; else see that both paths are one share (--map)`,
      };
    }
    const outcome = observed.outcome(step);
    if (outcome.kind === 'errno') {
      return {
        kind: 'unknown',
        code: 'not-readable',
        reason: `the ${side} cannot read the file: ${describeOutcome(outcome)}`,
        next:
          outcome.errno === 'EACCES' || outcome.errno === 'EPERM'
            ? `run as a user who may read it on the ${side} (root)`
            : `see why the ${side} refuses it, then repeat`,
      };
    }
  }
  const types = [observed.value<Stat>('guest-stat')?.type, observed.value<Stat>('host-stat')?.type];
  if (types.includes('directory')) {
    return {
      kind: 'unknown',
      code: 'not-a-file',
      reason: 'the path is a directory',
      next: `vfs-verify md5 --recursive ${shellWord(args.guestPath)}`,
    };
  }
  const odd = types.find((type) => type !== 'file');
  if (odd !== undefined)
    return {
      kind: 'unknown',
      code: 'not-a-file',
      reason: `the path is a ${odd}, not a regular file`,
      next: 'name a regular file',
    };
  return undefined;
}

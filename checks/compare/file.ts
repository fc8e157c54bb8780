import { defineCheck, type Observed, type Step } from '../../src/model/check.ts';
import { layerScenarios } from '../../src/model/comparison.ts';
import type { Stat } from '../../src/model/operation.ts';
import { lookId, lookSteps } from '../../src/model/triage.ts';
import type { Verdict } from '../../src/model/verdict.ts';
import { judgeDigests } from './digests.ts';
import { oneSided, operatingFailure } from './failures.ts';
import {
  argsOf,
  block,
  type CompareArgs,
  hashesOf,
  lookLimit,
  quickDigest,
  rangesToLookAt,
} from './looks.ts';

/**
 * `vfs-verify md5 PATH`: the user's own file, judged against *equal now*. Writes nothing.
 *
 * Rounds: look at both sides (the host first, since the guest's open may itself drop and flush pages) → hash
 * both at once → where they differ, triage (src/model/triage.ts). Every stat in the guest is one that asks
 * nobody: a refresh of the attributes may drop the very pages that are to be judged.
 */

export const compareFile = defineCheck({
  name: 'md5',
  title: 'both sides read the same bytes of a file now',
  codes: {
    'differs-forbidden': 'the two sides read different bytes, and the mode in force never permits that',
    'differs-permitted': 'the two sides read different bytes, and the mode in force permits it for a time',
    differs: 'the two sides read different bytes; the mode is not known, or the contract has no row for it',
    'agree-and-wrong': 'both sides agree, and not with the digest that was expected',
    'only-on-host': 'the host has this path, the guest does not',
    'only-on-guest': 'the guest has this path, the host does not',
    'changed-while-hashed': 'the file changed while it was read',
    stuck: 'a side gave no answer within the limit',
    gone: 'a side went away',
    'not-readable': 'a side may not read the file',
    'no-such-file': 'neither side has this path',
    'not-a-file': 'the path is no regular file',
    interrupted: 'the run was interrupted',
  },
  cases(setting) {
    const args = argsOf(setting);
    const limit = { ms: Math.max(lookLimit, args.timeoutMs), name: '--timeout' };
    return [
      {
        name: 'your-file',
        scenarios: [...new Set(Object.values(layerScenarios).filter((each) => each !== undefined))],
        isolation: 'shared',
        needs: [],
        inPlace: true,
        actors: { host: 'host', guest: 'guest' },
        steps: [
          {
            id: 'host-stat',
            actor: 'host',
            op: { do: 'stat', path: args.hostPath, follow: true },
            limit,
            mayFail: true,
          },
          // O_NONBLOCK: a fifo must not hang the open; for a regular file it changes nothing.
          {
            id: 'host-open',
            actor: 'host',
            op: { do: 'open', path: args.hostPath, flags: ['rdonly', 'nonblock'], as: 'file' },
            limit,
            mayFail: true,
          },
          { id: 'host-pages', actor: 'host', op: { do: 'pages', file: 'file' }, limit, mayFail: true },
          {
            id: 'guest-stat',
            actor: 'guest',
            op: { do: 'stat', path: args.guestPath, follow: true, sync: 'dont' },
            limit,
            mayFail: true,
            after: [{ step: 'host-pages', has: 'ended' }],
          },
        ],
      },
    ];
  },
  async next(observed) {
    const args = argsOf(observed.setting);
    const quick = quickDigest(observed.setting);
    const ran = new Set(observed.steps.map((step) => step.id));
    if (!ran.has('guest-hash')) return bothAreFiles(observed) ? hashSteps(args, quick) : afterStuck(observed);
    if (!ran.has('daemon-open') && observed.steps.some((step) => observed.outcome(step.id).kind === 'stuck'))
      return afterStuck(observed);
    const [guest, host] = hashesOf(observed);
    if (guest === undefined || host === undefined || guest.digest === host.digest) return [];
    const limit = { ms: args.timeoutMs, silent: true, name: '--timeout' };
    const again = await rangesToLookAt(observed, guest, host);
    if (again.length === 0) return [];
    if (!ran.has(lookId('guest-cache', 0))) {
      return [
        ...lookSteps('guest-cache', again, { file: 'file' }, quick, { limit }),
        ...lookSteps('host-cache', again, { file: 'file' }, quick, { limit }),
      ];
    }
    if (!ran.has('guest-evict')) {
      const last = lookId('guest-evicted', again.length - 1);
      return [
        { id: 'guest-evict', actor: 'guest', op: { do: 'evict', file: 'file' }, limit, mayFail: true },
        ...lookSteps('guest-evicted', again, { file: 'file' }, quick, { limit }),
        ...lookSteps('host-direct', again, { path: args.hostPath, direct: true }, quick, {
          limit,
          after: [{ step: last, has: 'ended' }],
        }),
      ];
    }
    return [];
  },
  async judge(observed, promises): Promise<Verdict> {
    return (
      operatingFailure(observed) ?? oneSided(observed, promises) ?? (await judgeDigests(observed, promises))
    );
  },
});

function hashSteps(args: CompareArgs, quick: 'xxh3' | 'md5'): Step[] {
  const limit = { ms: args.timeoutMs, silent: true, name: '--timeout' };
  const op = {
    do: 'hash',
    file: 'file',
    algorithm: args.algorithm,
    block,
    ...(quick === 'md5' ? { blockAlgorithm: 'md5' as const } : {}),
  } as const;
  return [
    {
      id: 'guest-open',
      actor: 'guest',
      op: { do: 'open', path: args.guestPath, flags: ['rdonly', 'nonblock'], as: 'file' },
      limit: { ms: Math.max(lookLimit, args.timeoutMs), name: '--timeout' },
      mayFail: true,
    },
    {
      id: 'guest-hash',
      actor: 'guest',
      op: { ...op, sync: 'dont' },
      limit,
      mayFail: true,
      onlyWith: ['host-hash'],
    },
    {
      id: 'host-hash',
      actor: 'host',
      op,
      limit,
      mayFail: true,
      onlyWith: ['guest-open', 'guest-hash'],
      after: [{ step: 'guest-open', has: 'ended' }],
    },
  ];
}

/** Whether the daemon still lives: a stuck guest read has its reason there. */
function afterStuck(observed: Observed): Step[] {
  const pid = observed.setting.daemonPid;
  const stuck = observed.steps.some(
    (step) => observed.outcome(step.id).kind === 'stuck' && step.actor === 'guest',
  );
  if (!stuck || pid === undefined || observed.steps.some((step) => step.id === 'daemon-open')) return [];
  const limit = { ms: lookLimit, name: 'the limit of a look at /proc' };
  return [
    {
      id: 'daemon-open',
      actor: 'host',
      op: { do: 'open', path: `/proc/${pid}/stat`, flags: ['rdonly'], as: 'daemon' },
      limit,
      mayFail: true,
    },
    {
      id: 'daemon-read',
      actor: 'host',
      op: { do: 'read', file: 'daemon', length: 512 },
      limit,
      mayFail: true,
    },
  ];
}

function bothAreFiles(observed: Observed): boolean {
  return (
    observed.value<Stat>('host-stat')?.type === 'file' &&
    observed.value<Stat>('guest-stat')?.type === 'file' &&
    observed.outcome('host-open').kind === 'value'
  );
}

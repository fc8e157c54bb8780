import { defineCheck } from '../src/model/check.ts';
import type { Operation } from '../src/model/operation.ts';
import type { Verdict } from '../src/model/verdict.ts';
import { bench, isRefused, madeOf, type Seen, type Trial, trialCodes } from './durable/trial.ts';

const syncDirectory: readonly Operation[] = [
  { do: 'open', path: 'd', flags: ['rdonly', 'directory'], as: 'd' },
  { do: 'fsync', file: 'd' },
  { do: 'fsync', file: 'd', data: true },
];

function touch(path: string): Operation[] {
  const as = `made ${path}`;
  return [
    { do: 'open', path, flags: ['creat', 'excl', 'rdwr'], mode: 0o666, as },
    { do: 'close', file: as },
  ];
}

/** fsync and fdatasync of a directory that just got a name; the host's own answer is the control. */
const accepted: Trial = {
  name: 'accepted',
  scenario: 'directory-fsync/accepted',
  isolation: 'shared',
  needs: ['writable'],
  turns: () => [
    { actor: 'host', name: 'make', ops: [{ do: 'mkdir', path: 'd' }] },
    { actor: 'guest', name: 'guest', ops: [...touch('d/by-guest'), ...syncDirectory], anyway: true },
    { actor: 'host', name: 'host', ops: [...touch('d/by-host'), ...syncDirectory], anyway: true },
  ],
  judge: judgeAccepted,
};

function judgeAccepted({ values }: Seen): Verdict {
  const refusalOf = (turn: string) => values(turn).find(isRefused);
  const [guest, host] = [refusalOf('guest'), refusalOf('host')];
  if (guest === undefined) return { kind: 'pass', reason: 'both sides sync their directories' };
  const words = `${guest.call} failed with ${guest.errno} in the guest`;
  if (host !== undefined) {
    const reason = `${words}, and ${host.call} with ${host.errno} on the host`;
    return { kind: 'skip', code: 'not-here', reason };
  }
  if (!guest.call.includes('sync')) return { kind: 'unknown', code: 'could-not-run', reason: words };
  const reason = `${words}; on the host it succeeds`;
  return { kind: 'fail', code: 'refused', reason, observed: guest.errno };
}

/**
 * Names only: what is in the files was never synced.
 *
 * ```
 *  host    d/: moved-from, removed, stays         fsync d
 *  guest   create d/new, mkdir d/sub, rename d/moved-from d/moved-to, unlink d/removed, fsync d
 *  ---- power cut ----
 *  medium  d/: moved-to, new, stays, sub
 * ```
 */
const expected = ['moved-to', 'new', 'stays', 'sub'];

const powerCut: Trial = {
  name: 'power-cut',
  scenario: 'directory-fsync/power-cut',
  isolation: 'own-share',
  needs: ['writable', 'power.cut'],
  actors: { medium: 'medium' },
  turns: () => [
    {
      actor: 'host',
      name: 'make',
      ops: [
        { do: 'mkdir', path: 'd' },
        ...['moved-from', 'removed', 'stays'].flatMap((each) => touch(`d/${each}`)),
        ...syncDirectory,
        { do: 'open', path: '.', flags: ['rdonly', 'directory'], as: '.' },
        { do: 'fsync', file: '.' },
      ],
    },
    {
      actor: 'guest',
      name: 'change',
      ops: [
        ...touch('d/new'),
        { do: 'mkdir', path: 'd/sub' },
        { do: 'rename', path: 'd/moved-from', to: 'd/moved-to' },
        { do: 'unlink', path: 'd/removed' },
        ...syncDirectory,
      ],
    },
    bench('cut', { verb: 'power.cut' }),
    { actor: 'medium', name: 'left', ops: [{ do: 'list', path: 'd' }], anyway: true },
  ],
  judge({ values }) {
    const [list] = values('left');
    const found = isRefused(list) ? undefined : (list as { names: readonly string[] }).names;
    const words = found === undefined ? 'no such directory' : found.join(', ');
    if (found !== undefined && [...found].sort().join('/') === expected.join('/'))
      return { kind: 'pass', reason: `the medium has ${words}` };
    const reason = `the medium has ${words}, instead of ${expected.join(', ')}`;
    return { kind: 'fail', code: 'names-lost', reason, observed: words };
  },
};

/** A directory can be synced from both sides, and then its names are on the disk. */
export default defineCheck({
  name: 'directory-fsync',
  title: 'fsync of a directory is accepted on both sides, and its names survive a power cut',
  codes: {
    refused: 'the guest may not sync a directory that the host can sync',
    'names-lost': 'a name that was synced is not on the medium, or one that was removed is',
    ...trialCodes,
  },
  ...madeOf([accepted, powerCut]),
});

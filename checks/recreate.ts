import { defineCheck, type Setting } from '../src/model/check.ts';
import type { Operation } from '../src/model/operation.ts';
import { isSince } from './mode/traits.ts';
import { file, mkdir, rename, unlink } from './names/acts.ts';
import { taleCodes, told } from './names/judge.ts';
import { done, encoded, exists, listed, says } from './names/looks.ts';
import { type Act, guest, host, type Look, type Tale, type Turn, watch } from './names/tale.ts';
import { timeoutOf } from './promised/waiting.ts';

/**
 * One side deletes, the other makes the same name anew. What is made must be there for both:
 *
 * ```
 *  guest    knows f              writes f anew ──► must reach the host
 *  host              deletes f                         looks
 * ```
 * While the guest takes the name for alive it may write to the dead file, where nobody will ever find it. It may
 * for as long as it may take the name for alive, and no longer.
 */
const known = 'create/first-lookup';
const again = 'recreate/guest-after-host-delete';

/** Opened as a shell's > does, and written. Who takes a dead name for alive may be told that there is none. */
function anew(path: string, text: string): readonly Act[] {
  const flags = ['creat', 'trunc', 'wronly'] as const;
  const works = (what: string, op: Operation): Look => ({
    ...done(
      what,
      again,
      op,
      { delete: 'refused', anew: 'done' },
      { ENOENT: 'refused', ESTALE: 'refused', EBADF: 'refused' },
    ),
    done: { in: 'anew', since: 'delete' },
  });
  return [
    works(`making ${path} anew`, { do: 'open', path, flags, mode: 0o644, as: path }),
    works(`writing ${path}`, { do: 'write', file: path, offset: 0, base64: encoded(text) }),
    works(`closing ${path}`, { do: 'close', file: path }),
  ];
}

/** What the guest made, for as old as the guest's knowledge was when it made it. */
function reaches(path: string, states: Look['states']): Look {
  return { ...says(path, again, states), done: { in: 'anew', since: 'delete' } };
}

const states = { make: 'first', delete: 'absent', anew: 'the second' };

/** By O_CREAT on the name itself, and by another name that is renamed to it, which nothing stale can lead astray. */
const atOnce: Tale = {
  name: 'guest-after-host',
  turns: () => [
    host('make', [file('f', 'first'), file('g', 'first')]),
    guest('know', [says('f', known, { make: 'first' }), says('g', known, { make: 'first' })]),
    host('delete', [unlink('f'), unlink('g')]),
    guest('anew', [
      ...anew('f', 'the second'),
      ...file('g-new', 'the second'),
      done('renaming g-new to g', 'guest-rename/own', rename('g-new', 'g')),
    ]),
    host('look', [reaches('f', states), says('g', 'guest-rename/host', states)]),
    guest('own', [reaches('f', states), says('g', 'guest-rename/own', states)]),
  ],
};

/** The same when the guest must have found out. */
const inTime: Tale = {
  name: 'guest-after-host-in-time',
  turns: (setting) => {
    const begin = [
      host('make', [file('f', 'first')]),
      guest('know', [says('f', known, { make: 'first' })]),
      host('delete', [unlink('f')]),
    ];
    // Nobody waits for a day.
    if (timeoutOf(setting) > 5000)
      return [...begin, guest('look', [says('f', 'unlink/open', { make: 'first', delete: 'absent' })])];
    return [
      ...begin,
      guest('anew', anew('f', 'the second'), { afterTimeout: true }),
      host('look', [reaches('f', states)]),
      guest('own', [reaches('f', states)]),
    ];
  },
};

/** From this Linux on a guest in 9p:loose remembers what it deleted as absent, for a day: it deletes it only once. */
const absentKeptSince = [7, 2] as const;

function roundsIn({ mode, views }: Setting): readonly number[] {
  const loose = mode?.server === '9p' && ['loose', 'fscache'].includes(mode.cache);
  return loose && isSince(views.guest?.kernel, absentKeptSince) ? [1] : [1, 2, 3];
}

/** The other way round, again and again: nothing of what the guest itself deleted is left in it. */
const hostAgain: Tale = {
  name: 'host-after-guest',
  turns: (setting) => {
    const by = 'recreate/host-after-guest-delete';
    const history: Record<string, string> = { make: 'host 0' };
    const turns: Turn[] = [
      host('make', [file('f', 'host 0')]),
      guest('know', [says('f', known, { make: 'host 0' })]),
    ];
    for (const round of roundsIn(setting)) {
      history[`delete-${round}`] = 'absent';
      turns.push(
        guest(`delete-${round}`, [
          done('unlinking f', 'guest-rename/own', unlink('f')),
          says('f', 'guest-rename/own', { ...history }),
        ]),
      );
      const seen = says('f', 'guest-rename/host', { ...history });
      history[`make-${round}`] = `host ${round}`;
      turns.push(
        host(`look-${round}`, [seen]),
        host(`make-${round}`, file('f', `host ${round}`)),
        guest(`look-again-${round}`, [says('f', by, { ...history })]),
      );
    }
    return turns;
  },
};

/** A directory is removed with all that is in it, and made anew with other names. */
const directory: Tale = {
  name: 'directory',
  turns: (setting) => {
    const by = 'recreate/directory';
    return [
      host('make', [mkdir('d'), file('d/x', 'first')]),
      guest('know', [
        says('d/x', known, { make: 'first' }),
        exists('d/y', known, { '': 'absent' }),
        listed('d', 'x', known, { make: 'there' }),
      ]),
      host('anew', [unlink('d/x'), { do: 'rmdir', path: 'd' }, mkdir('d'), ...file('d/y', 'the second')]),
      guest('look', [
        watch(
          [
            says('d/y', by, { make: 'absent', anew: 'the second' }),
            exists('d/x', by, { make: 'there', anew: 'absent' }),
            listed('d', 'y', by, { make: 'absent', anew: 'there' }),
            listed('d', 'x', by, { make: 'there', anew: 'absent' }),
          ],
          setting,
        ),
      ]),
    ];
  },
};

/** The guest removes the directory, and the host makes it anew. */
const directoryByHost: Tale = {
  name: 'directory-host-after-guest',
  turns: () => {
    const by = 'recreate/host-after-guest-delete';
    const removed: Operation = { do: 'rmdir', path: 'd' };
    return [
      host('make', [mkdir('d'), file('d/x', 'first')]),
      guest('know', [says('d/x', known, { make: 'first' }), listed('d', 'x', known, { make: 'there' })]),
      guest('delete', [
        done('unlinking d/x', 'guest-rename/own', unlink('d/x')),
        done('removing d', 'guest-rename/own', removed),
        exists('d', 'guest-rename/own', { make: 'there', delete: 'absent' }),
      ]),
      host('anew', [
        exists('d', 'guest-rename/host', { make: 'there', delete: 'absent' }),
        mkdir('d'),
        ...file('d/y', 'the second'),
      ]),
      guest('look', [
        says('d/y', by, { make: 'absent', anew: 'the second' }),
        exists('d/x', by, { make: 'there', delete: 'absent' }),
        listed('d', 'y', by, { make: 'absent', anew: 'there' }),
      ]),
    ];
  },
};

/** Deleted on one side, made anew on the other. */
export default defineCheck({
  name: 'recreate',
  title: 'what one side deletes and the other makes anew is there for both',
  codes: taleCodes,
  ...told([atOnce, inTime, hostAgain, directory, directoryByHost]),
});

import { defineCheck } from '../src/model/check.ts';
import type { Operation } from '../src/model/operation.ts';
import { type StormPlan, stormFiles } from '../src/model/storm.ts';
import { closed, file, holdDirectory, mkdir, rename, unlink } from './names/acts.ts';
import { taleCodes, told } from './names/judge.ts';
import { type Expected, listingCodes, wholeListing } from './names/listing.ts';
import { done, namesIn, tells } from './names/looks.ts';
import { type Act, guest, host, type Look, type Tale, turn } from './names/tale.ts';

/**
 * A listing has every name that is there, once, and none that is not:
 *
 * ```
 *  d before   a  b  c
 *  host       unlink a   rename b → x   create n
 *  d after          c  x  n
 * ```
 */
const make = host('make', [mkdir('d'), file('d/a', 'a'), file('d/b', 'b'), file('d/c', 'c')]);
const changes: readonly Act[] = [unlink('d/a'), rename('d/b', 'd/x'), file('d/n', 'n')];
const states = { make: 'a b c', change: 'c n x' };

/** The whole directory, opened for it. */
function list(by: string, history: Look['states']): Look {
  return tells('the listing of d', by, history, { do: 'list', path: 'd' }, (value) =>
    (value as { readonly names: readonly string[] }).names.join(' '),
  );
}

const hostChanges: Tale = {
  name: 'host-changes',
  turns: () => [
    make,
    guest('know', [list('create/first-lookup', { make: 'a b c' })]),
    host('change', changes),
    guest('look', [list('readdir/after-change', states)]),
  ],
  whenStale: () => [guest('in-time', [list('readdir/after-change', states)], { afterTimeout: true })],
};

/** The same through a directory that is open all the time, and rewound. */
const kept: Tale = {
  name: 'kept-descriptor',
  turns: () => [
    make,
    guest('know', [holdDirectory('d'), ...namesIn('d', 'create/first-lookup', { make: 'a b c' })]),
    host('change', changes),
    guest('look', [...namesIn('d', 'readdir/kept-descriptor', states)]),
  ],
  whenStale: () => [
    guest('in-time', [...namesIn('d', 'readdir/kept-descriptor', states)], { afterTimeout: true }),
  ],
};

/** The guest's own changes, seen by itself and by the host at once. */
const guestChanges: Tale = {
  name: 'guest-changes',
  turns: () => [
    make,
    guest('know', [
      list('create/first-lookup', { make: 'a b c' }),
      holdDirectory('d'),
      ...namesIn('d', 'create/first-lookup', { make: 'a b c' }),
    ]),
    guest('change', [
      done('unlinking d/a', 'guest-rename/own', unlink('d/a')),
      done('renaming d/b', 'guest-rename/own', rename('d/b', 'd/x')),
      ...file('d/n', 'n'),
    ]),
    guest('own', [list('readdir/guest-change', states), ...namesIn('d', 'readdir/guest-change', states)]),
    host('look', [list('guest-rename/host', states)]),
  ],
};

/** Enough names for several requests, even of a whole page each. */
const manyNames = 240;

function storm(seed: number, more: Partial<StormPlan> = {}): { readonly do: 'storm' } & StormPlan {
  return {
    do: 'storm',
    path: 'd',
    seed,
    slots: manyNames,
    dirs: 0,
    steps: 2 * manyNames,
    acts: ['rename'],
    writer: 1,
    ...more,
  };
}

function expectedOf(plan: StormPlan): Expected {
  return new Map([
    ...stormFiles(plan).map(({ path }) => [path, 'file'] as const),
    ['directory', 'directory'],
    ['link', 'link'],
  ]);
}

const atRest = { make: 'complete' };

/** A large directory, by a small buffer and by a large one, by two readers at once, and again from a rewind. */
const complete: Tale = {
  name: 'complete',
  actors: { host: 'host', guest: 'guest', other: 'guest' },
  turns: ({ seed }) => {
    const plan = storm(seed);
    const expected = expectedOf(plan);
    const whole = (buffer: number) => wholeListing('d', 'readdir/complete', atRest, expected, { buffer });
    return [
      host('make', [
        mkdir('d'),
        mkdir('d/directory'),
        { do: 'symlink', target: 'directory', path: 'd/link' },
        plan,
      ]),
      guest('read', [holdDirectory('d'), whole(1024), rewind('d'), whole(32_768)]),
      turn('other', 'read-beside', [holdDirectory('d'), whole(4096), rewind('d'), whole(512)], {
        beside: true,
      }),
      guest('read-again', [rewind('d'), whole(2048), closed('d')]),
    ];
  },
};

function rewind(handle: string): Operation {
  return { do: 'seek', file: handle, offset: 0, whence: 'set' };
}

/**
 * Names that come and go must not hide those that stay, nor end a listing in an error. With a stat of each name,
 * as `ls -l` makes it, the guest asks for names and attributes at once (READDIRPLUS), and the daemon has to look
 * up names that may be gone again.
 */
const restless: Tale = {
  name: 'while-names-come-and-go',
  turns: ({ seed, mode }) => {
    // Where nothing is cached each stat is a request, and the kernel never asks for names and attributes at once.
    const cached = mode !== undefined && mode.server !== '9p' && !['never', 'none'].includes(mode.cache);
    const stay = Array.from({ length: 8 }, (_, index) => `stays-${index}`);
    const expected: Expected = new Map([...stay, 'restless'].map((name) => [name, 'file'] as const));
    const look = wholeListing('d', 'readdir/complete', atRest, expected, {
      others: (name) => name.startsWith('s') && /^s\d/.test(name),
      buffer: 256,
      stat: cached,
    });
    return [
      host('make', [mkdir('d'), file('d/restless', ''), ...stay.map((name) => file(`d/${name}`, ''))]),
      host('change', [
        storm(seed, { slots: 12, steps: 200_000, acts: ['remove', 'rename'], limitMs: cached ? 1500 : 400 }),
      ]),
      guest(
        'read',
        Array.from({ length: cached ? 60 : 12 }, (): Act[] => [
          done('opening d', 'readdir/complete', holdDirectory('d')),
          look,
          closed('d'),
        ]).flat(),
        { beside: true },
      ),
    ];
  },
};

/** Listings: complete, each name once, as fresh as the mode promises. */
export default defineCheck({
  name: 'readdir',
  title: 'a listing has every name once and is as fresh as the mode promises, also through a kept descriptor',
  codes: { ...taleCodes, ...listingCodes },
  ...told([hostChanges, kept, guestChanges, complete, restless]),
});

import { defineCheck } from '../src/model/check.ts';
import { closed, file, hold, mkdir, rename, unlink } from './names/acts.ts';
import { taleCodes, told } from './names/judge.ts';
import { attribute, done, encoded, exists, fstatOf, mapSays, says, stillSays } from './names/looks.ts';
import { guest, host, type Look, type Tale, type Turn, turn, watch } from './names/tale.ts';

/**
 * One file takes the name of another: how editors, git and package managers save. The name means the new file, as
 * soon as the mode promises; a descriptor and a working directory go on meaning the old one, for ever.
 *
 * ```
 *  before   f ──► "first"            g ──► "the second"
 *  after    f ──────────────────────────► "the second"      kept descriptor ──► "first"
 * ```
 */
const texts = { make: 'first', replace: 'the second' };
const sizes = { make: '5', replace: '10' };
const make = host('make', [file('f', 'first'), file('g', 'the second')]);
const replace = host('replace', [rename('g', 'f')]);

const byPath: Tale = {
  name: 'by-path',
  turns: (setting) => [
    host('make', [...make.acts, file('s', 'first'), file('t', 'the second')]),
    guest('know', [
      says('f', 'create/first-lookup', { make: 'first' }),
      attribute('size', 's', 'create/first-lookup', { make: '5' }),
    ]),
    host('replace', [rename('g', 'f'), rename('t', 's')]),
    guest('look', [
      watch(
        [says('f', 'rename-over/open', texts), attribute('size', 's', 'rename-over/stat', sizes)],
        setting,
      ),
    ]),
  ],
};

/** Three pages take the place of five bytes: the old size must not cut them, nor end a load in SIGBUS. */
const page = 4096;
const tail = 'the last words';
const long = `${'x'.repeat(2 * page)}${tail}`;

const mapped: Tale = {
  name: 'mapped',
  turns: () => {
    const by = 'rename-over/map';
    const use = (name: string, afterTimeout: boolean): Turn => {
      // Which file it is was settled by the open: how old that was counts.
      const asOpened = (look: Look): Look => ({ ...look, done: { in: name, since: 'replace' } });
      return guest(
        name,
        [
          done('opening f', by, { do: 'open', path: 'f', flags: ['rdonly'], as: `f:${name}` }),
          asOpened(
            fstatOf(`f:${name}`, ({ size }) => String(size), by, { make: '5', replace: String(long.length) }),
          ),
          {
            do: 'map',
            file: `f:${name}`,
            as: `f:${name}`,
            offset: 0,
            length: 3 * page,
            protection: 'read',
            share: 'private',
          },
          asOpened(mapSays(`f:${name}`, 5, by, { make: 'first', replace: 'xxxxx' })),
          // The old file ends before its second page.
          {
            ...asOpened(mapSays(`f:${name}`, 0, by, { make: 'SIGBUS', replace: tail })),
            op: {
              do: 'observe',
              looks: [{ see: 'load', map: `f:${name}`, offset: 2 * page, length: page }],
              limitMs: 0,
            },
          },
        ],
        { afterTimeout },
      );
    };
    return [
      host('make', [
        file('f', 'first'),
        { do: 'open', path: 'g', flags: ['creat', 'excl', 'wronly'], mode: 0o644, as: 'g' },
        { do: 'write', file: 'g', offset: 0, base64: encoded(long) },
        closed('g'),
      ]),
      guest('know', [says('f', 'create/first-lookup', { make: 'first' })]),
      replace,
      use('map', false),
      use('map-in-time', true),
    ];
  },
};

/** What was opened stays what it was, whatever its name means by now, and can be worked on. */
const keptDescriptor: Tale = {
  name: 'kept-descriptor',
  turns: (setting) => {
    const [kept, change] = ['rename-over/kept-descriptor', 'rename-over/kept-descriptor-change'];
    const size = (states: Record<string, string>) => fstatOf('f', (stat) => String(stat.size), kept, states);
    return [
      make,
      guest('hold', [hold('f'), stillSays('f', kept, { make: 'first' })]),
      replace,
      guest('still', [stillSays('f', kept, { make: 'first' }), size({ make: '5' })]),
      guest('work', [
        done('fchmod', change, { do: 'fchmod', file: 'f', mode: 0o600 }),
        done('ftruncate', change, { do: 'ftruncate', file: 'f', length: 3 }),
        done('fsync', change, { do: 'fsync', file: 'f' }),
        done('write', change, { do: 'write', file: 'f', offset: 3, base64: encoded('ST, still') }),
        stillSays('f', kept, { make: 'first', work: 'firST, still' }),
        size({ make: '5', work: '12' }),
        fstatOf('f', ({ mode }) => (mode & 0o777).toString(8), kept, { make: '644', work: '600' }),
        closed('f'),
      ]),
      // None of this went to the file that has the name now.
      host('look', [says('f', change, texts), attribute('mode', 'f', change, { make: '644' })]),
      // Where the name still means the old file, it has what was written to it.
      guest('by-path', [
        watch([says('f', 'rename-over/open', { make: 'firST, still', replace: 'the second' })], setting),
      ]),
    ];
  },
};

/** One process works in a directory, another looks at it by its path, when the host exchanges it. */
const workingDirectory: Tale = {
  name: 'working-directory',
  actors: { host: 'host', guest: 'guest', visitor: 'guest' },
  turns: (setting) => {
    const by = 'rename-over/working-directory';
    return [
      host('make', [mkdir('d'), file('d/x', 'first'), mkdir('e'), file('e/x', 'the second')]),
      guest('enter', [{ do: 'chdir', path: 'd' }, says('x', by, { make: 'first' })]),
      host('replace', [rename('d', 'old'), rename('e', 'd')]),
      guest('work', [
        says('x', by, { make: 'first' }),
        done('making y', by, {
          do: 'open',
          path: 'y',
          flags: ['creat', 'excl', 'wronly'],
          mode: 0o644,
          as: 'y',
        }),
      ]),
      host('look', [
        exists('old/y', by, { make: 'absent', work: 'there' }),
        exists('d/y', by, { make: 'absent' }),
      ]),
      turn('visitor', 'visit', [watch([says('d/x', 'rename-over/open', texts)], setting)]),
    ];
  },
};

/** The same where the directory is removed: nothing is found in it, and nothing can be made. */
const removedDirectory: Tale = {
  name: 'removed-working-directory',
  turns: () => {
    const by = 'removed-directory/working-directory';
    return [
      host('make', [mkdir('d'), file('d/x', 'first')]),
      guest('enter', [{ do: 'chdir', path: 'd' }]),
      host('remove', [unlink('d/x'), { do: 'rmdir', path: 'd' }]),
      guest('work', [
        says('x', by, { make: 'first', remove: 'absent' }),
        done(
          'making y',
          by,
          { do: 'open', path: 'y', flags: ['creat', 'excl', 'wronly'], mode: 0o644, as: 'y' },
          { remove: 'absent' },
          { ENOENT: 'absent' },
        ),
      ]),
    ];
  },
};

/** The guest renames over a name, and tries to where it must not. */
const guestReplaces: Tale = {
  name: 'guest-renames-over',
  turns: () => [
    host('make', [...make.acts, file('h', 'first'), file('i', 'the second')]),
    guest('know', [
      says('f', 'create/first-lookup', { make: 'first' }),
      says('g', 'create/first-lookup', { make: 'the second' }),
    ]),
    guest('replace', [
      done('renaming g to f', 'guest-rename/own', rename('g', 'f')),
      done(
        'renaming i to h without replacing it',
        'guest-rename/own',
        { do: 'rename', path: 'i', to: 'h', flags: ['noreplace'] },
        { make: 'refused' },
        { EEXIST: 'refused' },
      ),
    ]),
    guest('own', [
      says('f', 'guest-rename/own', texts),
      exists('g', 'guest-rename/own', { make: 'there', replace: 'absent' }),
      says('h', 'guest-rename/own', { make: 'first' }),
    ]),
    host('look', [
      says('f', 'guest-rename/host', texts),
      exists('g', 'guest-rename/host', { make: 'there', replace: 'absent' }),
      says('h', 'guest-rename/host', { make: 'first' }),
      says('i', 'guest-rename/host', { make: 'the second' }),
    ]),
  ],
};

/** The guest lets two names change places, which is one step: nothing is without a name in between. */
const guestExchanges: Tale = {
  name: 'guest-exchanges',
  turns: (setting) => {
    const by = 'guest-rename/exchange';
    const exchange = done('exchanging f and g', by, {
      do: 'rename',
      path: 'f',
      to: 'g',
      flags: ['exchange'],
    });
    const looks = (look: string) => [
      says('f', look, texts),
      says('g', look, { make: 'the second', replace: 'first' }),
    ];
    return [
      make,
      guest('replace', [exchange]),
      // 9p has no such request: it is refused, and the names stay.
      ...(setting.mode?.server === '9p'
        ? []
        : [guest('own', looks('guest-rename/own')), host('look', looks('guest-rename/host'))]),
    ];
  },
};

/** A file, or a directory, takes the name of another: by path, mapping, kept descriptor, working directory. */
export default defineCheck({
  name: 'rename-over',
  title: 'a name means what was renamed to it as soon as the mode promises; what was open stays what it was',
  codes: taleCodes,
  ...told([
    byPath,
    mapped,
    keptDescriptor,
    workingDirectory,
    removedDirectory,
    guestReplaces,
    guestExchanges,
  ]),
});

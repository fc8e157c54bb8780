import { defineCheck } from '../src/model/check.ts';
import type { Operation } from '../src/model/operation.ts';
import { closed, file, hold, mkdir, rename, unlink } from './names/acts.ts';
import { taleCodes, told } from './names/judge.ts';
import { attribute, done, encoded, exists, fstatOf, listed, says, stillSays } from './names/looks.ts';
import { type Act, guest, host, type Look, type Tale, type Turn, watch } from './names/tale.ts';

/**
 * A name is looked at in three ways, and each has a cache of its own: lstat (the entry and the attributes), open
 * (the entry, and what the server says to an open), and the listing of its directory. Each has a file of its own,
 * since one look may refresh what another sees; when all are due, the three must tell the same of one file.
 *
 * ```
 *           a: lstat   b: open   c: listing
 *  guest    there      "first"   there
 *  host     unlink     unlink    unlink
 *  guest    there … absent       each within its own bound
 *  guest    a: lstat, open, listing agree
 * ```
 */
const before = { make: 'there' };
const text = { make: 'first' };

/** The three looks at one name. */
function threeLooks(name: string, by: string, states: Look['states'], texts: Look['states']): readonly Act[] {
  return [exists(name, by, states), says(name, by, texts), listed('.', name, by, states)];
}

/** They agree: at once where the mode promises that, and once the timeout has passed. */
function agree(name: string, states: Look['states'], texts: Look['states']): Pick<Tale, 'whenStale'> {
  return {
    whenStale: () => [
      guest('agree-in-time', threeLooks(name, 'lookup/agree', states, texts), { afterTimeout: true }),
    ],
  };
}

const make = host('make', [file('a', 'first'), file('b', 'first'), file('c', 'first')]);
const known = guest('know', [
  exists('a', 'create/first-lookup', before),
  says('b', 'create/first-lookup', text),
  listed('.', 'c', 'create/first-lookup', before),
]);

const gone = { ...before, unlink: 'absent' };
const unlinked: Tale = {
  name: 'unlinked',
  turns: (setting) => [
    make,
    known,
    host('unlink', [unlink('a'), unlink('b'), unlink('c')]),
    guest('look', [
      watch(
        [
          exists('a', 'unlink/stat', gone),
          says('b', 'unlink/open', { ...text, unlink: 'absent' }),
          listed('.', 'c', 'readdir/after-change', gone),
        ],
        setting,
      ),
    ]),
    guest('agree', threeLooks('a', 'lookup/agree', gone, { ...text, unlink: 'absent' })),
  ],
  ...agree('a', gone, { ...text, unlink: 'absent' }),
};

const renamed = { ...before, rename: 'absent' };
const renamedAway: Tale = {
  name: 'renamed-away',
  turns: (setting) => [
    make,
    known,
    host('rename', [rename('a', 'x'), rename('b', 'y'), rename('c', 'z')]),
    guest('look', [
      exists('x', 'host-rename/new-name', { '': 'absent', rename: 'there' }),
      says('y', 'host-rename/new-name', { '': 'absent', rename: 'first' }),
      watch(
        [
          exists('a', 'host-rename/old-name', renamed),
          says('b', 'host-rename/old-name', { ...text, rename: 'absent' }),
          listed('.', 'c', 'readdir/after-change', renamed),
          listed('.', 'z', 'readdir/after-change', { '': 'absent', rename: 'there' }),
        ],
        setting,
      ),
    ]),
    guest('agree', threeLooks('a', 'lookup/agree', renamed, { ...text, rename: 'absent' })),
  ],
  ...agree('a', renamed, { ...text, rename: 'absent' }),
};

/** Another file under the same name: open, size by stat, and size of what was opened are of one of them. */
const replaced: Tale = {
  name: 'replaced',
  turns: (setting) => {
    const texts = { make: 'first', replace: 'the second' };
    const sizes = { make: '5', replace: '10' };
    const whole = (turn: string, by: string): Turn[] => [
      guest(
        turn,
        [
          attribute('size', 'a', by, sizes),
          says('a', by, texts),
          done('opening a', by, { do: 'open', path: 'a', flags: ['rdonly'], as: `a:${turn}` }),
          asOpened(
            turn,
            fstatOf(`a:${turn}`, ({ size }) => String(size), by, sizes),
          ),
          asOpened(turn, stillSays(`a:${turn}`, by, texts)),
          closed(`a:${turn}`),
        ],
        turn === 'agree' ? {} : { afterTimeout: true },
      ),
    ];
    return [
      host('make', [file('a', 'first'), file('b', 'the second')]),
      guest('know', [says('a', 'create/first-lookup', text)]),
      host('replace', [rename('b', 'a')]),
      guest('look', [watch([says('a', 'rename-over/open', texts)], setting)]),
      ...whole('agree', 'lookup/agree'),
      ...whole('agree-in-time', 'lookup/agree'),
    ];
  },
};

/** Which file it is was settled by the open: how old that was counts. */
function asOpened(turn: string, look: Look): Look {
  return { ...look, done: { in: turn, since: 'replace' } };
}

const absent = { '': 'absent' };
const nobody = guest('miss', [
  exists('a', 'create/after-failed-lookup', absent),
  says('b', 'create/after-failed-lookup', absent),
  listed('.', 'c', 'create/after-failed-lookup', absent),
  exists('d', 'create/after-failed-lookup', absent),
]);

/** Names that the guest looked for in vain; one of them becomes a directory. */
const created: Tale = {
  name: 'created-after-failed-lookup',
  turns: () => [
    nobody,
    host('make', [...make.acts, mkdir('d')]),
    guest('look', [
      exists('a', 'create/after-failed-lookup', { ...absent, make: 'there' }),
      says('b', 'create/after-failed-lookup', { ...absent, make: 'first' }),
      exists('d', 'create/after-failed-lookup', { ...absent, make: 'there' }),
      listed('.', 'c', 'readdir/after-change', { ...absent, make: 'there' }),
    ]),
  ],
  whenStale: () => [
    guest(
      'in-time',
      threeLooks('c', 'lookup/agree', { ...absent, make: 'there' }, { ...absent, make: 'first' }),
      { afterTimeout: true },
    ),
  ],
};

/** Names that the guest never looked for, in a directory that it never saw. */
const neverSeen: Tale = {
  name: 'never-looked-for',
  turns: () => [
    host('make', [mkdir('d'), file('d/a', 'of a'), file('d/b', 'of b'), file('c', 'of c')]),
    guest('look', [
      says('d/a', 'create/first-lookup', { ...absent, make: 'of a' }),
      exists('d/b', 'create/first-lookup', { ...absent, make: 'there' }),
      says('d/b', 'create/first-lookup', { ...absent, make: 'of b' }),
      listed('d', 'b', 'create/first-lookup', { ...absent, make: 'there' }),
      says('c', 'create/first-lookup', { ...absent, make: 'of c' }),
    ]),
  ],
};

/** A descriptor outlives the name. */
const held: Tale = {
  name: 'unlinked-while-open',
  turns: () => [
    host('make', [file('f', 'first')]),
    guest('hold', [hold('f'), stillSays('f', 'unlink/kept-descriptor', text)]),
    host('unlink', [unlink('f')]),
    guest('use', [
      stillSays('f', 'unlink/kept-descriptor', text),
      done('writing to f', 'unlink/kept-descriptor', write('FIRST')),
      stillSays('f', 'unlink/kept-descriptor', { ...text, use: 'FIRST' }),
      done('fsync of f', 'unlink/kept-descriptor', { do: 'fsync', file: 'f' }),
    ]),
    host('look', [exists('f', 'guest-rename/host', { make: 'there', unlink: 'absent' })]),
  ],
};

function write(words: string): Operation {
  return { do: 'write', file: 'f', offset: 0, base64: encoded(words) };
}

/**
 * Names that a server might take for one another: the longest there are, which differ in their last letters, two that
 * differ in case, two ways to write one letter, blanks, a line break, and a byte that is no UTF-8.
 */
const oddNames = [
  `${'n'.repeat(251)}.one`,
  `${'n'.repeat(251)}.two`,
  'name',
  'NAME',
  '\u00fc',
  'u\u0308',
  ' blanks  inside ',
  'a line\nand another',
  'a byte \udcff',
  '-rf',
] as const;

/** What each of them says; the names of which one is not made at all are absent. */
const sayings = (turn: string) =>
  oddNames.map((name, index) => ({ name, states: { '': 'absent', [turn]: `of ${index}` } }));
const neverMade = ['Name', 'n'.repeat(251), 'blanks  inside', 'a line', 'u'] as const;

const oddNamesOf = (maker: 'host' | 'guest'): Tale => ({
  name: `${maker}-odd-names`,
  needs: ['exact-names'],
  turns: () => {
    const make = [mkdir('d'), ...oddNames.map((name, index) => file(`d/${name}`, `of ${index}`))];
    const looks = (by: string) => [
      ...sayings('make').map(({ name, states }) => says(`d/${name}`, by, states)),
      ...oddNames.map((name) => listed('d', name, by, { '': 'absent', make: 'there' })),
      ...neverMade.map((name) => exists(`d/${name}`, by, { '': 'absent' })),
    ];
    if (maker === 'host') return [host('make', make), guest('look', looks('create/first-lookup'))];
    const own = 'guest-rename/own';
    return [
      guest('make', [
        done('making d', own, mkdir('d')),
        ...oddNames.flatMap((name, index): Act[] => {
          const [opened, ...rest] = file(`d/${name}`, `of ${index}`);
          return opened === undefined ? [] : [done(`making ${name.slice(-20)}`, own, opened), rest];
        }),
      ]),
      guest('own', looks(own)),
      host('look', looks('guest-rename/host')),
    ];
  },
});

/** A directory and what is in it go. */
const directoryRemoved: Tale = {
  name: 'directory-removed',
  turns: (setting) => [
    host('make', [mkdir('d'), file('d/a', 'first')]),
    guest('know', [exists('d', 'create/first-lookup', before), says('d/a', 'create/first-lookup', text)]),
    host('remove', [unlink('d/a'), { do: 'rmdir', path: 'd' }]),
    guest('look', [
      watch(
        [
          exists('d', 'unlink/stat', { ...before, remove: 'absent' }),
          says('d/a', 'unlink/open', { ...text, remove: 'absent' }),
        ],
        setting,
      ),
      listed('.', 'd', 'readdir/after-change', { ...before, remove: 'absent' }),
    ]),
  ],
};

/** The guest's own changes: its own looks and the host's, all at once. */
const guestChanges: Tale = {
  name: 'guest-changes-names',
  turns: () => {
    const [own, other] = ['guest-rename/own', 'guest-rename/host'];
    const looks = (by: string) => [
      exists('a', by, { make: 'there', change: 'absent' }),
      says('x', by, { make: 'absent', change: 'first' }),
      exists('b', by, { make: 'there', change: 'absent' }),
      listed('.', 'b', by, { make: 'there', change: 'absent' }),
      listed('.', 'x', by, { make: 'absent', change: 'there' }),
      // A directory is renamed with all that is in it.
      exists('d', by, { make: 'there', change: 'absent' }),
      says('e/f', by, { make: 'absent', change: 'first' }),
      // One is made, and one removed.
      exists('n', by, { make: 'absent', change: 'there' }),
      exists('o', by, { make: 'there', change: 'absent' }),
    ];
    return [
      host('make', [file('a', 'first'), file('b', 'first'), mkdir('d'), file('d/f', 'first'), mkdir('o')]),
      guest('know', [
        says('a', 'create/first-lookup', text),
        exists('b', 'create/first-lookup', before),
        says('d/f', 'create/first-lookup', text),
        exists('o', 'create/first-lookup', before),
        exists('n', 'create/first-lookup', { '': 'absent' }),
      ]),
      guest('change', [
        done('renaming a to x', own, rename('a', 'x')),
        done('unlinking b', own, unlink('b')),
        done('renaming d to e', own, rename('d', 'e')),
        done('making n', own, mkdir('n')),
        done('removing o', own, { do: 'rmdir', path: 'o' }),
      ]),
      guest('own', looks(own)),
      host('look', looks(other)),
    ];
  },
};

/** Names: lstat, open and the listing see what the other side did within the bound, and then agree. */
export default defineCheck({
  name: 'lookup',
  title: 'names that were made, renamed or removed are seen so by lstat, open and listing, which then agree',
  codes: taleCodes,
  ...told([
    unlinked,
    renamedAway,
    replaced,
    created,
    neverSeen,
    held,
    directoryRemoved,
    guestChanges,
    oddNamesOf('host'),
    oddNamesOf('guest'),
  ]),
});

import { defineCheck } from '../src/model/check.ts';
import type { DirectoryEntry, Operation, ReadLinksResult, Stat } from '../src/model/operation.ts';
import { appended, closed, file, hold, rename, unlink } from './names/acts.ts';
import { taleCodes, told } from './names/judge.ts';
import { attribute, done, encoded, exists, says, target, tells } from './names/looks.ts';
import {
  type Act,
  type Answer,
  type Earlier,
  guest,
  host,
  type Look,
  type Tale,
  watch,
} from './names/tale.ts';

/**
 * Links are names: two of them are one file on both sides, with one number, one count and the same bytes. Whose
 * number it is, the host says: the guest's stat, fstat and listing must all say it too.
 *
 * ```
 *  host     f ─┐            guest   f ─┐
 *              ├─► 4711                ├─► 4711
 *           g ─┘                    g ─┘
 * ```
 */
const identity = 'links/identity';
const oneNumber = { make: 'the same number' };
const byHost = 'host-look';

/** @param turn in which it was first looked at: by the host, or by the guest itself. */
function numberOf(
  of: string,
  by: string,
  turn: string,
  op: Operation,
  own: (value: unknown) => string | undefined,
): Look {
  return {
    ...tells(`the number of ${of}`, by, oneNumber, op, (value, earlier) => {
      const is = inodeOf(earlier(turn, 'f'));
      const number = own(value);
      return number !== undefined && number === is ? oneNumber.make : `${number} and not ${is}`;
    }),
    wrong: () => 'other-inode',
  };
}

function inodeOf(answer: Answer | undefined): string | undefined {
  return answer?.kind === 'value' ? (answer.value as Stat).ino : undefined;
}

const byStat = (path: string, by: string, turn = byHost) =>
  numberOf(`${path} by stat`, by, turn, { do: 'stat', path }, (value) => (value as Stat).ino);
const byFstat = (handle: string, by: string) =>
  numberOf(`${handle} by fstat`, by, byHost, { do: 'fstat', file: handle }, (value) => (value as Stat).ino);
const byListing = (name: string, by: string) =>
  numberOf(
    `${name} in the listing`,
    by,
    byHost,
    { do: 'entries', file: 'directory' },
    (value) =>
      (value as { readonly entries: readonly DirectoryEntry[] }).entries.find((each) => each.name === name)
        ?.ino,
  );
const directory: Operation = { do: 'open', path: '.', flags: ['rdonly', 'directory'], as: 'directory' };
const rewound: Operation = { do: 'seek', file: 'directory', offset: 0, whence: 'set' };
/** What the others are compared with. */
const firstOf = (by: string) =>
  tells('f', by, { make: 'a number' }, { do: 'stat', path: 'f' }, () => 'a number');
const hostSays = firstOf('guest-rename/host');
const link = (path: string, to: string): Operation => ({ do: 'link', path, to });

/** The host made two links; the guest writes by one of them. */
const oneFile: Tale = {
  name: 'one-file',
  turns: () => {
    const texts = { make: 'first', write: 'FIRST' };
    return [
      host('make', [file('f', 'first'), link('f', 'g')]),
      guest('look', [
        firstOf(identity),
        byStat('f', identity, 'look'),
        byStat('g', identity, 'look'),
        attribute('nlink', 'f', identity, { make: '2' }),
        attribute('nlink', 'g', identity, { make: '2' }),
        says('f', identity, { make: 'first' }),
        says('g', identity, { make: 'first' }),
      ]),
      guest('write', [
        hold('f'),
        { do: 'write', file: 'f', offset: 0, base64: encoded('FIRST') },
        closed('f'),
      ]),
      guest('other-name', [says('g', identity, texts)]),
      host('host-reads', [
        says('g', 'guest-write/after-close', texts),
        says('f', 'guest-write/after-close', texts),
      ]),
    ];
  },
};

/** Many links one after the other, each used at once, by the guest and then by the host. */
const manyLinks = 10;
const guestLinks: Tale = {
  name: 'guest-links',
  turns: () => {
    const names = Array.from({ length: manyLinks }, (_, index) => `l${index}`);
    const by = 'links/guest-link';
    const all = String(manyLinks + 1);
    return [
      host('make', [file('f', 'first')]),
      host('host-look', [hostSays]),
      guest('link', [
        firstOf(identity),
        ...names.flatMap((name): Act[] => [
          done(`linking f to ${name}`, by, link('f', name)),
          says(name, by, { link: 'first' }),
        ]),
      ]),
      guest('own', [
        ...['l0', `l${manyLinks - 1}`].map((name) => byStat(name, identity, 'link')),
        attribute('nlink', 'f', by, { make: '1', link: all }),
        attribute('nlink', 'l3', by, { link: all }),
      ]),
      host('host-sees', [
        attribute('nlink', 'f', 'guest-link/count', { make: '1', link: all }),
        ...['l0', `l${manyLinks - 1}`].map((name) => byStat(name, 'guest-rename/host')),
      ]),
      guest('unlink', [done('unlinking f', by, unlink('f')), says('l0', by, { link: 'first' })]),
      host('host-counts', [
        attribute('nlink', 'l0', 'guest-link/count', { link: all, unlink: String(manyLinks) }),
        exists('f', 'guest-rename/host', { make: 'there', unlink: 'absent' }),
      ]),
    ];
  },
};

/** One file keeps its number, whichever way it is asked for and whatever happens to it. */
const stable: Tale = {
  name: 'number',
  turns: () => {
    const by = 'identity/stable';
    const ask: readonly Act[] = [byStat('f', by), byFstat('f', by), rewound, byListing('f', by)];
    const device: Look = {
      ...tells('the device of f', by, { make: 'the same' }, { do: 'stat', path: 'f' }, sameDevice),
      wrong: () => 'other-inode',
    };
    return [
      host('make', [file('f', 'first'), file('o', 'other')]),
      host('host-look', [hostSays]),
      guest('ask', [
        tells('the first device of f', by, { make: 'a device' }, { do: 'stat', path: 'f' }, () => 'a device'),
        hold('f'),
        directory,
        ...ask,
        byStat('f', by),
      ]),
      host('change', [
        ...appended('f', ' and more'),
        { do: 'chmod', path: 'f', mode: 0o600 },
        rename('o', 'p'),
      ]),
      guest('ask-again', [...ask, closed('f'), hold('f'), ...ask, device]),
      guest('rename', [rename('f', 'g')]),
      guest('ask-renamed', [byStat('g', by), byFstat('f', by)]),
    ];
  },
};

function sameDevice(value: unknown, earlier: Earlier): string {
  const before = earlier('ask', 'the first device of f');
  const is = before?.kind === 'value' ? (before.value as Stat).dev : undefined;
  return (value as Stat).dev === is ? 'the same' : `${(value as Stat).dev} and not ${is}`;
}

/** Many links with targets of their own, read while signals interrupt the reader. */
const targets: Tale = {
  name: 'targets-under-signals',
  turns: () => {
    const links = Array.from({ length: 40 }, (_, index) => ({
      path: `s${index}`,
      target: `target-${index}-${'x'.repeat((index * 37) % 200)}`,
    }));
    const read: Operation = {
      do: 'read-links',
      links,
      rounds: 100,
      signalEveryUs: 3000,
      limitMs: 400,
    };
    const by = 'links/readlink';
    return [
      host('make', [
        ...links.map(({ path, target: to }): Operation => ({ do: 'symlink', path, target: to })),
      ]),
      guest('quietly', [
        {
          ...tells(
            'the targets',
            by,
            { make: 'its own each' },
            { ...read, rounds: 1, signalEveryUs: 0 },
            targetWord,
          ),
          wrong: targetCode,
        },
      ]),
      guest('interrupted', [
        {
          ...tells('the targets under signals', by, { make: 'its own each' }, read, targetWord),
          wrong: targetCode,
        },
      ]),
    ];
  },
};

function targetWord(value: unknown): string {
  const { wrong, wrongInAll, errors, errorsInAll } = value as ReadLinksResult;
  const [first, error] = [wrong[0], errors[0]];
  if (first !== undefined)
    return `${first.path} leads to ${first.target} and not to ${first.expected}, and ${wrongInAll - 1} more`;
  return error === undefined
    ? 'its own each'
    : `readlink of ${error.path} failed with ${error.errno}, and ${errorsInAll - 1} more`;
}

function targetCode(word: string): string {
  return word.startsWith('readlink') ? 'refused' : 'other-target';
}

/** The host puts another link in the place of one. */
const newTarget: Tale = {
  name: 'new-target',
  turns: (setting) => [
    host('make', [
      { do: 'symlink', path: 's', target: 'first' },
      { do: 'symlink', path: 't', target: 'the second' },
    ]),
    guest('know', [target('s', 'create/first-lookup', { make: 'first' })]),
    host('replace', [rename('t', 's')]),
    guest('look', [
      watch([target('s', 'links/new-target', { make: 'first', replace: 'the second' })], setting),
    ]),
  ],
};

/** Targets that look odd, made by the guest: a target is text, whether or not it leads anywhere. */
const odd: readonly string[] = ['nowhere', '../..', ' a b\n', '"$HOME"', 'x/'.repeat(500), '\udcff\udc80'];
const guestSymlinks: Tale = {
  name: 'guest-symlinks',
  turns: () => {
    const looks = (by: string) => odd.map((each, index) => target(`s${index}`, by, { make: each }));
    return [
      guest(
        'make',
        odd.map((each, index) =>
          done(`making s${index}`, 'guest-rename/own', { do: 'symlink', path: `s${index}`, target: each }),
        ),
      ),
      host('look', looks('links/guest-target')),
      guest('own', looks('guest-rename/own')),
    ];
  },
};

/** Hard links and symbolic links: identity, count, targets. */
export default defineCheck({
  name: 'links',
  title: 'links to one file are one file on both sides, and a symbolic link leads where it was told to',
  codes: {
    ...taleCodes,
    'other-inode':
      'a name, a descriptor or a listing gave another inode number (or device) than the file has',
    'other-target': 'a symbolic link showed a target that is not its own',
  },
  ...told([oneFile, guestLinks, stable, targets, newTarget, guestSymlinks]),
});

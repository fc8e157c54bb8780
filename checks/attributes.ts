import { defineCheck, type Setting } from '../src/model/check.ts';
import type { StatField } from '../src/model/observation.ts';
import type { Operation, Stat } from '../src/model/operation.ts';
import { appended, file, hold } from './names/acts.ts';
import { taleCodes, told } from './names/judge.ts';
import { type AttributeOptions, attribute, done, encoded, stillSays, tells, xattr } from './names/looks.ts';
import { type Act, guest, host, type Look, type Tale, watch } from './names/tale.ts';
import { timeoutOf } from './promised/waiting.ts';

/**
 * Three files, which the guest asked about one after the other, so that their attributes run out one after the
 * other; then the host changes all of them, and the guest looks until it sees it:
 *
 * ```
 *  guest   a ─ 0.25 s ─ b ─ 0.25 s ─ c           a b c a b c a b c … a b c
 *  host                                change ─┘
 *  known   a ├──────────── 1 s ────────────┤     in mode auto, by the contract
 *          b              ├──────────── 1 s ────────────┤
 *          c                          ├──────────── 1 s ────────────┤
 * ```
 * What is old is seen until the end of these, and no longer: both ends of the window are looked at.
 */
const names = ['a', 'b', 'c'] as const;

const first = { mtimeNs: '1700000000123000000', atimeNs: '1700000000123000000' };
const second = { mtimeNs: '1700000456789000000', atimeNs: '1700000000123000000' };

/** The bytes of each file, before and after. */
const [shorter, longer] = ['12345', '123456789'];

interface Facet {
  readonly field: StatField;
  readonly by: string;
  readonly before: string;
  readonly after: string;
}

const others: readonly Facet[] = [
  { field: 'mtimeNs', by: 'host-touch/mtime', before: first.mtimeNs, after: second.mtimeNs },
  { field: 'mode', by: 'host-chmod/mode', before: '644', after: '600' },
  { field: 'nlink', by: 'host-link/count', before: '1', after: '2' },
];

/** The host appends, touches, changes the mode bits and makes a link. */
const grown: readonly Facet[] = [
  { field: 'size', by: 'host-append/size', before: '5', after: '9' },
  ...others,
];

/** The same with a cut in place of the append. */
const cut: readonly Facet[] = [
  { field: 'size', by: 'host-truncate/size', before: '9', after: '5' },
  ...others,
];

function looksAt(
  handle: string,
  facets: readonly Facet[],
  turn: string,
  options: AttributeOptions,
): readonly Look[] {
  return facets.map(({ field, by, before, after }) => ({
    ...attribute(field, handle, by, { make: before, [turn]: after }, options),
    alone: true,
    what: `${field}, by ${options.descriptor === true ? 'a kept descriptor' : 'path'}`,
  }));
}

function changed(name: string, bytes: Act): readonly Act[] {
  return [
    bytes,
    { do: 'chmod', path: name, mode: 0o600 },
    { do: 'link', path: name, to: `${name}-link` },
    { do: 'utimens', path: name, ...second },
  ];
}

const apart: Operation = { do: 'wait', ms: 250 };

/** @param options by path, or by a descriptor that the guest opened before. */
function hostChanges(name: string, facets: readonly Facet[], options: AttributeOptions): Tale {
  const grows = facets === grown;
  const ask = (each: string): Act =>
    options.descriptor === true ? { do: 'fstat', file: each } : { do: 'stat', path: each };
  return {
    name,
    turns: (setting) => [
      host('make', [
        ...names.flatMap((each): Act[] => [
          file(each, grows ? shorter : longer),
          { do: 'utimens', path: each, ...first },
        ]),
      ]),
      guest('ask', [
        ...(options.descriptor === true ? names.map((each) => hold(each)) : []),
        ...names.flatMap((each): Act[] =>
          // Where nothing runs out, or only tomorrow, there is nothing to be put apart.
          each === 'a' || timeoutOf(setting) !== 1000 ? [ask(each)] : [apart, ask(each)],
        ),
      ]),
      host('change', [
        ...names.flatMap((each) =>
          changed(each, grows ? appended(each, '6789') : { do: 'truncate', path: each, length: 5 }),
        ),
      ]),
      guest('look', [
        watch(
          names.flatMap((each) => looksAt(each, facets, 'change', options)),
          setting,
        ),
      ]),
      // Whatever is cached, and for however long: who asks the server gets its answer.
      guest('by-force', looksAt('a', facets, 'change', { ...options, sync: 'force' })),
    ],
  };
}

/** The other direction: a change is a request, answered before the call returns. */
const guestChanges: Tale = {
  name: 'guest-changes',
  turns: (setting) => {
    // 9p sets times in whole seconds.
    const touched = setting.mode?.server === '9p' ? { ...second, mtimeNs: '1700000457000000000' } : second;
    const own = (by: string, field: StatField, before: string, after: string, of = 'f') =>
      attribute(field, of, by, { make: before, change: after });
    return [
      host('make', [
        file('f', shorter),
        file('g', longer),
        { do: 'utimens', path: 'f', ...first },
        { do: 'utimens', path: 'g', ...first },
      ]),
      guest('ask', [
        { do: 'stat', path: 'f' },
        { do: 'stat', path: 'g' },
      ]),
      guest('change', [
        appended('f', '6789'),
        { do: 'chmod', path: 'f', mode: 0o600 },
        { do: 'link', path: 'f', to: 'f-link' },
        { do: 'utimens', path: 'f', ...touched },
        { do: 'truncate', path: 'g', length: 5 },
      ]),
      host('look', [
        watch(
          [
            own('guest-write/after-close', 'size', '5', '9'),
            own('guest-truncate/host', 'size', '9', '5', 'g'),
            own('guest-chmod/mode', 'mode', '644', '600'),
            own('guest-touch/mtime', 'mtimeNs', first.mtimeNs, touched.mtimeNs),
            own('guest-link/count', 'nlink', '1', '2'),
          ],
          setting,
        ),
      ]),
      guest('own', [
        own('guest-own/attributes', 'size', '5', '9'),
        own('guest-own/attributes', 'size', '9', '5', 'g'),
        own('guest-own/attributes', 'mode', '644', '600'),
        own('guest-own/attributes', 'mtimeNs', first.mtimeNs, touched.mtimeNs),
        own('guest-own/attributes', 'nlink', '1', '2'),
      ]),
    ];
  },
};

/** A write moves the mtime: caches elsewhere, and backups, go by that. */
const guestWrites: Tale = {
  name: 'guest-writes',
  turns: () => {
    const moved = (by: string, turn: string): Look =>
      tells(
        'the mtime of f',
        by,
        { make: 'as it was', [turn]: 'moved' },
        { do: 'stat', path: 'f' },
        (value) => ((value as Stat).mtimeNs === first.mtimeNs ? 'as it was' : 'moved'),
      );
    return [
      host('make', [file('f', longer), { do: 'utimens', path: 'f', ...first }]),
      guest('ask', [{ do: 'stat', path: 'f' }]),
      // In place, so that the size stays.
      guest('write', [
        { do: 'open', path: 'f', flags: ['wronly'], as: 'f' },
        { do: 'write', file: 'f', offset: 0, base64: encoded('NEW') },
        { do: 'close', file: 'f' },
      ]),
      host('look', [moved('guest-write/mtime-after-close', 'write')]),
      guest('own', [moved('guest-own/attributes', 'write')]),
    ];
  },
};

/** A page that is fetched moves the atime, so the stat after it asks again: an mtime is not old until a read. */
const readThenStat: Tale = {
  name: 'read-then-stat',
  turns: () => [
    host('make', [file('f', shorter), { do: 'utimens', path: 'f', ...first }]),
    guest('ask', [hold('f'), { do: 'fstat', file: 'f' }]),
    host('change', [{ do: 'utimens', path: 'f', ...second }]),
    guest('read', [
      stillSays('f', 'host-write/first-read', { make: shorter }),
      attribute(
        'mtimeNs',
        'f',
        'read-then-stat/mtime',
        { make: first.mtimeNs, change: second.mtimeNs },
        { descriptor: true },
      ),
    ]),
  ],
};

const attributeName = 'user.vfs-verify';

function setXattr(text: string): Operation {
  const base64 = Buffer.from(text).toString('base64');
  return { do: 'setxattr', path: 'f', name: attributeName, base64 };
}

/** virtiofsd knows extended attributes with --xattr alone; QEMU's 9p always does, and so does the host itself. */
function hasXattr({ mode }: Setting): boolean {
  const flags = mode?.flags ?? ['xattr'];
  return (
    mode?.server === '9p' ||
    mode?.server === 'local' ||
    ['xattr', 'posix-acl', 'security-label'].some((flag) => flags.includes(flag))
  );
}

/** Extended attributes: set, changed, removed by the host. */
const hostXattr: Tale = {
  name: 'xattr-from-host',
  turns: (setting) => {
    const seen = (states: Look['states']) => xattr('f', attributeName, 'host-xattr/value', states);
    const states = { make: 'one', change: 'two' };
    // A refusal is there at once, and is not waited for.
    if (!hasXattr(setting))
      return [host('make', [file('f', shorter), setXattr('one')]), guest('ask', [seen({ make: 'one' })])];
    return [
      host('make', [file('f', shorter), setXattr('one')]),
      guest('ask', [seen({ make: 'one' })]),
      host('change', [setXattr('two')]),
      guest('look', [watch([seen(states)], setting)]),
      host('remove', [{ do: 'removexattr', path: 'f', name: attributeName }]),
      guest('look-again', [watch([seen({ ...states, remove: 'none' })], setting)]),
    ];
  },
};

/** The same by the guest. Where the mode knows no extended attributes, it is refused, and nothing to look at. */
const guestXattr: Tale = {
  name: 'xattr-from-guest',
  turns: (setting) => {
    const by = 'guest-xattr/value';
    const set = (turn: string, text: string) =>
      guest(turn, [done(`setting ${attributeName}`, by, setXattr(text))]);
    if (!hasXattr(setting)) return [host('make', [file('f', shorter)]), set('set', 'one')];
    return [
      host('make', [file('f', shorter)]),
      set('set', 'one'),
      host('look', [xattr('f', attributeName, by, { make: 'none', set: 'one' })]),
      set('change', 'two'),
      host('look-again', [xattr('f', attributeName, by, { make: 'none', set: 'one', change: 'two' })]),
      guest('own', [xattr('f', attributeName, by, { make: 'none', set: 'one', change: 'two' })]),
      guest('remove', [
        done(`removing ${attributeName}`, by, { do: 'removexattr', path: 'f', name: attributeName }),
      ]),
      host('look-at-none', [
        xattr('f', attributeName, by, { make: 'none', set: 'one', change: 'two', remove: 'none' }),
      ]),
    ];
  },
};

/** Attributes: what one side changes the other sees as soon as the mode promises; how soon is measured. */
export default defineCheck({
  name: 'attributes',
  title: 'size, times, mode, link count and extended attributes are seen on the other side within the bound',
  codes: taleCodes,
  ...told([
    hostChanges('host-by-path', grown, {}),
    hostChanges('host-by-descriptor', cut, { descriptor: true }),
    guestChanges,
    guestWrites,
    readThenStat,
    hostXattr,
    guestXattr,
  ]),
});

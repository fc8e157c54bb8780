import type { EventsResult, Operation, WatchEvent } from '../../src/model/operation.ts';

/** One thing done in a watched directory, and the events that a local file system makes of it, in order. */
export interface Act {
  readonly words: string;
  readonly ops: readonly Operation[];
  readonly makes: readonly Expected[];
}

interface Expected {
  readonly name: string;
  readonly event: WatchEvent;
}

export const directory = 'd';

function at(name: string): string {
  return `${directory}/${name}`;
}

function expected(event: WatchEvent, name: string): Expected {
  return { event, name };
}

const file = (name: string): readonly Operation[] => [
  { do: 'open', path: at(name), flags: ['creat', 'excl', 'wronly'], mode: 0o666, as: name },
  { do: 'write', file: name, offset: 0, base64: Buffer.alloc(300, 'o').toString('base64') },
  { do: 'close', file: name },
];

/** What is there before the watch begins. */
export const prepared: readonly Operation[] = [
  { do: 'mkdir', path: directory },
  { do: 'mkdir', path: at('emptied') },
  ...['moved', 'over', 'replaced', 'removed', 'moded', 'timed', 'cut', 'linked'].flatMap(file),
];

/** Everything that can be done to names and attributes. */
export const nameActs: readonly Act[] = [
  {
    words: 'creating a file',
    ops: [
      { do: 'open', path: at('made'), flags: ['creat', 'excl', 'wronly'], mode: 0o666, as: 'made' },
      { do: 'close', file: 'made' },
    ],
    makes: [expected('create', 'made')],
  },
  {
    words: 'making a directory',
    ops: [{ do: 'mkdir', path: at('sub') }],
    makes: [expected('create', 'sub')],
  },
  {
    words: 'making a symbolic link',
    ops: [{ do: 'symlink', target: 'made', path: at('symbolic') }],
    makes: [expected('create', 'symbolic')],
  },
  {
    words: 'making a hard link',
    ops: [{ do: 'link', path: at('linked'), to: at('hard') }],
    makes: [expected('create', 'hard')],
  },
  {
    words: 'renaming',
    ops: [{ do: 'rename', path: at('moved'), to: at('renamed') }],
    makes: [expected('moved-from', 'moved'), expected('moved-to', 'renamed')],
  },
  {
    words: 'renaming over another file',
    ops: [{ do: 'rename', path: at('over'), to: at('replaced') }],
    makes: [expected('moved-from', 'over'), expected('moved-to', 'replaced')],
  },
  {
    words: 'changing the mode',
    ops: [{ do: 'chmod', path: at('moded'), mode: 0o640 }],
    makes: [expected('attrib', 'moded')],
  },
  {
    words: 'setting the time',
    ops: [
      { do: 'utimens', path: at('timed'), atimeNs: '1600000000000000000', mtimeNs: '1600000000000000000' },
    ],
    makes: [expected('attrib', 'timed')],
  },
  {
    words: 'cutting',
    ops: [{ do: 'truncate', path: at('cut'), length: 10 }],
    makes: [expected('modify', 'cut')],
  },
  {
    words: 'removing a file',
    ops: [{ do: 'unlink', path: at('removed') }],
    makes: [expected('delete', 'removed')],
  },
  {
    words: 'removing a directory',
    ops: [{ do: 'rmdir', path: at('emptied') }],
    makes: [expected('delete', 'emptied')],
  },
];

/** Files that are written to, each in a way of its own, and held open until `closes`. */
const written = ['whole', 'appended', 'vectored', 'direct', 'truncated', 'allocated'] as const;

export const writtenPrepared: readonly Operation[] = [
  { do: 'mkdir', path: directory },
  ...written.flatMap((name): readonly Operation[] => [
    { do: 'open', path: at(name), flags: ['creat', 'excl', 'wronly'], mode: 0o666, as: name },
    { do: 'write', file: name, offset: 0, base64: Buffer.alloc(8192, 'o').toString('base64') },
    { do: 'close', file: name },
  ]),
];

const text = Buffer.alloc(4096, 'n').toString('base64');

function writing(name: (typeof written)[number]): readonly Operation[] {
  const open = (...flags: readonly ('append' | 'direct' | 'trunc')[]): Operation => ({
    do: 'open',
    path: at(name),
    flags: ['rdwr', ...flags],
    as: name,
  });
  switch (name) {
    case 'whole':
      return [open(), { do: 'write', file: name, offset: 0, base64: text }];
    case 'appended':
      return [open('append'), { do: 'write', file: name, base64: text }];
    case 'vectored':
      return [open(), { do: 'write', file: name, offset: 0, base64: text, how: 'vectored' }];
    case 'direct':
      return [open('direct'), { do: 'write', file: name, offset: 0, base64: text }];
    case 'truncated':
      return [open('trunc')];
    case 'allocated':
      return [open(), { do: 'fallocate', file: name, offset: 0, length: 16_384 }];
  }
}

export const writeActs: readonly Act[] = written.map((name) => ({
  words: `writing (${name})`,
  ops: writing(name),
  makes: [expected('modify', name)],
}));

export const writeCloses: readonly Operation[] = written.map((name) => ({ do: 'close', file: name }));

/** What one side of a watch does in order, as one list. */
export function opsOf(acts: readonly Act[]): readonly Operation[] {
  return acts.flatMap(({ ops }) => ops);
}

/** Held against the events that came. */
export interface Account {
  /** Nothing of it came at all. */
  readonly missing: readonly Missing[];
  /** The name had an event, of another kind. */
  readonly otherKind: readonly Missing[];
  /** It came, but before something that was done earlier. */
  readonly disordered: readonly Missing[];
  /** A moved-from and its moved-to that say that they do not belong together. */
  readonly apart: readonly string[];
  /** Names that came or went without anybody's doing, as `create name`. */
  readonly unasked: readonly string[];
}

export interface Missing extends Expected {
  readonly words: string;
  /** What the name had instead. */
  readonly instead: readonly string[];
}

/** Writing, and looking, has side effects on files; on names only what is asked for has one. */
const changesNames: ReadonlySet<string> = new Set(['create', 'delete', 'moved-from', 'moved-to']);

/** Which of the events that had to come did, and in which order. */
export function accountOf(acts: readonly Act[], { events }: Pick<EventsResult, 'events'>): Account {
  const [missing, otherKind, disordered]: Missing[][] = [[], [], []];
  const apart: string[] = [];
  let latest = -1;
  for (const { words, makes } of acts) {
    const places = makes.map(({ event, name }) =>
      events.findIndex((each) => each.name === name && each.mask.includes(event)),
    );
    for (const [index, { event, name }] of makes.entries()) {
      const place = places[index] ?? -1;
      const instead = events.filter((each) => each.name === name).map(({ mask }) => mask.join('+'));
      const one = { words, event, name, instead };
      if (place < 0) (instead.length > 0 ? otherKind : missing)?.push(one);
      else if (place < latest) disordered?.push(one);
      else latest = place;
    }
    const cookies = places.map((place) => (place < 0 ? undefined : events[place]?.cookie));
    const moves = makes.length === 2 && cookies.every((cookie) => cookie !== undefined);
    if (moves && cookies[0] !== cookies[1]) apart.push(words);
  }
  const asked = new Set(acts.flatMap(({ makes }) => makes).map(({ event, name }) => `${event} ${name}`));
  const unasked = events.flatMap(({ mask, name }) =>
    mask.filter((event) => changesNames.has(event)).map((event) => `${event} ${name ?? ''}`),
  );
  return {
    unasked: unasked.filter((each) => !asked.has(each)),
    missing: missing ?? [],
    otherKind: otherKind ?? [],
    disordered: disordered ?? [],
    apart,
  };
}

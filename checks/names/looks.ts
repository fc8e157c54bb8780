import type { Look as Observed, Seen, StatField, Until } from '../../src/model/observation.ts';
import type { Operation, Stat } from '../../src/model/operation.ts';
import type { Answer, Earlier, Look } from './tale.ts';

/** What was true, by the turn since which it was. */
type States = Look['states'];

/** A look that the probe makes by itself, once or again and again. */
function look(
  of: string,
  by: string,
  states: States,
  see: Observed,
  shows: (seen: Seen) => string | undefined,
  until?: Until,
): Look {
  return {
    of,
    by,
    states,
    op: { do: 'observe', looks: [see], limitMs: 0 },
    shows: (answer) => shows(answer.kind === 'value' ? (answer.value as Seen) : seenOf(answer)),
    ...(until === undefined ? {} : { until }),
  };
}

function seenOf({ errno, call }: Extract<Answer, { kind: 'refused' }>): Seen {
  return { errno, call };
}

function last(states: States): string {
  return Object.values(states).at(-1) ?? '';
}

/** Whether a name is there: `there` or `absent`, by lstat. */
export function exists(path: string, by: string, states: States): Look {
  return look(
    `${path} by lstat`,
    by,
    states,
    { see: 'name', path },
    ({ exists: is }) => (is === undefined ? undefined : is === true ? 'there' : 'absent'),
    { is: { exists: last(states) === 'there' } },
  );
}

/** The same by the listing of its directory. */
export function listed(directory: string, name: string, by: string, states: States): Look {
  return look(
    `${name} in the listing`,
    by,
    states,
    { see: 'listed', path: directory, name },
    // A directory that has been removed lists nothing, and says so with ENOENT.
    ({ listed: is, errno }) =>
      is === true ? 'there' : is === false || errno === 'ENOENT' ? 'absent' : undefined,
    { is: { listed: last(states) === 'there' } },
  );
}

/** What a file says that is opened, read and closed: its text, or `absent`. */
export function says(path: string, by: string, states: States): Look {
  const text = last(states);
  return look(
    `${path} by open`,
    by,
    states,
    { see: 'content', path, offset: 0, length: 4096 },
    textOf,
    text === 'absent' ? { is: { errno: 'ENOENT' } } : { is: { base64: encoded(text) } },
  );
}

/** What a file says that is open already. */
export function stillSays(handle: string, by: string, states: States): Look {
  return look(
    `${handle} by its descriptor`,
    by,
    states,
    { see: 'read', file: handle, offset: 0, length: 4096 },
    textOf,
    { is: { base64: encoded(last(states)) } },
  );
}

/** What a mapping says, up to the first zero; `SIGBUS` where nothing is behind it. */
export function mapSays(map: string, length: number, by: string, states: States): Look {
  return look(`${map} by a mapping`, by, states, { see: 'load', map, offset: 0, length }, (seen) =>
    seen.signal === undefined ? textOf(seen)?.replace(/\0+$/, '') : String(seen.signal),
  );
}

function textOf({ errno, base64 }: Seen): string | undefined {
  if (errno === 'ENOENT') return 'absent';
  return base64 === undefined ? undefined : Buffer.from(String(base64), 'base64').toString('latin1');
}

export function encoded(text: string): string {
  return Buffer.from(text, 'latin1').toString('base64');
}

/** One attribute, in words. `sync: 'force'` asks the server whatever is cached. */
export interface AttributeOptions {
  readonly sync?: 'force';
  /** By a descriptor that is open already, instead of by its path. */
  readonly descriptor?: boolean;
}

/** `size 12`, `mode 644` and so on, for comparison as they are: numbers in decimal, permissions in octal. */
export function attribute(
  field: StatField,
  of: string,
  by: string,
  states: States,
  { sync, descriptor }: AttributeOptions = {},
): Look {
  const rest = { fields: [field], ...(sync === undefined ? {} : { sync }) };
  const how = `${descriptor === true ? 'fstat' : 'stat'}${sync === undefined ? '' : ' by force'}`;
  const made = look(
    `${field} of ${of} by ${how}`,
    by,
    states,
    descriptor === true ? { see: 'fstat', file: of, ...rest } : { see: 'stat', path: of, ...rest },
    (seen) => attributeWord(field, seen),
    { is: { [field]: attributeValue(field, last(states)) } },
  );
  return sync === 'force' ? { ...made, asksAnew: true } : made;
}

function attributeWord(field: StatField, seen: Seen): string | undefined {
  if (seen.errno === 'ENOENT') return 'absent';
  const value = seen[field];
  if (value === undefined) return undefined;
  return field === 'mode' ? (Number(value) & 0o7777).toString(8) : String(value);
}

function attributeValue(field: StatField, word: string): string | number {
  if (field === 'mode') return Number.parseInt(word, 8);
  const isNumber = field === 'size' || field === 'nlink' || field === 'uid' || field === 'gid';
  return isNumber ? Number(word) : word;
}

/** An extended attribute's text; `none` where it has none of that name. */
export function xattr(path: string, name: string, by: string, states: States): Look {
  const text = last(states);
  return look(
    `${name} of ${path}`,
    by,
    states,
    { see: 'getxattr', path, name },
    (seen) => (seen.errno === 'ENODATA' ? 'none' : textOf(seen)),
    text === 'none' ? { is: { errno: 'ENODATA' } } : { is: { base64: encoded(text) } },
  );
}

/** The target of a symbolic link, or `absent`. */
export function target(path: string, by: string, states: States): Look {
  return look(
    `the target of ${path}`,
    by,
    states,
    { see: 'readlink', path },
    ({ errno, target: to }) => (errno === 'ENOENT' ? 'absent' : to === undefined ? undefined : String(to)),
    { is: { target: last(states) } },
  );
}

/** Whether something can be done at all: `done`, or what its refusal is taken for. */
export function done(
  of: string,
  by: string,
  op: Operation,
  states: States = { '': 'done' },
  refusals: Readonly<Record<string, string>> = {},
): Look {
  return {
    of,
    by,
    states,
    op,
    shows: (answer) => (answer.kind === 'value' ? 'done' : refusals[answer.errno]),
  };
}

/** Something else that an operation says, in words. */
export function tells(
  of: string,
  by: string,
  states: States,
  op: Operation,
  words: (value: unknown, earlier: Earlier) => string | undefined,
): Look {
  return {
    of,
    by,
    states,
    op,
    shows: (answer, earlier) => (answer.kind === 'value' ? words(answer.value, earlier) : undefined),
  };
}

/** All names of a directory that an actor holds open, from its beginning, in alphabetical order. */
export function namesIn(handle: string, by: string, states: States): readonly [Operation, Look] {
  return [
    { do: 'seek', file: handle, offset: 0, whence: 'set' },
    tells(`the names in ${handle} by its descriptor`, by, states, { do: 'entries', file: handle }, (value) =>
      (value as { readonly entries: readonly { readonly name: string }[] }).entries
        .map(({ name }) => name)
        .filter((name) => name !== '.' && name !== '..')
        .sort()
        .join(' '),
    ),
  ];
}

/** An attribute of an open file, by fstat, in the words of `attribute`. */
export function fstatOf(handle: string, words: (stat: Stat) => string, by: string, states: States): Look {
  return tells(`${handle} by fstat`, by, states, { do: 'fstat', file: handle }, (value) =>
    words(value as Stat),
  );
}

import type { Setting, Step } from '../../model/check.ts';
import type { Operation } from '../../model/operation.ts';
import type { Bundle, CaseRecord } from '../bundle.ts';
import { redactedContents } from './contents.ts';
import type { Pseudonyms } from './pseudonyms.ts';
import { scrubbed } from './text.ts';

/** Keys whose strings are paths or names of files. */
const pathKeys = new Set([
  'path',
  'hostPath',
  'guestPath',
  'root',
  'to',
  'target',
  'name',
  'names',
  'expected',
]);
/** Keys whose strings the kernel or the probe made, and the form that they have. */
const ownForms: Readonly<Record<string, RegExp>> = {
  errno: /^E[A-Z0-9]+$/,
  refusal: /^E[A-Z0-9]+$/,
  error: /^E[A-Z0-9]+$/,
  call: /^[a-z0-9_]+$/,
  signal: /^SIG[A-Z0-9]+$/,
  where: /^[a-z0-9_.]+$/,
  state: /^[A-Z]$/,
};
/** What the kernel says of a process, or of itself. */
const ofProcess = /^\/(?:proc\/(?:self|\d+)\/[a-z]+|proc\/[a-z]+|sys\/[a-z/_]+)$/;
const hexDigest = /^(?:[0-9a-f]{32}|[0-9a-f]{40}|[0-9a-f]{64}|[0-9a-f]{16})$/;

/** How a bundle's strings are told apart. */
export interface Redaction {
  readonly names: Pseudonyms;
  /** Words of the program's own, in lower case. */
  readonly words: ReadonlySet<string>;
  /** Whether a check of this name is the package's own: what its steps say is then nobody's secret. */
  isOwnCheck(name: string): boolean;
}

/** The components of all paths in a bundle's JSON or in an item of its bulk results. */
export function* namesIn(value: unknown, key = ''): Generator<string> {
  if (typeof value === 'string') {
    if (pathKeys.has(key) || value.startsWith('/')) yield* value.split('/').filter((name) => name !== '');
  } else if (Array.isArray(value)) for (const each of value) yield* namesIn(each, key);
  else if (typeof value === 'object' && value !== null)
    for (const [inner, each] of Object.entries(value)) yield* namesIn(each, inner);
}

/** A bundle without names, contents and addresses of its user's. Its judge finds the same in it. */
export function redactedBundle(bundle: Bundle, redaction: Redaction): Bundle {
  const { setting, cases } = bundle;
  return {
    ...bundle,
    check: redaction.isOwnCheck(bundle.check)
      ? bundle.check
      : redactionOf(redaction, setting).text(bundle.check),
    setting: redactionOf(redaction, setting).value(setting) as Setting,
    cases: cases.map((record) => redactedCase(record, redactionFor(bundle, record, redaction))),
  };
}

/** One item of a step's bulk results. */
export function redactedItem(
  item: unknown,
  bundle: Bundle,
  record: CaseRecord,
  redaction: Redaction,
): unknown {
  return redactionFor(bundle, record, redaction).value(item);
}

function redactionFor(bundle: Bundle, record: CaseRecord, redaction: Redaction): Redactor {
  const isOwn = redaction.isOwnCheck(bundle.check) && record.case.inPlace !== true;
  return redactionOf(redaction, record.setting ?? bundle.setting, isOwn ? record.steps : undefined);
}

function redactedCase(record: CaseRecord, redactor: Redactor): CaseRecord {
  const procFiles = filesOfProc(record.steps);
  const outcomes = Object.fromEntries(
    record.steps.flatMap(({ id, op }) => {
      const outcome = record.outcomes[id];
      return outcome === undefined ? [] : [[id, redactor.outcome(outcome, op, procFiles)]];
    }),
  ) as CaseRecord['outcomes'];
  const { steps, bulk, durationMs, ...rest } = record;
  return {
    ...(redactor.value({ ...rest, outcomes: undefined }) as CaseRecord),
    steps: redactor.value(steps) as readonly Step[],
    outcomes,
    bulk,
    durationMs,
  };
}

/** Names under which a case's actors hold files of /proc: what is read from them is text. */
function filesOfProc(steps: readonly Step[]): ReadonlySet<string> {
  const opened = steps.flatMap(({ op }) => (op.do === 'many' ? op.list : [op]));
  return new Set(opened.flatMap((op) => (op.do === 'open' && op.path.startsWith('/proc/') ? [op.as] : [])));
}

interface Redactor {
  text(text: string): string;
  value(value: unknown, key?: string): unknown;
  outcome(outcome: unknown, op: Operation, procFiles: ReadonlySet<string>): unknown;
}

/** @param steps a check's own steps: their strings may stay as they are. */
function redactionOf({ names, words }: Redaction, setting: Setting, steps?: readonly Step[]): Redactor {
  const planned = steps === undefined ? undefined : stringsOf(steps);
  const roots = Object.values(setting.views).map(({ root }) => root);
  // Most strings are the same few words again and again.
  const seen = new Map<string, string>();
  const text = (given: string) => {
    const done = seen.get(given) ?? scrubbed(given, names, (word) => words.has(word));
    if (given.length < 100) seen.set(given, done);
    return done;
  };
  const absolute = (given: string) => {
    if (ofProcess.test(given)) return given;
    const root = roots.find((each) => given === each || given.startsWith(`${each}/`));
    return root === undefined ? names.path(given) : names.path(root) + path(given.slice(root.length));
  };
  const path = (given: string) =>
    planned === undefined
      ? names.path(given)
      : given
          .split('/')
          .map((part) =>
            planned.parts.has(part) || isCounted(part, planned.parts) ? part : names.path(part),
          )
          .join('/');

  const string = (given: string, key: string): string => {
    if (ownForms[key]?.test(given)) return given;
    if (key === 'base64') return encoded(Buffer.from(given, 'base64'));
    if (planned?.whole.has(given) && !given.startsWith('/')) return given;
    if (given.startsWith('/')) return absolute(given);
    if (pathKeys.has(key) && !hexDigest.test(given)) return path(given);
    if (hexDigest.test(given)) return planned === undefined || key === 'fsid' ? names.digest(given) : given;
    return text(given);
  };
  const encoded = (bytes: Buffer): string =>
    Buffer.from(
      planned === undefined ? names.bytes(bytes) : redactedContents(bytes, planned.written, names),
    ).toString('base64');

  const value = (given: unknown, key = ''): unknown => {
    if (typeof given === 'string') return string(given, key);
    if (Array.isArray(given)) return given.map((each) => value(each, key));
    if (typeof given !== 'object' || given === null) return given;
    // A bulk item of `hash`: digests of 16 bytes each, one behind the other.
    if ('from' in given && 'base64' in given && planned === undefined)
      return { ...given, base64: blockDigests(String(given.base64), names) };
    return Object.fromEntries(Object.entries(given).map(([inner, each]) => [inner, value(each, inner)]));
  };

  const outcome = (given: unknown, op: Operation, procFiles: ReadonlySet<string>): unknown => {
    if (op.do === 'read' && procFiles.has(op.file)) return readableText(given, text);
    if (op.do !== 'many' || typeof given !== 'object' || given === null) return value(given);
    const { value: result, ...rest } = given as { value?: { values?: readonly unknown[] } };
    if (result?.values === undefined) return value(given);
    const values = result.values.map((each, index) => outcome(each, op.list[index] ?? op, procFiles));
    return {
      ...(value(rest) as object),
      value: { ...(value({ ...result, values: [] }) as object), values },
    };
  };
  return { text, value, outcome };
}

/** What the steps of a check say: its strings, the parts of its paths, and the bytes that it writes. */
function stringsOf(steps: readonly Step[]) {
  const whole = new Set<string>();
  const parts = new Set<string>();
  const written: Uint8Array[] = [];
  const visit = (value: unknown, key: string): void => {
    if (typeof value === 'string') {
      if (key === 'base64') written.push(Buffer.from(value, 'base64'));
      whole.add(value);
      for (const part of value.split('/')) parts.add(part);
    } else if (Array.isArray(value)) for (const each of value) visit(each, key);
    else if (typeof value === 'object' && value !== null)
      for (const [inner, each] of Object.entries(value)) visit(each, inner);
  };
  visit(steps, '');
  return { whole, parts, written };
}

/** `n00012` of a step that makes thousands of names beginning with `n`. */
function isCounted(name: string, parts: ReadonlySet<string>): boolean {
  const stem = /^(.*?)\d+$/.exec(name)?.[1];
  return stem !== undefined && parts.has(stem);
}

/** The contents of a file of /proc, which is text. */
function readableText(given: unknown, text: (given: string) => string): unknown {
  if (typeof given !== 'object' || given === null) return given;
  return Object.fromEntries(
    Object.entries(given).map(([key, each]) => {
      if (key === 'value') return [key, readableText(each, text)];
      if (key !== 'base64' || typeof each !== 'string') return [key, each];
      const plain = Buffer.from(each, 'base64').toString('latin1');
      return [key, Buffer.from(plain.split('\n').map(text).join('\n'), 'utf8').toString('base64')];
    }),
  );
}

function blockDigests(base64: string, names: Pseudonyms): string {
  const digests = Buffer.from(base64, 'base64');
  const told: Buffer[] = [];
  for (let at = 0; at < digests.length; at += 16) told.push(names.bytes(digests.subarray(at, at + 16)));
  return Buffer.concat(told).toString('base64');
}

import type { Step } from '../../model/check.ts';
import { redactedContents } from './contents.ts';
import type { Pseudonyms } from './pseudonyms.ts';
import { scrubbed } from './text.ts';

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
const ofSystem = /^\/(?:proc\/(?:self|\d+)\/[a-z]+|proc\/[a-z]+|sys\/[a-z/_]+)$/;
const hexDigest = /^(?:[0-9a-f]{16}|[0-9a-f]{32}|[0-9a-f]{40}|[0-9a-f]{64})$/;
/** A name with so few letters in it is one that a check has made. */
const fewLetters = 3;

/** What the strings of one case are replaced by. */
export interface StringRedactor {
  /** Free text. */
  text(given: string): string;
  /**
   * A string somewhere in the JSON of a bundle.
   * @param key its own, or that of the list that it is in. @param paths keys whose strings are paths.
   */
  string(given: string, key: string, paths: ReadonlySet<string>): string;
}

/** What the steps of a check of the package's own say: it may stay, wherever it stands. */
export interface Planned {
  readonly strings: ReadonlySet<string>;
  /** The components of its paths. */
  readonly names: ReadonlySet<string>;
  /** What it writes in so many words. */
  readonly written: readonly Uint8Array[];
}

export function plannedBy(steps: readonly Step[]): Planned {
  const strings = new Set<string>();
  const names = new Set<string>();
  const written: Uint8Array[] = [];
  const visit = (value: unknown, key: string): void => {
    if (typeof value === 'string') {
      if (key === 'base64') written.push(Buffer.from(value, 'base64'));
      strings.add(value);
      for (const name of value.split('/')) names.add(name);
    } else if (Array.isArray(value)) for (const each of value) visit(each, key);
    else if (typeof value === 'object' && value !== null)
      for (const [inner, each] of Object.entries(value)) visit(each, inner);
  };
  visit(steps, '');
  return { strings, names, written };
}

/**
 * @param words that may stay in free text, in lower case. @param roots of the case's views.
 * @param planned undefined for a case that looks at the user's own files, and for a check of the user's own.
 */
export function stringRedactor(
  names: Pseudonyms,
  words: ReadonlySet<string>,
  roots: readonly string[],
  planned: Planned | undefined,
): StringRedactor {
  // Most strings are the same few words again and again.
  const seen = new Map<string, string>();
  const text = (given: string) => {
    const done = seen.get(given) ?? scrubbed(given, names, (word) => words.has(word));
    if (given.length < 100) seen.set(given, done);
    return done;
  };
  const isMade = (name: string) =>
    planned !== undefined &&
    (planned.names.has(name) ||
      (/^[a-z]*\d[a-z\d-]*$/.test(name) && name.replaceAll(/[^a-z]/g, '').length <= fewLetters));
  const relative = (given: string) =>
    given
      .split('/')
      .map((name) => (isMade(name) ? name : names.name(name)))
      .join('/');
  const absolute = (given: string) => {
    const root = roots.find((each) => given === each || given.startsWith(`${each}/`));
    if (root !== undefined) return names.path(root) + relative(given.slice(root.length));
    // A check's own place outside the share: its control in /tmp.
    return planned?.strings.has(given) === true ? given : names.path(given);
  };
  const contents = (bytes: Uint8Array) =>
    planned === undefined ? names.bytes(bytes) : redactedContents(bytes, planned.written, names);

  const string: StringRedactor['string'] = (given, key, paths) => {
    if (ownForms[key]?.test(given) || ofSystem.test(given)) return given;
    if (key === 'base64') return Buffer.from(contents(Buffer.from(given, 'base64'))).toString('base64');
    if (given.startsWith('/')) return absolute(given);
    if (planned?.strings.has(given)) return given;
    if (hexDigest.test(given) && (planned === undefined || key === 'fsid')) return names.digest(given);
    if (paths.has(key)) return relative(given);
    return hexDigest.test(given) ? given : text(given);
  };
  return { text, string };
}

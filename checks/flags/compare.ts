import type { Stat } from '../../src/model/operation.ts';

/** One difference from what a local file system did. */
export interface Difference {
  readonly code: 'refused' | 'not-refused' | 'other-errno' | 'other-flags' | 'other-bytes' | 'other-name';
  readonly words: string;
}

/** A refusal, or the value of an operation. */
type Answer = { readonly errno: string } | { readonly value: unknown };

/** Refusals that say that a machine is short of something, or who may do what: nothing about open flags. */
const operating = new Set([
  'EIO',
  'ENOSPC',
  'EDQUOT',
  'ENOMEM',
  'EMFILE',
  'ENFILE',
  'EROFS',
  'ENOTCONN',
  'EACCES',
  'EPERM',
  'ETXTBSY',
]);

function answerOf(value: unknown): Answer {
  const errno = (value as { readonly errno?: unknown } | null)?.errno;
  return typeof errno === 'string' ? { errno } : { value };
}

/** An operating failure in any of these answers, in words. */
export function operatingIn(values: readonly unknown[]): string | undefined {
  for (const value of values) {
    const answer = answerOf(value);
    if ('errno' in answer && operating.has(answer.errno)) return answer.errno;
  }
  return undefined;
}

/**
 * Holds what came of an open and its uses against what came of the same on a local file system.
 * @param names of the operations, for words. Both lists are as long as that.
 * @param excused refusals that the contract permits instead.
 */
export function differenceOf(
  names: readonly string[],
  found: readonly unknown[],
  local: readonly unknown[],
  excused: readonly string[],
): Difference | undefined {
  for (const [index, name] of names.entries()) {
    const [one, other] = [answerOf(found[index]), answerOf(local[index])];
    if ('errno' in one) {
      if ('errno' in other && one.errno === other.errno) continue;
      if (excused.includes(one.errno)) return undefined;
      return 'errno' in other
        ? { code: 'other-errno', words: `${name} failed with ${one.errno}, locally with ${other.errno}` }
        : { code: 'refused', words: `${name} failed with ${one.errno}, and locally it does not` };
    }
    if ('errno' in other)
      return { code: 'not-refused', words: `${name} did not fail, and locally it does with ${other.errno}` };
    const difference = valueDifference(name, one.value, other.value);
    if (difference !== undefined) return difference;
  }
  return undefined;
}

function valueDifference(name: string, found: unknown, local: unknown): Difference | undefined {
  switch (name) {
    case 'flags': {
      const [one, other] = [flagsIn(found), flagsIn(local)];
      if (one === other) return undefined;
      return { code: 'other-flags', words: `F_GETFL says ${one}, locally ${other}` };
    }
    case 'write': {
      const [one, other] = [bytesIn(found), bytesIn(local)];
      if (one === other) return undefined;
      return { code: 'other-bytes', words: `${one} bytes were written, locally ${other}` };
    }
    case 'read':
    case 'bytes': {
      const [one, other] = [textIn(found), textIn(local)];
      if (one === other) return undefined;
      const what = name === 'read' ? 'a read shows' : 'afterwards the host reads';
      return { code: 'other-bytes', words: `${what} ${one}, locally ${other}` };
    }
    case 'type': {
      const [one, other] = [nameIn(found), nameIn(local)];
      if (one === other) return undefined;
      return { code: 'other-name', words: `afterwards it is ${one}, locally ${other}` };
    }
    default:
      return undefined;
  }
}

/** Of the flags that a descriptor keeps; O_DIRECT is a matter of its own. */
const kept = ['rdonly', 'wronly', 'rdwr', 'append', 'dsync', 'sync', 'noatime', 'path', 'nonblock'];

function flagsIn(value: unknown): string {
  const { flags } = value as { readonly flags: readonly string[] };
  return kept.filter((flag) => flags.includes(flag)).join('|');
}

function bytesIn(value: unknown): number {
  return (value as { readonly bytes: number }).bytes;
}

/** `64 × n, 128 × o`. */
function textIn(value: unknown): string {
  const text = Buffer.from((value as { readonly base64: string }).base64, 'base64').toString('latin1');
  const runs = text.match(/(.)\1*/gs) ?? [];
  const words = runs.map((run) => `${run.length} × ${/^[a-z]/.test(run) ? run[0] : JSON.stringify(run[0])}`);
  return words.length === 0 ? 'nothing' : words.slice(0, 6).join(', ');
}

function nameIn(value: unknown): string {
  const { type, size, mode } = value as Stat;
  const permissions = (mode & 0o7777).toString(8);
  if (type === 'file') return `a file of ${size} bytes with mode ${permissions}`;
  return type === 'directory' ? `a directory with mode ${permissions}` : `a ${type}`;
}

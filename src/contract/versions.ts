import type { VersionRange } from './row.ts';

/** The numbers of a version: `6.12.107+deb13-amd64` is [6, 12, 107]. Undefined where the text begins with none. */
export function versionNumbers(text: string | undefined): readonly number[] | undefined {
  const match = /^v?(\d+(?:\.\d+)*)/.exec(text?.trim() ?? '');
  return match?.[1]?.split('.').map(Number);
}

/** Whether a version lies in a range; undefined where the version is not known. */
export function isWithin(text: string | undefined, range: VersionRange): boolean | undefined {
  const version = versionNumbers(text);
  if (version === undefined) return undefined;
  const from = versionNumbers(range.from);
  const before = versionNumbers(range.before);
  return (
    (from === undefined || compare(version, from) >= 0) &&
    (before === undefined || compare(version, before) < 0)
  );
}

/** A range in words: `from 6.6`, `before 6.4`, `6.4 to 7.2` (the last one not included). */
export function describeRange({ from, before }: VersionRange): string {
  if (from === undefined) return before === undefined ? 'any version' : `before ${before}`;
  return before === undefined ? `from ${from}` : `from ${from}, before ${before}`;
}

function compare(a: readonly number[], b: readonly number[]): number {
  for (let i = 0; i < Math.max(a.length, b.length); i += 1) {
    const difference = (a[i] ?? 0) - (b[i] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}

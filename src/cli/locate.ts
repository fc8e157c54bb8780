import path from 'node:path';
import { KnownError } from '../model/error.ts';
import { describeOutcome } from '../model/outcome.ts';
import type { Verdict } from '../model/verdict.ts';
import { type LocatedPath, locatePath } from '../share/share.ts';
import type { Sides } from './sides.ts';

/**
 * The path's share and its name on both sides, or why it cannot be told. Links are resolved by the guest
 * (without opening the file), so that both sides look at the same name; a path that the guest does not have
 * is taken as it is written.
 */
export async function locate(given: string, timeoutMs: number, sides: Sides): Promise<LocatedPath | Verdict> {
  const written = path.posix.normalize(given).replace(/(.)\/$/, '$1');
  const outcome = await sides.guest.session.request(
    'resolve',
    { do: 'resolve', path: written },
    { root: '/', limitMs: Math.max(timeoutMs, 5000), limitName: '--timeout' },
  );
  if (outcome.kind === 'stuck') {
    const pid = outcome.pid === undefined ? '' : ` (process ${outcome.pid})`;
    return {
      kind: 'unknown',
      code: 'stuck',
      reason: `the guest: looking up the path gave ${describeOutcome(outcome)}`,
      ...(outcome.killed === true
        ? {}
        : {
            observed: `The process that looked it up${pid} cannot be killed; only a reboot of the guest ends it.`,
          }),
      next: 'see whether the daemon of this share still runs; reboot the guest if not, then repeat',
    };
  }
  const found = outcome.kind === 'value' ? (outcome.value as { path: string }).path : written;
  try {
    return locatePath(found, sides.shares, sides.mounts);
  } catch (error) {
    if (!(error instanceof KnownError)) throw error;
    const via = found === written ? '' : ` (${written} leads there)`;
    return { kind: 'unknown', code: error.code, reason: `${error.message}${via}`, next: error.cure };
  }
}

/** @throws KnownError `bad-path` for a path that is not absolute. */
export function checkPaths(paths: readonly string[]): void {
  const relative = paths.find((each) => !each.startsWith('/'));
  if (relative !== undefined)
    throw new KnownError(
      'bad-path',
      `"${relative}" is not an absolute path`,
      'Name the path as the guest sees it, from its root: /mnt/share/file.',
    );
}

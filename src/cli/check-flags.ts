import { randomBytes } from 'node:crypto';
import path from 'node:path';
import { KnownError } from '../model/error.ts';
import { loadRunRecord, type RunRecord } from '../run/run-record.ts';
import type { AgainstFlags } from './against.ts';
import { requireSameKind } from './fleet-run.ts';
import { parseCount } from './quantities.ts';
import type { ProgramFlags } from './run-lab.ts';
import type { ToggleFlags } from './toggle-place.ts';
import type { AskFlags } from './with-sides.ts';

/** The flags of `check` (program.ts). */
export interface CheckFlags extends AskFlags, ToggleFlags, AgainstFlags, ProgramFlags {
  /** The lab is there for this run alone (run-lab.ts): its name means nothing afterwards. */
  readonly ownLab?: boolean;
  /** What the only guest is called, where one is named (settings.ts). */
  readonly guestName?: string;
  readonly modes?: string;
  readonly seed?: string;
  readonly repeat?: string;
  readonly failFast?: boolean;
  readonly continue?: string;
  readonly systemWide?: boolean;
  readonly checks?: string;
  /** Seconds; for tests. */
  readonly judgeLimit?: string;
}

/** What a run of checks is asked: all that must be the same when it is continued. */
export type Asked = Omit<RunRecord, 'schema' | 'guests' | 'versions'>;

/**
 * Reads what is asked from the flags, or, where a run is continued, from what it was asked at first; flags that
 * say otherwise are refused.
 * @throws KnownError `bad-flag`, `no-run`
 */
export async function readAsked(names: readonly string[], flags: CheckFlags): Promise<Asked> {
  const fresh: Asked = {
    seed: readSeed(flags.seed),
    names,
    ...(flags.modes === undefined ? {} : { modes: flags.modes }),
    repeat: parseCount('--repeat', flags.repeat ?? '1', 10_000),
    systemWide: flags.systemWide === true,
    ...(flags.checks === undefined ? {} : { checks: path.resolve(flags.checks) }),
  };
  const directory = flags.continue;
  if (directory === undefined) return fresh;
  await requireSameKind(directory, flags.targets);
  const { schema: _, guests: __, versions: ___, ...begun } = await loadRunRecord(directory);
  const refuse = (flag: string, was: string) => {
    throw new KnownError(
      'bad-flag',
      `${flag} differs from the run in ${directory}, which had ${was}`,
      `Leave it out: --continue ${directory} knows what was asked.`,
    );
  };
  if (flags.bundle !== undefined && path.resolve(flags.bundle) !== path.resolve(directory))
    refuse('--bundle', `its evidence in ${directory}`);
  if (names.length > 0 && String(names) !== String(begun.names))
    refuse('the list of checks', begun.names.join(' ') || 'none');
  if (flags.seed !== undefined && fresh.seed !== begun.seed) refuse('--seed', begun.seed.toString(16));
  if (flags.modes !== undefined && fresh.modes !== begun.modes) refuse('--modes', begun.modes ?? 'none');
  if (flags.repeat !== undefined && fresh.repeat !== begun.repeat) refuse('--repeat', String(begun.repeat));
  if (fresh.systemWide && !begun.systemWide) refuse('--system-wide', 'none');
  if (flags.checks !== undefined && fresh.checks !== begun.checks) refuse('--checks', begun.checks ?? 'none');
  return begun;
}

/** 32 bits, in hexadecimal. */
function readSeed(text: string | undefined): number {
  if (text === undefined) return randomBytes(4).readUInt32LE();
  if (!/^[0-9a-f]{1,8}$/i.test(text))
    throw new KnownError(
      'bad-flag',
      `--seed ${text} is no seed`,
      'A seed has 1 to 8 hexadecimal digits; a failure prints the one it used.',
    );
  return Number.parseInt(text, 16);
}

/** Each round has a seed of its own that is the run's in the first. */
export function seedOfRound(seed: number, round: number): number {
  return (seed + Math.imul(round, 0x9e3779b9)) >>> 0;
}

import { randomBytes } from 'node:crypto';
import path from 'node:path';
import { KnownError } from '../model/error.ts';
import type { ManyResult, Operation } from '../model/operation.ts';
import { describeOutcome, type Outcome } from '../model/outcome.ts';
import type { BoundView } from './bench.ts';
import { isDead, type Owner, ownerWord, thisOwner } from './owner.ts';

/**
 * The run's own directory inside a share: `.vfs-verify-HOST-BOOT-PID-START-RANDOM`. Only there do checks write. The
 * name says whose it is, so that a later run can tell one that a killed run left behind.
 */
export interface Workplace {
  /** Relative to the views' roots. */
  readonly name: string;
  /** Whether the host's file system takes any bytes for a name, and no two names for one. */
  readonly keepsNames: boolean;
  /** Makes a directory for one case; relative to the views' roots. */
  makeCaseDir(name: string): Promise<string>;
  /** Removes everything; bounded. Returns what could not be removed, in words. */
  remove(): Promise<string | undefined>;
}

const prefix = '.vfs-verify-';
const limit = { limitMs: 30_000, limitName: 'the limit of making and removing directories' } as const;

/**
 * Makes the run's directory, by the host's view: a name that the guest has never looked up is fresh in every
 * mode. Removes directories that killed runs of this machine left behind.
 * @throws KnownError `not-writable`
 */
export async function makeWorkplace(host: BoundView): Promise<Workplace> {
  const ask = (op: Operation) => host.session.request('workplace', op, { root: host.facts.root, ...limit });
  const owner = thisOwner();
  await removeStale(ask, owner);
  const name = `${prefix}${ownerWord(owner)}-${randomBytes(4).toString('hex')}`;
  await makeDirectory(ask, name, host.facts.root);
  return {
    name,
    keepsNames: await keepsNames(ask, name),
    async makeCaseDir(caseName) {
      const directory = path.posix.join(name, caseName.replaceAll(/[^A-Za-z0-9._+-]/g, '-'));
      await makeDirectory(ask, directory, host.facts.root);
      return directory;
    },
    async remove() {
      const outcome = await ask({ do: 'remove-tree', path: name });
      return outcome.kind === 'value'
        ? undefined
        : `${path.posix.join(host.facts.root, name)} could not be removed: ${describeOutcome(outcome)}`;
    },
  };
}

type Ask = (op: Operation) => Promise<Outcome>;

/** World-writable with the sticky bit, as /tmp: the guest's user need not be the host's. */
async function makeDirectory(ask: Ask, name: string, root: string): Promise<void> {
  const outcome = await ask({
    do: 'many',
    list: [
      { do: 'mkdir', path: name, mode: 0o700 },
      { do: 'chmod', path: name, mode: 0o1777 },
    ],
  });
  const stopped = outcome.kind === 'value' ? (outcome.value as ManyResult).stopped : undefined;
  if (outcome.kind === 'value' && stopped === undefined) return;
  const why =
    stopped === undefined ? describeOutcome(outcome) : `${stopped.call} failed with ${stopped.errno}`;
  throw new KnownError(
    'not-writable',
    `${root}: no directory can be made there (${why})`,
    'Checks write in a directory of their own inside the share: run as a user who may, or free some space.',
  );
}

/**
 * File systems of Macs, and of Linux where a directory folds case, take `A` for `a`, or `ü` in one character for `ü` in
 * two, and refuse bytes that are no UTF-8. What could not be asked is taken for what Linux does.
 */
async function keepsNames(ask: Ask, directory: string): Promise<boolean> {
  const at = (name: string) => path.posix.join(directory, name);
  const [made, bytes] = [at('\u00fc'), at('\udcff')];
  const outcome = await ask({
    do: 'many',
    anyway: true,
    list: [
      { do: 'mkdir', path: made },
      { do: 'stat', path: at('\u00dc') },
      { do: 'stat', path: at('u\u0308') },
      { do: 'rmdir', path: made },
      { do: 'mkdir', path: bytes },
      { do: 'rmdir', path: bytes },
    ],
  });
  if (outcome.kind !== 'value') return true;
  const wasDone = (outcome.value as ManyResult).values.map(
    (each) => typeof each !== 'object' || each === null || !('errno' in each),
  );
  return String(wasDone) === String([true, false, false, true, true, true]);
}

async function removeStale(ask: Ask, owner: Owner): Promise<void> {
  const listed = await ask({ do: 'list', path: '.' });
  if (listed.kind !== 'value') return;
  const { names } = listed.value as { readonly names: readonly string[] };
  for (const name of staleWorkplaces(names, owner)) await ask({ do: 'remove-tree', path: name });
}

/** Those of a share's names that are directories of runs of this machine that were killed. */
export function staleWorkplaces(names: readonly string[], here: Owner = thisOwner()): readonly string[] {
  return names.filter((each) => isStale(each, here));
}

/** Ours by machine, and its process is no more. Before 0.2 the name said nothing of the process's start. */
function isStale(name: string, here: Owner): boolean {
  const match = /^\.vfs-verify-([A-Za-z0-9]+-[0-9a-z]+-\d+)(-\d+)?-[0-9a-f]{8}$/.exec(name);
  return match !== null && isDead(`${match[1]}${match[2] ?? '-0'}`, here);
}

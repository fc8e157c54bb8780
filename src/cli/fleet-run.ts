import path from 'node:path';
import { KnownError } from '../model/error.ts';
import { openEvidence } from '../run/evidence.ts';
import { hasRunRecord, loadRunRecord, saveRunRecord } from '../run/run-record.ts';
import type { Asked, CheckFlags } from './check-flags.ts';

// The evidence of several guests: a directory for each, which is that of a run of its own, and beside them what all
// were asked. So a fleet that was killed goes on where each guest was, and any guest's run goes on alone.

/**
 * Writes down what several guests are asked, before any of them is.
 * @throws KnownError `bundle-in-use`, `not-writable`
 */
export async function beginFleet(
  asked: Asked,
  { targets = [], bundle, ...flags }: CheckFlags,
): Promise<void> {
  if (bundle === undefined || flags.continue !== undefined) return;
  if (await hasRunRecord(bundle)) throw bundleInUse(bundle);
  await openEvidence(bundle);
  const guests = targets.map(({ name }) => name);
  await saveRunRecord(bundle, { schema: 'vfs-verify/run/1', ...asked, guests, versions: {} });
}

/** The flags of one guest's run, which goes on where the fleet does and the guest had begun. */
export async function flagsOfGuest<F extends CheckFlags>(flags: F): Promise<F> {
  const { continue: begun, ...own } = flags;
  const { bundle } = own;
  const goesOn = begun !== undefined && bundle !== undefined && (await hasRunRecord(bundle));
  return (goesOn ? { ...own, continue: bundle } : own) as F;
}

/**
 * A run of several guests is gone on with as such, and one of a guest alone.
 * @throws KnownError `bad-flag`, `no-run`
 */
export async function requireSameKind(directory: string, targets: CheckFlags['targets']): Promise<void> {
  const { guests } = await loadRunRecord(directory);
  if ((guests === undefined) === (targets === undefined)) return;
  throw guests === undefined
    ? new KnownError(
        'bad-flag',
        `the run in ${directory} is of one guest, and several are named`,
        'Name that guest alone, or the directory that several were given with --bundle.',
      )
    : new KnownError(
        'bad-flag',
        `the run in ${directory} is of ${guests.length} guests, and they are not named`,
        `Name them as then (--guests FILE), or go on with one of them: --continue ${path.join(directory, 'NAME')}.`,
      );
}

/** What holds an earlier run is not written over. */
export function bundleInUse(directory: string): KnownError {
  return new KnownError(
    'bundle-in-use',
    `${directory} holds the evidence of an earlier run`,
    `Go on with that one (--continue ${directory}), or name another directory.`,
  );
}

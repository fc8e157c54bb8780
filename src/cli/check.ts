import { KnownError } from '../model/error.ts';
import type { Report } from '../model/report.ts';
import { pickChecks } from '../run/load-checks.ts';
import { makeReport } from '../run/report.ts';
import { checksIn, readAgainst } from './against.ts';
import { type CheckFlags, readAsked } from './check-flags.ts';
import { environmentOf } from './environment.ts';
import { beginFleet, flagsOfGuest } from './fleet-run.ts';
import { loadAll } from './load-all.ts';
import { beginRun, type Run, runChecks, sharesFor } from './run-checks.ts';
import { inLabOfRun } from './run-lab.ts';
import { runToggled, type ToggledRun } from './run-toggled.ts';
import { packageVersion } from './version.ts';
import { type Work, withSides } from './with-sides.ts';

/** `vfs-verify check [NAME…]`: runs checks in every mode asked for, and judges them by the contract. */
export async function check(names: readonly string[], flags: CheckFlags): Promise<void> {
  await inLabOfRun(flags, (where) => checkThere(names, where, flags.labName !== where.labName));
}

/** @param ownLab a failure is seen again in a lab that is brought up for it. */
async function checkThere(names: readonly string[], given: CheckFlags, ownLab: boolean): Promise<void> {
  const flags = { ...given, ownLab };
  requireOneGuest(flags);
  const asked = await readAsked(names, flags);
  const picked = pickChecks(await loadAll(asked.checks), asked.names);
  const against = await readAgainst(flags, flags.targets?.map(({ name }) => name) ?? flags.guestName);
  const bundle = flags.continue ?? flags.bundle;
  const where = { ...flags, ...(bundle === undefined ? {} : { bundle }) };
  const whole = picked.map((each) => ({ check: each.check.name }));
  if (flags.targets !== undefined) await beginFleet(asked, where);
  const work: Work<typeof where> = async (asking, given) => {
    const own = flags.targets === undefined ? given : await flagsOfGuest(given);
    const run = { asked, picked, findings: against.findings, flags: own, asking };
    const { results, shares, stuck } = await (own.via === undefined ? runThere(run) : runToggled(run));
    const environment = environmentOf(asking.sides, { started: asking.started, seed: asked.seed, shares });
    const report: Report = {
      ...makeReport('check', packageVersion(), environment, results),
      checks: checksIn(picked.map((each) => each.check)),
    };
    return stuck ? { report, status: 2 } : { report };
  };
  await withSides('check', where, whole, work, against);
}

/** A share that is put into one mode after another is watched, and put back, one at a time. */
function requireOneGuest({ targets, via }: CheckFlags): void {
  if (targets === undefined || via === undefined) return;
  throw new KnownError(
    'bad-flag',
    `--via is for one guest, and ${targets.length} are named`,
    'Name one guest with it.',
  );
}

/** In the modes that are there. */
async function runThere(run: Run): Promise<ToggledRun> {
  const { asked, asking } = run;
  const shares = sharesFor(asked.modes, asking.sides);
  await beginRun(run);
  return { results: await runChecks(run, shares), shares, stuck: false };
}

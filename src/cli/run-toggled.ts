import { KnownError } from '../model/error.ts';
import { type Mode, parseMode } from '../model/mode.ts';
import type { Result } from '../model/report.ts';
import type { Share } from '../share/share.ts';
import { readJournal } from '../share/toggle/journal.ts';
import { putBack, putInto } from '../share/toggle/run.ts';
import type { ToggleForm, TogglePlace } from '../share/toggle/toggle.ts';
import { reportFailure } from './failure.ts';
import { onShare } from './known-shares.ts';
import { proveMode } from './mode.ts';
import { beginRun, notRunIn, type Run, runChecks } from './run-checks.ts';
import { reachSides } from './sides.ts';
import { parseVia } from './toggle-forms.ts';
import { openPlace } from './toggle-place.ts';

/** What a run gave. */
export interface ToggledRun {
  readonly results: readonly Result[];
  /** The shares that it met. */
  readonly shares: readonly Share[];
  /** The share could not be put back. */
  readonly stuck: boolean;
}

/**
 * Runs the checks of one share in several modes, one after the other: puts the share into each (`--via`), proves
 * the mode by what guest and host see, runs the checks, and at the end, also after Ctrl-C, puts back the mode that
 * was there. A mode that the share cannot be put into costs its own results only.
 */
export async function runToggled(run: Run): Promise<ToggledRun> {
  const { asked, asking, picked } = run;
  const { lab, shares: known } = asking.sides;
  const share = onlyShare(known, lab !== undefined);
  const flags = { ...run.flags, ...onShare(asking.sides, share) };
  const modes = namedModes(asked.modes);
  const { form, argument } = parseVia(flags.via, lab);
  const { place, close } = await openPlace(share, lab, flags, argument);
  const results: Result[] = [];
  const met: Share[] = [];
  let stuck = false;
  try {
    await beginRun(run);
    for (const mode of modes) {
      const there = await putThere({ ...run, flags }, share, form, place, mode);
      if (typeof there === 'string') {
        results.push(...picked.map(({ check }) => notRunIn(check.name, mode.name, there, flags)));
        continue;
      }
      met.push(there);
      const sides = await reachSides(flags);
      try {
        // A lab knows more of a mount of its own.
        const own = sides.shares.find(({ guestDir }) => lab !== undefined && guestDir === there.guestDir);
        results.push(...(await runChecks({ ...run, asking: { ...asking, sides } }, [own ?? there])));
      } finally {
        await sides.close();
      }
    }
  } finally {
    if (readJournal(place.directory) !== undefined) {
      try {
        await putBack(form, place, { onStep: say });
      } catch (error) {
        stuck = true;
        reportFailure(error);
      }
    }
    await close();
  }
  const order = picked.map(({ check }) => check.name);
  return {
    results: order.flatMap((name) => results.filter(({ check }) => check === name)),
    shares: met,
    stuck,
  };
}

/** The share in its new mode, or why it is not in it, in words. */
async function putThere(
  { asking, flags, picked }: Run,
  share: Share,
  form: ToggleForm,
  place: TogglePlace,
  mode: Mode,
): Promise<Share | string> {
  const { signal } = asking;
  if (signal.aborted) return 'the run was interrupted';
  try {
    const { guestDir } = await putInto(form, place, mode, { signal, onStep: say });
    const modeHow = `put there by --via ${form.name}`;
    // A lab's other mounts have daemons of their own; of any other share nothing else is known than before.
    const { daemonPid: _, server: __, tag: ___, ...same } = share;
    const there = { ...same, guestDir, mode, modeHow };
    if (picked.some(({ check }) => check.name === 'mode-in-force')) return there;
    const { verdict } = await proveMode(there, flagsOf(flags), signal);
    return verdict.kind === 'fail'
      ? `the share was put into the mode ${mode.name}, and is not in it: ${verdict.reason}`
      : there;
  } catch (error) {
    if (!(error instanceof KnownError)) throw error;
    reportFailure(error);
    return error.message;
  }
}

/** The run's own evidence is not the proof's. */
function flagsOf(flags: Run['flags']): Omit<Run['flags'], 'bundle'> {
  const { bundle: _, ...others } = flags;
  return others;
}

function say(title: string): void {
  process.stderr.write(`mode: ${title}\n`);
}

/** @throws KnownError `bad-flag` */
function onlyShare(shares: readonly Share[], isLab: boolean): Share {
  const [share, ...others] = shares;
  if (share !== undefined && (isLab || others.length === 0)) return share;
  throw new KnownError(
    'bad-flag',
    `--via changes one share, and ${shares.length} are named`,
    'Name the one: --share GUESTDIR, or --map GUESTDIR=HOSTDIR, once.',
  );
}

/** @throws KnownError `bad-flag`, `bad-mode` */
function namedModes(modes: string | undefined): readonly Mode[] {
  if (modes !== undefined) return modes.split(',').map((each) => parseMode(each.trim()));
  throw new KnownError(
    'bad-flag',
    '--via changes modes, and none is named',
    'Add --modes never,auto,always or others.',
  );
}

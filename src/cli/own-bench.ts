import { labDown } from '../lab/down.ts';
import { labForCases } from '../lab/for-cases.ts';
import type { LabInfo } from '../lab/info.ts';
import { abilitiesHere, labVerbs } from '../lab/verbs.ts';
import type { BenchAbility } from '../model/bench-verb.ts';
import { KnownError } from '../model/error.ts';
import type { BenchMaker, MadeBench } from '../run/gangs.ts';
import { makeWorkplace } from '../run/workplace.ts';
import { benchFor } from './bench.ts';
import { reachSides, type Sides } from './sides.ts';

/** Makes machines for cases that spoil theirs, where the run is on a lab. */
export function benchMaker({ lab }: Pick<Sides, 'lab'>): BenchMaker | undefined {
  if (lab === undefined) return undefined;
  return {
    can: abilitiesHere(),
    make: (modes, needs, signal) => makeBench(lab, modes, needs, signal),
  };
}

async function makeBench(
  like: LabInfo,
  modes: readonly string[],
  needs: readonly BenchAbility[],
  signal: AbortSignal | undefined,
): Promise<MadeBench> {
  const { name } = await labForCases(like, modes, needs, signal);
  let sides: Sides | undefined;
  const close = async () => {
    await sides?.close();
    // What it ran is known by now; what is left of it is taken away by the next run that makes one.
    await labDown(name).catch((error: unknown) => {
      if (!(error instanceof KnownError)) throw error;
      process.stderr.write(`vfs-verify: ${error.message}\n`);
    });
  };
  try {
    sides = await reachSides({ host: 'local', lab: true, labName: name });
    return { benches: await benchesOf(sides), close };
  } catch (error) {
    await close();
    throw error;
  }
}

async function benchesOf(sides: Sides): Promise<MadeBench['benches']> {
  const benches = new Map<
    string,
    { bench: ReturnType<typeof benchFor>; workplace: Awaited<ReturnType<typeof makeWorkplace>> }
  >();
  const { lab, shares } = sides;
  const [first] = shares;
  const host = first === undefined ? undefined : benchFor(first, sides).views.host;
  if (lab === undefined || host === undefined) return benches;
  // One directory for all modes, as they share one.
  const workplace = await makeWorkplace(host);
  for (const share of shares) {
    const mode = share.mode?.name ?? 'unknown';
    benches.set(mode, { bench: { ...benchFor(share, sides), verbs: labVerbs(lab, mode) }, workplace });
  }
  return benches;
}

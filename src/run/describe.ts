import type { Case, Check, Isolation, Need, Setting, ViewFacts } from '../model/check.ts';
import { labModes, parseMode } from '../model/mode.ts';

/** A check as `vfs-verify list` tells it. */
export interface CheckFacts {
  readonly name: string;
  readonly title: string;
  readonly codes: Readonly<Record<string, string>>;
  /** Those of the lab's modes in which it has a case. */
  readonly modes: readonly string[];
  /** In the order in which they are planned, those that only some modes have at the end. */
  readonly cases: readonly CaseFacts[];
}

interface CaseFacts {
  readonly name: string;
  readonly isolation: Isolation;
  readonly needs: readonly Need[];
  readonly scenarios: readonly string[];
  readonly modes: readonly string[];
}

/** What a check would do on a bench that has everything, in each of the lab's modes. */
export function describeCheck(check: Check): CheckFacts {
  const cases = new Map<string, { plan: Case; modes: string[] }>();
  const modes: string[] = [];
  for (const mode of labModes) {
    const planned = check.cases(nominalSetting(mode));
    if (planned.length > 0) modes.push(mode);
    for (const plan of planned) {
      const known = cases.get(plan.name) ?? { plan, modes: [] };
      known.modes.push(mode);
      cases.set(plan.name, known);
    }
  }
  return {
    name: check.name,
    title: check.title,
    codes: check.codes,
    modes,
    cases: [...cases.values()].map(({ plan, modes: its }) => ({
      name: plan.name,
      isolation: plan.isolation,
      needs: plan.needs,
      scenarios: plan.scenarios,
      modes: its,
    })),
  };
}

function nominalSetting(mode: string): Setting {
  const side = (root: string): ViewFacts => ({
    root,
    pageSize: 4096,
    kernel: '6.12.0',
    rootUser: true,
    features: ['cachestat', 'statx-dax', 'o-direct'],
  });
  const guest = side('/mnt');
  return {
    mode: parseMode(mode),
    views: {
      host: side('/srv'),
      guest,
      guest2: guest,
      'guest-other-tag': guest,
      'guest-without-dax': guest,
      medium: side('/medium'),
    },
    versions: {},
    seed: 0,
    bench: [
      'daemon.kill',
      'vm.kill',
      'power.cut',
      'guest.add',
      'disk.no-space',
      'disk.quota',
      'disk.io-error',
    ],
    daemonPid: 1,
    vmmPid: 1,
    args: { systemWide: true },
  };
}

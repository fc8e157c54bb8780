import type { BenchAbility } from '../model/bench-verb.ts';
import type { Case, Need, Step } from '../model/check.ts';
import type { Bench } from './bench.ts';
import type { Workplace } from './workplace.ts';

/**
 * Why a bench does not meet a need; undefined where it does. The reason becomes the text of a skip.
 * @param workplace undefined where the run could not make its directory in the share.
 */
export function unmetNeed(
  need: Need,
  bench: Bench,
  workplace: Pick<Workplace, 'keepsNames'> | undefined,
): string | undefined {
  const { host, guest } = bench.views;
  const met: Record<Need, boolean> = {
    'host-root': host?.facts.rootUser === true,
    'guest-root': guest?.facts.rootUser === true,
    'host-cachestat': host?.facts.features.includes('cachestat') === true,
    'guest-cachestat': guest?.facts.features.includes('cachestat') === true,
    writable: workplace !== undefined,
    'exact-names': workplace?.keepsNames === true,
    'second-guest': bench.views.guest2 !== undefined,
    'other-tag': bench.views['guest-other-tag'] !== undefined,
    'dax-control': bench.views['guest-without-dax'] !== undefined,
    // QEMU serves 9p itself.
    'daemon-visible': (bench.share.type === '9p' ? bench.share.vmmPid : bench.share.daemonPid) !== undefined,
    'daemon.kill': can(bench, 'daemon.kill'),
    'vm.kill': can(bench, 'vm.kill'),
    'power.cut': can(bench, 'power.cut'),
    'guest.add': can(bench, 'guest.add'),
    'disk.no-space': can(bench, 'disk.no-space'),
    'disk.quota': can(bench, 'disk.quota'),
    'disk.io-error': can(bench, 'disk.io-error'),
  };
  return met[need] ? undefined : reasons[need];
}

/**
 * What a case asks of a side where plain node stands in for the probe, and node cannot do: a reason to skip it.
 * A question about the user's own paths is asked as far as it can be answered; checks are judged by all they did.
 */
export function unmetByNode(plan: Case, bench: Bench): string | undefined {
  if (plan.inPlace === true) return undefined;
  for (const step of plan.steps) {
    const what = lackedBy(plan, step, bench);
    if (what !== undefined) return `needs the probe on the ${plan.actors[step.actor]}: ${what}`;
  }
  return undefined;
}

/** What of a step its side has not got, in words; undefined: nothing. What the bench does, no side needs to. */
export function lackedBy(plan: Case, { actor, op }: Step, { views }: Bench): string | undefined {
  const name = plan.actors[actor];
  if (name === undefined || op.do === 'bench' || op.do === 'used-index') return undefined;
  const what = views[name]?.session.lacks?.(op);
  return what === undefined ? undefined : `plain node has no ${what}`;
}

function can({ verbs }: Bench, ability: BenchAbility): boolean {
  return verbs?.can.includes(ability) === true;
}

const reasons: Readonly<Record<Need, string>> = {
  'host-root': 'needs root on the host',
  'guest-root': 'needs root in the guest',
  'host-cachestat': 'needs cachestat on the host (Linux 6.5 or newer)',
  'guest-cachestat': 'needs cachestat in the guest (Linux 6.5 or newer)',
  writable: 'needs to write in the share',
  'exact-names': 'needs a file system on the host that takes any bytes for a name, and no two names for one',
  'second-guest': 'needs a second guest on this share',
  'other-tag': 'needs the same directory under a second tag',
  'dax-control': 'needs the same directory mounted with dax=never beside it, as the control',
  'daemon-visible': "needs to see the daemon's process",
  'daemon.kill': 'needs a daemon of its own, and a bench that can kill it (a lab)',
  'vm.kill': 'needs a bench that can kill the machine (a lab)',
  'power.cut': 'needs a bench that can cut the power (a lab whose share is on a disk of its own)',
  'guest.add': 'needs a bench that can start a second guest (a lab)',
  'disk.no-space': 'needs a bench that can fill the disk (a lab whose share is on a disk of its own)',
  'disk.quota': 'needs a bench that can set a quota (a lab whose share is on btrfs)',
  'disk.io-error': 'needs a bench that can break the disk (a lab whose share is on a disk of its own)',
};

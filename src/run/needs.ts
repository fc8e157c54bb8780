import type { Need } from '../model/check.ts';
import type { Bench } from './bench.ts';

/**
 * Why a bench does not meet a need; undefined where it does. The reason becomes the text of a skip.
 * @param writable whether the run could make its directory in the share.
 */
export function unmetNeed(need: Need, bench: Bench, writable: boolean): string | undefined {
  const { host, guest } = bench.views;
  const met: Record<Need, boolean> = {
    'host-root': host?.facts.rootUser === true,
    'guest-root': guest?.facts.rootUser === true,
    'host-cachestat': host?.facts.features.includes('cachestat') === true,
    'guest-cachestat': guest?.facts.features.includes('cachestat') === true,
    writable,
    'second-guest': bench.views.guest2 !== undefined,
    'other-tag': bench.views['guest-other-tag'] !== undefined,
    'daemon-visible': bench.share.daemonPid !== undefined,
  };
  return met[need] ? undefined : reasons[need];
}

const reasons: Readonly<Record<Need, string>> = {
  'host-root': 'needs root on the host',
  'guest-root': 'needs root in the guest',
  'host-cachestat': 'needs cachestat on the host (Linux 6.5 or newer)',
  'guest-cachestat': 'needs cachestat in the guest (Linux 6.5 or newer)',
  writable: 'needs to write in the share',
  'second-guest': 'needs a second guest on this share',
  'other-tag': 'needs the same directory under a second tag',
  'daemon-visible': "needs to see the daemon's process",
};

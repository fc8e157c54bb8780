import type { Setting, ViewFacts } from '../model/check.ts';
import type { ViewName } from '../model/side.ts';
import type { ProbeHello } from '../probe/session.ts';
import type { Share } from '../share/share.ts';
import type { Bench } from './bench.ts';

/** What is known of a view from the probe's hello and the share. */
export function viewFacts(root: string, hello: ProbeHello): ViewFacts {
  return {
    root,
    pageSize: hello.pageSize,
    kernel: hello.kernel,
    rootUser: hello.uid === 0,
    features: hello.features,
  };
}

/** The setting that a check plans with; saved in the bundle. */
export function settingOf(bench: Bench, seed: number, args: Setting['args']): Setting {
  const views: Partial<Record<ViewName, ViewFacts>> = {};
  for (const [name, view] of Object.entries(bench.views)) views[name as ViewName] = view.facts;
  return {
    mode: bench.share.mode,
    views,
    versions: bench.versions,
    seed,
    args,
    share: shareWords(bench.share, bench.lab),
    ...(bench.share.daemonPid === undefined ? {} : { daemonPid: bench.share.daemonPid }),
    ...(bench.verbs === undefined ? {} : { bench: bench.verbs.can }),
    ...(bench.share.vmmPid === undefined ? {} : { vmmPid: bench.share.vmmPid }),
  };
}

function shareWords(share: Share, lab: string | undefined): NonNullable<Setting['share']> {
  return {
    mode: share.mode?.name ?? 'unknown',
    how: share.modeHow,
    ...(share.server === undefined ? {} : { server: share.server }),
    ...(lab === undefined ? {} : { lab }),
  };
}

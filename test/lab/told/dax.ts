import type { Told } from './told.ts';

/** The lab's own backend with faults of its window (backend-dax.test.ts). */
const faulty: readonly (Told & { readonly faults: string })[] = (
  [
    ['dax-offset', 'dax-window/last-range', 'wrong-bytes'],
    ['dax-last-range', 'dax-window/last-bytes', 'wrong-bytes'],
    ['dax-shared-base', 'dax-window/many-files', 'wrong-bytes'],
    ['dax-last-short', 'dax-window/last-range', 'wrong-bytes'],
    ['dax-stale-range', 'dax-window/larger-than-window', 'wrong-bytes'],
    ['dax-offset', 'dax-path/control', 'other-bytes'],
    ['dax-end-hangs', 'dax-coherence/at-the-end', 'never-ended'],
    ['dax-copy', 'dax-coherence/host-stores', 'stale'],
    ['dax-copy', 'dax-coherence/guest-stores', 'stale'],
    ['dax-copy', 'dax-path/reads', 'daemon-reads'],
  ] as const
).map(([faults, text, code]) => ({ policy: 'auto+dax=always', faults, fails: { [text]: code } }));

export const liesAboutWindows: typeof faulty = [
  ...faulty,
  {
    policy: 'always+dax=always',
    faults: 'no window: the tag was mounted before, without one',
    fails: { 'mode-in-force/dax-state': 'dax-not-as-declared' },
  },
];

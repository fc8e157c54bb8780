import type { Told } from './told.ts';

/** One fault of the window of the lab's own backend, and the case that finds it. */
export interface WindowFault extends Told {
  readonly faults: string;
  /** The mode whose backend lies, where it is not the one that is looked at. */
  readonly liar?: string;
}

const [always, inode] = ['auto+dax=always', 'auto+dax=inode'];

/** In one lab that has both modes, in this order (backend-dax.test.ts). */
export const windowFaults: readonly WindowFault[] = (
  [
    ['dax-offset', 'dax-window/last-range', 'wrong-bytes'],
    ['dax-offset', 'dax-path/control', 'other-bytes'],
    ['dax-last-range', 'dax-window/last-bytes', 'wrong-bytes'],
    ['dax-last-short', 'dax-window/last-range', 'wrong-bytes'],
    ['dax-shared-base', 'dax-window/many-files', 'wrong-bytes'],
    ['dax-stale-range', 'dax-window/larger-than-window', 'wrong-bytes'],
    // A second window shows what the first one has: the first is that of the mode that is checked.
    ['dax-other-share', 'dax-window/two-shares', 'wrong-bytes', inode],
    ['dax-copy', 'dax-coherence/host-stores', 'stale'],
    ['dax-copy', 'dax-coherence/guest-stores', 'stale'],
    ['dax-copy', 'dax-path/reads', 'daemon-reads'],
    // The last one: what it leaves hanging in the guest, nothing ends.
    ['dax-end-hangs', 'dax-coherence/at-the-end', 'never-ended'],
  ] as const
).map(([faults, text, code, liar]) => ({
  policy: always,
  faults,
  fails: { [text]: code },
  ...(liar === undefined ? {} : { liar }),
}));

export const liesAboutWindows: readonly (Told & { readonly faults: string })[] = [
  ...windowFaults,
  {
    policy: 'always+dax=always',
    faults: 'no window: the tag was mounted before, without one',
    fails: { 'mode-in-force/dax-state': 'dax-not-as-declared' },
  },
];

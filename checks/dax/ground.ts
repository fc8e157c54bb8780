import type { Check, Observed, Step } from '../../src/model/check.ts';
import type { ManyResult, Operation, Stat } from '../../src/model/operation.ts';
import type { Verdict } from '../../src/model/verdict.ts';
import type { Finding } from '../repeat/question.ts';

/**
 * Whether there is a window at all. A check of the DAX window asks each time: a share that has none refuses
 * `dax=always`; and a tag that is mounted already takes a second mount without a word, with the first one's options.
 * There nothing of these checks applies, and nothing of them passes.
 */

/** The code of a skip for want of a window. */
export const groundCodes = {
  'no-window': 'no file is in DAX state here: the mount, or the share, has no window',
} as const;

/** The step in which the guest's mounts are read, where a file is not in DAX state. */
const mountsStep = 'mounts';

/** Cases of a check that judges files in DAX state alone. Their guest states a file by fstat right after it opened it. */
export function inWindow(check: Required<Pick<Check, 'next' | 'judge'>>): Pick<Check, 'next' | 'judge'> {
  return {
    next: (observed) => {
      if (daxState(observed, 'guest') !== false) return check.next(observed);
      return observed.steps.some(({ id }) => id === mountsStep) ? [] : [readMounts(observed)];
    },
    judge: (observed, promises) =>
      daxState(observed, 'guest') === false ? withoutOne(observed) : check.judge(observed, promises),
  };
}

/** Whether any file that an actor looked at is in DAX state (STATX_ATTR_DAX). Undefined: it looked at none. */
export function daxState(observed: Observed, actor: string): boolean | undefined {
  const said = observed.steps
    .filter((step) => step.actor === actor)
    .flatMap((step) => statsIn(step, observed.value(step.id)).flatMap(({ dax }) => dax ?? []));
  return said.length === 0 ? undefined : said.includes(true);
}

/** A server marks its files one by one (dax=inode): one that is not in DAX state may be cached as any other. */
export function unmarked(stat: Stat | undefined): Finding | undefined {
  if (stat?.dax === true) return undefined;
  return { kind: 'unclear', words: 'this file is not in DAX state, though another one is' };
}

function statsIn({ op }: Step, value: unknown): readonly Stat[] {
  if (op.do === 'fstat') return value === undefined ? [] : [value as Stat];
  if (op.do !== 'many' || value === undefined) return [];
  const { values } = value as ManyResult;
  return op.list.flatMap((each, index) => {
    const stat = values[index];
    return each.do === 'fstat' && stat !== undefined ? [stat as Stat] : [];
  });
}

/** What the guest's kernel mounted, in a few pieces: it gives a page at once. */
function readMounts({ case: { actors } }: Observed): Step {
  const actor = actors.guest === undefined ? (Object.keys(actors)[0] ?? 'guest') : 'guest';
  const list: readonly Operation[] = [
    { do: 'open', path: '/proc/self/mountinfo', flags: ['rdonly'], as: mountsStep },
    ...Array.from({ length: 16 }, (): Operation => ({ do: 'read', file: mountsStep, length: 4096 })),
    { do: 'close', file: mountsStep },
  ];
  return { id: mountsStep, actor, op: { do: 'many', list }, mayFail: true };
}

function withoutOne(observed: Observed): Verdict {
  const reason = `no file is in DAX state in the guest (STATX_ATTR_DAX): ${whyNot(observed)}`;
  return { kind: 'skip', code: 'no-window', reason };
}

function whyNot(observed: Observed): string {
  const root = observed.setting.views.guest?.root ?? '';
  const mount = mountOf(textOf(observed.value<ManyResult>(mountsStep)), root);
  if (mount === undefined) return `which mount ${root} lies in could not be seen`;
  const { fsType, options } = mount;
  if (fsType !== 'virtiofs') return `${root} is of ${fsType}, and only virtiofs has a window`;
  const dax = options.find((each) => each.startsWith('dax='));
  if (dax === 'dax=inode')
    return 'it is mounted with dax=inode, which every share takes, also one without a window; the server marks no file';
  if (dax !== undefined) return `it is mounted with ${dax}`;
  return (
    'the mount has no dax option, whatever was asked for: a tag that was mounted before keeps the options of its first ' +
    'mount. Unmount it everywhere and mount it again; a share without a window then refuses dax=always (EINVAL)'
  );
}

function textOf(read: ManyResult | undefined): string {
  const parts = (read?.values ?? []) as readonly { readonly base64?: string }[];
  return parts.map(({ base64 = '' }) => Buffer.from(base64, 'base64').toString('latin1')).join('');
}

interface Mount {
  readonly fsType: string;
  /** Of the file system itself, not of the place where it is mounted. */
  readonly options: readonly string[];
}

/** proc_pid_mountinfo(5): the last mount on the longest directory that holds the path. */
function mountOf(mountinfo: string, path: string): Mount | undefined {
  let found: (Mount & { readonly at: string }) | undefined;
  for (const line of mountinfo.split('\n')) {
    const [before = '', after] = line.split(' - ');
    const at = (before.split(' ')[4] ?? '').replaceAll(/\\(\d{3})/g, (_, octal: string) =>
      String.fromCharCode(Number.parseInt(octal, 8)),
    );
    if (after === undefined || !(at === '/' || path === at || path.startsWith(`${at}/`))) continue;
    const [fsType = '', , options = ''] = after.split(' ');
    if (found === undefined || at.length >= found.at.length)
      found = { at, fsType, options: options.split(',') };
  }
  return found;
}

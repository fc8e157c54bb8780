import type { Observed, Setting, Step } from '../../src/model/check.ts';
import { type FilesystemKind, filesystems } from '../../src/model/filesystems.ts';
import type { ExtentsResult, PageState } from '../../src/model/operation.ts';
import { describeOutcome } from '../../src/model/outcome.ts';
import { mapParts } from '../../src/model/read-steps.ts';
import type { CachedPages } from '../../src/model/residency.ts';
import type { Side } from '../../src/model/side.ts';

/** Looking at the page cache of a file without opening it where that would destroy what is looked for. */

/** Arguments of `residency` and `drop`, as the commands set them. */
export interface LookArgs {
  readonly guestPath: string;
  readonly hostPath: string;
  readonly side: Side | 'both';
  readonly timeoutMs: number;
}

export function lookArgs(setting: Setting): LookArgs {
  return setting.args as unknown as LookArgs;
}

/** The sides that are asked for, the host first: looking there has no effect on the guest. */
export function sidesOf({ side }: Pick<LookArgs, 'side'>): Side[] {
  return side === 'both' ? ['host', 'guest'] : [side];
}

export function limitOf({ timeoutMs }: Pick<LookArgs, 'timeoutMs'>): NonNullable<Step['limit']> {
  return { ms: timeoutMs, name: '--timeout' };
}

/**
 * Whether opening a file in the guest leaves its pages alone: only where the daemon says KEEP_CACHE, and on 9p,
 * where pages go with the last use of the file and not with an open.
 */
export function openKeepsPages({ mode }: Setting): boolean {
  return mode !== undefined && (mode.server === '9p' || mode.cache === 'always');
}

/** Which file system the host's file lies on: what its page states are worth. */
export function groundStep(args: LookArgs): Step {
  return {
    id: 'host-ground',
    actor: 'host',
    op: { do: 'extents', file: 'file', range: { offset: 0, length: 1 } },
    limit: limitOf(args),
    mayFail: true,
  };
}

export function groundOf(observed: Observed): FilesystemKind | undefined {
  return filesystems.get(observed.value<ExtentsResult>('host-ground')?.fsMagic ?? 0);
}

/** The page state of a file that is held as `file`, in parts of bounded size. */
export function pageSteps(id: string, actor: Side, size: number, args: LookArgs, map: boolean): Step[] {
  return mapParts(0, size).map((range, index) => ({
    id: `${id}-${index}`,
    actor,
    op: { do: 'pages', file: 'file', range, map },
    limit: limitOf(args),
    mayFail: true,
  }));
}

/** The parts of a page state together, or why they cannot be had. */
export function pagesOf(observed: Observed, id: string): CachedPages | { readonly refused: string } {
  const parts = observed.steps.filter((step) => step.id.startsWith(`${id}-`));
  const sum = { total: 0, cached: 0, dirty: 0, pageSize: 4096 };
  let tellsDirty = true;
  for (const step of parts) {
    const state = observed.value<PageState>(step.id);
    if (state === undefined)
      return { refused: `its page state could not be read: ${describeOutcome(observed.outcome(step.id))}` };
    if (state.by === 'refused') return { refused: refusalWords(state.refusal) };
    sum.total += state.pages;
    sum.cached += state.cached;
    sum.dirty += (state.dirty ?? 0) + (state.writeback ?? 0);
    sum.pageSize = state.pageSize;
    tellsDirty &&= state.dirty !== undefined;
  }
  const { dirty, ...rest } = sum;
  return tellsDirty ? { ...rest, dirty } : rest;
}

/** Why a kernel keeps a page state to itself. */
export function refusalWords(refusal: string | undefined): string {
  return refusal === 'EPERM'
    ? 'its page state is refused (EPERM): only root, the owner, and who may write the file are told'
    : `its page state is refused (${refusal})`;
}

/** The cached share of each of a number of equal parts of the file. */
export function stripOf(
  observed: Observed,
  id: string,
  total: number,
  columns: number,
): number[] | undefined {
  const sums = new Array<number>(columns).fill(0);
  const per = total / columns;
  let page = 0;
  for (const step of observed.steps.filter((each) => each.id.startsWith(`${id}-`))) {
    const runs = observed.value<PageState>(step.id)?.runs;
    if (runs === undefined) return undefined;
    for (const [index, run] of runs.entries()) {
      if (index % 2 === 1) spread(sums, page, page + run, per);
      page += run;
    }
  }
  return sums.map((sum) => Math.min(1, sum / per));
}

/** Adds the pages [from, to) to the columns that they lie in. */
function spread(sums: number[], from: number, to: number, per: number): void {
  for (let column = Math.floor(from / per); column < sums.length && column * per < to; column += 1) {
    const part = Math.min(to, (column + 1) * per) - Math.max(from, column * per);
    sums[column] = (sums[column] ?? 0) + Math.max(0, part);
  }
}

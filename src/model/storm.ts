import type { PatternKey } from './pattern.ts';

/**
 * A storm of names: a seeded sequence of small changes below one directory that a probe carries out in one
 * request (src/probe/native/storm.h holds the same generator). What must be left is computed here, so that
 * neither side's view is taken as the truth.
 *
 * There are `slots` files that may be there or not, spread over `dirs` directories (`d0`, `d1`, …, made by the
 * storm; 0: all in `path` itself). Step `n` draws a slot and, where its file is there, one of `acts`; a slot
 * that is empty is made. With r = mix(seed + n × 0x9E3779B9) and q = mix(r ^ 0x5BD1E995) (32-bit wrap-around,
 * `mix` as in pattern.ts): slot = r mod slots, act = acts[q mod number of acts]. Every act gives the file a new
 * version v = n + 1; its name is `s<slot>-<v>` in directory d<mix(seed ^ v) mod dirs>.
 *
 * A file holds 1 + slot mod 3 cells of pattern.ts: seed, fileId = slot, writer, generation = the version mod
 * 65,536 of the step that wrote it.
 */
export interface StormPlan {
  /** An existing directory. */
  readonly path: string;
  /** 32 bits. */
  readonly seed: number;
  /** At most 20,000. */
  readonly slots: number;
  /** At most 1000. */
  readonly dirs: number;
  /** Steps `from` … `from + steps − 1` are carried out; those before are taken as done. At most 1,000,000 in all. */
  readonly from?: number;
  readonly steps: number;
  /** Default remove, rename. */
  readonly acts?: readonly StormAct[];
  /** 16 bits. */
  readonly writer: number;
  /** No further step is begun after that time; the result says how many were carried out. Default: none. */
  readonly limitMs?: number;
  /**
   * After each step the new name is opened and read, and the old one must be gone; what is otherwise is an
   * error of the result.
   */
  readonly verify?: boolean;
}

/**
 * - `remove`: unlink. `rename`: to the name of the new version.
 * - `link`: link to the name of the new version, then unlink the old name.
 * - `rewrite`: rename, then O_TRUNC and new bytes in place. `replace`: new bytes under the new name, then the
 *   old name is unlinked.
 */
export type StormAct = 'remove' | 'rename' | 'link' | 'rewrite' | 'replace';

/** What `storm` answers. A step that failed is taken as done, so later ones of its slot may fail as well. */
export interface StormResult {
  /** Steps that were carried out: less than planned where the limit passed (`stormFiles({ ...plan, steps })`). */
  readonly steps: number;
  /** Files that are there by the plan after the last step. */
  readonly left: number;
  readonly errorsInAll: number;
  /** At most 100, the first ones. */
  readonly errors: readonly StormError[];
}

export interface StormError {
  readonly step: number;
  readonly path: string;
  readonly call: string;
  /** The refusal; for `verify` also EILSEQ: other bytes than were written, EEXIST: an old name that is still there. */
  readonly errno: string;
}

/** A file that a storm leaves. */
export interface StormFile {
  /** Relative to the storm's `path`. */
  readonly path: string;
  readonly size: number;
  readonly key: PatternKey;
}

const golden = 0x9e3779b9;

/** The files that are there after all steps of the plan, sorted by path. */
export function stormFiles(plan: StormPlan): StormFile[] {
  const acts = plan.acts ?? ['remove', 'rename'];
  const slots = new Map<number, { version: number; written: number }>();
  const steps = (plan.from ?? 0) + plan.steps;
  for (let step = 0; step < steps; step += 1) {
    const draw = mixed(plan.seed + Math.imul(step, golden));
    const slot = draw % plan.slots;
    const version = step + 1;
    const file = slots.get(slot);
    const act = acts[mixed(draw ^ 0x5bd1e995) % acts.length];
    if (file === undefined || act === 'rewrite' || act === 'replace')
      slots.set(slot, { version, written: version });
    else if (act === 'remove') slots.delete(slot);
    else slots.set(slot, { version, written: file.written });
  }
  return [...slots]
    .map(([slot, { version, written }]) => ({
      path: stormPath(plan, slot, version),
      size: 64 * (1 + (slot % 3)),
      key: { seed: plan.seed, fileId: slot, writer: plan.writer, generation: written & 0xffff },
    }))
    .sort((a, b) => (a.path < b.path ? -1 : 1));
}

/** The name of a slot's file at a version, relative to the storm's `path`. */
function stormPath(plan: StormPlan, slot: number, version: number): string {
  const name = `s${slot}-${version}`;
  return plan.dirs === 0 ? name : `d${mixed(plan.seed ^ version) % plan.dirs}/${name}`;
}

function mixed(value: number): number {
  let hash = value >>> 0;
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}

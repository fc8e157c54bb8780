import type { Observed, Step } from '../../src/model/check.ts';
import type { EvictResult, ManyResult, Operation, Refusal, Stat } from '../../src/model/operation.ts';
import { describeOutcome } from '../../src/model/outcome.ts';
import { patternBytes } from '../../src/model/pattern.ts';
import type { ViewName } from '../../src/model/side.ts';
import { type Change, type Content, overwritten, resized, zeroed } from './history.ts';

/** One operation that was carried out, with what came of it. */
export interface Deed {
  readonly turn: string;
  readonly actor: string;
  readonly view: ViewName;
  readonly op: Operation;
  /** By the clock of its side, in nanoseconds. */
  readonly beginNs: number;
  readonly endNs: number;
  readonly value?: unknown;
  /** `ENODEV of mmap`. */
  readonly refusal?: { readonly errno: string; readonly call: string };
  /** The file that it concerns, where the story knows it. */
  readonly path?: string;
  /** Changes of all files that were made before it. */
  readonly changesBefore: number;
  /** What it showed, where it looked. */
  readonly seen?: Seen;
}

/** What a look showed. */
export type Seen =
  | {
      readonly what: 'bytes';
      readonly offset: number;
      readonly asked: number;
      readonly bytes: Uint8Array;
      /** Through a mapping, which does not end with the file but with its last page, in zeros. */
      readonly mapped?: true;
    }
  | { readonly what: 'size'; readonly size: number }
  /** Where data or a hole begins behind `from`; without `at` there is none (ENXIO). */
  | { readonly what: 'data' | 'hole'; readonly from: number; readonly at?: number };

/** A story as it happened. */
export interface Replay {
  readonly deeds: readonly Deed[];
  readonly changes: readonly Change[];
  /** A step that did not end at all, in words. */
  readonly broken?: string;
}

interface Held {
  readonly path: string;
  readonly appends: boolean;
  position: number;
}

interface Mapped {
  readonly path: string;
  readonly offset: number;
  readonly shared: boolean;
}

/** Goes through the steps of a story in their order: who changed what, and who saw what. */
export function replay(observed: Observed): Replay {
  const [deeds, changes]: [Deed[], Change[]] = [[], []];
  const files = new Map<string, Held>();
  const maps = new Map<string, Mapped>();
  const current = new Map<string, Content>();
  for (const step of observed.steps) {
    const view = observed.case.actors[step.actor];
    const parts = partsOf(observed, step);
    if (view === undefined || typeof parts === 'string') {
      const broken = typeof parts === 'string' ? parts : `${step.actor} has no view`;
      return { deeds, changes, broken };
    }
    for (const part of parts) {
      const name = (handle: string) => `${step.actor}/${handle}`;
      const held =
        'file' in part.op && part.op.file !== undefined ? files.get(name(part.op.file)) : undefined;
      const mapped =
        part.op.do === 'load' || part.op.do === 'store' || part.op.do === 'msync' || part.op.do === 'unmap'
          ? maps.get(name(part.op.map))
          : undefined;
      const path = held?.path ?? mapped?.path ?? ('path' in part.op ? part.op.path : undefined);
      const size = path === undefined ? 0 : (current.get(path)?.length ?? 0);
      const seen = seenBy(part, held, mapped);
      deeds.push({
        ...part,
        turn: step.id,
        actor: step.actor,
        view,
        changesBefore: changes.length,
        ...(path === undefined ? {} : { path }),
        ...(seen === undefined ? {} : { seen }),
      });
      if (part.refusal !== undefined) continue;
      const change = path === undefined ? undefined : changeBy(part.op, part.value, held, mapped, size);
      if (change !== undefined && path !== undefined) {
        current.set(path, change.apply(current.get(path) ?? new Uint8Array(0)));
        const { beginNs, endNs } = part;
        changes.push({ ...change, path, view, turn: step.id, beginNs, endNs });
      }
      keepHandles(part.op, part.value, name, files, maps, held);
    }
  }
  return { deeds, changes };
}

interface Part {
  readonly op: Operation;
  readonly beginNs: number;
  readonly endNs: number;
  readonly value?: unknown;
  readonly refusal?: { readonly errno: string; readonly call: string };
}

/** The operations of a step that were carried out; words for a step that did not end. */
function partsOf(observed: Observed, step: Step): readonly Part[] | string {
  const outcome = observed.outcome(step.id);
  if (outcome.kind !== 'value') return `${step.actor}, ${step.id}: ${describeOutcome(outcome)}`;
  if (step.op.do !== 'many') return [];
  const { values, timesNs, stopped } = outcome.value as ManyResult;
  return step.op.list.slice(0, values.length + (stopped === undefined ? 0 : 1)).map((op, index) => {
    const [beginNs, endNs] = timesNs[index] ?? [Number.NaN, Number.NaN];
    const refusal = index === values.length ? stopped : refusalIn(values[index]);
    return { op, beginNs, endNs, ...(refusal === undefined ? { value: values[index] } : { refusal }) };
  });
}

function refusalIn(value: unknown): Part['refusal'] {
  if (typeof value !== 'object' || value === null) return undefined;
  const refusal = value as Partial<Record<string, string>> & Partial<Refusal>;
  if (refusal.signal !== undefined) return { errno: refusal.signal, call: 'the operation' };
  return refusal.errno !== undefined && refusal.call !== undefined
    ? { errno: refusal.errno, call: refusal.call }
    : undefined;
}

/** What an operation showed of a file's bytes, size or holes. */
function seenBy(
  { op, value, refusal }: Part,
  held: Held | undefined,
  mapped: Mapped | undefined,
): Seen | undefined {
  if (op.do === 'seek' && (op.whence === 'data' || op.whence === 'hole')) {
    if (refusal !== undefined)
      return refusal.errno === 'ENXIO' ? { what: op.whence, from: op.offset } : undefined;
    return { what: op.whence, from: op.offset, at: (value as { readonly offset: number }).offset };
  }
  if (refusal !== undefined) return undefined;
  switch (op.do) {
    case 'read':
      return {
        what: 'bytes',
        offset: op.offset ?? held?.position ?? 0,
        asked: op.length,
        bytes: bytesOf(value),
      };
    case 'load':
      return {
        what: 'bytes',
        offset: op.offset + (mapped?.offset ?? 0),
        asked: op.length,
        bytes: bytesOf(value),
        mapped: true,
      };
    case 'seek':
      return op.whence === 'end'
        ? { what: 'size', size: (value as { readonly offset: number }).offset - op.offset }
        : undefined;
    case 'fstat':
    case 'stat':
      return { what: 'size', size: (value as Stat).size };
    default:
      return undefined;
  }
}

function bytesOf(value: unknown): Uint8Array {
  return Buffer.from((value as { readonly base64: string }).base64, 'base64');
}

/** How an operation that ended well changed its file; undefined for one that changes no bytes. */
function changeBy(
  op: Operation,
  value: unknown,
  held: Held | undefined,
  mapped: Mapped | undefined,
  size: number,
): Pick<Change, 'apply' | 'words' | 'inParts'> | undefined {
  switch (op.do) {
    case 'open':
      // An empty version is a version: the file was there before anything was written.
      return op.flags.includes('creat') || op.flags.includes('trunc')
        ? {
            words: op.flags.includes('trunc') ? 'open with O_TRUNC' : 'create',
            apply: (before) => (op.flags.includes('trunc') ? new Uint8Array(0) : before),
          }
        : undefined;
    case 'fill': {
      const { offset, length } = op.range;
      const bytes = patternBytes(op, offset, length);
      const at = held?.appends === true ? size : offset;
      return written(`generation ${op.generation}`, at, bytes);
    }
    case 'write': {
      const whole = Buffer.from(op.base64, 'base64');
      const bytes = whole.subarray(0, (value as { readonly bytes: number }).bytes);
      const atEnd = held?.appends === true || op.flags?.includes('append') === true;
      return written('written bytes', atEnd ? size : (op.offset ?? held?.position ?? 0), bytes);
    }
    case 'store':
      return mapped?.shared === true
        ? stored(op.offset + mapped.offset, Buffer.from(op.base64, 'base64'))
        : undefined;
    case 'ftruncate':
    case 'truncate':
      return {
        words: `truncate to ${op.length}`,
        apply: (before) => resized(before, op.length),
      };
    case 'fallocate':
      return allocated(op);
    default:
      return undefined;
  }
}

function written(what: string, at: number, bytes: Uint8Array): Pick<Change, 'apply' | 'words'> {
  return {
    words: `${what}, ${bytes.length} bytes at ${at}`,
    apply: (before) => overwritten(before, at, bytes),
  };
}

/** A store never grows a file: what lies behind its end belongs to nobody. */
function stored(at: number, bytes: Uint8Array): Pick<Change, 'apply' | 'words' | 'inParts'> {
  return {
    inParts: true,
    words: `stored bytes, ${bytes.length} bytes at ${at}`,
    apply: (before) => overwritten(before, at, bytes.subarray(0, Math.max(0, before.length - at))),
  };
}

function allocated(op: Extract<Operation, { do: 'fallocate' }>): Pick<Change, 'apply' | 'words'> | undefined {
  const { offset, length, flags = [] } = op;
  const zeros = flags.includes('punch-hole') || flags.includes('zero-range');
  const grows = !flags.includes('keep-size') && !flags.includes('punch-hole');
  if (flags.includes('collapse-range') || flags.includes('insert-range')) return undefined;
  return {
    words: `${flags.join(', ') || 'fallocate'} of ${length} bytes at ${offset}`,
    apply: (before) => {
      const grown = grows && offset + length > before.length ? resized(before, offset + length) : before;
      return zeros ? zeroed(grown, offset, length) : grown;
    },
  };
}

/** Descriptors, their positions, and mappings, as the actor holds them afterwards. */
function keepHandles(
  op: Operation,
  value: unknown,
  name: (handle: string) => string,
  files: Map<string, Held>,
  maps: Map<string, Mapped>,
  held: Held | undefined,
): void {
  switch (op.do) {
    case 'open':
      files.set(name(op.as), { path: op.path, appends: op.flags.includes('append'), position: 0 });
      return;
    case 'close':
      files.delete(name(op.file));
      return;
    case 'map':
      if (held !== undefined)
        maps.set(name(op.as), { path: held.path, offset: op.offset, shared: op.share === 'shared' });
      return;
    case 'unmap':
      maps.delete(name(op.map));
      return;
    case 'read':
    case 'write':
      if (held !== undefined && op.offset === undefined)
        held.position += (value as { readonly bytes: number }).bytes;
      return;
    case 'seek':
      if (held !== undefined) held.position = (value as { readonly offset: number }).offset;
      return;
    default:
      return;
  }
}

/** Events that end staleness, by the words of the contract, that a deed is. */
export function eventsOf({ op, value, refusal }: Deed): readonly string[] {
  if (refusal !== undefined) return [];
  switch (op.do) {
    case 'open':
      return op.flags.includes('path') ? [] : ['the next open'];
    case 'evict':
      // Pages that stayed may be the stale ones.
      return (value as EvictResult).after.cached === 0 && (value as EvictResult).after.by !== 'refused'
        ? ['eviction']
        : [];
    case 'close':
      return ['close'];
    case 'fsync':
    case 'syncfs':
      return ['fsync'];
    case 'msync':
      return op.how === undefined || op.how === 'sync' ? ['msync'] : [];
    case 'unmap':
      return ['munmap'];
    case 'map':
      return ['a new mapping'];
    case 'fstat':
    case 'stat':
      return op.sync === 'force'
        ? ['stat', 'a refresh of the attributes']
        : op.sync === 'dont'
          ? []
          : ['stat'];
    default:
      return [];
  }
}

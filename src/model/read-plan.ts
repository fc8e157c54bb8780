/**
 * A run of reads, as the probe carries it out and as an account replays it. The offsets follow from the plan,
 * so that only the times travel.
 *
 * The random order visits every block once before it visits any again: a permutation of the block numbers by
 * a four-round Feistel network over the smallest even number of bits that holds them, walked until the result
 * is a block number. Round function: the 32-bit finaliser of MurmurHash3 over (half ^ (seed + round × 0x9E3779B9)).
 * It needs no memory and is the same in C (src/probe/native/reads.h) and here.
 */
export interface ReadPlan {
  readonly order: 'seq' | 'random';
  /** Bytes asked for by each read. */
  readonly block: number;
  /** The range is read in blocks; its end may lie anywhere in the last one. */
  readonly range: { readonly offset: number; readonly length: number };
  /** Reads in one pass; more than there are blocks: the order begins again (random: another permutation). */
  readonly count: number;
  /** 32 bits. */
  readonly seed: number;
  /** The same reads that many times. */
  readonly passes: number;
}

/** One read. `bytes` is what it gave. */
export interface Read {
  readonly offset: number;
  readonly asked: number;
  readonly bytes: number;
  readonly ns: number;
}

/** Consecutive reads of a plan from number `from`, packed: the bulk items of the operation `reads`. */
export interface ReadBatch {
  readonly from: number;
  /** Nanoseconds, 32 bits each, little endian, base64; 0xFFFFFFFF: see `slow`. */
  readonly ns: string;
  /** Reads that took longer than 32 bits can say: number, nanoseconds. */
  readonly slow?: readonly (readonly [number, number])[];
  /** Reads that gave another number of bytes than was asked: number, bytes. */
  readonly short?: readonly (readonly [number, number])[];
}

/** Blocks of a plan's range. */
export function blocksOf({ range, block }: Pick<ReadPlan, 'range' | 'block'>): number {
  return Math.ceil(range.length / block);
}

/** Where read number `index` (from 0, over all passes) begins. */
export function readOffset(plan: ReadPlan, index: number): number {
  const blocks = blocksOf(plan);
  const inPass = index % plan.count;
  const slot = inPass % blocks;
  const number =
    plan.order === 'seq' ? slot : permuted(slot, blocks, (plan.seed + Math.floor(inPass / blocks)) >>> 0);
  return plan.range.offset + number * plan.block;
}

/** Unpacks a batch. */
export function* readsOf(plan: ReadPlan, batch: ReadBatch): Generator<Read> {
  const packed = Uint8Array.from(atob(batch.ns), (character) => character.charCodeAt(0));
  const times = new DataView(packed.buffer);
  const slow = new Map(batch.slow);
  const short = new Map(batch.short);
  for (let at = 0; at * 4 < packed.length; at += 1) {
    const index = batch.from + at;
    const asked = plan.block;
    yield {
      offset: readOffset(plan, index),
      asked,
      bytes: short.get(index) ?? asked,
      ns: slow.get(index) ?? times.getUint32(at * 4, true),
    };
  }
}

/** A permutation of 0 … count − 1 that a seed chooses. */
export function permuted(slot: number, count: number, seed: number): number {
  let half = 1;
  while (4 ** half < count) half += 1;
  const base = 2 ** half;
  let value = slot;
  do {
    let left = Math.floor(value / base);
    let right = value % base;
    for (let round = 0; round < 4; round += 1) {
      const next = left ^ (mixed(right ^ (seed + Math.imul(round, 0x9e3779b9))) & (base - 1));
      left = right;
      right = next;
    }
    value = left * base + right;
  } while (value >= count);
  return value;
}

function mixed(value: number): number {
  let hash = value >>> 0;
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}

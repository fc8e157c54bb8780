import type { Case, Observed, Promises, Step } from '../../src/model/check.ts';
import type { BlockDigests, HashResult, ManyResult, Operation } from '../../src/model/operation.ts';
import { describeOutcome } from '../../src/model/outcome.ts';
import { type PatternKey, patternBytes } from '../../src/model/pattern.ts';
import { describePromise } from '../../src/model/promise.ts';
import type { Verdict } from '../../src/model/verdict.ts';
import { nameWrongBytes } from '../../src/model/wrong-bytes.ts';
import { describeWrongBytes } from '../../src/model/wrong-words.ts';
import { writers } from '../coherence/acts.ts';

/** What a guest's kernel maps at once (fs/fuse/dax.c FUSE_DAX_SHIFT). */
const range = 2 * 1024 * 1024;
const page = 4096;

/** A file, and how it is gone through. */
export interface Shape {
  readonly name: string;
  readonly length: number;
}

/**
 * - `larger-than-window`: 48 MiB, more than the 32 MiB of a lab's window: each range is taken back to map another.
 * - `last-range`: the last range is mapped in part; nothing of what is behind it, or before it, may show there.
 * - `last-bytes`: the same with a last page that is not full.
 */
export const shapes: readonly Shape[] = [
  { name: 'larger-than-window', length: 24 * range },
  { name: 'last-range', length: 2 * range + 3 * page },
  { name: 'last-bytes', length: 2 * range + 3 * page + 77 },
];

function keyOf(seed: number): PatternKey {
  return { seed, fileId: 1, writer: 1, generation: 1 };
}

/** A page at the beginning, in the middle and at the end of each range. */
function placesOf(length: number): readonly { readonly offset: number; readonly length: number }[] {
  const places = new Map<number, number>();
  for (let start = 0; start < length; start += range) {
    const end = Math.min(length, start + range);
    const middle = Math.floor((start + end) / 2 / page) * page;
    const last = Math.floor((end - 1) / page) * page;
    for (const offset of [start, middle, last]) places.set(offset, Math.min(page, length - offset));
  }
  return [...places].map(([offset, bytes]) => ({ offset, length: bytes }));
}

const loads = (length: number, backward: boolean): readonly Operation[] => {
  const all = placesOf(length).map(
    (place): Operation => ({ do: 'load', map: 'f', offset: place.offset, length: place.length }),
  );
  return backward ? all.reverse() : all;
};

/**
 * ```
 *  host    make                                         hash
 *  guest   open, stat, map   load ↑   hash   load ↓
 * ```
 * The loads go through one mapping that stays: its ranges are taken back under it.
 */
export function caseOfShape({ name, length }: Shape, seed: number): Case {
  const hash: Operation = {
    do: 'hash',
    file: 'f',
    algorithm: 'md5',
    block: range,
    blockAlgorithm: 'md5',
    sync: 'dont',
  };
  const steps: readonly (readonly [string, string, Operation])[] = [
    [
      'host',
      'make',
      {
        do: 'many',
        list: [
          { do: 'open', path: 'f', flags: ['creat', 'excl', 'rdwr'], mode: 0o666, as: 'f' },
          { do: 'fill', file: 'f', range: { offset: 0, length }, ...keyOf(seed) },
        ],
      },
    ],
    [
      'guest',
      'open',
      {
        do: 'many',
        list: [
          { do: 'open', path: 'f', flags: ['rdonly'], as: 'f' },
          { do: 'fstat', file: 'f', sync: 'dont' },
          { do: 'map', file: 'f', as: 'f', offset: 0, length, protection: 'read', share: 'shared' },
        ],
      },
    ],
    ['guest', 'forward', { do: 'many', list: loads(length, false) }],
    ['guest', 'guest-hash', hash],
    ['guest', 'backward', { do: 'many', list: loads(length, true) }],
    ['host', 'host-hash', hash],
  ];
  return {
    name,
    scenarios: ['dax/window'],
    isolation: 'shared',
    needs: ['writable'],
    actors: { guest: 'guest', host: 'host' },
    steps: steps.map(([actor, id, op], index) => ({
      id,
      actor,
      op,
      limit: { ms: 120_000, name: 'the limit of a step' },
      ...(index === 0 ? {} : { after: [{ step: steps[index - 1]?.[1] ?? '', has: 'ended' as const }] }),
    })),
  };
}

/** The first range whose digests differ, read whole by the guest: to say what is there. */
export async function rangeToRead(observed: Observed): Promise<readonly Step[]> {
  if (observed.steps.some(({ id }) => id === 'wrong-range')) return [];
  const [first] = await rangesThatDiffer(observed);
  const { length = 0 } = shapes.find(({ name }) => name === observed.case.name) ?? {};
  if (first === undefined) return [];
  const pieces = [0, range / 2].filter((at) => first * range + at < length);
  const list = pieces.map(
    (at): Operation => ({ do: 'read', file: 'f', offset: first * range + at, length: range / 2 }),
  );
  return [{ id: 'wrong-range', actor: 'guest', op: { do: 'many', list }, mayFail: true }];
}

async function digestsOf(observed: Observed, step: string): Promise<readonly string[]> {
  const digests: string[] = [];
  for await (const { from, base64 } of observed.bulk<BlockDigests>(step)) {
    const bytes = Buffer.from(base64, 'base64');
    for (let at = 0; at + 16 <= bytes.length; at += 16)
      digests[from + at / 16] = bytes.subarray(at, at + 16).toString('hex');
  }
  return digests;
}

async function rangesThatDiffer(observed: Observed): Promise<readonly number[]> {
  const [guest, host] = [await digestsOf(observed, 'guest-hash'), await digestsOf(observed, 'host-hash')];
  return host.flatMap((digest, index) => (guest[index] === digest ? [] : [index]));
}

export async function judgeShape(observed: Observed, promises: Promises): Promise<Verdict> {
  const promise = promises('dax/window');
  if (promise === undefined)
    return { kind: 'unknown', code: 'no-promise', reason: 'the contract does not know this mode' };
  const promised = { promised: describePromise(promise), sources: promise.sources };
  const wrong = wrongLoad(observed) ?? (await wrongRange(observed));
  if (wrong !== undefined) return { ...wrong, ...promised };
  for (const { id, actor } of observed.steps) {
    const { stopped } = observed.value<Partial<ManyResult>>(id) ?? {};
    const outcome = observed.outcome(id);
    if (outcome.kind !== 'value')
      return {
        kind: 'unknown',
        code: 'could-not-run',
        reason: `${actor}, ${id}: ${describeOutcome(outcome)}`,
      };
    if (stopped !== undefined)
      return {
        kind: 'unknown',
        code: 'could-not-run',
        reason: `${actor}, ${id}: ${stopped.call} failed with ${stopped.errno}`,
      };
  }
  const { bytes = 0 } = observed.value<HashResult>('guest-hash') ?? {};
  const ranges = Math.ceil(bytes / range);
  return {
    kind: 'pass',
    reason: `${ranges} ranges of 2 MiB (${bytes.toLocaleString('en-US')} bytes) read, and loaded forward and backward: each as the host has it`,
    ...promised,
  };
}

/** Loads are held against what was written: both sides could agree on something else. */
function wrongLoad(observed: Observed): Verdict | undefined {
  for (const id of ['forward', 'backward']) {
    const step = observed.steps.find((each) => each.id === id);
    if (step?.op.do !== 'many') continue;
    const { values = [] } = observed.value<Partial<ManyResult>>(id) ?? {};
    for (const [index, op] of step.op.list.entries()) {
      const value = values[index] as { readonly base64: string } | undefined;
      if (op.do !== 'load' || value === undefined) continue;
      const verdict = heldAgainst(observed, op.offset, value.base64, op.length, `${id}, a load`);
      if (verdict !== undefined) return verdict;
    }
  }
  return undefined;
}

async function wrongRange(observed: Observed): Promise<Verdict | undefined> {
  const differ = await rangesThatDiffer(observed);
  const [first] = differ;
  if (first === undefined || observed.outcome('host-hash').kind !== 'value') return undefined;
  if (observed.outcome('guest-hash').kind !== 'value') return undefined;
  const step = observed.steps.find(({ id }) => id === 'wrong-range');
  const { values = [] } = observed.value<Partial<ManyResult>>('wrong-range') ?? {};
  for (const [index, op] of (step?.op.do === 'many' ? step.op.list : []).entries()) {
    const value = values[index] as { readonly base64: string } | undefined;
    if (op.do !== 'read' || value === undefined) continue;
    const { length = 0 } = shapes.find(({ name }) => name === observed.case.name) ?? {};
    const at = op.offset ?? 0;
    const verdict = heldAgainst(observed, at, value.base64, Math.min(op.length, length - at), 'a read');
    if (verdict !== undefined) return verdict;
  }
  const reason = `${differ.length} ranges of 2 MiB read otherwise in the guest than on the host, the first at ${first * range}; read again it was as on the host`;
  return { kind: 'fail', code: 'wrong-bytes', reason, observed: reason };
}

function heldAgainst(
  { setting, case: { name } }: Observed,
  offset: number,
  base64: string,
  length: number,
  how: string,
): Verdict | undefined {
  const found = Buffer.from(base64, 'base64');
  const key = keyOf(setting.seed);
  const expected = patternBytes(key, offset, length);
  if (Buffer.compare(found, expected) === 0) return undefined;
  const wrong = nameWrongBytes(found, offset, { expected, keys: [key], fileId: key.fileId });
  const words = describeWrongBytes(wrong, { writers, files: new Map([[key.fileId, 'f']]) });
  return {
    kind: 'fail',
    code: 'wrong-bytes',
    reason: `${how} at ${offset} (range ${Math.floor(offset / range)} of ${name}): ${words}`,
    observed: words,
    evidence: { offset, length, wrong },
  };
}

import { type PatternKey, patternBytes } from '../../src/model/pattern.ts';
import { nameWrongBytes } from '../../src/model/wrong-bytes.ts';
import { describeWrongBytes } from '../../src/model/wrong-words.ts';
import { fileIdOf, writers } from '../coherence/acts.ts';

/**
 * A file whose pages are shared out: of each eight slots of a page the guest writes the even ones, the host the
 * odd ones, again and again, each time a newer generation. Generation 1 is the host's, in all of them.
 *
 * ```
 *  slot    0   1   2   3   4   5   6   7
 *  page  | G | H | G | H | G | H | G | H |
 * ```
 */
export const slotSize = 512;
const pages = 2;
export const fileSize = pages * 4096;

export type Owner = 'host' | 'guest';

const writerOf: Record<Owner, number> = { host: 1, guest: 2 };

/** The offsets of the slots of one side. */
export function slotsOf(owner: Owner): readonly number[] {
  const all = Array.from({ length: fileSize / slotSize }, (_, index) => index);
  return all.filter((index) => index % 2 === (owner === 'host' ? 1 : 0)).map((index) => index * slotSize);
}

export function keyOf(seed: number, owner: Owner, generation: number): PatternKey {
  return { seed, fileId: fileIdOf('f'), writer: writerOf[owner], generation };
}

/** What became of the slots of one side. */
export interface Fate {
  readonly owner: Owner;
  /** Offsets of slots that hold something older than their owner's last bytes, or a mix with it. */
  readonly lost: readonly number[];
  /** Slots that hold what their owner never wrote there, in words. */
  readonly wrong: readonly string[];
}

/**
 * @param found the whole file as it is in the end.
 * @param last the owner's last generation.
 */
export function fateOf(found: Uint8Array, seed: number, owner: Owner, last: number): Fate {
  const older = [
    keyOf(seed, 'host', 1),
    ...Array.from({ length: last - 1 }, (_, index) => keyOf(seed, owner, index + 2)),
  ];
  const lost: number[] = [];
  const wrong: string[] = [];
  for (const offset of slotsOf(owner)) {
    const slot = found.subarray(offset, offset + slotSize);
    const expected = patternBytes(keyOf(seed, owner, last), offset, slotSize);
    const ranges = nameWrongBytes(slot, offset, { expected, keys: older, fileId: fileIdOf('f') });
    if (ranges.length === 0) continue;
    const own = ranges.every(
      (range) =>
        (range.what === 'generation' &&
          older.some(
            ({ writer, generation }) => writer === range.key.writer && generation === range.key.generation,
          )) ||
        (range.what === 'torn' && range.first !== 'zeros' && range.second !== 'zeros'),
    );
    if (own) lost.push(offset);
    else wrong.push(describeWrongBytes(ranges, { files: new Map([[fileIdOf('f'), 'f']]), writers }));
  }
  return { owner, lost, wrong };
}

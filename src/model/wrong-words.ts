import type { PatternKey } from './pattern.ts';
import type { FlippedBit, Part, WrongBytes } from './wrong-bytes.ts';

/** Names for the numbers in keys. */
export interface KeyNames {
  /** File id → path. */
  readonly files?: ReadonlyMap<number, string>;
  /** Writer → who that is: `the guest`. */
  readonly writers?: ReadonlyMap<number, string>;
}

/** So many ranges are told; the others are counted. */
const told = 4;

/** Wrong bytes in one sentence: `0x3000–0x3fff is zeros to the end (4096 bytes); 0x4000 …`. Empty for none. */
export function describeWrongBytes(wrong: readonly WrongBytes[], names: KeyNames = {}): string {
  const sentences = wrong.slice(0, told).map((each) => `${describeRange(each)} ${describeKind(each, names)}`);
  const more = wrong.length - told;
  if (more > 0) {
    const bytes = wrong.slice(told).reduce((sum, { length }) => sum + length, 0);
    sentences.push(`and ${more} more ${more === 1 ? 'range' : 'ranges'} (${bytes} bytes)`);
  }
  return sentences.join('; ');
}

function describeRange({ offset, length }: WrongBytes): string {
  return length === 1 ? hex(offset) : `${hex(offset)}–${hex(offset + length - 1)}`;
}

function describeKind(wrong: WrongBytes, names: KeyNames): string {
  switch (wrong.what) {
    case 'generation': {
      const { expected, tornAt } = wrong;
      const instead = expected === undefined ? '' : ` instead of ${describeKey(expected, names)}`;
      const age = wrong.age === 'same' ? '' : `${wrong.age}: `;
      const tear = tornAt === undefined ? '' : `, torn inside a page at ${tornAt.map(hex).join(' and ')}`;
      return `is ${age}${describeKey(wrong.key, names)}${instead}${tear}`;
    }
    case 'misdirected':
      return `belongs at ${hex(wrong.belongsAt)} (${describeKey(wrong.key, names)})`;
    case 'other-file': {
      const path = names.files?.get(wrong.key.fileId);
      const file = path === undefined ? `another file (id ${wrong.key.fileId})` : `another file, ${path}`;
      return `belongs to ${file}, at ${hex(wrong.belongsAt)} (${describeKey(wrong.key, names)})`;
    }
    case 'torn':
      return `is torn at ${hex(wrong.tornAt)}: ${describePart(wrong.first, names)}, then ${describePart(wrong.second, names)}`;
    case 'zeros':
      return `is zeros (${wrong.length} bytes)`;
    case 'nul-tail':
      return `is zeros up to the end of what was read (${wrong.length} bytes)`;
    case 'flipped-bits': {
      const of = wrong.key === undefined ? '' : ` of ${describeKey(wrong.key, names)}`;
      const count = wrong.bits.length === 1 ? 'one bit is' : `${wrong.bits.length} bits are`;
      return `${count} flipped${of}: ${wrong.bits.slice(0, 4).map(describeBit).join(', ')}${wrong.bits.length > 4 ? ' …' : ''}`;
    }
    case 'short':
      return `was not read: the file ends ${wrong.length} bytes too early`;
    case 'excess':
      return `lies behind the end of file (${wrong.length} bytes too many)`;
    case 'foreign':
      return `is from no known write (begins ${wrong.begins.map((byte) => byte.toString(16).padStart(2, '0')).join(' ')})`;
  }
}

function describeKey({ generation, writer }: PatternKey, { writers }: KeyNames): string {
  return `generation ${generation} of ${writers?.get(writer) ?? `writer ${writer}`}`;
}

function describePart(part: Part, names: KeyNames): string {
  if (part === 'expected') return 'as it should be';
  return part === 'zeros' ? 'zeros' : describeKey(part, names);
}

function describeBit({ offset, bit, to }: FlippedBit): string {
  return `bit ${bit} at ${hex(offset)} is ${to}`;
}

function hex(offset: number): string {
  return `0x${offset.toString(16)}`;
}

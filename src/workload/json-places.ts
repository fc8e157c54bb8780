import { type JSONVisitor, visit } from 'jsonc-parser';
import type { Found } from './found.ts';

/** A JSON value whose leaves know where they stand. */
export type Located = Found<string | number | boolean | null> | LocatedObject | LocatedArray;
interface LocatedObject {
  readonly members: ReadonlyMap<string, Located>;
}
interface LocatedArray {
  readonly items: readonly Located[];
}

/** One JSON object of a text, as far as it goes. */
export interface LocatedDocument {
  readonly root: LocatedObject;
  readonly at: number;
  readonly end: number;
  /** The text ended, or broke, before the object did. */
  readonly isCut: boolean;
}

/** Nothing is asked of these. */
const skipped = new Set(['block', 'log']);
/** Histograms are by far the most of `json+`: those of a document that has so many figures already are left out. */
const histogram = 'bins';
const maxFigures = 200_000;
const maxItems = 20_000;
const maxDepth = 64;

class Done extends Error {}

/**
 * Reads the object that begins at an offset, and nothing after it. What is broken off is given as far as it
 * goes.
 */
export function locatedObject(text: string, at: number): LocatedDocument {
  type Open = { members: Map<string, Located> } | { items: Located[] };
  const stack: Open[] = [];
  let root: { members: Map<string, Located> } | undefined;
  let key = '';
  let skipDepth = 0;
  let figures = 0;
  let end = text.length;
  let isCut = true;
  const add = (value: Located) => {
    const top = stack.at(-1);
    if (top === undefined) return;
    if ('items' in top) {
      if (top.items.length < maxItems) top.items.push(value);
    } else top.members.set(key, value);
  };
  const open = (value: Open) => {
    if (stack.length >= maxDepth) throw new Done();
    const isSkipped = skipped.has(key) || (key === histogram && figures > maxFigures);
    if (skipDepth > 0 || (stack.length > 0 && !isItem() && isSkipped)) skipDepth += 1;
    else add(value);
    if (stack.length === 0 && 'members' in value) root = value;
    stack.push(value);
  };
  const isItem = () => {
    const top = stack.at(-1);
    return top !== undefined && 'items' in top;
  };
  const close = (offset: number, length: number) => {
    stack.pop();
    skipDepth = Math.max(0, skipDepth - 1);
    if (stack.length > 0) return;
    // At the end of a text that breaks off, the visitor closes what is open.
    const isClosed = text[at + offset] === '}';
    [end, isCut] = [at + offset + length, !isClosed];
    throw new Done();
  };
  const visitor: JSONVisitor = {
    onObjectBegin: () => open({ members: new Map() }),
    onArrayBegin: () => open({ items: [] }),
    onObjectProperty: (name) => {
      key = name;
    },
    onLiteralValue: (value, offset) => {
      if (skipDepth > 0) return;
      figures += 1;
      add({ value, at: at + offset });
    },
    onObjectEnd: close,
    onArrayEnd: close,
  };
  try {
    visit(text.slice(at), visitor, { disallowComments: true, allowTrailingComma: true });
  } catch (error) {
    // Deeper than any of fio's, up to the interpreter's own limit: what was read until there is kept.
    if (!(error instanceof Done || error instanceof RangeError)) throw error;
  }
  return { root: root ?? { members: new Map() }, at, end, isCut };
}

export function memberOf(value: Located | undefined, name: string): Located | undefined {
  return value !== undefined && 'members' in value ? value.members.get(name) : undefined;
}

export function itemsOf(value: Located | undefined): readonly Located[] {
  return value !== undefined && 'items' in value ? value.items : [];
}

export function numberAt(value: Located | undefined, name: string): Found<number> | undefined {
  const leaf = memberOf(value, name);
  return leaf !== undefined && 'value' in leaf && typeof leaf.value === 'number'
    ? { value: leaf.value, at: leaf.at }
    : undefined;
}

export function stringAt(value: Located | undefined, name: string): Found<string> | undefined {
  const leaf = memberOf(value, name);
  return leaf !== undefined && 'value' in leaf && typeof leaf.value === 'string'
    ? { value: leaf.value, at: leaf.at }
    : undefined;
}

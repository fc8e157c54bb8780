import { findNodeAtLocation, type Node, type ParseError, parseTree, printParseErrorCode } from 'jsonc-parser';
import type { Fault } from './faults.ts';

/** What a file holds, and how its parts are found again in it. */
export interface Source {
  readonly value: unknown;
  /** What is wrong with it before anybody looks at what it says. */
  readonly faults: readonly Fault[];
  /** `:4:14`, or `, at guests.web` where a program made the value. */
  placeOf(fault: Fault): string;
}

/** JSON with comments and trailing commas, of which every part has its line. */
export function jsonSource(_file: string, text: string): Source {
  const errors: ParseError[] = [];
  const tree = parseTree(text, errors, { allowTrailingComma: true, allowEmptyContent: true });
  const faults = [
    ...errors.map(
      ({ error, offset }): Fault => ({ path: [], offset, words: wordsOf(printParseErrorCode(error)) }),
    ),
    ...(tree === undefined && errors.length === 0 ? [{ path: [], words: 'the file is empty' }] : []),
    ...(tree === undefined ? [] : doubled(tree)),
  ];
  return {
    value: tree === undefined ? undefined : plain(tree),
    faults,
    placeOf: (fault) => {
      const node = fault.offset === undefined && tree !== undefined ? nodeAt(tree, fault) : undefined;
      return lineAndColumn(text, fault.offset ?? node?.offset ?? 0);
    },
  };
}

/** A value that a program made: its parts have names, and no lines. */
export function valueSource(value: unknown): Source {
  return {
    value,
    faults: [],
    placeOf: ({ path, key }) => {
      const names = key === undefined ? path : [...path, key];
      return names.length === 0 ? '' : `, at ${names.join('.')}`;
    },
  };
}

/** The key itself where the fault is of a key, else the value; else the nearest thing above that is there. */
function nodeAt(tree: Node, { path, key }: Fault): Node {
  for (let length = path.length; length >= 0; length -= 1) {
    const node = findNodeAtLocation(tree, path.slice(0, length));
    if (node === undefined) continue;
    const property =
      length === path.length ? node.children?.find((each) => each.children?.[0]?.value === key) : undefined;
    return property?.children?.[0] ?? node;
  }
  return tree;
}

/** Names that an object has twice: the last would count, silently. */
function doubled(node: Node): Fault[] {
  const seen = new Set<unknown>();
  return (node.children ?? []).flatMap((child) => {
    const name = child.type === 'property' ? child.children?.[0] : undefined;
    const twice = name !== undefined && seen.has(name.value);
    if (name !== undefined) seen.add(name.value);
    const own = twice ? [{ path: [], offset: name.offset, words: `"${name.value}" is there twice` }] : [];
    return [...own, ...doubled(child)];
  });
}

/** The value of a tree; `__proto__` is a name like any other. */
function plain(node: Node): unknown {
  if (node.type === 'array') return (node.children ?? []).map(plain);
  if (node.type !== 'object') return node.value;
  return Object.fromEntries(
    (node.children ?? []).map(({ children: [name, value] = [] }) => [
      String(name?.value),
      value === undefined ? undefined : plain(value),
    ]),
  );
}

function lineAndColumn(text: string, offset: number): string {
  const before = text.slice(0, offset).split('\n');
  return `:${before.length}:${(before.at(-1) ?? '').length + 1}`;
}

/** `CommaExpected` as a person says it. */
function wordsOf(code: string): string {
  const expected = /^(.*)Expected$/.exec(code)?.[1];
  const words = (text: string) => text.replace(/([a-z])([A-Z])/g, '$1 $2').toLowerCase();
  return expected === undefined ? `no JSON: ${words(code)}` : `no JSON: a ${words(expected)} is missing here`;
}

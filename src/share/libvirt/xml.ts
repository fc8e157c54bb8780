import { type SaxesAttributePlain, SaxesParser } from 'saxes';
import { KnownError } from '../../model/error.ts';

/** An element of a document, and where it is in the text: all else can then be kept byte for byte. */
export interface XmlElement {
  readonly name: string;
  readonly attributes: Readonly<Record<string, string>>;
  readonly children: readonly XmlElement[];
  readonly text: string;
  /** From its `<`, to behind its last `>`. */
  readonly start: number;
  readonly end: number;
  /** Behind the `>` of its first tag. The same as `end` where it is `<empty/>`. */
  readonly openEnd: number;
}

/** What is to stand in place of a part of a text. */
export interface Edit {
  readonly start: number;
  readonly end: number;
  readonly text: string;
}

/**
 * Reads a document.
 * @throws KnownError `bad-xml`
 */
export function parseXml(xml: string): XmlElement {
  type Open = { -readonly [key in keyof XmlElement]: XmlElement[key] } & { children: XmlElement[] };
  const stack: Open[] = [];
  let root: XmlElement | undefined;
  const parser = new SaxesParser();
  parser.on('error', (error) => {
    throw new KnownError('bad-xml', `this XML cannot be read: ${error.message}`, 'See what printed it.');
  });
  parser.on('opentag', ({ name, attributes }) => {
    const openEnd = parser.position;
    // In a tag `<` may stand only at its beginning.
    const start = xml.lastIndexOf('<', openEnd - 1);
    const plain = attributes as Record<string, string | SaxesAttributePlain>;
    const values = Object.entries(plain).map(([key, value]) => [key, String(value)]);
    const element: Open = {
      ...{ name, attributes: Object.fromEntries(values), children: [], text: '' },
      ...{ start, openEnd, end: openEnd },
    };
    stack.at(-1)?.children.push(element);
    stack.push(element);
    root ??= element;
  });
  parser.on('text', (text) => {
    const open = stack.at(-1);
    if (open !== undefined) open.text += text;
  });
  parser.on('closetag', () => {
    const open = stack.pop();
    if (open !== undefined) open.end = parser.position;
  });
  parser.write(xml).close();
  if (root === undefined) throw new KnownError('bad-xml', 'this XML is empty', 'See what printed it.');
  return root;
}

/** The first child of that name. */
export function child(element: XmlElement | undefined, name: string): XmlElement | undefined {
  return element?.children.find((each) => each.name === name);
}

/** The text with these parts replaced; they do not overlap. */
export function edited(xml: string, edits: readonly Edit[]): string {
  return [...edits]
    .sort((a, b) => b.start - a.start)
    .reduce((text, { start, end, text: by }) => text.slice(0, start) + by + text.slice(end), xml);
}

/** Puts a new last child into an element, in a line of its own, indented as the element's is and two more. */
export function insertion(xml: string, parent: XmlElement, text: string): Edit {
  const indent = indentOf(xml, parent);
  const line = `\n${indent}  ${text}`;
  if (parent.openEnd !== parent.end) {
    const last = parent.children.at(-1);
    const at = last?.end ?? parent.openEnd;
    return { start: at, end: at, text: last === undefined ? `${line}\n${indent}` : line };
  }
  return {
    start: xml.lastIndexOf('/', parent.end),
    end: parent.end,
    text: `>${line}\n${indent}</${parent.name}>`,
  };
}

/** Puts a new sibling behind an element, in a line of its own. */
export function insertionBehind(xml: string, element: XmlElement, text: string): Edit {
  return { start: element.end, end: element.end, text: `\n${indentOf(xml, element)}${text}` };
}

/** Takes an element away with the line break and the blanks before it. */
export function removal(xml: string, { start, end }: XmlElement): Edit {
  return { start: xml.slice(0, start).trimEnd().length, end, text: '' };
}

/** Sets an attribute of an element's first tag; undefined takes it away. */
export function attributeEdit(
  xml: string,
  element: XmlElement,
  name: string,
  value: string | undefined,
): Edit {
  const tag = xml.slice(element.start, element.openEnd);
  const given = new RegExp(`\\s+${name}\\s*=\\s*(?:'[^']*'|"[^"]*")`).exec(tag);
  const text = value === undefined ? '' : ` ${name}='${escaped(value)}'`;
  if (given !== null) {
    const start = element.start + given.index;
    return { start, end: start + given[0].length, text };
  }
  const start = element.start + 1 + element.name.length;
  return { start, end: start, text };
}

/** Text as it may stand in an attribute's value between single quotes. */
function escaped(text: string): string {
  return text.replace(/[&<>'"]/g, (each) => `&#${each.codePointAt(0)};`);
}

function indentOf(xml: string, { start }: XmlElement): string {
  const line = xml.slice(xml.lastIndexOf('\n', start - 1) + 1, start);
  return line.trim() === '' ? line : '';
}

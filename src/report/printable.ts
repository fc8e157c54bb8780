/**
 * Text that is safe to print: what a user or a guest named must not move the cursor, change colours or
 * reorder what is read. Control characters and a file name's invalid bytes (see model/path.ts) stand as
 * `\x1b`, other invisible or reordering characters as `\u202e`.
 */
export function printable(text: string): string {
  return text.replaceAll(unsafe, escapeOf);
}

/**
 * A file name, printed so that two different names never look the same: as `printable`, with the backslash
 * itself doubled and spaces at either end made visible.
 */
export function printableName(name: string): string {
  return printable(name.replaceAll('\\', '\\\\')).replaceAll(/^ +| +$/g, (spaces) =>
    '\\x20'.repeat(spaces.length),
  );
}

// Cc: controls, both ranges. Cf: formats, the bidirectional ones and the zero-width among them. Cs: lone
// surrogates (in a `u` expression a pair is one character, of another category). Zl, Zp: line and paragraph
// separators.
// Noncharacters are no text at all: XML refuses two of them.
const unsafe = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}\p{Noncharacter_Code_Point}]/gu;

function escapeOf(character: string): string {
  const code = character.codePointAt(0) ?? 0;
  if (character === '\n') return '\\n';
  if (character === '\t') return '\\t';
  if (code >= 0xdc80 && code <= 0xdcff) return `\\x${(code - 0xdc00).toString(16)}`;
  if (code < 0x100) return `\\x${code.toString(16).padStart(2, '0')}`;
  return code > 0xffff ? `\\u{${code.toString(16)}}` : `\\u${code.toString(16).padStart(4, '0')}`;
}

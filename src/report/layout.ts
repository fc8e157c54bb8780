import stringWidth from 'string-width';
import wrapAnsi from 'wrap-ansi';

/** How text is laid out. */
export interface Style {
  readonly color: boolean;
  /** The terminal's character set has no blocks to draw with. */
  readonly ascii?: boolean;
  /** Columns. Only a path or a word of a command that is longer than a line exceeds it. */
  readonly width: number;
}

/** Pads to a display width: wide characters count two, escapes and combining ones none. */
export function padTo(text: string, width: number): string {
  return text + ' '.repeat(Math.max(0, width - stringWidth(text)));
}

/** Breaks a paragraph at its spaces into lines of at most `width` columns; the first may begin elsewhere. */
export function wrapped(
  text: string,
  {
    width,
    first = '',
    rest = ' '.repeat(stringWidth(first)),
  }: { width: number; first?: string; rest?: string },
): string[] {
  const room = Math.max(20, width - Math.max(stringWidth(first), stringWidth(rest)));
  const lines = wrapAnsi(text, room, { hard: false, trim: true }).split('\n');
  return lines.map((line, index) => (index === 0 ? first : rest) + line);
}

/** Joins pieces on as few lines as hold them whole; a piece that is too long has a line to itself. */
export function flowed(
  pieces: readonly string[],
  { width, gap, rest }: { width: number; gap: string; rest: string },
): string[] {
  const lines: string[] = [];
  for (const piece of pieces) {
    const last = lines.at(-1);
    const joined = last === undefined ? piece : `${last}${gap}${piece}`;
    if (last !== undefined && stringWidth(joined) <= width) lines[lines.length - 1] = joined;
    else lines.push(last === undefined ? piece : rest + piece);
  }
  return lines;
}

/** Text at the left and at the right end of one line, or on two where one does not hold both. */
export function ends(left: string, right: string, width: number): string[] {
  const gap = width - stringWidth(left) - stringWidth(right);
  return gap >= 2
    ? [left + ' '.repeat(gap) + right]
    : [left, ' '.repeat(Math.max(0, width - stringWidth(right))) + right];
}

/** A shell command over several lines, each but the last ending in a backslash. Never breaks inside quotes. */
export function commandLines(
  command: string,
  { width, first, rest }: { width: number; first: string; rest: string },
): string[] {
  const words = command.match(/(?:[^\s'"\\]|\\.|\$?'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*")+/g) ?? [command];
  const lines: string[] = [];
  let line = first;
  let empty = true;
  for (const word of words) {
    if (!empty && stringWidth(line) + 1 + stringWidth(word) > width - 2) {
      lines.push(`${line} \\`);
      line = `${rest}    `;
      empty = true;
    }
    line += empty ? word : ` ${word}`;
    empty = false;
  }
  return [...lines, line];
}

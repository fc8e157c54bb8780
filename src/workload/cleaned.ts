/** Text without what publication left in it, and the way back to the original's offsets. */
export interface Cleaned {
  readonly text: string;
  /** What was found and taken out, in words. */
  readonly damage: readonly string[];
  /** The offset in the original of an offset in `text`. */
  readonly original: (offset: number) => number;
}

const entities: Readonly<Record<string, string>> = {
  gt: '>',
  lt: '<',
  amp: '&',
  quot: '"',
  apos: "'",
  nbsp: ' ',
};

/** Every alternative is bounded, so that one pass over any file is linear. */
const stray = new RegExp(
  [
    String.raw`(?<escape>\x1b\[[0-9;?]{0,32}[@-~]|\x1b\][^\x07\x1b]{0,200}(?:\x07|\x1b\\)|\x1b[()][0-9A-B])`,
    String.raw`(?<tag><\/?[a-zA-Z][^<>]{0,200}>)`,
    String.raw`(?<entity>&(?:gt|lt|amp|quot|apos|nbsp|#\d{1,6}|#x[0-9a-fA-F]{1,5});)`,
    '(?<percent>%(?:3E|3e|3D|3d|20|2C|2c|5B|5b|5D|5d|7C|7c|28|29))',
    String.raw`(?<space>[\u00a0\u2007\u2009\u202f]|\u200b|\ufeff)`,
    String.raw`(?<quoted>=3D|=\r?\n)`,
  ].join('|'),
  'g',
);

/**
 * Takes out terminal escapes, tags, and the encodings of mail and addresses; what stands for a character
 * becomes it (`&gt;`, `%3E`, a no-break space).
 */
export function cleaned(original: string): Cleaned {
  const seen = new Set<string>();
  const pieces: string[] = [];
  // Where a piece begins in the cleaned text, and by how much the original is ahead there.
  const starts: number[] = [0];
  const ahead: number[] = [0];
  let [at, length] = [0, 0];
  const isMail = isQuotedPrintable(original);
  for (const match of original.matchAll(stray)) {
    const groups = match.groups ?? {};
    if (groups.quoted !== undefined && !isMail) continue;
    const instead = replacement(groups);
    if (instead === undefined) continue;
    seen.add(kindOf(groups));
    const before = original.slice(at, match.index);
    pieces.push(before, instead);
    length += before.length + instead.length;
    at = match.index + match[0].length;
    starts.push(length);
    ahead.push(at - length);
  }
  if (starts.length === 1) return { text: original, damage: [], original: (offset) => offset };
  pieces.push(original.slice(at));
  return {
    text: pieces.join(''),
    damage: [...seen].map((kind) => `${kind} taken out`),
    original: (offset) => offset + (ahead[lastAtMost(starts, offset)] ?? 0),
  };
}

function replacement(groups: Readonly<Record<string, string | undefined>>): string | undefined {
  const { entity, percent, space, tag, quoted } = groups;
  if (entity !== undefined) return entityText(entity.slice(1, -1));
  if (percent !== undefined) return String.fromCharCode(Number.parseInt(percent.slice(1), 16));
  if (space !== undefined) return space === '\u200b' || space === '\ufeff' ? '' : ' ';
  if (quoted !== undefined) return quoted === '=3D' ? '=' : '';
  if (tag !== undefined) return /^<\/?(?:br|p|div|li|tr|pre)\b/i.test(tag) ? '\n' : '';
  return '';
}

function entityText(name: string): string | undefined {
  if (!name.startsWith('#')) return entities[name];
  const code = name[1] === 'x' ? Number.parseInt(name.slice(2), 16) : Number(name.slice(1));
  return code > 0 && code <= 0x10ffff ? String.fromCodePoint(code) : undefined;
}

function kindOf(groups: Readonly<Record<string, string | undefined>>): string {
  if (groups.escape !== undefined) return 'terminal escapes';
  if (groups.tag !== undefined) return 'markup';
  if (groups.entity !== undefined || groups.percent !== undefined) return 'encoded characters';
  if (groups.quoted !== undefined) return "a mail's encoding";
  return 'unusual spaces';
}

/** `=3D` can be part of a value; a mail's encoding has many. */
function isQuotedPrintable(text: string): boolean {
  let at = -1;
  for (let count = 0; count < 5; count += 1) {
    at = text.indexOf('=3D', at + 1);
    if (at < 0) return false;
  }
  return true;
}

function lastAtMost(sorted: readonly number[], value: number): number {
  let [low, high] = [0, sorted.length - 1];
  while (low < high) {
    const middle = (low + high + 1) >>> 1;
    if ((sorted[middle] ?? 0) <= value) low = middle;
    else high = middle - 1;
  }
  return low;
}

/**
 * Paths as strings that survive JSON: a byte that is not part of valid UTF-8 stands as the lone surrogate
 * U+DC80..U+DCFF (0xDC00 + byte), as in Python's surrogateescape.
 */
export function pathFromBytes(bytes: Uint8Array): string {
  const strict = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
  try {
    return strict.decode(bytes);
  } catch {
    return decodePieces(bytes, strict);
  }
}

function decodePieces(bytes: Uint8Array, strict: InstanceType<typeof TextDecoder>): string {
  let text = '';
  for (let at = 0; at < bytes.length; ) {
    const first = bytes[at] as number;
    const length = first < 0x80 ? 1 : first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : first >= 0xc0 ? 2 : 0;
    try {
      if (length === 0 || at + length > bytes.length) throw new RangeError('not UTF-8');
      text += strict.decode(bytes.subarray(at, at + length));
      at += length;
    } catch {
      text += String.fromCharCode(0xdc00 + first);
      at += 1;
    }
  }
  return text;
}

/** The bytes of a path; the inverse of `pathFromBytes`. */
export function pathToBytes(path: string): Uint8Array {
  const encoder = new TextEncoder();
  if (path.isWellFormed()) return encoder.encode(path);
  const pieces: Uint8Array[] = [];
  for (const character of path) {
    const unit = character.charCodeAt(0);
    const escaped = character.length === 1 && unit >= 0xdc80 && unit <= 0xdcff;
    pieces.push(escaped ? Uint8Array.of(unit - 0xdc00) : encoder.encode(character));
  }
  const bytes = new Uint8Array(pieces.reduce((sum, piece) => sum + piece.length, 0));
  let at = 0;
  for (const piece of pieces) {
    bytes.set(piece, at);
    at += piece.length;
  }
  return bytes;
}

/**
 * The order in which `walk` lists a tree: component by component, each by its bytes, a directory before what
 * is in it.
 */
export function compareTreePaths(a: string, b: string): number {
  if (a === b) return 0;
  const left = a.split('/');
  const right = b.split('/');
  for (let i = 0; i < left.length && i < right.length; i += 1) {
    const order = compareBytes(pathToBytes(left[i] as string), pathToBytes(right[i] as string));
    if (order !== 0) return order;
  }
  return left.length - right.length;
}

function compareBytes(a: Uint8Array, b: Uint8Array): number {
  for (let i = 0; i < a.length && i < b.length; i += 1) {
    const order = (a[i] as number) - (b[i] as number);
    if (order !== 0) return order;
  }
  return a.length - b.length;
}

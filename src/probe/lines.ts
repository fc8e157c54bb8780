/**
 * Cuts a stream of bytes into lines. Pieces of an unfinished line are only joined once it is complete, so
 * that a long line costs its length and not its square.
 * @param maxBytes of one line.
 * @param onTooLong called once; nothing is handed over after it.
 */
export function lineSplitter(
  maxBytes: number,
  onLine: (line: string) => void,
  onTooLong: () => void,
): (chunk: Uint8Array) => void {
  let pieces: Uint8Array[] = [];
  let bytes = 0;
  let given = false;
  return (chunk) => {
    let from = 0;
    while (!given) {
      const end = chunk.indexOf(0x0a, from);
      const piece = chunk.subarray(from, end === -1 ? chunk.length : end);
      bytes += piece.length;
      if (bytes > maxBytes) {
        given = true;
        pieces = [];
        onTooLong();
        return;
      }
      if (piece.length > 0) pieces.push(piece);
      if (end === -1) return;
      const line = Buffer.concat(pieces, bytes).toString('utf8');
      pieces = [];
      bytes = 0;
      from = end + 1;
      onLine(line);
    }
  };
}

/** The bytes of a file as text, or why they are none. */
export type Decoded =
  | { readonly text: string; readonly damage: readonly string[] }
  | { readonly text?: undefined; readonly why: string; readonly cure: string };

const magics: readonly (readonly [readonly number[], string, string])[] = [
  [[0x1f, 0x8b], 'gzip data', 'Unpack it first: gunzip FILE.'],
  [[0x28, 0xb5, 0x2f, 0xfd], 'zstd data', 'Unpack it first: unzstd FILE.'],
  [[0xfd, 0x37, 0x7a, 0x58, 0x5a], 'xz data', 'Unpack it first: unxz FILE.'],
  [[0x50, 0x4b, 0x03, 0x04], 'a zip archive', 'Unpack it first: unzip FILE.'],
  [[0x7f, 0x45, 0x4c, 0x46], 'a program (ELF)', 'Name the file that its output was saved to.'],
  [[0x89, 0x50, 0x4e, 0x47], 'a picture (PNG)', 'Save the output as text.'],
];

/** UTF-8, UTF-16 (as Windows' shells redirect), or 8-bit text. */
export function decode(bytes: Uint8Array): Decoded {
  if (bytes.length === 0) return { why: 'is empty', cure: 'Save the output again: fio … --output=FILE.' };
  for (const [magic, what, cure] of magics)
    if (magic.every((byte, index) => bytes[index] === byte)) return { why: `is ${what}, not text`, cure };
  const wide = utf16Of(bytes);
  if (wide !== undefined)
    return { text: new TextDecoder(wide).decode(bytes), damage: [`${wide.toUpperCase()}, read as such`] };
  const text = new TextDecoder('utf-8').decode(bytes);
  const strange = shareOfStrange(text);
  if (strange > 0.1)
    return {
      why: `is no text: ${Math.round(strange * 100)} % of its beginning is no character`,
      cure: "Name a file with fio's or dd's own output.",
    };
  return { text, damage: strange > 0 ? ['bytes that are no text'] : [] };
}

function utf16Of(bytes: Uint8Array): 'utf-16le' | 'utf-16be' | undefined {
  if (bytes[0] === 0xff && bytes[1] === 0xfe) return 'utf-16le';
  if (bytes[0] === 0xfe && bytes[1] === 0xff) return 'utf-16be';
  const sample = bytes.subarray(0, 1024);
  const zeros = [0, 0];
  for (let at = 0; at < sample.length; at += 1)
    if (sample[at] === 0) zeros[at % 2] = (zeros[at % 2] ?? 0) + 1;
  const half = sample.length / 2;
  if ((zeros[1] ?? 0) > half * 0.9 && zeros[0] === 0) return 'utf-16le';
  return (zeros[0] ?? 0) > half * 0.9 && zeros[1] === 0 ? 'utf-16be' : undefined;
}

/** Of the first 64 Ki characters: replaced ones and controls that no terminal program prints. */
function shareOfStrange(text: string): number {
  const sample = text.slice(0, 65_536);
  let strange = 0;
  for (let at = 0; at < sample.length; at += 1) {
    const code = sample.charCodeAt(at);
    // Bell, backspace, tab, line ends and escape are what terminal programs print.
    if (code === 0xfffd || code < 7 || (code > 13 && code < 32 && code !== 27)) strange += 1;
  }
  return sample.length === 0 ? 0 : strange / sample.length;
}

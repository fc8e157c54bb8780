import { open } from 'node:fs/promises';
import { readOutput, type SavedOutput } from './read-output.ts';

/** More is no output of a benchmark but a log of many, and is not held in memory. */
const maxFileBytes = 128 * 1024 ** 2;

/**
 * Reads one file of saved output; `-` is standard input. What cannot be read is a problem in the answer, so
 * that other files are judged all the same.
 */
export async function readSavedOutput(file: string): Promise<SavedOutput> {
  const unread = (code: string, why: string, cure: string): SavedOutput => ({
    file,
    bytes: 0,
    runs: [],
    damage: [],
    missing: [],
    place: () => ({ line: 1, column: 1, offset: 0 }),
    problem: { code, why, cure },
  });
  let bytes: Uint8Array | undefined;
  try {
    bytes = await (file === '-' ? allOf(process.stdin) : fileBytes(file));
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? String(error);
    const cure =
      code === 'EISDIR' ? 'Name the files in it.' : 'Name a file that is there and that you may read.';
    return unread('unreadable', `cannot be read (${code})`, cure);
  }
  if (bytes === undefined)
    return unread(
      'too-large',
      `is larger than ${maxFileBytes / 1024 ** 2} MiB`,
      "Cut out the run in question: its part from the job's header to the disk stats.",
    );
  return readOutput(file, bytes);
}

async function fileBytes(file: string): Promise<Uint8Array | undefined> {
  const handle = await open(file, 'r');
  try {
    // A pipe has no size: it is read until it ends, or is too long.
    return await allOf(handle.createReadStream({ autoClose: false }));
  } finally {
    await handle.close();
  }
}

async function allOf(stream: AsyncIterable<Uint8Array>): Promise<Uint8Array | undefined> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of stream) {
    chunks.push(chunk);
    length += chunk.length;
    if (length > maxFileBytes) return undefined;
  }
  return Buffer.concat(chunks);
}

import { pathFromBytes } from '../model/path.ts';

/**
 * The user's arguments with every byte kept. Node replaces what is not UTF-8 in process.argv by U+FFFD; the
 * kernel's own record of the command line has the bytes.
 * @param given process.argv without the interpreter and the script.
 * @param recorded /proc/self/cmdline: arguments, each ended by a zero byte; undefined where there is none.
 */
export function userArguments(given: readonly string[], recorded: Uint8Array | undefined): string[] {
  if (recorded === undefined || !given.some((each) => each.includes('\ufffd'))) return [...given];
  const pieces: Uint8Array[] = [];
  for (let at = 0; at < recorded.length; ) {
    const end = recorded.indexOf(0, at);
    pieces.push(recorded.subarray(at, end < 0 ? recorded.length : end));
    at = end < 0 ? recorded.length : end + 1;
  }
  const own = pieces.slice(pieces.length - given.length);
  return own.length === given.length ? own.map(pathFromBytes) : [...given];
}

import { pathToBytes } from './path.ts';

/**
 * A path or an argument as a user would type it into a shell, for the commands that reports print. Control
 * characters and bytes that are no UTF-8 are written as in $'\xff', which bash, zsh and busybox understand.
 */
export function shellWord(text: string): string {
  if (/^[A-Za-z0-9_@%+=:,./-]+$/.test(text)) return text;
  if (text.isWellFormed() && !/\p{Cc}/u.test(text)) return `'${text.replaceAll("'", "'\\''")}'`;
  const escaped = [...pathToBytes(text)].map((byte) => {
    const character = String.fromCharCode(byte);
    if (byte < 0x20 || byte > 0x7e) return `\\x${byte.toString(16).padStart(2, '0')}`;
    return character === "'" || character === '\\' ? `\\${character}` : character;
  });
  return `$'${escaped.join('')}'`;
}

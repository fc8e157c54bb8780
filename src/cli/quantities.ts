import { KnownError } from '../model/error.ts';

const units: Readonly<Record<string, number>> = { '': 1, k: 1024, m: 1024 ** 2, g: 1024 ** 3 };

/**
 * Bytes as fio writes them: `4k`, `1m`, `512`, `64KiB`. Powers of two.
 * @throws KnownError `bad-flag`
 */
export function parseBytes(flag: string, text: string, most: number): number {
  const match = /^(\d+)\s*([kmg]?)(i?b)?$/i.exec(text.trim());
  const bytes = Number(match?.[1]) * (units[match?.[2]?.toLowerCase() ?? ''] ?? Number.NaN);
  if (!(bytes >= 1 && bytes <= most))
    throw new KnownError(
      'bad-flag',
      `${flag} ${text} is no number of bytes between 1 and ${most}`,
      `Write a size such as ${flag} 4k or ${flag} 1m.`,
    );
  return bytes;
}

/** @throws KnownError `bad-flag` */
export function parseCount(flag: string, text: string, most: number): number {
  const count = /^\d+$/.test(text) ? Number(text) : Number.NaN;
  if (!(count >= 1 && count <= most))
    throw new KnownError(
      'bad-flag',
      `${flag} ${text} is no whole number between 1 and ${most}`,
      `Write a number such as ${flag} 2.`,
    );
  return count;
}

/** `--timeout` as milliseconds. @throws KnownError `bad-flag` */
export function parseTimeout(text: string): number {
  return parseSeconds('--timeout', text);
}

/** Seconds as milliseconds. @throws KnownError `bad-flag` */
export function parseSeconds(flag: string, text: string): number {
  const seconds = Number(text);
  if (!(seconds > 0 && seconds <= 86_400))
    throw new KnownError(
      'bad-flag',
      `${flag} ${text} is no number of seconds`,
      `Give a number above 0, such as ${flag} 30.`,
    );
  return seconds * 1000;
}

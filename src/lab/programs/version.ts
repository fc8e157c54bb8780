import { execa } from 'execa';

const limitMs = 5000;

/** What a program says to `--version`: the number in it, else its first line, else `unknown`. */
export async function versionOf(argv: readonly string[]): Promise<string> {
  const [program = '', ...words] = argv;
  const asked = await execa(program, [...words, '--version'], {
    reject: false,
    stdin: 'ignore',
    timeout: limitMs,
    maxBuffer: 64 * 1024,
    all: true,
  });
  return versionIn(asked.all ?? '');
}

/** The version in a program's own words. */
export function versionIn(text: string): string {
  const number = /(?<![\w.])v?(\d+\.\d+[\w.+~-]*)/.exec(text)?.[1];
  return number ?? (text.trim().split('\n')[0] || 'unknown');
}

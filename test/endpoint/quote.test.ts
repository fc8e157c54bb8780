import { execFileSync } from 'node:child_process';
import { expect, test } from 'vitest';
import { quoteCommand } from '../../src/endpoint/quote.ts';

/** Every byte of ASCII but NUL, and what has special meaning in one shell or another. */
const ascii = Array.from({ length: 127 }, (_, index) => String.fromCharCode(index + 1)).join('');
const words = [
  '',
  ' ',
  'a b',
  "it's",
  '"',
  '\\',
  "\\'",
  "'\\''",
  '!x',
  '$HOME',
  '`id`',
  '$(id)',
  '*',
  '~',
  '~root',
  '-n',
  '--',
  '#c',
  'a\nb',
  '\n',
  '=ls',
  'A=b',
  '%1',
  '^x^y',
  'é😀\u202e',
  ascii,
];

const shells = ['sh', 'bash', 'zsh', 'busybox'].filter((shell) => {
  try {
    return execFileSync(shell, shell === 'busybox' ? ['sh', '-c', 'echo 1'] : ['-c', 'echo 1']).length > 0;
  } catch {
    return false;
  }
});

function through(shell: string, argv: readonly string[], env?: Record<string, string>): string {
  const args = shell === 'busybox' ? ['sh', '-c'] : ['-c'];
  return execFileSync(shell, [...args, quoteCommand(argv, env)], { encoding: 'utf8' });
}

test.each(shells)('%s hands every word on as it was', (shell) => {
  const out = through(shell, ['printf', '%s\\0', ...words]);
  expect(out.split('\0').slice(0, -1)).toEqual(words);
});

test('random words survive the shell', () => {
  // A linear congruential generator: the same words in every run.
  let state = 12345;
  const random = (below: number) => {
    state = (Math.imul(state, 1_103_515_245) + 12345) >>> 0;
    return (state >>> 8) % below;
  };
  const some = Array.from({ length: 500 }, () =>
    Array.from({ length: random(12) }, () => ascii[random(ascii.length)]).join(''),
  );
  expect(
    through('sh', ['printf', '%s\\0', ...some])
      .split('\0')
      .slice(0, -1),
  ).toEqual(some);
});

test('variables reach the program and not the shell', () => {
  const value = `$(id) 'x' \\ ${ascii}`;
  expect(through('sh', ['sh', '-c', 'printf %s "$V"'], { V: value })).toBe(value);
  expect(() => quoteCommand(['x'], { 'A;id': '1' })).toThrow(TypeError);
});

test('what no command line can carry is refused', () => {
  expect(() => quoteCommand(['a\0b'])).toThrow(expect.objectContaining({ code: 'command-not-started' }));
  expect(() => quoteCommand(['a\udcffb'])).toThrow(expect.objectContaining({ code: 'command-not-started' }));
});

import { expect, it } from 'vitest';
import { printable, printableName } from '../../src/report/printable.ts';

it('shows escape sequences instead of obeying them', () => {
  expect(printable('\u001b[31mred\u0007')).toBe('\\x1b[31mred\\x07');
});

it('keeps a name with a newline on one line', () => {
  expect(printableName('a\nb\tc\r')).toBe('a\\nb\\tc\\x0d');
});

it('shows bytes that are not UTF-8 as those bytes', () => {
  expect(printableName('caf\udce9\udcff')).toBe('caf\\xe9\\xff');
});

it('shows half a surrogate pair that stands for no byte', () => {
  expect(printable('\ud800x')).toBe('\\ud800x');
});

it('leaves letters of every script, wide characters and emoji alone', () => {
  expect(printable('naïve 日本語 🦀')).toBe('naïve 日本語 🦀');
});

it('shows what would reorder or hide characters', () => {
  expect(printable('exe.\u202egpj\u200b\u2028')).toBe('exe.\\u202egpj\\u200b\\u2028');
});

it('prints different names differently', () => {
  const names = ['a\\x1b', 'a\u001b', 'a ', 'a', ' a', 'a\\n', 'a\n'];
  expect(new Set(names.map(printableName)).size).toBe(names.length);
});

import { execFileSync } from 'node:child_process';
import { expect, it } from 'vitest';
import { pathFromBytes } from '../../src/model/path.ts';
import { shellWord } from '../../src/model/shell-word.ts';

it.each([
  [''],
  ['plain/path.txt'],
  ['a b'],
  ["it's"],
  ['$(id)`id`"\\'],
  ['new\nline\t'],
  ['-n'],
  ['é😀'],
  ['a\udcffb\udc80'],
])('bash reads %j back as it was', (text) => {
  const printed = execFileSync('bash', ['-c', `printf %s ${shellWord(text)}`]);
  expect(pathFromBytes(printed)).toBe(text);
});

import { expect, test } from 'vitest';
import { localEndpoint } from '../../src/endpoint/local.ts';
import { openChannel } from '../../src/probe/channel.ts';
import { lineSplitter } from '../../src/probe/lines.ts';

test('lines are the same however the stream is cut', () => {
  const text = Buffer.from('first\n\nthird ünïcödé\nlast without end');
  for (let size = 1; size < text.length; size += 1) {
    const lines: string[] = [];
    const split = lineSplitter(
      1000,
      (line) => void lines.push(line),
      () => {},
    );
    for (let at = 0; at < text.length; at += size) split(text.subarray(at, at + size));
    expect(lines).toEqual(['first', '', 'third ünïcödé']);
  }
});

test('a line that is too long is told once, and nothing comes after it', () => {
  const heard: string[] = [];
  const split = lineSplitter(
    10,
    (line) => void heard.push(line),
    () => void heard.push('too long'),
  );
  for (const piece of ['short\n', '123456', '78901', '\nmore\n', 'more\n']) split(Buffer.from(piece));
  expect(heard).toEqual(['short', 'too long']);
});

test('lines that come in one piece for two receivers reach both', async () => {
  const channel = openChannel(await localEndpoint().spawn(['printf', 'one\\ntwo\\nthree\\n']));
  const heard: string[] = [];
  channel.listen((line) => {
    heard.push(`a ${line}`);
    channel.listen(undefined);
  });
  expect(await channel.ended).toBe('it ended with status 0');
  channel.listen((line) => void heard.push(`b ${line}`));
  expect(heard).toEqual(['a one', 'b two', 'b three']);
});

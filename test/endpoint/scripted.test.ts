import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { scriptedEndpoint } from '../../src/endpoint/scripted.ts';

test('commands are answered by the script', async () => {
  const endpoint = scriptedEndpoint({
    exec: ([program], { input }) =>
      program === 'cat' ? String(input) : program === 'false' ? { status: 1 } : undefined,
  });
  expect(await endpoint.exec(['cat'], { input: 'x' })).toMatchObject({ status: 0, stdout: 'x' });
  expect(await endpoint.exec(['false'])).toMatchObject({ status: 1, stdout: '' });
  await expect(endpoint.exec(['other'])).rejects.toMatchObject({ code: 'command-not-started' });
  await expect(endpoint.spawn(['other'])).rejects.toMatchObject({ code: 'command-not-started' });
});

test('a conversation is line by line, and slow answers are overtaken', async () => {
  const endpoint = scriptedEndpoint({
    spawn: () => ({
      greeting: ['hello'],
      async *answer(line) {
        if (line === 'slow') await sleep(50);
        yield `1 ${line}`;
        yield `2 ${line}`;
      },
    }),
  });
  const program = await endpoint.spawn(['probe']);
  program.stdin.write('slo');
  program.stdin.end('w\nquick\n');
  const lines: string[] = [];
  for await (const line of createInterface({ input: program.stdout })) lines.push(line);
  expect(lines).toEqual(['hello', '1 quick', '2 quick', '1 slow', '2 slow']);
  expect(await program.ended).toEqual({ status: 0 });
});

test('a connection can be lost, and a program that hangs is killed on close', async () => {
  const lost = scriptedEndpoint({
    spawn: () => ({ answer: () => undefined, ended: Promise.resolve({ lost: 'cable cut' }) }),
  });
  expect(await (await lost.spawn(['x'])).ended).toEqual({ lost: 'cable cut' });

  const hangs = scriptedEndpoint({ spawn: () => ({ answer: () => new Promise(() => {}) }) });
  const program = await hangs.spawn(['x']);
  program.stdin.end('anything\n');
  await hangs.close();
  expect(await program.ended).toEqual({ signal: 'SIGTERM' });
  await hangs.close();
});

test('a mistake in the script is not silence', async () => {
  const endpoint = scriptedEndpoint({
    spawn: () => ({
      answer: () => {
        throw new Error('oops');
      },
    }),
  });
  const program = await endpoint.spawn(['x']);
  program.stdin.write('a\n');
  expect(await program.ended).toEqual({ lost: 'the script failed: oops' });
});

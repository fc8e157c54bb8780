import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { expect, it } from 'vitest';
import { processesMarked } from '../../tasks/test/leftovers.mjs';

it('a process is found by its mark although its parent is gone', async () => {
  const name = 'VFS_VERIFY_TEST_MARK';
  const mark = randomUUID();
  // The shell ends at once; what it started belongs to nobody.
  const shell = spawn('sh', ['-c', 'sleep 20 >/dev/null 2>&1 & echo $!'], {
    env: { ...process.env, [name]: mark },
  });
  let output = '';
  shell.stdout.on('data', (text) => {
    output += text;
  });
  await once(shell, 'close');
  const pid = Number(output);
  try {
    expect(processesMarked(`${name}=${mark}`)).toEqual([{ pid, command: 'sleep 20' }]);
    expect(processesMarked(`${name}=${randomUUID()}`)).toEqual([]);
  } finally {
    process.kill(pid, 'SIGKILL');
  }
});

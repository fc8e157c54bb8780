import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { RunEnd, RunLine } from '../../src/model/program-run.ts';
import { builtProbe, useSide } from './side.ts';

const side = useSide();
const mib = 1024 * 1024;

interface Run {
  readonly lines: readonly RunLine[];
  readonly end: RunEnd | undefined;
  readonly status: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a program attended, as its user's shell would start it. */
async function run(
  command: readonly string[],
  meanwhile: (line: RunLine) => void = () => {},
  input = '',
): Promise<Run> {
  const program = await builtProbe();
  const name = `vfs-verify-test-${randomBytes(8).toString('hex')}`;
  const lines: RunLine[] = [];
  const attended = side.request(
    `attend-${name}`,
    { do: 'attend', name, waitMs: 10_000 },
    {
      onBulk: (items) => {
        for (const each of items as RunLine[]) {
          lines.push(each);
          meanwhile(each);
        }
      },
    },
  );
  const child = spawn(program, ['run', '--tell', name, '--under', side.root, '--', ...command], {
    env: { ...process.env, OF_THE_PROGRAM: 'kept' },
  });
  const output = { stdout: '', stderr: '' };
  child.stdout.on('data', (text) => {
    output.stdout += text;
  });
  child.stderr.on('data', (text) => {
    output.stderr += text;
  });
  child.stdin.on('error', () => {});
  child.stdin.end(input);
  const [status, signal] = await new Promise<[number | null, NodeJS.Signals | null]>((resolve) => {
    child.once('close', (...how) => resolve(how));
  });
  await attended;
  const end = lines.flatMap((each) => ('ended' in each ? [each.ended] : []))[0];
  return { lines, end, status, signal, ...output };
}

describe('a program that is attended', () => {
  it('keeps its streams, its environment and its exit status', async () => {
    const ran = await run(['sh', '-c', 'cat; echo "$OF_THE_PROGRAM" >&2; exit 7'], undefined, 'a\0b\n');
    expect(ran).toMatchObject({ status: 7, stdout: 'a\0b\n', stderr: 'kept\n' });
    expect(ran.end?.status).toBe(7);
  });

  it('is counted with all that it started, also what ended long before it', async () => {
    const file = join(side.root, 'eight');
    writeFileSync(file, randomBytes(8 * mib));
    const line = `(cat '${file}' >/dev/null) & dd if='${file}' of=/dev/null bs=64k 2>/dev/null; wait; (cat '${file}' & sleep 0.2) >/dev/null`;
    const { end } = await run(['sh', '-c', line]);
    expect(end?.rchar).toBeGreaterThan(24 * mib);
    expect(end?.rchar).toBeLessThan(24 * mib + 200_000);
    expect(end?.left).toBe(0);
  });

  it('is counted with an orphan that its parent did not wait for', async () => {
    const file = join(side.root, 'orphan');
    writeFileSync(file, randomBytes(4 * mib));
    const { end } = await run(['sh', '-c', `sh -c "cat '${file}' >/dev/null & exit" ; sleep 0.5`]);
    expect(end?.rchar).toBeGreaterThan(4 * mib);
  });

  it('is told from what it read before it first held a file of the share', async () => {
    const file = join(side.root, 'held');
    writeFileSync(file, randomBytes(mib));
    const program = `
      const fs = require('node:fs');
      const pause = (ms) => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
      fs.readSync(fs.openSync('/dev/zero'), Buffer.alloc(2_000_000));
      pause(500);
      fs.readSync(fs.openSync(${JSON.stringify(file)}), Buffer.alloc(${mib}));
      pause(500);`;
    const ran = await run([process.execPath, '-e', program]);
    const files = ran.lines.flatMap((each) => ('file' in each ? [each.file] : []));
    expect(files[0]).toMatchObject({ path: file, read: true, write: false, direct: false, mapped: false });
    for (const before of [ran.end?.beforeFirst, ran.end?.notOfShare]) {
      expect(before?.rchar).toBeGreaterThan(2_000_000);
      expect((ran.end?.rchar ?? 0) - (before?.rchar ?? 0)).toBeLessThan(mib + 200_000);
    }
  });

  it('may have asked of the share what its processes asked that were too short for a look', async () => {
    const file = join(side.root, 'short');
    writeFileSync(file, randomBytes(mib));
    const line = `for i in $(seq 20); do cat '${file}' >/dev/null; done; exec 3<'${file}'; sleep 0.5`;
    const { end } = await run(['sh', '-c', line]);
    // A look may find one of them in its last moment, when it has closed the file.
    expect((end?.rchar ?? 0) - (end?.notOfShare?.rchar ?? 0)).toBeGreaterThan(15 * mib);
  });

  it('gets the signals that its supervisor gets', async () => {
    const ran = await run(['sleep', '60'], (line) => {
      if (!('started' in line)) return;
      void side.request('signals', { do: 'signal', pid: line.started.supervisor, signal: 'INT' });
    });
    expect(ran.status).toBe(128 + 2);
    expect(ran.end?.signal).toBe('SIGINT');
  });

  it('that is not there is 127', async () => {
    const ran = await run(['/nonexistent/fio']);
    expect(ran.status).toBe(127);
    expect(ran.lines).toEqual([{ failed: { errno: 'ENOENT' } }]);
  });

  it('does not start where nobody attends, within the limit of its attendant', async () => {
    const outcome = await side.request('nobody', {
      do: 'attend',
      name: `vfs-verify-test-${randomBytes(8).toString('hex')}`,
      waitMs: 50,
    });
    expect(outcome).toMatchObject({ kind: 'errno', errno: 'ETIMEDOUT' });
  });
});

import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import { describe, expect, it } from 'vitest';
import type { Report } from '../../src/model/report.ts';
import { reportFaults } from '../../src/report/validate.ts';

// The built program on saved output.

const program = fileURLToPath(new URL('../../bin/vfs-verify.js', import.meta.url));
const fixtures = fileURLToPath(new URL('../workload/fixtures/', import.meta.url));

function diagnose(args: readonly string[], input?: string) {
  return execa(process.execPath, [program, 'diagnose', ...args], {
    cwd: fixtures,
    reject: false,
    timeout: 60_000,
    ...(input === undefined ? { stdin: 'ignore' as const } : { input }),
  });
}

describe('diagnose', () => {
  it('answers in one sentence, then the table, then the next step, within 80 columns, and ends in 0', async () => {
    const { exitCode, stdout } = await diagnose([
      'field/guest-read.txt',
      '--host-run',
      'field/host-read.txt',
    ]);
    expect(exitCode).toBe(0);
    const lines = stdout.split('\n');
    expect(lines[0]).toMatch(/^19,530 reads a second: most likely the host's page cache, and not the disk/);
    expect(lines.at(-2)).toMatch(/^next: vfs-verify reads DIR\/random-read\.0\.0 /);
    expect(lines.filter((line) => [...line].length > 80)).toEqual([]);
  });

  it('prints a report that the schema knows, with the words of the ledger', async () => {
    const { stdout } = await diagnose([
      'field/guest-read.txt',
      'true/terse.txt',
      '--host-run',
      'field/host-read.txt',
      '--json',
    ]);
    const report = JSON.parse(stdout) as Report;
    expect(reportFaults(report)).toEqual([]);
    expect(report.results.map(({ verdict }) => verdict.kind)).toEqual(['pass', 'unknown']);
    expect(JSON.stringify(report)).toContain('fuse/host-cache');
  });

  it('ends in 2 where one of the files could not be judged, and judges the others', async () => {
    const { exitCode, stdout } = await diagnose(['field/host-read.txt', 'true/terse.txt', 'none.txt']);
    expect(exitCode).toBe(2);
    expect(stdout).toContain("165 reads a second: the disk's own");
    expect(stdout).toContain('terse form');
    expect(stdout).toContain('ENOENT');
  });

  it('reads standard input', async () => {
    const text =
      '256+0 records in\n256+0 records out\n268435456 bytes (268 MB, 256 MiB) copied, 0.12 s, 2.2 GB/s\n';
    const { exitCode, stdout } = await diagnose(['-', '--device', 'hdd'], text);
    expect(exitCode).toBe(0);
    expect(stdout).toContain('beyond-the-wire');
  });

  it.each([
    [['field/host-read.txt', '--device', 'tape'], '--device tape is not known'],
    [['field/host-read.txt', '--device-iops', 'many'], '--device-iops many is no number'],
    [['field/host-read.txt', '--share', 'nfs'], '--share nfs is not known'],
    [['field/guest-read.txt', '--host-run', 'true/terse.txt'], '--host-run true/terse.txt'],
  ])('%s is bad usage', async (args, words) => {
    const { exitCode, stderr } = await diagnose(args);
    expect(exitCode).toBe(2);
    expect(stderr).toContain(words);
    expect(stderr).toContain('next: ');
  });
});

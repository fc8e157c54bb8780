import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import type { LabInfo } from '../../src/lab/info.ts';
import type { Report, Result } from '../../src/model/report.ts';
import { reportFaults } from '../../src/report/validate.ts';

export const program = fileURLToPath(new URL('../../bin/vfs-verify.js', import.meta.url));

/** How the built program ended, as its user would see it. */
export interface Ran {
  readonly status: number | undefined;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs the built program; every exit status is a result. */
export async function vfsVerify(
  args: readonly string[],
  options: { readonly timeoutMs?: number; readonly env?: Record<string, string> } = {},
): Promise<Ran> {
  const result = await execa(process.execPath, [program, ...args], {
    reject: false,
    stdin: 'ignore',
    timeout: options.timeoutMs ?? 100_000,
    env: options.env ?? {},
  });
  return { status: result.exitCode, stdout: result.stdout, stderr: result.stderr };
}

/** Runs it with --json and reads the report. */
export async function reportOf(
  args: readonly string[],
  options: Parameters<typeof vfsVerify>[1] = {},
): Promise<{
  readonly status: number | undefined;
  readonly report: Report;
  readonly first: Result;
  readonly stderr: string;
}> {
  const [command = '', ...rest] = args;
  const ran = await vfsVerify([command, '--json', ...rest], options);
  let report: Report;
  try {
    report = JSON.parse(ran.stdout) as Report;
  } catch {
    throw new Error(`no report on standard output of ${args.join(' ')}: ${ran.stdout}\n${ran.stderr}`);
  }
  // What other programs read is what was published.
  const faults = reportFaults(report);
  if (faults.length > 0) throw new Error(`the report does not fit its schema: ${faults.join('; ')}`);
  const [first] = report.results;
  if (first === undefined) throw new Error('a report without results');
  return { status: ran.status, report, first, stderr: ran.stderr };
}

/** Brings a lab up by the program itself. */
export async function upLab(name: string, ...flags: readonly string[]): Promise<LabInfo> {
  const ran = await vfsVerify(['lab', 'up', name, '--json', ...flags]);
  if (ran.status !== 0) throw new Error(`lab up ended with ${ran.status}: ${ran.stderr}`);
  return JSON.parse(ran.stdout) as LabInfo;
}

/** Takes it down again; a lab that is down already is fine. */
export async function downLab(name: string): Promise<void> {
  const ran = await vfsVerify(['lab', 'down', name]);
  if (ran.status !== 0) throw new Error(`lab down ended with ${ran.status}: ${ran.stderr}`);
}

/** Runs a shell line in the guest of a lab. */
export async function inGuest(name: string, line: string): Promise<string> {
  const ran = await vfsVerify(['lab', 'exec', '--name', name, '--', 'sh', '-c', line]);
  if (ran.status !== 0) throw new Error(`in the guest, ${line} ended with ${ran.status}: ${ran.stderr}`);
  return ran.stdout;
}

import { KnownError } from '../model/error.ts';
import type { Environment, Result } from '../model/report.ts';
import { exitStatusOf } from '../model/verdict.ts';
import { makeReport } from '../run/report.ts';
import { diagnose as judge, type Told } from '../workload/diagnose.ts';
import { readSavedOutput } from '../workload/read-files.ts';
import type { SavedOutput } from '../workload/read-output.ts';
import { printReport } from './print.ts';
import { parseBytes } from './quantities.ts';
import { packageVersion } from './version.ts';

/** The flags of `diagnose` (program.ts). */
export interface DiagnoseFlags {
  readonly hostRun?: readonly string[];
  readonly device?: string;
  readonly deviceIops?: string;
  readonly hostMemory?: string;
  readonly guestMemory?: string;
  readonly share?: string;
  readonly json?: boolean;
}

/** `vfs-verify diagnose FILE…`: judges saved benchmark output, without any machine to ask. */
export async function diagnose(files: readonly string[], flags: DiagnoseFlags): Promise<void> {
  const started = Date.now();
  const told = readTold(flags);
  const hostFiles = flags.hostRun ?? [];
  if ([...files, ...hostFiles].filter((file) => file === '-').length > 1)
    throw new KnownError('bad-flag', 'standard input (-) can be read once', 'Save the output to files.');
  const hosts = await readAll(hostFiles);
  for (const { file, problem } of hosts)
    if (problem !== undefined)
      throw new KnownError('bad-host-run', `--host-run ${file} ${problem.why}`, problem.cure);
  const outputs = await readAll(files);
  const judged = judge(
    outputs.filter(({ problem }) => problem === undefined),
    hosts,
    told,
    flags.share !== undefined,
  );
  const results = outputs.map(({ file, problem }): Result => {
    const base = { check: 'diagnose', mode: 'unknown', path: file, cases: [], durationMs: 0 };
    const found = judged.find((each) => each.file === file);
    if (found === undefined)
      return {
        ...base,
        verdict: {
          kind: 'unknown',
          code: problem?.code ?? 'unreadable',
          reason: problem?.why ?? 'cannot be read',
          ...(problem === undefined ? {} : { next: problem.cure }),
        },
      };
    const { headline, diagnosis, next } = found;
    return {
      ...base,
      verdict: {
        kind: 'pass',
        reason: headline,
        ...(next === undefined ? {} : { next }),
        evidence: diagnosis,
      },
    };
  });
  const environment: Environment = {
    startedAt: new Date(started).toISOString(),
    durationMs: Date.now() - started,
    seed: 0,
    shares: [],
    versions: {},
  };
  const report = makeReport('diagnose', packageVersion(), environment, results);
  printReport(report, flags.json === true);
  process.exitCode = exitStatusOf(report.verdict);
}

/** One after another: each may be large. */
async function readAll(files: readonly string[]): Promise<SavedOutput[]> {
  const outputs: SavedOutput[] = [];
  for (const file of new Set(files)) outputs.push(await readSavedOutput(file));
  return outputs;
}

function readTold({ device, deviceIops, hostMemory, guestMemory, share = 'virtiofs' }: DiagnoseFlags): Told {
  if (device !== undefined && device !== 'hdd' && device !== 'ssd' && device !== 'nvme')
    throw new KnownError(
      'bad-flag',
      `--device ${device} is not known`,
      'Use hdd, ssd (SATA or SAS) or nvme; or --device-iops N.',
    );
  if (share !== 'virtiofs' && share !== '9p')
    throw new KnownError('bad-flag', `--share ${share} is not known`, 'Use virtiofs or 9p.');
  const iops = deviceIops === undefined ? undefined : Number(deviceIops);
  if (iops !== undefined && !(iops > 0 && iops < 1e9))
    throw new KnownError(
      'bad-flag',
      `--device-iops ${deviceIops} is no number`,
      'Write a number such as --device-iops 165.',
    );
  const memory = (name: string, text: string | undefined) =>
    text === undefined ? undefined : parseBytes(name, text, 2 ** 50);
  const [host, guest] = [memory('--host-memory', hostMemory), memory('--guest-memory', guestMemory)];
  return {
    shareType: share,
    ...(device === undefined ? {} : { device }),
    ...(iops === undefined ? {} : { deviceIops: iops }),
    ...(host === undefined ? {} : { hostMemoryBytes: host }),
    ...(guest === undefined ? {} : { guestMemoryBytes: guest }),
  };
}

import path from 'node:path';
import { compareFile } from '../../checks/compare/file.ts';
import type { CompareArgs } from '../../checks/compare/looks.ts';
import { compareTree } from '../../checks/compare/tree.ts';
import { KnownError } from '../model/error.ts';
import type { Algorithm } from '../model/operation.ts';
import type { Result } from '../model/report.ts';
import { runCell } from '../run/cell.ts';
import { makeReport } from '../run/report.ts';
import { benchFor } from './bench.ts';
import { environmentOf } from './environment.ts';
import { checkPaths, locate } from './locate.ts';
import { showProgress } from './progress.ts';
import { parseTimeout } from './quantities.ts';
import type { Sides } from './sides.ts';
import { packageVersion } from './version.ts';
import { type AskFlags, withSides } from './with-sides.ts';

interface Md5Flags extends AskFlags {
  readonly algo: string;
  readonly expect?: string;
  readonly recursive?: boolean;
  readonly timeout: string;
}

/** `vfs-verify md5 PATH…`: reads each path on both sides at once and compares. */
export async function md5(paths: readonly string[], flags: Md5Flags): Promise<void> {
  const question = readFlags(flags, paths);
  const asked = paths.map((each) => ({ check: 'md5', path: each }));
  await withSides('md5', flags, asked, async ({ sides, evidence, signal, started, display }) => {
    requireDigest(sides, question.algorithm);
    const progress = showProgress(display, flags.json === true);
    try {
      const results: Result[] = [];
      for (const [index, each] of paths.entries()) {
        const bundleDir = paths.length === 1 ? evidence : path.join(evidence, String(index + 1));
        const keep = flags.bundle !== undefined;
        results.push(await comparePath(each, question, sides, { bundleDir, keep, progress, signal }));
      }
      const environment = environmentOf(sides, { started, seed: 0 });
      return { report: makeReport('md5', packageVersion(), environment, results) };
    } finally {
      progress.end();
    }
  });
}

interface Question {
  readonly algorithm: Algorithm;
  readonly expect: string | undefined;
  readonly timeoutMs: number;
  readonly recursive: boolean;
}

const digestLengths: Readonly<Record<Algorithm, number>> = { md5: 32, sha256: 64, xxh3: 32 };

function readFlags(flags: Md5Flags, paths: readonly string[]): Question {
  const { algo } = flags;
  if (algo !== 'md5' && algo !== 'sha256' && algo !== 'xxh3')
    throw new KnownError('bad-flag', `--algo ${algo} is not known`, 'Use md5, sha256 or xxh3.');
  const expect = flags.expect?.trim().toLowerCase();
  if (expect !== undefined && (!/^[0-9a-f]+$/.test(expect) || expect.length !== digestLengths[algo])) {
    throw new KnownError(
      'bad-flag',
      `--expect "${flags.expect}" is no ${algo} digest`,
      `A ${algo} digest has ${digestLengths[algo]} hexadecimal digits.`,
    );
  }
  if (expect !== undefined && (paths.length > 1 || flags.recursive === true)) {
    throw new KnownError('bad-flag', '--expect is for one file', 'Name one path, without --recursive.');
  }
  checkPaths(paths);
  return {
    algorithm: algo,
    expect,
    timeoutMs: parseTimeout(flags.timeout),
    recursive: flags.recursive === true,
  };
}

/** Plain node, where it stands in for the probe, has no XXH3. @throws KnownError `no-digest` */
function requireDigest({ guest, host }: Sides, algorithm: Algorithm): void {
  for (const { endpoint, session } of [guest, host]) {
    const lacked = session.lacks?.({ do: 'hash', path: '', algorithm });
    if (lacked !== undefined)
      throw new KnownError(
        'no-digest',
        `${endpoint.name}: plain node stands in for the probe, and has no ${lacked}`,
        'Use --algo md5 or --algo sha256.',
      );
  }
}

interface Carry {
  readonly bundleDir: string;
  readonly keep: boolean;
  readonly progress: ReturnType<typeof showProgress>;
  readonly signal: AbortSignal;
}

async function comparePath(given: string, question: Question, sides: Sides, carry: Carry): Promise<Result> {
  const located = await locate(given, question.timeoutMs, sides);
  if ('kind' in located)
    return { check: 'md5', path: given, mode: 'unknown', verdict: located, cases: [], durationMs: 0 };
  const args: CompareArgs = {
    guestPath: located.guestPath,
    hostPath: located.hostPath,
    algorithm: question.algorithm,
    timeoutMs: question.timeoutMs,
    ...(question.expect === undefined ? {} : { expect: question.expect }),
  };
  const check = question.recursive ? compareTree : compareFile;
  const result = await runCell(check, benchFor(located.share, sides), {
    bundleDir: carry.bundleDir,
    seed: 0,
    args: { ...args },
    onEvent: carry.progress.onEvent,
    signal: carry.signal,
  });
  return { ...result, check: 'md5', path: given, ...(carry.keep ? { bundle: carry.bundleDir } : {}) };
}

import { execFile } from 'node:child_process';
import { stat, utimes } from 'node:fs/promises';
import { promisify } from 'node:util';
import type { Operation } from '../../model/operation.ts';
import { pathFromBytes } from '../../model/path.ts';
import { absolute, Refusal, type Work } from './work.ts';

const run = promisify(execFile);
const touchMs = 10_000;
const second = 1_000_000_000n;

/**
 * Sets times to the nanosecond. Node hands a time on as a floating-point number of seconds, which few fractions
 * survive; for the others there is touch(1), which every Unix has. What came of it is looked at.
 */
export async function setTimes(op: Extract<Operation, { do: 'utimens' }>, work: Work): Promise<object> {
  const file = absolute(op.path, work);
  const now = await stat(file, { bigint: true });
  const atimeNs = op.atimeNs === undefined ? undefined : BigInt(op.atimeNs);
  const mtimeNs = op.mtimeNs === undefined ? undefined : BigInt(op.mtimeNs);
  const times = [atimeNs ?? now.atimeNs, mtimeNs ?? now.mtimeNs] as const;
  if (times.every(isExact)) await utimes(file, inSeconds(times[0]), inSeconds(times[1]));
  else {
    const path = pathFromBytes(file);
    if (atimeNs !== undefined) await touch('-a', atimeNs, path);
    if (mtimeNs !== undefined) await touch('-m', mtimeNs, path);
  }
  const set = await stat(file, { bigint: true });
  if ((mtimeNs ?? set.mtimeNs) !== set.mtimeNs || (atimeNs ?? set.atimeNs) !== set.atimeNs)
    throw new Refusal('ENOTSUP', 'setting this time to the nanosecond');
  return {};
}

async function touch(which: '-a' | '-m', ns: bigint, path: string): Promise<void> {
  try {
    await run('touch', ['-c', which, '-d', inWords(ns), path], { timeout: touchMs });
  } catch (error) {
    const { code, stderr } = error as { code?: unknown; stderr?: string };
    throw new Refusal('ENOTSUP', `touch -d (${stderr?.trim() || code})`);
  }
}

function isExact(ns: bigint): boolean {
  const seconds = inSeconds(ns);
  const whole = Math.floor(seconds);
  return BigInt(whole) * second + BigInt(Math.trunc((seconds - whole) * 1e9)) === ns;
}

function inSeconds(ns: bigint): number {
  return Number(ns / second) + Number(ns % second) / 1e9;
}

/** `2023-11-14T22:13:20.123456789Z`: what the touch of BSD and that of GNU both read. */
function inWords(ns: bigint): string {
  const part = ((ns % second) + second) % second;
  const whole = new Date(Number((ns - part) / second) * 1000).toISOString().slice(0, 19);
  return `${whole}.${String(part).padStart(9, '0')}Z`;
}

import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll } from 'vitest';
import { localEndpoint } from '../../src/endpoint/local.ts';
import type { Operation } from '../../src/model/operation.ts';
import type { Outcome } from '../../src/model/outcome.ts';
import { startProbe } from '../../src/probe/install.ts';
import type { SessionLimits } from '../../src/probe/json-session.ts';
import type { ProbeSession, RequestOptions } from '../../src/probe/session.ts';
import { buildProbe } from '../../tasks/build-probe.mjs';

const nativeArchitecture = process.arch === 'arm64' ? 'aarch64' : 'x86_64';
const builtInto = join(import.meta.dirname, '..', '..', 'dist', 'probe');

/** The program of this machine's architecture, built if it is missing or out of date. */
export async function builtProbe(): Promise<string> {
  const path = await buildProbe({ arch: nativeArchitecture, outDir: builtInto });
  if (path === undefined) throw new Error('the probe was not built');
  return path;
}

/** A started probe on this machine, and a directory of its own for each test file. */
export interface Side {
  readonly session: ProbeSession;
  readonly root: string;
  request(actor: string, op: Operation, options?: Partial<RequestOptions>): Promise<Outcome>;
  /** The value of an operation that must succeed. */
  value<T>(op: Operation, options?: Partial<RequestOptions>): Promise<T>;
  /** `ERRNO call` of an operation that must be refused. */
  refusal(op: Operation): Promise<string>;
  /** The process that serves an actor. */
  workerOf(actor: string): Promise<number>;
}

/** The letter of a process' state; undefined: there is none. */
export function stateOf(pid: number): string | undefined {
  if (!existsSync(`/proc/${pid}/stat`)) return undefined;
  return /\) (.)/.exec(readFileSync(`/proc/${pid}/stat`, 'utf8'))?.[1];
}

/** Registers the set-up and the tear-down of a side for the test file that calls it. */
export function useSide(limits: SessionLimits = {}): Side {
  let session: ProbeSession | undefined;
  const root = mkdtempSync(join(existsSync('/var/tmp') ? '/var/tmp' : tmpdir(), 'vfs-probe-test-'));
  const current = () => {
    if (session === undefined) throw new Error('no session yet');
    return session;
  };
  const request: Side['request'] = (actor, op, options = {}) =>
    current().request(actor, op, { root, limitMs: 15_000, limitName: 'test', ...options });
  beforeAll(async () => {
    mkdirSync(root, { recursive: true });
    await builtProbe();
    session = await startProbe(localEndpoint(), { limits });
  }, 120_000);
  afterAll(async () => {
    await session?.close();
    rmSync(root, { recursive: true, force: true });
  });
  return {
    get session() {
      return current();
    },
    root,
    request,
    value: async <T>(op: Operation, options: Partial<RequestOptions> = {}) => {
      const outcome = await request('main', op, options);
      if (outcome.kind !== 'value') throw new Error(`${op.do}: ${JSON.stringify(outcome)}`);
      return outcome.value as T;
    },
    refusal: async (op) => {
      const outcome = await request('main', op);
      return outcome.kind === 'errno' ? `${outcome.errno} ${outcome.call}` : JSON.stringify(outcome);
    },
    workerOf: async (actor) => {
      const outcome = await request(actor, { do: 'readlink', path: '/proc/self' });
      if (outcome.kind !== 'value') throw new Error(JSON.stringify(outcome));
      return Number((outcome.value as { target: string }).target);
    },
  };
}

/** Bulk items of one request, collected. */
export async function withBulk<T>(
  run: (options: Pick<RequestOptions, 'onBulk'>) => Promise<unknown>,
): Promise<T[]> {
  const items: T[] = [];
  await run({ onBulk: (more) => void items.push(...(more as T[])) });
  return items;
}

import type { FileHandle } from 'node:fs/promises';
import { release as kernelRelease } from 'node:os';
import type { Operation } from '../model/operation.ts';
import type { Outcome } from '../model/outcome.ts';
import { operate, refusalOf, type Work } from './node-operations.ts';
import type { ProbeSession } from './session.ts';

/**
 * The session in plain node, for a host that is no Linux or has no built probe: stat, list, hash, walk, open,
 * read, fstat, close; everything else is refused (ENOSYS). MD5 and SHA-256 come from node, or from crypto-js
 * where the platform forbids them; there is no XXH3, so block digests must be asked for as md5.
 */
export function startNodeHost(): ProbeSession {
  const origin = process.hrtime.bigint();
  const nowNs = () => Number(process.hrtime.bigint() - origin);
  const actors = new Map<string, Map<string, FileHandle>>();
  /** Each actor's operations follow one another. */
  const turns = new Map<string, Promise<unknown>>();

  const carryOut = async (op: Operation, work: Work): Promise<Outcome> => {
    const beginNs = nowNs();
    work.heardMs = performance.now();
    work.options.onBegun?.();
    try {
      return { kind: 'value', value: await operate(op, work), beginNs, endNs: nowNs() };
    } catch (error) {
      const { errno, call } = refusalOf(error);
      return { kind: 'errno', errno, call, beginNs, endNs: nowNs() };
    }
  };

  const release = async (actor: string) => {
    const files = actors.get(actor);
    actors.delete(actor);
    turns.delete(actor);
    await Promise.allSettled([...(files?.values() ?? [])].map((file) => file.close()));
  };

  return {
    hello: {
      protocol: 1,
      version: `node ${process.versions.node}`,
      arch: 'node',
      kernel: `${process.platform} ${kernelRelease()}`,
      uid: process.getuid?.() ?? -1,
      pid: process.pid,
      pageSize: 4096,
      features: ['md5', 'sha256'],
    },
    request: async (actor, op, options) => {
      const files = actors.get(actor) ?? new Map<string, FileHandle>();
      actors.set(actor, files);
      const work: Work = { options, files, stopped: false, heardMs: performance.now(), saidMs: 0 };
      const before = turns.get(actor) ?? Promise.resolve();
      const turn = before.then(() => limited(work, carryOut(op, work)));
      turns.set(
        actor,
        turn.catch(() => {}),
      );
      const outcome = await turn;
      if (outcome.kind === 'stuck') await release(actor);
      return outcome;
    },
    clock: async () => {
      const nowMs = performance.timeOrigin + performance.now();
      return {
        sentMs: nowMs,
        receivedMs: nowMs,
        nowNs: nowNs(),
        realtimeNs: `${BigInt(Math.round(nowMs * 1000)) * 1000n}`,
      };
    },
    release,
    close: async () => {
      await Promise.all([...actors.keys()].map(release));
      return { leftBehind: [] };
    },
  };
}

/** Gives up waiting when the limit has passed; a read that hangs in the kernel is then left to itself. */
function limited(work: Work, outcome: Promise<Outcome>): Promise<Outcome> {
  const { limitMs, limitName, silent } = work.options;
  const startMs = performance.now();
  return new Promise((resolve, reject) => {
    let timer: NodeJS.Timeout;
    const look = () => {
      const leftMs = limitMs - (performance.now() - (silent ? work.heardMs : startMs));
      if (leftMs > 0) {
        timer = setTimeout(look, leftMs);
        return;
      }
      work.stopped = true;
      resolve({ kind: 'stuck', limit: limitName, limitMs, pid: process.pid });
    };
    timer = setTimeout(look, limitMs);
    outcome.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}

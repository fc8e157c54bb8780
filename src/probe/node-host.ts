import { release as kernelRelease } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Operation } from '../model/operation.ts';
import type { Outcome } from '../model/outcome.ts';
import { lacking, operate, realtimeNs } from './node/operate.ts';
import { type Held, refusalOf, type Work } from './node/work.ts';
import type { ProbeSession } from './session.ts';

const releaseMs = 1000;

/**
 * The session in plain node, for a host that is no Linux or has no built probe: what POSIX has for names and
 * files, digests, and waiting until something is seen (node/operate.ts lists it). Everything else is refused
 * (ENOSYS), and `lacks` says so beforehand. MD5 and SHA-256 come from node, or from crypto-js where the platform
 * forbids them; there is no XXH3, so block digests must be asked for as md5.
 *
 * There is no process for each actor: what hangs in the kernel keeps one of node's few threads for files
 * (UV_THREADPOOL_SIZE, 4), and the whole program from ending: `close` says so.
 */
export function startNodeHost(): ProbeSession {
  const origin = process.hrtime.bigint();
  const nowNs = () => Number(process.hrtime.bigint() - origin);
  const actors = new Map<string, Map<string, Held>>();
  /** Each actor's operations follow one another. */
  const turns = new Map<string, Promise<unknown>>();
  /** The actors of what is under way. */
  const hanging = new Map<Promise<unknown>, string>();

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

  /** Closing a file waits for what is under way on it, which may be for ever. */
  const release = async (actor: string) => {
    const files = actors.get(actor);
    actors.delete(actor);
    turns.delete(actor);
    const closed = Promise.allSettled([...(files?.values() ?? [])].map(({ file }) => file.close()));
    await Promise.race([closed, sleep(releaseMs, undefined, { ref: false })]);
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
    lacks: lacking,
    request: async (actor, op, options) => {
      const files = actors.get(actor) ?? new Map<string, Held>();
      actors.set(actor, files);
      const work: Work = { options, files, nowNs, stopped: false, heardMs: performance.now(), saidMs: 0 };
      const carried = () => {
        const outcome = carryOut(op, work);
        hanging.set(outcome, actor);
        const forget = () => hanging.delete(outcome);
        outcome.then(forget, forget);
        return outcome;
      };
      const before = turns.get(actor) ?? Promise.resolve();
      const turn = before.then(() =>
        options.cancel?.aborted === true ? notRun(options.cancel) : limited(work, carried()),
      );
      turns.set(
        actor,
        turn.catch(() => {}),
      );
      const outcome = await turn;
      if (work.stopped) await release(actor);
      return outcome;
    },
    clock: async () => {
      const nowMs = performance.timeOrigin + performance.now();
      return {
        sentMs: nowMs,
        receivedMs: nowMs,
        nowNs: nowNs(),
        realtimeNs: realtimeNs(),
      };
    },
    release,
    close: async () => {
      await Promise.all([...actors.keys()].map(release));
      return { leftBehind: [...hanging.values()].map((actor) => ({ actor, pid: process.pid })) };
    },
  };
}

/**
 * Gives up waiting when the limit has passed, or when nobody wants the answer any more; a read that hangs in the
 * kernel is then left to itself.
 */
function limited(work: Work, outcome: Promise<Outcome>): Promise<Outcome> {
  const { limitMs, limitName, silent, cancel } = work.options;
  const startMs = performance.now();
  return new Promise((resolve, reject) => {
    let timer: NodeJS.Timeout;
    const giveUp = (instead: Outcome) => {
      work.stopped = true;
      resolve(instead);
    };
    const look = () => {
      const leftMs = limitMs - (performance.now() - (silent ? work.heardMs : startMs));
      if (leftMs > 0) timer = setTimeout(look, leftMs);
      else giveUp({ kind: 'stuck', limit: limitName, limitMs, pid: process.pid });
    };
    const stop = () => giveUp(notRun(cancel));
    timer = setTimeout(look, limitMs);
    cancel?.addEventListener('abort', stop, { once: true });
    outcome.then(resolve, reject).finally(() => {
      clearTimeout(timer);
      cancel?.removeEventListener('abort', stop);
    });
  });
}

function notRun(cancel: AbortSignal | undefined): Outcome {
  return { kind: 'not-run', reason: String(cancel?.reason) };
}

import { withinMs } from '../endpoint/within.ts';
import { KnownError } from '../model/error.ts';
import type { Operation } from '../model/operation.ts';
import type { Outcome } from '../model/outcome.ts';
import type { Channel } from './channel.ts';
import type { ProbeHello, ProbeSession, RequestOptions } from './session.ts';

/** How long the session waits for what. Tests shorten them. */
export interface SessionLimits {
  /** Between two pings. */
  readonly heartbeatMs?: number;
  /** Without a line from the probe: it is taken for gone. */
  readonly silenceMs?: number;
  /** For the supervisor's own answers, which never wait for the share. */
  readonly controlMs?: number;
}

const maxRequestBytes = 2 * 1024 * 1024;
/** Bulk lines that wait for their receiver, in characters: above the first nothing more is read. */
const bulkFull = 4 * 1024 * 1024;
const bulkLow = 1024 * 1024;
const closedReason = 'the session was closed';
/** How long the probe may take to end by itself. */
const endMs = 2000;

interface Answer {
  readonly id?: number;
  readonly begin?: number;
  readonly end?: number;
  readonly value?: unknown;
  readonly errno?: string;
  readonly call?: string;
  readonly signal?: string;
  readonly gone?: string;
  readonly error?: string;
  readonly begun?: boolean;
  readonly progress?: { readonly bytes?: number; readonly entries?: number };
  readonly bulk?: readonly unknown[];
  readonly fatal?: string;
}

/** What the supervisor knows of a worker (inspect, abandon, release). */
interface WorkerState {
  readonly pid?: number;
  readonly state?: string;
  readonly wchan?: string;
  readonly killed?: boolean;
}

interface Request {
  readonly id: number;
  readonly actor: string;
  readonly op: Operation;
  readonly options: RequestOptions;
  readonly resolve: (outcome: Outcome) => void;
  readonly reject: (error: unknown) => void;
  /** Own time, pauses left out: when its turn came, and when it was last heard of. */
  turnMs: number;
  heardMs: number;
  timer: NodeJS.Timeout | undefined;
  abandoned: boolean;
  /** Bulk batches that are not handed over yet, in order. */
  batches: { readonly items: readonly unknown[]; readonly size: number }[];
  delivering: Promise<void> | undefined;
  /** Its receiver threw: nothing more is handed over. */
  failed: boolean;
}

/**
 * The typed session over a started probe whose hello has been read.
 * @param name the side, for messages.
 */
export function openJsonSession(
  channel: Channel,
  hello: ProbeHello,
  name: string,
  limits: SessionLimits = {},
): ProbeSession {
  const heartbeatMs = limits.heartbeatMs ?? 15_000;
  const silenceMs = limits.silenceMs ?? 45_000;
  const controlMs = limits.controlMs ?? 10_000;
  const requests = new Map<number, Request>();
  const controls = new Map<number, (answer: Answer) => void>();
  /** Requests of each actor in order: the first is the one that its worker is at. */
  const turns = new Map<string, Request[]>();
  const leftBehind = new Map<number, { actor: string; pid: number }>();
  let nextId = 1;
  let gone: string | undefined;
  let fatal: string | undefined;
  let lastLineMs = performance.now();
  let lastBeatMs = lastLineMs;
  let waitingBulk = 0;
  let pausedSinceMs: number | undefined;
  let pausedMs = 0;
  let closing: Promise<{ leftBehind: { actor: string; pid: number }[] }> | undefined;

  /** Own time without the time in which nothing was read because the receiver of bulk items was slow. */
  const readingMs = () => {
    const now = performance.now();
    return now - pausedMs - (pausedSinceMs === undefined ? 0 : now - pausedSinceMs);
  };

  const pauseOrResume = () => {
    if (pausedSinceMs === undefined && waitingBulk > bulkFull) {
      pausedSinceMs = performance.now();
      channel.pause();
    } else if (pausedSinceMs !== undefined && waitingBulk < bulkLow) {
      pausedMs += performance.now() - pausedSinceMs;
      pausedSinceMs = undefined;
      channel.resume();
    }
  };

  /** A request of the supervisor itself; undefined when it does not answer in time. */
  const control = (request: Record<string, unknown>, ms = controlMs): Promise<Answer | undefined> => {
    const id = nextId++;
    const answer = new Promise<Answer>((resolve) => controls.set(id, resolve));
    channel.send(`${JSON.stringify({ id, ...request })}\n`);
    return withinMs(answer, ms).finally(() => controls.delete(id));
  };

  const endSession = (reason: string) => {
    if (gone !== undefined) return;
    gone = reason;
    clearInterval(heart);
    for (const request of [...requests.values()]) settle(request, { kind: 'gone', reason });
    for (const answer of [...controls.values()]) answer({});
  };

  /** Ends a request: its outcome, or a defect of the caller, is told after its last bulk item. */
  const settle = (request: Request, outcome: Outcome | Error) => {
    if (!requests.delete(request.id)) return;
    clearTimeout(request.timer);
    const queue = turns.get(request.actor) ?? [];
    const wasFirst = queue[0] === request;
    queue.splice(queue.indexOf(request), 1);
    if (queue.length === 0) turns.delete(request.actor);
    else if (wasFirst && queue[0] !== undefined) begin(queue[0]);
    const tell = () => (outcome instanceof Error ? request.reject(outcome) : request.resolve(outcome));
    void Promise.resolve(request.delivering).then(tell, request.reject);
  };

  const begin = (request: Request) => {
    request.turnMs = request.heardMs = readingMs();
    arm(request, request.options.limitMs);
  };

  const arm = (request: Request, ms: number) => {
    clearTimeout(request.timer);
    request.timer = setTimeout(() => void expire(request), ms);
  };

  const leftMs = ({ options, heardMs, turnMs }: Request) =>
    options.limitMs - (readingMs() - (options.silent ? heardMs : turnMs));

  const expire = async (request: Request) => {
    if (leftMs(request) > 0) return arm(request, leftMs(request));
    const { actor, options } = request;
    const seen = await control({ do: 'inspect', actor });
    // An answer may have been on its way, or progress.
    if (!requests.has(request.id)) return;
    if (seen === undefined) return lose();
    if (leftMs(request) > 0) return arm(request, leftMs(request));
    request.abandoned = true;
    const ended = await control({ do: 'abandon', actor });
    if (!requests.has(request.id)) return;
    if (ended === undefined) return lose();
    const before = (seen.value ?? {}) as WorkerState;
    const after = (ended.value ?? {}) as WorkerState;
    remember(actor, after);
    const pid = after.pid ?? before.pid;
    settle(request, {
      kind: 'stuck',
      limit: options.limitName,
      limitMs: options.limitMs,
      ...(pid === undefined ? {} : { pid }),
      ...(before.state === undefined ? {} : { state: before.state }),
      ...(before.wchan === undefined ? {} : { where: before.wchan }),
      ...(after.killed === undefined ? {} : { killed: after.killed }),
    });
  };

  const cancel = (request: Request) => {
    if (!requests.has(request.id)) return;
    request.abandoned = true;
    settle(request, { kind: 'not-run', reason: String(request.options.cancel?.reason) });
    void control({ do: 'abandon', actor: request.actor }).then((ended) =>
      remember(request.actor, (ended?.value ?? {}) as WorkerState),
    );
  };

  const remember = (actor: string, { pid, killed }: WorkerState) => {
    if (pid !== undefined && killed === false) leftBehind.set(pid, { actor, pid });
  };

  const lose = () => {
    endSession(`no answer from ${name}`);
    channel.kill();
  };

  const takeBulk = (request: Request, items: readonly unknown[], size: number) => {
    if (request.options.onBulk === undefined || request.failed) return;
    request.batches.push({ items, size });
    waitingBulk += size;
    request.delivering ??= deliver(request);
    // Whoever awaits the request learns of a failure there.
    request.delivering.catch(() => {});
    pauseOrResume();
  };

  const deliver = async (request: Request) => {
    try {
      for (let batch = request.batches[0]; batch !== undefined; batch = request.batches[0]) {
        await request.options.onBulk?.(batch.items);
        request.batches.shift();
        waitingBulk -= batch.size;
        pauseOrResume();
      }
      request.delivering = undefined;
    } catch (error) {
      request.failed = true;
      waitingBulk -= request.batches.reduce((sum, { size }) => sum + size, 0);
      request.batches = [];
      pauseOrResume();
      throw error;
    }
  };

  const take = (answer: Answer, size: number) => {
    if (answer.fatal !== undefined) fatal = answer.fatal;
    if (answer.id === undefined) return;
    const controlled = controls.get(answer.id);
    if (controlled !== undefined) return controlled(answer);
    const request = requests.get(answer.id);
    if (request === undefined) return;
    request.heardMs = readingMs();
    if (answer.begun) return request.options.onBegun?.();
    if (answer.progress !== undefined) return request.options.onProgress?.(answer.progress);
    if (answer.bulk !== undefined) return takeBulk(request, answer.bulk, size);
    if (request.abandoned) return;
    if (answer.error !== undefined) {
      settle(request, new Error(`the probe on ${name} refused "${request.op.do}": ${answer.error}`));
    } else settle(request, outcomeOf(answer));
  };

  channel.listen((line) => {
    lastLineMs = performance.now();
    const answer = readAnswer(line);
    if (answer === undefined) {
      fatal ??= `it sent a line that is no JSON object: ${line.slice(0, 200)}`;
      channel.kill();
    } else take(answer, line.length);
  });

  void channel.ended.then((reason) => {
    const words = [fatal, channel.stderrTail()].filter(Boolean).join('; ');
    endSession(`the probe on ${name} is gone: ${reason}${words === '' ? '' : ` (${words})`}`);
  });

  const heart = setInterval(() => {
    const now = performance.now();
    // We were not running ourselves: what came meanwhile has not been read yet.
    if (now - lastBeatMs > 2 * heartbeatMs || pausedSinceMs !== undefined) lastLineMs = now;
    lastBeatMs = now;
    if (now - lastLineMs > silenceMs) lose();
    else channel.send(`${JSON.stringify({ id: nextId++, do: 'ping' })}\n`);
  }, heartbeatMs);
  heart.unref();

  const close = async () => {
    clearInterval(heart);
    const ended = gone === undefined ? control({ do: 'end' }, endMs) : undefined;
    for (const request of [...requests.values()]) settle(request, { kind: 'gone', reason: closedReason });
    const left = ((await ended)?.value as { left?: { actor: string; pid: number }[] } | undefined)?.left;
    for (const each of left ?? []) leftBehind.set(each.pid, each);
    await channel.end(endMs);
    return { leftBehind: [...leftBehind.values()] };
  };

  return {
    hello,
    request: (actor, op, options) => {
      if (gone !== undefined) return Promise.resolve({ kind: 'gone', reason: gone });
      if (closing !== undefined) return Promise.resolve({ kind: 'gone', reason: closedReason });
      if (options.cancel?.aborted) {
        return Promise.resolve({ kind: 'not-run', reason: String(options.cancel.reason) });
      }
      const id = nextId++;
      const notify = options.onBegun === undefined ? {} : { notify: true };
      const line = `${JSON.stringify({ id, actor, root: options.root, ...notify, op })}\n`;
      if (Buffer.byteLength(line) > maxRequestBytes) {
        return Promise.reject(new Error(`a request of more than 2 MiB: "${op.do}"`));
      }
      return new Promise<Outcome>((resolve, reject) => {
        const now = readingMs();
        const request: Request = {
          id,
          actor,
          op,
          options,
          resolve,
          reject,
          turnMs: now,
          heardMs: now,
          timer: undefined,
          abandoned: false,
          batches: [],
          delivering: undefined,
          failed: false,
        };
        requests.set(id, request);
        const queue = turns.get(actor);
        if (queue === undefined) turns.set(actor, [request]);
        else queue.push(request);
        if (queue === undefined) begin(request);
        channel.send(line);
        // The worker ends, and with it what waited behind this request.
        options.cancel?.addEventListener('abort', () => cancel(request), { once: true });
      });
    },
    clock: async () => {
      const sentMs = performance.timeOrigin + performance.now();
      const answer = gone === undefined ? await control({ do: 'clock' }) : undefined;
      const receivedMs = performance.timeOrigin + performance.now();
      const value = answer?.value as { nowNs: number; realtimeNs: string } | undefined;
      if (value === undefined) {
        throw new KnownError(
          'side-gone',
          `${name} did not tell its time: ${gone ?? 'no answer'}.`,
          'Check that the machine is still running and reachable, then try again.',
        );
      }
      return { sentMs, receivedMs, nowNs: value.nowNs, realtimeNs: value.realtimeNs };
    },
    release: async (actor) => {
      if (gone !== undefined || closing !== undefined) return;
      const answer = await control({ do: 'release', actor });
      remember(actor, (answer?.value ?? {}) as WorkerState);
    },
    close: () => {
      closing ??= close();
      return closing;
    },
  };
}

function readAnswer(line: string): Answer | undefined {
  try {
    const answer: unknown = JSON.parse(line);
    return typeof answer === 'object' && answer !== null ? answer : undefined;
  } catch {
    return undefined;
  }
}

function outcomeOf(answer: Answer): Outcome {
  const times = {
    ...(answer.begin === undefined ? {} : { beginNs: answer.begin }),
    ...(answer.end === undefined ? {} : { endNs: answer.end }),
  };
  if (answer.errno !== undefined) {
    return { ...times, kind: 'errno', errno: answer.errno, call: answer.call ?? '' };
  }
  if (answer.signal !== undefined) return { ...times, kind: 'signal', signal: answer.signal };
  if (answer.gone !== undefined) return { ...times, kind: 'gone', reason: answer.gone };
  return { ...times, kind: 'value', value: answer.value };
}

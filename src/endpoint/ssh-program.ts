import { PassThrough, type Readable, Writable } from 'node:stream';
import type { ClientChannel } from 'ssh2';
import type { RemoteProcess } from './endpoint.ts';
import type { Connection } from './ssh-connect.ts';

const killDelayMs = 1000;
/** Unread output that is held here for each stream before the other end is made to wait. */
const heldBytes = 256 * 1024;

/**
 * A program on a channel, with streams that behave like those of a child process. ssh2's own do not: a
 * write to a closed channel never calls back.
 */
export function programOn(channel: ClientChannel, connection: Connection): RemoteProcess {
  const { stdout, stderr } = outputsOf(channel);
  const stdin = new Writable({
    write: (chunk: Buffer, _encoding, done) => void channel.write(chunk, done),
    final: (done) => {
      channel.end();
      done();
    },
  });
  stdin.on('error', () => {}); // That the program has ended is told by `ended`.

  let settle: (how: Ending) => void = () => {};
  const ended = new Promise<Ending>((resolve) => {
    settle = resolve;
  });
  const stopWatching = connection.onLost((reason) => settle({ lost: reason }));
  channel.once('exit', (status: number | null, signal?: string) =>
    settle(status === null ? { signal: signal ?? 'unknown' } : { status }),
  );
  channel.once('close', () => settle({ lost: 'the ssh server told no exit status' }));
  void ended.then(({ lost }) => {
    stopWatching();
    stdin.destroy();
    if (lost === undefined) return;
    // Usually ssh2 ends them; but not if what it waits for will never come.
    setTimeout(() => {
      stdout.end();
      stderr.end();
    }, killDelayMs).unref();
  });

  return {
    stdin,
    stdout,
    stderr,
    ended,
    kill: () => {
      sendSignal(channel, 'TERM');
      const timer = setTimeout(() => {
        channel.close();
        setTimeout(settle, killDelayMs, { lost: 'it was told to end, and its end was not reported' }).unref();
      }, killDelayMs);
      void ended.then(() => clearTimeout(timer));
    },
  };
}

/**
 * The two outputs of a channel, which share one window. ssh2 opens that window again as soon as either of
 * the two has room, so that unread bytes of the other pile up without a bound. Here its push() says "full"
 * while either is, and the window opens when both have room: as with one pipe read by two.
 */
function outputsOf(channel: ClientChannel): { stdout: PassThrough; stderr: PassThrough } {
  const stdout = new PassThrough({ highWaterMark: heldBytes });
  const stderr = new PassThrough({ highWaterMark: heldBytes });
  const full = new Set<PassThrough>();
  for (const [source, target] of [
    [channel as Readable, stdout],
    [channel.stderr as unknown as Readable, stderr],
  ] as const) {
    const push = source.push.bind(source);
    source.push = (chunk: Buffer | null) => {
      if (chunk === null) {
        target.end();
        return push(null);
      }
      if (!target.destroyed && !target.writableEnded && !target.write(chunk)) full.add(target);
      return full.size === 0;
    };
    // Only the end comes this way, which ssh2 waits for, and what there was before push() was replaced.
    source.on('data', (chunk: Buffer) => target.write(chunk));
    const roomAgain = () => {
      if (full.delete(target) && full.size === 0) source._read(0);
    };
    target
      .on('drain', roomAgain)
      .on('close', roomAgain)
      .on('error', () => {});
  }
  return { stdout, stderr };
}

type Ending = { readonly status?: number; readonly signal?: string; readonly lost?: string };

/** ssh2's channel.signal() is silent once the input has ended, which is when it is needed here. */
function sendSignal(channel: ClientChannel, name: string): void {
  const { _client: client, outgoing } = channel as unknown as {
    _client: { _protocol: { signal(id: number, name: string): void } };
    outgoing: { id: number; state: string };
  };
  if (outgoing.state === 'open' || outgoing.state === 'eof') client._protocol.signal(outgoing.id, name);
}

import { PassThrough, Writable } from 'node:stream';
import type { ClientChannel } from 'ssh2';
import type { RemoteProcess } from './endpoint.ts';
import type { Connection } from './ssh-connect.ts';

const killDelayMs = 1000;
/** Unread output that is held here for each stream before the other end is made to wait. */
const heldBytes = 1024 * 1024;

/**
 * A program on a channel, with streams that behave like those of a child process. ssh2's own do not: a
 * write to a closed channel never calls back, and unread bytes of one output stream are not held against
 * the window while the other is read.
 */
export function programOn(channel: ClientChannel, connection: Connection): RemoteProcess {
  const stdout = new PassThrough({ highWaterMark: heldBytes });
  const stderr = new PassThrough({ highWaterMark: heldBytes });
  const full = new Set<PassThrough>();
  for (const [source, target] of [
    [channel, stdout],
    [channel.stderr, stderr],
  ] as const) {
    source.on('data', (chunk: Buffer) => {
      if (target.destroyed || target.writableEnded || target.write(chunk)) return;
      full.add(target);
      channel.pause();
      channel.stderr.pause();
    });
    const roomAgain = () => {
      full.delete(target);
      if (full.size > 0) return;
      channel.resume();
      channel.stderr.resume();
    };
    target
      .on('drain', roomAgain)
      .on('close', roomAgain)
      .on('error', () => {});
    source.on('end', () => target.end());
  }

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

type Ending = { readonly status?: number; readonly signal?: string; readonly lost?: string };

/** ssh2's channel.signal() is silent once the input has ended, which is when it is needed here. */
function sendSignal(channel: ClientChannel, name: string): void {
  const { _client: client, outgoing } = channel as unknown as {
    _client: { _protocol: { signal(id: number, name: string): void } };
    outgoing: { id: number; state: string };
  };
  if (outgoing.state === 'open' || outgoing.state === 'eof') client._protocol.signal(outgoing.id, name);
}

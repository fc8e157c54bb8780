import type { Readable } from 'node:stream';

/** What is kept of a stream while somebody listens to its beginning. */
const keptBytesMax = 1024 * 1024;

/** The beginning of a stream. */
export interface Listening {
  /** Settles when enough has been heard, or nothing more will come. Never rejects. */
  readonly settled: Promise<void>;
  /** Whether nothing more will come. */
  over(): boolean;
  /** Ends the listening. What was heard is the caller's, to give back (`unshift`) or to drop. */
  stop(): Buffer;
}

/**
 * Listens to the beginning of a stream until enough of it is there. Nothing is taken after that, so whoever
 * reads the stream next goes on where this stopped.
 */
export function listen(stream: Readable, isEnough: (heard: Buffer) => boolean): Listening {
  let heard = Buffer.alloc(0);
  let over = false;
  let enough = false;
  let settle: () => void = () => {};
  const settled = new Promise<void>((resolve) => {
    settle = resolve;
  });
  const onReadable = () => {
    while (!enough && heard.length < keptBytesMax) {
      const chunk = stream.read() as Buffer | null;
      if (chunk === null) return;
      heard = Buffer.concat([heard, chunk]);
      enough = isEnough(heard);
    }
    settle();
  };
  const onOver = () => {
    over = true;
    settle();
  };
  stream.on('readable', onReadable).once('end', onOver).once('close', onOver).once('error', onOver);
  return {
    settled,
    over: () => over && !enough,
    stop: () => {
      stream.off('readable', onReadable).off('end', onOver).off('close', onOver).off('error', onOver);
      return heard;
    },
  };
}

import { connectQmp, type Qmp } from '../endpoint/qmp.ts';
import { KnownError } from '../model/error.ts';
import type { Bench } from '../run/bench.ts';
import type { Share } from '../share/share.ts';
import { usedIndexReader } from '../share/used-index.ts';
import type { Sides } from './sides.ts';

/** The machine's monitor, as far as one run needs it. */
export interface Monitor {
  /** Undefined where no monitor is known, or the host is another machine. */
  readonly usedIndex: Bench['usedIndex'];
  close(): void;
}

/**
 * The monitor of the machine that a share belongs to. It is connected to when it is first asked, so that
 * another client is kept out no longer than needed.
 */
export function monitorOf(share: Share, { host }: Sides): Monitor {
  const { qmpSocket, tag } = share;
  if (qmpSocket === undefined || tag === undefined || host.endpoint.kind !== 'local')
    return { usedIndex: undefined, close() {} };
  let qmp: Qmp | undefined;
  let reader: Promise<() => Promise<number[]>> | undefined;
  const connect = async () => {
    qmp = await connectQmp(qmpSocket);
    return usedIndexReader(qmp, tag, share.type ?? 'virtiofs');
  };
  return {
    async usedIndex() {
      reader ??= connect();
      try {
        return await (await reader)();
      } catch (error) {
        if (error instanceof KnownError) throw error;
        throw new KnownError('qmp-refused', `QEMU's monitor: ${String(error)}`, 'It is left out.');
      }
    },
    close() {
      qmp?.close();
    },
  };
}

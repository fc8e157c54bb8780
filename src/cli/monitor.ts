import { connectQmp, type Qmp } from '../endpoint/qmp.ts';
import { KnownError } from '../model/error.ts';
import type { Bench } from '../run/bench.ts';
import type { Share } from '../share/share.ts';
import { usedIndexReader } from '../share/used-index.ts';
import type { Sides } from './sides.ts';

/** The monitors of the machines that shares belong to, as far as one run needs them. */
export interface Monitors {
  /** Undefined where no monitor is known, or the host is another machine. */
  usedIndexOf(share: Share): Bench['usedIndex'];
  close(): void;
}

/**
 * A monitor serves one client at a time: it is connected to when it is first asked, so that another one is kept
 * out no longer than needed, and all shares of a machine ask through the same connection.
 */
export function monitorsOf({ host }: Pick<Sides, 'host'>): Monitors {
  const connections = new Map<string, Promise<Qmp>>();
  const connected = (socket: string) => {
    const qmp = connections.get(socket) ?? connectQmp(socket);
    connections.set(socket, qmp);
    return qmp;
  };
  return {
    usedIndexOf({ qmpSocket, tag, type }) {
      if (qmpSocket === undefined || tag === undefined || host.endpoint.kind !== 'local') return undefined;
      let reader: Promise<() => Promise<number[]>> | undefined;
      return async () => {
        reader ??= connected(qmpSocket).then((qmp) => usedIndexReader(qmp, tag, type ?? 'virtiofs'));
        try {
          return await (await reader)();
        } catch (error) {
          if (error instanceof KnownError) throw error;
          throw new KnownError('qmp-refused', `QEMU's monitor: ${String(error)}`, 'It is left out.');
        }
      };
    },
    close() {
      // One that never came needs no closing.
      for (const qmp of connections.values())
        qmp.then(
          (each) => each.close(),
          () => {},
        );
    },
  };
}

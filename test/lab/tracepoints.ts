import type { Endpoint } from '../../src/endpoint/endpoint.ts';
import type { SeenReads } from './strace.ts';

const instance = '/sys/kernel/tracing/instances/vfs-verify-test';

/** FUSE_READ (linux/fuse.h), and the header that each answer begins with. */
const opcode = 15;
const headerBytes = 16;

/**
 * Watches the FUSE_READ requests of one mount by the guest kernel's tracepoints while something runs: an oracle
 * that shares nothing with the ledger, nor with strace on the host. The kernel has them from 6.9 on.
 */
export async function traceReads<T>(
  guest: Endpoint,
  mount: string,
  run: () => Promise<T>,
): Promise<{ readonly result: T; readonly all: SeenReads }> {
  await shell(
    guest,
    `mountpoint -q /sys/kernel/tracing || mount -t tracefs tracefs /sys/kernel/tracing
    mkdir -p ${instance} && cd ${instance}
    echo 16384 > buffer_size_kb
    echo 'opcode == ${opcode}' > events/fuse/fuse_request_send/filter
    echo 1 > events/fuse/fuse_request_send/enable
    echo 1 > events/fuse/fuse_request_end/enable`,
  );
  try {
    // A superblock's device number is the connection's; major 0 for one without a device.
    const connection = (await shell(guest, `mountpoint -d '${mount}'`)).trim().split(':')[1] ?? '';
    const result = await run();
    return { result, all: summed(await shell(guest, `cat ${instance}/trace`), connection) };
  } finally {
    await shell(guest, `rmdir ${instance}`);
  }
}

async function shell(guest: Endpoint, script: string): Promise<string> {
  const { status, stdout, stderr, truncated } = await guest.exec(['sh', '-ec', script], {
    maxBytes: 64 * 1024 * 1024,
  });
  if (status !== 0 || truncated) throw new Error(`in the guest, ${script} ended with ${status}: ${stderr}`);
  return stdout;
}

/** `fuse_request_send: connection 45 req 12 opcode 15 (FUSE_READ) len 80`, `fuse_request_end: … len 4112 error 0`. */
function summed(trace: string, connection: string): SeenReads {
  const lost = /entries-in-buffer\/entries-written: (\d+)\/(\d+)/.exec(trace);
  if (lost?.[1] !== lost?.[2]) throw new Error('the trace did not fit its buffer');
  const sent = new Set<string>();
  const sum = { bytes: 0, requests: 0 };
  for (const [, kind, of = '', request = '', length] of trace.matchAll(
    /fuse_request_(send|end): connection (\d+) req (\d+) .*?len (\d+)/g,
  )) {
    if (of !== connection) continue;
    if (kind === 'send') sent.add(request);
    else if (sent.delete(request)) {
      sum.requests += 1;
      sum.bytes += Math.max(0, Number(length) - headerBytes);
    }
  }
  return sum;
}

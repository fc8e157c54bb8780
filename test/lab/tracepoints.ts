import type { Endpoint } from '../../src/endpoint/endpoint.ts';
import type { SeenReads } from './strace.ts';

const instance = '/sys/kernel/tracing/instances/vfs-verify-test';

/** linux/fuse.h: FUSE_READ, those that are never answered, and the header that each answer begins with. */
const read = 15;
const unanswered = [2, 36, 42];
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
    `[ -d /sys/kernel/tracing/events ] || mount -t tracefs tracefs /sys/kernel/tracing
    mkdir -p ${instance} && cd ${instance}
    echo 16384 > buffer_size_kb
    echo 1 > events/fuse/fuse_request_send/enable
    echo 1 > events/fuse/fuse_request_end/enable`,
  );
  try {
    // A superblock's device number is the connection's; major 0 for one without a device.
    const mounts = await shell(guest, 'cat /proc/self/mountinfo');
    const device = mounts
      .split('\n')
      .map((line) => line.split(' '))
      .find((fields) => fields[4] === mount)?.[2];
    const connection = device?.split(':')[1] ?? '';
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

/**
 * `fuse_request_send: connection 45 req 0 opcode 15 (FUSE_READ) len 80`, then `fuse_request_end: connection 45
 * req 12 len 4112 error 0`. virtiofs numbers requests only after the first event, so that an answer is that of
 * the oldest request that waits. They overtake each other only among reads, of which only the sums are wanted.
 */
function summed(trace: string, connection: string): SeenReads {
  const lost = /entries-in-buffer\/entries-written: (\d+)\/(\d+)/.exec(trace);
  if (lost?.[1] !== lost?.[2]) throw new Error('the trace did not fit its buffer');
  const waiting: number[] = [];
  const sum = { bytes: 0, requests: 0 };
  for (const [, kind, of = '', opcode, length] of trace.matchAll(
    /fuse_request_(send|end): connection (\d+) req \d+ (?:opcode (\d+) .*?)?len (\d+)/g,
  )) {
    if (of !== connection) continue;
    if (kind === 'send') {
      if (!unanswered.includes(Number(opcode))) waiting.push(Number(opcode));
    } else if (waiting.shift() === read) {
      sum.requests += 1;
      sum.bytes += Math.max(0, Number(length) - headerBytes);
    }
  }
  return sum;
}

import { programAccount } from '../../src/ledger/program-account.ts';
import type { ExplainEvidence } from '../../src/model/explain-evidence.ts';
import type { SyncsResult } from '../../src/model/operation.ts';
import type { ProgramAccount } from '../../src/model/program-account.ts';
import type { Report, Result } from '../../src/model/report.ts';
import type { ReportedLatency } from '../../src/model/reported-latency.ts';
import type { Timeline } from '../../src/model/timeline.ts';
import { latencyIn } from '../../src/workload/explain/reported-latency.ts';
import { timelineOf } from '../../src/workload/explain/timeline.ts';
import { page } from '../ledger/build.ts';
import { endOf, fileOf, mib, programOf, served } from '../ledger/program.ts';
import { hostile } from './hostile.ts';
import { reportOf } from './samples.ts';

const pages = 64;
/** Bytes of the file that the program of `evidenceOf` reads. */
export const size = pages * page;
const [all, none] = ['#'.repeat(pages), '.'.repeat(pages)];

/** A program that read a warm file once. */
export function reading(transport: 'fuse' | '9p'): ProgramAccount {
  return programAccount(
    programOf({
      transport,
      end: endOf({ rchar: 7000 + size, syscr: 9 + pages }),
      files: [fileOf({ read: true }, { guest: none, host: all }, { guest: all, host: all })],
      daemon: served({ read: size, reads: pages, kicks: pages }),
      messages: pages,
    }),
  );
}

/** What explaining such a program found. */
export function evidenceOf(rest: Partial<ExplainEvidence> = {}): ExplainEvidence {
  const account = reading('fuse');
  return {
    kind: 'explain',
    command: ['fio', 'job.fio'],
    status: 0,
    seconds: 2,
    account,
    advice: ['to measure the disk, drop the host’s cache too', 'or else'],
    share: { mode: 'auto', how: "the lab's own daemon" },
    disturbed: [],
    ...rest,
  };
}

/** A program that wrote without writeback, all of it still in the host's memory. */
export function writing(syncs: SyncsResult | undefined): ProgramAccount {
  return programAccount(
    programOf({
      end: endOf({ wchar: size, syscw: pages }),
      writeback: false,
      files: [fileOf({ write: true }, { guest: none, host: none }, { guest: none, host: all, dirty: pages })],
      daemon: served({ written: size, writes: pages, calls: pages }, { writeBytes: size }),
      messages: pages,
      ...(syncs === undefined ? { unseen: [{ what: 'fsync', why: 'EPERM' }] } : { syncs }),
    }),
  );
}

export function resultOf(evidence: ExplainEvidence): Result {
  return {
    check: 'explain',
    mode: 'auto',
    cases: [],
    durationMs: 1,
    verdict: { kind: 'pass', reason: evidence.account.reads.sentence, evidence },
  };
}

/**
 * A run of so many seconds, looked at each 100 ms: it reads from the disk at first and from the host's cache then, and
 * writes a little that the host keeps dirty.
 */
export function timelineOfSeconds(seconds: number): Timeline {
  const account = {
    reads: { ...evidenceOf().account.reads, asked: passed(seconds * 8 * mib) },
    writes: { ...evidenceOf().account.writes, asked: passed(seconds * mib) },
  };
  const times = Array.from({ length: seconds * 10 + 1 }, (_, index) => index * 100);
  const read = (ms: number) => (8 * mib * Math.max(0, ms)) / 1000;
  return timelineOf({
    guest: times.map((ms) => ({
      atMs: ms,
      seen: {
        askedReadBytes: read(ms),
        askedReads: read(ms) / page,
        askedWrittenBytes: read(ms) / 8,
        askedWrites: read(ms) / 8 / page,
        guestCachedBytes: 200 * mib + read(ms),
        guestDirtyBytes: 0,
      },
    })),
    host: [-100, ...times, times.length * 100].map((ms) => ({
      atMs: ms + 40,
      seen: {
        crossedReadBytes: 5000 * mib + read(Math.min(ms, seconds * 1000)),
        crossedWrittenBytes: read(Math.min(ms, seconds * 1000)) / 8,
        serverDiskReadBytes: read(Math.min(ms, seconds * 300)),
        deviceReads: read(Math.min(ms, seconds * 300)) / page,
        hostCachedBytes: 9000 * mib,
        hostDirtyBytes: read(ms) / 8,
      },
    })),
    queue: times
      .filter((ms) => ms % 500 === 0)
      .map((ms) => ({ atMs: ms, seen: { crossedMessages: read(ms) / page } })),
    endMs: seconds * 1000,
    withinMs: { guest: 3, host: 4 },
    account,
  });
}

function passed(bytes: number) {
  return { bytes: [bytes, bytes], requests: [0, 0], because: 'counted' } as const;
}

/** What fio's output says of its latencies; the names of its jobs are the user's own. */
export function latencyOf(fixture: Uint8Array, name?: string): ReportedLatency[] {
  return latencyIn(fixture).map((each) => (name === undefined ? each : { ...each, name }));
}

/** A report of a program, and of three where it ran from three states of the caches. */
export function explainReport(...evidence: readonly ExplainEvidence[]): Report {
  return reportOf('explain', evidence.map(resultOf));
}

/** Everything in it that can be a name is a hostile one. */
export function hostileExplainReport(latency: readonly ReportedLatency[]): Report {
  const plain = evidenceOf();
  return explainReport(
    evidenceOf({
      command: [hostile, hostile],
      timeline: { ...timelineOfSeconds(3), unseen: [{ what: hostile, why: hostile }] },
      latency: latency.map((each) => ({ ...each, name: hostile, by: hostile })),
      account: {
        ...plain.account,
        files: plain.account.files.map((file) => ({ ...file, path: hostile, hostPath: hostile })),
        unseen: [{ what: hostile, why: hostile }],
      },
      onHost: { command: [hostile], status: 1, failed: hostile },
      advice: [hostile, hostile],
      share: { mode: hostile, how: hostile, server: hostile },
      stateLeft: [hostile],
      state: hostile,
      disturbed: [hostile],
    }),
  );
}

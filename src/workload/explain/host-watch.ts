import type { ServerCounts, ShareCounters } from '../../ledger/program-samples.ts';
import type { CountersResult } from '../../model/operation.ts';
import type { Asker } from './asker.ts';

/** One look at the host while the program runs. */
export interface HostSample {
  /** Milliseconds since the watch began, by this program's own clock. */
  readonly atMs: number;
  readonly counters: CountersResult;
}

const everyMs = 100;
/** Each queue's index counts mod 65,536: it is looked at often enough not to go round unseen. */
const messagesEveryMs = 500;

/** Watches the host's counters of the shares that may be meant. */
export class HostWatch {
  readonly samples: HostSample[] = [];
  readonly #host: Asker;
  readonly #processes: readonly number[];
  readonly #directory: string;
  readonly #usedIndex: (() => Promise<readonly number[]>) | undefined;
  #messages: number | undefined;
  #lastIndex: readonly number[] | undefined;
  #begun = 0;
  #timers: NodeJS.Timeout[] = [];
  #looking: Promise<unknown> = Promise.resolve();

  /** @param directory of the share on the host: the block device below it is watched. */
  constructor(
    host: Asker,
    processes: readonly number[],
    directory: string,
    usedIndex: (() => Promise<readonly number[]>) | undefined,
  ) {
    this.#host = host;
    this.#processes = processes;
    this.#directory = directory;
    this.#usedIndex = usedIndex;
  }

  /** Takes the first look and goes on each 100 ms. */
  async begin(): Promise<CountersResult | undefined> {
    await this.#host.value(
      { do: 'open', path: this.#directory, flags: ['rdonly', 'directory'], as: 'share' },
      'device',
    );
    // The used index brackets the counters, so that it never counts less than they do.
    await this.#countMessages();
    this.#begun = performance.now();
    const first = await this.#look();
    let isBusy = false;
    this.#timers = [
      setInterval(() => {
        if (isBusy) return;
        isBusy = true;
        this.#looking = this.#look().finally(() => {
          isBusy = false;
        });
      }, everyMs),
      ...(this.#lastIndex === undefined
        ? []
        : [setInterval(() => void this.#countMessages(), messagesEveryMs)]),
    ];
    return first;
  }

  /** Takes the last look. */
  async end(): Promise<CountersResult | undefined> {
    for (const timer of this.#timers) clearInterval(timer);
    await this.#looking;
    const last = await this.#look();
    await this.#countMessages();
    return last;
  }

  get messages(): number | undefined {
    return this.#messages;
  }

  async #look(): Promise<CountersResult | undefined> {
    const counters = await this.#host.value<CountersResult>(
      { do: 'counters', processes: this.#processes, file: 'share', memory: true },
      'daemon-io',
    );
    if (counters !== undefined) this.samples.push({ atMs: performance.now() - this.#begun, counters });
    return counters;
  }

  async #countMessages(): Promise<void> {
    if (this.#usedIndex === undefined) return;
    try {
      const now = await this.#usedIndex();
      const last = this.#lastIndex ?? now;
      this.#lastIndex = now;
      this.#messages =
        (this.#messages ?? 0) + now.reduce((sum, index, at) => sum + ((index - (last[at] ?? 0)) & 0xffff), 0);
    } catch (error) {
      this.#messages = undefined;
      this.#host.unseen.push({ what: 'used-index', why: (error as Error).message });
    }
  }
}

/** The counts of one share from what was watched. */
export function countersOf(
  counted: CountersResult | undefined,
  server: number | undefined,
  vmm: number | undefined,
): ShareCounters {
  const daemon = server === undefined ? undefined : countsOf(counted, server);
  const machine = vmm === undefined ? undefined : countsOf(counted, vmm);
  const { deviceSectors, deviceReads, deviceWriteSectors, deviceWrites, deviceFlushes, deviceFlushMs } =
    counted ?? {};
  const isDevice =
    deviceSectors !== undefined &&
    deviceReads !== undefined &&
    deviceWriteSectors !== undefined &&
    deviceWrites !== undefined;
  return {
    ...(daemon === undefined ? {} : { daemon }),
    ...(machine === undefined ? {} : { vmm: { readBytes: machine.readBytes } }),
    ...(isDevice
      ? {
          device: {
            readSectors: deviceSectors,
            reads: deviceReads,
            writeSectors: deviceWriteSectors,
            writes: deviceWrites,
            ...(deviceFlushes === undefined ? {} : { flushes: deviceFlushes }),
            ...(deviceFlushMs === undefined ? {} : { flushMs: deviceFlushMs }),
          },
        }
      : {}),
  };
}

function countsOf(counted: CountersResult | undefined, pid: number): ServerCounts | undefined {
  const found = counted?.processes.find((each) => each.pid === pid);
  if (found === undefined || found.error !== undefined) return undefined;
  const { rchar, syscr, wchar, syscw, readBytes, writeBytes, cancelledBytes } = found;
  if (rchar === undefined || syscr === undefined || wchar === undefined || syscw === undefined)
    return undefined;
  return {
    rchar,
    syscr,
    wchar,
    syscw,
    readBytes: readBytes ?? 0,
    writeBytes: writeBytes ?? 0,
    cancelledBytes: cancelledBytes ?? 0,
  };
}

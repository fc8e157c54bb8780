import type { ServerCounts, ShareCounters } from '../../ledger/program-samples.ts';
import type { CountersResult } from '../../model/operation.ts';
import type { Asker } from './asker.ts';
import { Thinned } from './thinned.ts';

/** One look at the host while the program runs. Milliseconds since the watch began, by this program's own clock. */
export interface HostSample {
  readonly askedMs: number;
  /** When the answer had come. */
  readonly atMs: number;
  readonly counters: CountersResult;
}

/** FUSE messages that were completed since the watch began; moments as above. */
export interface QueueSample {
  readonly askedMs: number;
  readonly atMs: number;
  readonly messages: number;
}

const everyMs = 100;
const messagesEveryMs = 500;
/**
 * Each queue's index counts mod 65,536. One that moves by more than half of that between two looks, 65,536 messages a
 * second and more, may as well have gone round.
 */
const mostMoved = 0x8000;
/** Seven minutes at the full rate; a longer run is kept more thinly. */
const mostSamples = 4096;

/** Watches the host's counters of the shares that may be meant. */
export class HostWatch {
  readonly #samples = new Thinned<HostSample>(mostSamples);
  readonly #queueSamples = new Thinned<QueueSample>(mostSamples);
  readonly #host: Asker;
  readonly #processes: readonly number[];
  readonly #directory: string;
  readonly #usedIndex: (() => Promise<readonly number[]>) | undefined;
  readonly #onSample: ((sample: HostSample) => void) | undefined;
  #messages: number | undefined;
  #lastIndex: readonly number[] | undefined;
  #isLost = false;
  #begun = performance.now();
  #timers: NodeJS.Timeout[] = [];
  #looking: Promise<unknown> = Promise.resolve();
  #counting: Promise<unknown> = Promise.resolve();
  #isCounting = false;

  /** @param directory of the share on the host: the block device below it is watched. */
  constructor(
    host: Asker,
    processes: readonly number[],
    directory: string,
    usedIndex: (() => Promise<readonly number[]>) | undefined,
    onSample?: (sample: HostSample) => void,
  ) {
    this.#host = host;
    this.#processes = processes;
    this.#directory = directory;
    this.#usedIndex = usedIndex;
    this.#onSample = onSample;
  }

  /** Takes the first look and goes on each 100 ms. */
  async begin(): Promise<CountersResult | undefined> {
    await this.#host.value(
      { do: 'open', path: this.#directory, flags: ['rdonly', 'directory'], as: 'share' },
      'device',
    );
    this.#begun = performance.now();
    // The used index brackets the counters, so that it never counts less than they do.
    await this.#countMessages();
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
        : [setInterval(() => this.#countMessagesNext(), messagesEveryMs)]),
    ];
    return first;
  }

  /** Takes the last look. */
  async end(): Promise<CountersResult | undefined> {
    for (const timer of this.#timers) clearInterval(timer);
    await Promise.all([this.#looking, this.#counting]);
    const last = await this.#look();
    await this.#countMessages();
    return last;
  }

  get messages(): number | undefined {
    return this.#messages;
  }

  get samples(): readonly HostSample[] {
    return this.#samples.items;
  }

  get queueSamples(): readonly QueueSample[] {
    return this.#queueSamples.items;
  }

  /** What its samples count their milliseconds from: a moment of `performance.now`. */
  get begunMs(): number {
    return this.#begun;
  }

  async #look(): Promise<CountersResult | undefined> {
    const askedMs = performance.now() - this.#begun;
    const counters = await this.#host.value<CountersResult>(
      { do: 'counters', processes: this.#processes, file: 'share', memory: true },
      'daemon-io',
    );
    if (counters !== undefined) {
      const sample = { askedMs, atMs: performance.now() - this.#begun, counters };
      this.#samples.push(sample);
      this.#onSample?.(sample);
    }
    return counters;
  }

  /** One at a time, however long the machine takes to answer. */
  #countMessagesNext(): void {
    if (this.#isCounting) return;
    this.#isCounting = true;
    this.#counting = this.#countMessages().finally(() => {
      this.#isCounting = false;
    });
  }

  async #countMessages(): Promise<void> {
    if (this.#usedIndex === undefined || this.#isLost) return;
    const askedMs = performance.now() - this.#begun;
    try {
      const now = await this.#usedIndex();
      const last = this.#lastIndex ?? now;
      this.#lastIndex = now;
      const moved = now.map((index, at) => (index - (last[at] ?? 0)) & 0xffff);
      if (moved.some((each) => each > mostMoved))
        throw new Error('its queues go round too fast to be counted');
      this.#messages = (this.#messages ?? 0) + moved.reduce((sum, each) => sum + each, 0);
      this.#queueSamples.push({ askedMs, atMs: performance.now() - this.#begun, messages: this.#messages });
    } catch (error) {
      // What completed meanwhile can no longer be told from what did not: a count of a part is no count.
      this.#isLost = true;
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
  const { dirtyBytes, writebackBytes } = counted ?? {};
  return {
    ...(dirtyBytes === undefined || dirtyBytes < 0
      ? {}
      : { hostDirtyBytes: dirtyBytes + Math.max(0, writebackBytes ?? 0) }),
    ...(daemon === undefined ? {} : { daemon }),
    ...(machine === undefined
      ? {}
      : {
          vmm: {
            readBytes: machine.readBytes,
            writeBytes: machine.writeBytes,
            cancelledBytes: machine.cancelledBytes,
          },
        }),
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

import type { Step } from './check.ts';
import type { OpenFlag } from './operation.ts';
import type { ReadPlan } from './read-plan.ts';

/** A run of reads that is to be accounted for. */
export interface AccountedRun {
  /** Its steps are named after it (`cold.reads`), and `observed.account('cold')` is its ledger. */
  readonly name: string;
  /** The actors, by name; without a host the account is an inference. */
  readonly guest: string;
  readonly host?: string;
  /** As each side calls the file. */
  readonly path: string;
  readonly hostPath?: string;
  /** Sizes as far as they are known: maps are taken in parts of bounded size. */
  readonly size: number;
  readonly plan: ReadPlan;
  /** A descriptor that the guest's actor holds already: the file is not opened again. */
  readonly file?: string;
  readonly direct?: boolean;
  readonly mapped?: boolean;
  /** Without the guest's readahead: POSIX_FADV_RANDOM on the reading descriptor. */
  readonly noReadahead?: boolean;
  /** Evicted before the samples: the guest's pages through the reading descriptor, the host's after an fsync. */
  readonly drop?: { readonly guest?: boolean; readonly host?: boolean };
  /** Processes on the host whose counters are read: the daemon, and QEMU. */
  readonly processes: readonly number[];
  /** Of each step, and of the reads without progress. */
  readonly limit: { readonly ms: number; readonly name: string };
  readonly after?: Step['after'];
}

/** Pages of this many bytes are mapped in one request: at most 131,072 runs of 4 KiB pages, far below a line. */
const mapPart = 512 * 1024 * 1024;

/** The parts in which page maps of a range are taken. */
export function mapParts(offset: number, length: number): { offset: number; length: number }[] {
  const parts: { offset: number; length: number }[] = [];
  for (let at = offset; at < offset + length; at += mapPart)
    parts.push({ offset: at, length: Math.min(mapPart, offset + length - at) });
  return parts;
}

/**
 * The steps of an accounted run, in the one order that does not spoil what it looks at: everything is opened
 * and statted first, then the states are recorded, then the counters, then come the reads and nothing else,
 * then the counters again, then the states. The guest's file is opened once, and looked at only through the
 * descriptor that reads.
 */
export function readSteps(run: AccountedRun): Step[] {
  return new Planner(run).steps();
}

class Planner {
  readonly #run: AccountedRun;
  readonly #steps: Step[] = [];
  #last: string | undefined;

  constructor(run: AccountedRun) {
    this.#run = run;
  }

  steps(): Step[] {
    this.#open();
    this.#drop();
    this.#before();
    this.#reads();
    this.#after();
    return this.#steps;
  }

  get #file(): string {
    return this.#run.file ?? this.#run.name;
  }

  /** One after the other, whoever the actor is. */
  #add(side: 'guest' | 'host', name: string, op: Step['op'], options: Partial<Step> = {}): void {
    const { [side]: actor, limit, after } = this.#run;
    if (actor === undefined) return;
    const id = `${this.#run.name}.${name}`;
    const first = this.#last === undefined;
    this.#steps.push({
      id,
      actor,
      op,
      limit,
      mayFail: true,
      ...(first
        ? after === undefined
          ? {}
          : { after }
        : { after: [{ step: this.#last ?? '', has: 'ended' }] }),
      ...options,
    });
    this.#last = id;
  }

  #open(): void {
    const { path, hostPath, file, direct, noReadahead, host } = this.#run;
    if (host !== undefined && hostPath !== undefined)
      this.#add('host', 'host-open', {
        do: 'open',
        path: hostPath,
        flags: ['rdonly', 'nonblock'],
        as: this.#run.name,
      });
    const flags: OpenFlag[] = ['rdonly', 'nonblock', ...(direct === true ? ['direct' as const] : [])];
    if (file === undefined)
      this.#add('guest', 'open', { do: 'open', path, flags, as: this.#run.name }, { mayFail: false });
    if (noReadahead === true)
      this.#add('guest', 'advise', { do: 'advise', file: this.#file, advice: 'random' });
  }

  #drop(): void {
    const { drop, name } = this.#run;
    if (drop?.guest === true) this.#add('guest', 'drop-guest', { do: 'evict', file: this.#file });
    if (drop?.host === true) {
      this.#add('host', 'sync-host', { do: 'fsync', file: name });
      this.#add('host', 'drop-host', { do: 'evict', file: name, evenDirty: true });
    }
  }

  #before(): void {
    const { mapped, name, plan, processes } = this.#run;
    if (mapped === true) {
      this.#add('guest', 'map', {
        do: 'map',
        file: this.#file,
        as: this.#file,
        offset: 0,
        length: plan.range.offset + plan.range.length,
        protection: 'read',
        share: 'shared',
      });
    }
    this.#add('guest', 'guest-stat', { do: 'fstat', file: this.#file, sync: 'dont' });
    this.#add('host', 'host-stat', { do: 'fstat', file: name });
    this.#add('host', 'extents', { do: 'extents', file: name, range: plan.range });
    const [daemon] = processes;
    if (daemon !== undefined)
      this.#add('host', 'daemon-file', { do: 'process-files', pid: daemon, file: name });
    this.#maps('before');
    // The used index brackets the counters, so that it never counts less than they do.
    this.#add('host', 'used-before', { do: 'used-index' });
    this.#add('host', 'count-before', { do: 'counters', processes, file: name });
  }

  #maps(when: 'before' | 'after'): void {
    const { name, size, plan } = this.#run;
    for (const [index, range] of mapParts(0, size).entries())
      this.#add('guest', `guest-${when}-${index}`, { do: 'pages', file: this.#file, range, map: true });
    for (const [index, range] of mapParts(plan.range.offset, plan.range.length).entries())
      this.#add('host', `host-${when}-${index}`, { do: 'pages', file: name, range, map: true });
  }

  #reads(): void {
    const { mapped, plan, limit } = this.#run;
    const from = mapped === true ? { map: this.#file } : { file: this.#file };
    this.#add('guest', 'reads', { do: 'reads', ...from, ...plan }, { limit: { ...limit, silent: true } });
  }

  #after(): void {
    const { name, processes, file, mapped } = this.#run;
    this.#add('host', 'count-after', { do: 'counters', processes, file: name });
    this.#add('host', 'used-after', { do: 'used-index' });
    this.#maps('after');
    this.#add('guest', 'guest-stat-after', { do: 'fstat', file: this.#file, sync: 'dont' });
    this.#add('host', 'host-stat-after', { do: 'fstat', file: name });
    if (mapped === true) this.#add('guest', 'unmap', { do: 'unmap', map: this.#file });
    if (file === undefined) this.#add('guest', 'close', { do: 'close', file: this.#file });
    this.#add('host', 'host-close', { do: 'close', file: name });
  }
}

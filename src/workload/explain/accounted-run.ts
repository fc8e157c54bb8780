import { programAccount } from '../../ledger/program-account.ts';
import type { Claimed, FileSamples, ProgramSamples } from '../../ledger/program-samples.ts';
import type { BenchmarkRate } from '../../model/explain-evidence.ts';
import { filesystems } from '../../model/filesystems.ts';
import type { CountersResult, SyncsResult } from '../../model/operation.ts';
import type { ProgramAccount } from '../../model/program-account.ts';
import type { ReportedLatency } from '../../model/reported-latency.ts';
import type { Timeline } from '../../model/timeline.ts';
import { type LocatedPath, locatePath, type Share } from '../../share/share.ts';
import { Asker } from './asker.ts';
import {
  type Attended,
  type Command,
  type Place,
  type Running,
  type Streams,
  startAttended,
} from './attended.ts';
import { claimedIn, rateIn } from './claims.ts';
import { readClock } from './clocks.ts';
import { FileStates } from './file-states.ts';
import { countersOf, type HostSample, HostWatch } from './host-watch.ts';
import { Live, type OnSeen } from './live.ts';
import { filesOfShares, mayBePaths, sharesMeant } from './named-files.ts';
import { latencyIn } from './reported-latency.ts';
import { runTimeline } from './run-timeline.ts';
import { SyncWatch } from './sync-watch.ts';

/** What is to be explained. */
export interface Explained {
  readonly command: Command;
  /** Files that the user named; the command's own words are looked through as well. */
  readonly files: readonly string[];
  /** All that are known. */
  readonly shares: readonly Share[];
  readonly limitMs: number;
  /** Of one share, where its machine's monitor can be asked. */
  readonly usedIndexOf: (share: Share) => (() => Promise<readonly number[]>) | undefined;
  readonly onRunning?: (running: Running) => void;
  /** Told of the counts while it runs. */
  readonly onSeen?: OnSeen;
}

/** A run with everything that was seen of it. */
export interface AccountedRun {
  readonly attended: Attended;
  /** Absent where no file of a share was held, or the program did not start. */
  readonly share?: Share;
  readonly samples?: ProgramSamples;
  readonly account?: ProgramAccount;
  /** How fast the program says that it was. */
  readonly rate?: BenchmarkRate;
  /** The run over time, and how long its requests took by its own report. */
  readonly timeline?: Timeline;
  readonly latency?: readonly ReportedLatency[];
  readonly hostSamples: readonly HostSample[];
  /** What the measurement itself changed, a sentence each. */
  readonly disturbed: readonly string[];
}

/** Enough of a program's output to find its report in. */
const keptOutputBytes = 4 * 1024 * 1024;

/**
 * Runs the user's own program in the guest and keeps the account of the share: states before, counts while it runs,
 * states and counts at the moment of its end.
 */
export async function accountedRun(
  sides: { readonly guest: Place; readonly host: Place },
  asked: Explained,
  streams: Streams,
): Promise<AccountedRun> {
  const host = new Asker(sides.host.session, 'explain-host', asked.limitMs);
  const counting = new Asker(sides.host.session, 'explain-count', asked.limitMs);
  const guest = new Asker(sides.guest.session, 'explain-guest', asked.limitMs);
  const syncing = new Asker(sides.guest.session, 'explain-syncs', asked.limitMs);
  const askers = { host, counting, guest, syncing };
  try {
    return await new Account(sides.guest, asked, askers).run(streams);
  } finally {
    await Promise.all(Object.values(askers).map((asker) => asker.release()));
  }
}

/** The files of a share that the user named, or that the command's words name, and that are there. */
export async function filesMeant(asked: Explained, guest: Asker): Promise<LocatedPath[]> {
  const words = [...asked.files, ...mayBePaths(asked.command.argv, asked.command.directory)];
  const named = await filesOfShares(words, asked.shares, guest);
  return named.map((each) => locatePath(each, asked.shares));
}

/** An actor for each thing that must not wait for another. */
interface Askers {
  readonly host: Asker;
  readonly counting: Asker;
  readonly guest: Asker;
  readonly syncing: Asker;
}

class Account {
  readonly #place: Place;
  readonly #asked: Explained;
  readonly #askers: Askers;

  constructor(place: Place, asked: Explained, askers: Askers) {
    this.#place = place;
    this.#asked = asked;
    this.#askers = askers;
  }

  async run(streams: Streams): Promise<AccountedRun> {
    const { command, shares } = this.#asked;
    const { host, guest, syncing } = this.#askers;
    const words = [...this.#asked.files, ...mayBePaths(command.argv, command.directory)];
    const named = await filesOfShares(words, shares, guest);
    const meant = sharesMeant(this.#asked.files.length > 0 ? named : words, command.directory, shares);
    const states = new FileStates(meant, host, guest);
    await states.before(named);
    const [only] = meant.length === 1 ? meant : [];
    const live = new Live(this.#asked.onSeen, only && serverOf(only), only?.vmmPid);
    const watch = this.#watch(meant, live);
    const syncs = new SyncWatch(syncing, meant.every(is9p) ? '9p' : 'fuse');
    await syncs.begin();
    const before = await watch.begin();
    const clockBefore = await readClock(guest);
    const output: Buffer[] = [];
    let kept = 0;
    let last: Promise<CountersResult | undefined> | undefined;
    let synced: Promise<SyncsResult | undefined> | undefined;
    const running = await startAttended(
      this.#place,
      command,
      meant.map(({ guestDir }) => guestDir),
      streams,
      {
        onStarted: (supervisor) => syncs.started(supervisor),
        onFile: (file) => states.noticed(file),
        onSample: (sample) => live.guest(sample),
        // At the moment of its end, before its last output has come.
        onEnded: () => {
          last ??= watch.end();
          synced ??= syncs.end();
          states.ended();
        },
        onOutput: (chunk) => {
          if (kept < keptOutputBytes) output.push(chunk);
          kept += chunk.length;
        },
      },
    ).catch(async (error: unknown) => {
      await Promise.all([watch.end(), syncs.end()]);
      throw error;
    });
    this.#asked.onRunning?.(running);
    let attended: Attended;
    try {
      attended = await running.done;
    } finally {
      last ??= watch.end();
      synced ??= syncs.end();
      await Promise.all([last, synced]);
    }
    if (attended.end !== undefined) live.guest(attended.end);
    const clockAfter = await readClock(guest);
    const files = await states.after(attended.files);
    const share = shareOf(files) ?? (meant.length === 1 ? meant[0] : undefined);
    const seen = { attended, hostSamples: watch.samples, disturbed: disturbed(states.opened) };
    if (share === undefined || attended.end === undefined) return seen;
    const said = Buffer.concat(output);
    const rate = rateIn(said);
    const samples = this.#samples({
      attended,
      share,
      files,
      fsMagic: states.fsMagic,
      before,
      after: await last,
      syncs: await synced,
      messages: meant.length === 1 ? watch.messages : undefined,
      claimed: claimedIn(said),
    });
    const account = programAccount(samples);
    const timeline = runTimeline({
      attended,
      watch,
      clocks: [clockBefore, clockAfter],
      server: serverOf(share),
      vmm: share.vmmPid,
      account,
    });
    const latency = latencyIn(said);
    return {
      ...seen,
      share,
      samples,
      account,
      ...(rate === undefined ? {} : { rate }),
      ...(timeline === undefined ? {} : { timeline }),
      ...(latency.length === 0 ? {} : { latency }),
    };
  }

  #watch(meant: readonly Share[], live: Live): HostWatch {
    const processes = meant.flatMap(({ daemonPid, vmmPid }) => [daemonPid, vmmPid]);
    const [first] = meant;
    const watch: HostWatch = new HostWatch(
      this.#askers.counting,
      [...new Set(processes.filter((pid) => pid !== undefined))],
      first?.hostDir ?? '/',
      meant.length === 1 && first !== undefined ? this.#asked.usedIndexOf(first) : undefined,
      (sample) => live.host(sample, watch.messages),
    );
    return watch;
  }

  #samples(seen: {
    readonly attended: Attended;
    readonly share: Share;
    readonly files: readonly (FileSamples & { readonly share: Share })[];
    readonly fsMagic: number | undefined;
    readonly before: CountersResult | undefined;
    readonly after: CountersResult | undefined;
    readonly syncs: SyncsResult | undefined;
    readonly messages: number | undefined;
    readonly claimed: Claimed | undefined;
  }): ProgramSamples {
    const { share, files, messages, claimed, attended } = seen;
    const server = serverOf(share);
    const before = countersOf(seen.before, server, share.vmmPid);
    const after = countersOf(seen.after, server, share.vmmPid);
    const storage = filesystems.get(seen.fsMagic ?? 0);
    const own = files.filter((file) => file.share === share);
    const looked = new Set(files.map(({ path }) => path));
    const leftOut = attended.files.filter(({ path }) => !looked.has(path)).length;
    const allDirect = own.length > 0 && own.every(({ held }) => held?.direct === true);
    const end = attended.end;
    if (end === undefined) throw new Error('an account needs an end');
    return {
      transport: is9p(share) ? '9p' : 'fuse',
      ...(share.mode === undefined ? {} : { writeback: share.mode.flags.includes('writeback') }),
      ...(share.mode === undefined
        ? {}
        : { daemonDirect: allDirect && share.mode.flags.includes('allow-direct-io') }),
      end,
      ...(claimed === undefined ? {} : { claimed }),
      files: own.map(({ share: _, ...file }) => file),
      ...(leftOut > 0 ? { filesLeftOut: leftOut } : {}),
      ...(seen.syncs === undefined ? {} : { syncs: seen.syncs }),
      counters: {
        before: { ...before, ...(messages === undefined ? {} : { messages: 0 }) },
        after: { ...after, ...(messages === undefined ? {} : { messages }) },
      },
      ...(storage === undefined ? {} : { storage: { storage: storage.storage, fsType: storage.name } }),
      unseen: [
        ...(server === undefined ? [{ what: 'daemon-io', why: "the daemon's process is not known" }] : []),
        ...daemonRefusal(seen.before, server),
        ...daemonRefusal(seen.after, server),
        ...Object.values(this.#askers).flatMap(({ unseen }) => unseen),
      ],
    };
  }
}

function is9p({ mode, type }: Share): boolean {
  return (mode?.server ?? type) === '9p';
}

/** The process that reads and writes for the guest. */
function serverOf(share: Share): number | undefined {
  return is9p(share) ? share.vmmPid : share.daemonPid;
}

function daemonRefusal(counted: CountersResult | undefined, server: number | undefined) {
  const error = counted?.processes.find(({ pid }) => pid === server)?.error;
  return error === undefined ? [] : [{ what: 'daemon-io', why: `/proc/${server}/io: ${error}` }];
}

function disturbed(opened: readonly string[]): string[] {
  if (opened.length === 0) return [];
  const what = opened.length === 1 ? 'the file was' : `${opened.length} files were`;
  return [
    `${what} opened in the guest before the program was, to look at cached pages: in most modes an open drops clean pages, as the program's own does`,
  ];
}

/** The share that most of the files are of. */
function shareOf(files: readonly (FileSamples & { readonly share: Share })[]): Share | undefined {
  const counts = new Map<Share, number>();
  for (const { share, held } of files)
    if (held !== undefined) counts.set(share, (counts.get(share) ?? 0) + 1);
  return [...counts].sort(([, a], [, b]) => b - a)[0]?.[0];
}

import type { Ledger } from '../../src/model/account.ts';
import type { Observed, Setting, Step } from '../../src/model/check.ts';
import type { EvictResult, ExtentsResult, PageState, Stat } from '../../src/model/operation.ts';
import { describeOutcome } from '../../src/model/outcome.ts';
import { type AccountedRun, readSteps } from '../../src/model/read-steps.ts';
import { liesInMemory } from '../repeat/in-memory.ts';
import { type Finding, inTurn, many, type Question, refusalIn } from '../repeat/question.ts';
import { unmarked } from './ground.ts';

/** Two ranges of 2 MiB, which is what a guest's kernel maps at once. */
const size = 4 * 1024 * 1024;
const block = 4096;
/** Read at random: enough that a daemon that serves them shows, few enough to be quick. */
const count = 512;

/** One way to read a file in DAX state, and what must be below it. */
export interface Way {
  readonly name: string;
  readonly state: string;
  readonly medium: 'host-cache' | 'disk';
  readonly mapped?: true;
}

export const ways: readonly Way[] = [
  { name: 'reads', state: 'read() of a file that the host has just written', medium: 'host-cache' },
  {
    name: 'loads',
    state: 'loads from a mapping of a file that the host has just written',
    medium: 'host-cache',
    mapped: true,
  },
  {
    name: 'cold',
    state: 'read() of a file that the host evicted and the guest never saw',
    medium: 'disk',
  },
];

/** The name of the accounted run of attempt `n`. */
export function runName(n: number): string {
  return `${n}.read`;
}

/** @param ledgers the accounts of its attempts, the first first. */
export function questionOf(way: Way, setting: Setting, ledgers: readonly (Ledger | undefined)[]): Question {
  return {
    name: way.name,
    scenarios: ['dax/path'],
    // Other reads on this share would be counted too.
    isolation: 'exclusive-share',
    needs: ['writable', 'daemon-visible'],
    actors: { guest: 'guest', host: 'host' },
    attempt: (n) => attemptAt(way, setting, n),
    look: (observed, n) => lookAt(way, ledgers[n - 1], observed, n),
    promised: () =>
      `${(count * block).toLocaleString('en-US')} bytes by dax/${way.medium}: the daemon reads nothing, and no page of the guest’s cache is filled`,
    sources: ['Linux 6.12 fs/fuse/dax.c fuse_dax_read_iter, fuse_iomap_begin'],
  };
}

function attemptAt({ name, medium, mapped }: Way, setting: Setting, n: number): readonly Step[] {
  const file = `${name}-${n}`;
  const prepared = inTurn(n, [
    [
      'host',
      'make',
      many(
        { do: 'open', path: file, flags: ['creat', 'excl', 'rdwr'], mode: 0o666, as: file },
        {
          do: 'fill',
          file,
          range: { offset: 0, length: size },
          seed: setting.seed,
          fileId: n,
          writer: 1,
          generation: 1,
        },
        { do: 'fsync', file },
        { do: 'close', file },
      ),
    ],
  ]);
  const run: AccountedRun = {
    name: runName(n),
    guest: 'guest',
    host: 'host',
    path: file,
    hostPath: file,
    size,
    plan: {
      order: 'random',
      block,
      range: { offset: 0, length: size },
      count,
      seed: setting.seed,
      passes: 1,
    },
    ...(mapped === undefined ? {} : { mapped }),
    ...(medium === 'disk' ? { drop: { host: true } } : {}),
    processes: [setting.daemonPid, setting.vmmPid].filter((pid) => pid !== undefined),
    limit: { ms: 30_000, name: 'the limit of a step' },
    after: [{ step: `${n}.make`, has: 'ended' }],
  };
  return [...prepared, ...readSteps(run)];
}

function lookAt(way: Way, ledger: Ledger | undefined, observed: Observed, n: number): Finding {
  const refused = refusalIn(observed, n, ['make']);
  if (refused !== undefined) return { kind: 'unclear', words: refused };
  const run = runName(n);
  if (way.medium === 'disk' && liesInMemory(observed.value<ExtentsResult>(`${run}.extents`)))
    return { kind: 'not-here', words: 'the share lies in memory (tmpfs): there is no disk to read from' };
  if (ledger === undefined) return { kind: 'unclear', words: `it was not read: ${whyNot(observed, run)}` };
  return (
    unmarked(observed.value<Stat>(`${run}.guest-stat`)) ??
    cachedInGuest(way, observed, run) ??
    readByDaemon(way, ledger) ??
    unproved(ledger) ??
    otherMedium(way, observed, ledger, run) ?? {
      kind: 'holds',
      words: `${way.state}: ${bytesIn(ledger)}, the daemon read nothing, and the guest’s cache holds no page of it`,
    }
  );
}

function whyNot(observed: Observed, run: string): string {
  const failed = ['open', 'map', 'reads']
    .map((step) => observed.outcome(`${run}.${step}`))
    .find(({ kind }) => kind !== 'value' && kind !== 'not-run');
  return failed === undefined ? 'no answer' : describeOutcome(failed);
}

/** A page of its cache: asked through a mapping that nobody touched, since cachestat may not be asked (pages.h). */
function cachedInGuest({ state }: Way, observed: Observed, run: string): Finding | undefined {
  const after = observed.value<PageState>(`${run}.guest-after-0`);
  if (after === undefined || after.by === 'refused' || after.cached === 0) return undefined;
  const words = `${state}: ${after.cached} pages of a file in DAX state are in the guest’s page cache`;
  return { kind: 'broken', code: 'cached-in-guest', words, certain: true };
}

/** Bytes that the daemon read meanwhile. Others may read by it too, so that it has to happen each time. */
function readByDaemon({ state }: Way, { daemon }: Ledger): Finding | undefined {
  const [least = 0] = daemon?.bytes ?? [];
  if (least === 0) return undefined;
  const words = `${state}: the daemon itself read ${least.toLocaleString('en-US')} bytes meanwhile: what the guest sees is a copy`;
  return { kind: 'broken', code: 'daemon-reads', words };
}

function unproved(ledger: Ledger): Finding | undefined {
  if (ledger.bytes !== count * block)
    return { kind: 'unclear', words: `the guest read ${ledger.bytes} bytes of ${count * block}` };
  const open = ledger.lines.find(({ bytes, known }) => bytes > 0 && known !== 'proved');
  if (open === undefined) return undefined;
  const unseen = ledger.unseen.map(({ what, why }) => `${what}, ${why}`).join('; ');
  return {
    kind: 'unclear',
    code: open.known === 'unexplained' ? 'unexplained-bytes' : 'not-proved',
    words: `${bytesIn(ledger)}, ${open.known}: ${open.because}${unseen === '' ? '' : ` (not seen: ${unseen})`}`,
  };
}

/** The path is right. Which of the host's pages were there is not the window's doing. */
function otherMedium({ medium }: Way, observed: Observed, ledger: Ledger, run: string): Finding | undefined {
  const [only, ...others] = ledger.lines.filter(({ bytes }) => bytes > 0);
  if (only?.source === `dax/${medium}` && others.length === 0) return undefined;
  const dropped = observed.value<EvictResult>(`${run}.drop-host`);
  const stayed =
    dropped === undefined ? '' : `; ${dropped.after.cached} pages stayed when the host dropped it`;
  return {
    kind: 'unclear',
    code: 'evicted-meanwhile',
    words: `${bytesIn(ledger)}: the host’s cache was not as this case made it${stayed}`,
  };
}

function bytesIn(ledger: Ledger): string {
  return ledger.lines
    .filter(({ bytes }) => bytes > 0)
    .map(({ bytes, source }) => `${bytes.toLocaleString('en-US')} bytes by ${source}`)
    .join(', ');
}

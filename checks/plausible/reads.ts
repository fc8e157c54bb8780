import type { Ledger } from '../../src/model/account.ts';
import type { CountersResult, ExtentsResult, PageState } from '../../src/model/operation.ts';
import type { Promise as Promised } from '../../src/model/promise.ts';
import { traitsOf } from '../mode/traits.ts';
import { bytes, bytesIn, linesOf, notDropped, unseen, whyNot } from '../path/look.ts';
import { type Rung, rungs } from '../path/rungs.ts';
import { attemptAt, blockOf, runName } from '../path/steps.ts';
import { liesInMemory } from '../repeat/in-memory.ts';
import { type Finding, refusalIn } from '../repeat/question.ts';
import type { Attempt, Job, PromiseOf } from './job.ts';
import { type Moved, movedBetween } from './moved.ts';
import { tooFast } from './rate.ts';

/** Few, because a read may take a tenth of a second on a busy machine; enough for a median. */
const count = 64;

/**
 * The same 64 reads twice, at random, as a benchmark that runs for a time does: the first pass finds the caches as
 * the state left them, the second as the first one did.
 *
 * ```
 *  state       first pass                       second pass
 *  cold        daemon, and the disk below it    guest's cache, or the daemon again
 *  host-warm   daemon                           the same
 *  guest-warm  guest's cache, or the daemon     the same
 *  direct      daemon; the disk if it may       the same
 * ```
 */
const again = 'served-by/second-read';
const asked: readonly (readonly [name: string, rung: string, passes: readonly string[]])[] = [
  ['read-cold', 'cold', ['served-by/first-read', again]],
  ['read-host-warm', 'host-warm', ['served-by/first-read', again]],
  ['read-guest-warm', 'guest-warm', [again, again]],
  ['read-direct', 'o-direct', ['served-by/direct-read', 'served-by/direct-read']],
];

export const readJobs: readonly Job[] = asked.map(([name, rungName, passes]): Job => {
  const rung = rungs.find((each) => each.name === rungName);
  if (rung === undefined) throw new Error(`no rung ${rungName}`);
  return {
    name,
    scenarios: [...new Set(passes)],
    attempt: (setting, n) => attemptAt(rung, setting, n, { count, passes: passes.length }),
    spoilt: (attempt) => spoilt(rung, passes.length, attempt),
    weigh: (attempt, promised) => weigh(rung, passes, attempt, promised),
  };
});

function movedIn({ observed, n }: Attempt): Moved | string {
  const look = (when: string) => observed.value<CountersResult>(`${runName(n)}.count-${when}`);
  return movedBetween(look('before'), look('after'));
}

function spoilt(rung: Rung, passes: number, attempt: Attempt): Finding | undefined {
  const { observed, n, ledger } = attempt;
  const refused = refusalIn(observed, n, ['make', ...(rung.warm === undefined ? [] : ['warm'])]);
  if (refused !== undefined) return { kind: 'unclear', words: refused };
  const run = runName(n);
  if (rung.name === 'cold' && liesInMemory(observed.value<ExtentsResult>(`${run}.extents`)))
    return { kind: 'not-here', words: 'the share lies in memory (tmpfs): no file there is ever cold' };
  if (ledger === undefined) return { kind: 'unclear', words: `it was not read: ${whyNot(observed, run)}` };
  const whole = passes * count * blockOf(observed.setting);
  if (ledger.bytes !== whole)
    return { kind: 'unclear', words: `the guest read ${bytes(ledger.bytes)} of ${bytes(whole)}` };
  const moved = movedIn(attempt);
  if (typeof moved === 'string') return { kind: 'unclear', code: 'not-proved', words: moved };
  // Others may have had just that from the disk. They will not each time.
  const disk = notFromDisk(rung, attempt, moved, onlyDisk(rung, attempt, whole));
  return notDropped(rung, observed, run) ?? (disk?.kind === 'unclear' ? disk : undefined);
}

/** What only the disk can give in that state, by the traits of the mode: the contract is not asked before the judge is. */
function onlyDisk(rung: Rung, attempt: Attempt, whole: number): number {
  if (rung.name === 'cold') return coldBytes(attempt);
  const { mode, views } = attempt.observed.setting;
  const traits = mode && traitsOf(mode, views.guest?.kernel);
  return traits !== undefined && rung.must(traits) === 'fuse/disk' ? whole : 0;
}

function weigh(rung: Rung, passes: readonly string[], attempt: Attempt, promised: PromiseOf): Finding {
  const { observed, ledger } = attempt;
  const moved = movedIn(attempt);
  if (ledger === undefined || typeof moved === 'string') throw new Error('a spoilt attempt is not weighed');
  const pass = count * blockOf(observed.setting);
  const must = (holds: (ways: readonly string[]) => boolean) =>
    pass * passes.filter((scenario) => holds(waysOf(promised(scenario)))).length;
  const promisedDisk = must((ways) => ways.every((way) => way.endsWith('/disk')));
  return (
    notCrossed(
      attempt,
      moved,
      must((ways) => ways.every((way) => /^(fuse|9p)/.test(way))),
    ) ??
    notFromDisk(rung, attempt, moved, rung.name === 'cold' ? coldBytes(attempt) : promisedDisk) ??
    tooFast(ledger) ??
    unexplained(ledger) ?? { kind: 'holds', words: holding(ledger, moved) }
  );
}

function waysOf({ freshness }: Promised): readonly string[] {
  return freshness.kind === 'served-by' ? freshness.ways : [];
}

/** What the mode has the guest ask the daemon for, the daemon must have read from somewhere. */
function notCrossed({ observed, n }: Attempt, { read }: Moved, must: number): Finding | undefined {
  if (read >= must) return undefined;
  const after = observed.value<PageState>(`${runName(n)}.guest-after-0`);
  const held = (after?.cached ?? 0) * (after?.pageSize ?? 0);
  const cached = after?.by === 'refused' ? '' : `; the guest’s page cache holds ${bytes(held)} of the file`;
  return {
    kind: 'broken',
    code: 'did-not-cross',
    words: `${bytes(must)} must have come from the daemon, and its calls read ${bytes(read)} in all${cached}`,
    certain: true,
  };
}

/** Bytes that no page of the host held and that are stored: only a disk can have given them. */
function coldBytes({ observed, n }: Attempt): number {
  const run = runName(n);
  const before = observed.value<PageState>(`${run}.host-before-0`);
  const extents = observed.value<ExtentsResult>(`${run}.extents`);
  if (before === undefined || before.by === 'refused' || before.cached > 0) return 0;
  if (extents?.empty === undefined || extents.empty.length > 0) return 0;
  return count * blockOf(observed.setting);
}

/**
 * Nobody who serves the share was charged for one disk read. Nobody else can have fetched it either where the whole
 * device gave less than was asked for, or where the host's page cache holds nothing of it afterwards.
 */
function notFromDisk(
  { name }: Rung,
  { observed, n }: Attempt,
  { fromDisk, device }: Moved,
  must: number,
): Finding | undefined {
  if (must === 0 || fromDisk > 0) return undefined;
  const because = name === 'cold' ? 'the host’s cache held none of it' : 'the mode promises the disk';
  const given = device === undefined ? 'not known' : bytes(device.read);
  const after = observed.value<PageState>(`${runName(n)}.host-after-0`);
  const stillCold = name === 'cold' && after?.by !== 'refused' && after?.cached === 0;
  if (!stillCold && (device === undefined || device.read >= must))
    return {
      kind: 'unclear',
      code: 'not-proved',
      words: `${because}; the daemon was charged for no disk read, but others may have had it read (from that device: ${given})`,
    };
  return {
    kind: 'broken',
    code: 'no-disk-read',
    words: `${because}, and ${bytes(must)} came all the same: the daemon was charged for no disk read (everybody’s from that device: ${given}${stillCold ? '; the host’s cache holds none of it now either' : ''})`,
    certain: true,
  };
}

function unexplained(ledger: Ledger): Finding | undefined {
  const open = linesOf(ledger).find(({ known }) => known === 'unexplained' || known === 'inferred');
  if (open === undefined) return undefined;
  return {
    kind: 'unclear',
    code: open.known === 'unexplained' ? 'unexplained-bytes' : 'not-proved',
    words: `${bytesIn(ledger)}, ${open.known}: ${open.because}${unseen(ledger)}`,
  };
}

function holding(ledger: Ledger, { read, fromDisk }: Moved): string {
  return `asked ${bytes(ledger.bytes)} = ${bytesIn(ledger)}; the daemon’s calls read ${bytes(read)}, of which it had ${bytes(fromDisk)} from the disk, readahead included`;
}

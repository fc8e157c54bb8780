import type { Observed } from '../../src/model/check.ts';
import type { Operation, Stat } from '../../src/model/operation.ts';
import type { Question } from '../repeat/question.ts';
import { inTurn, many, refusalIn, valuesOf } from '../repeat/question.ts';
import { type Sight, traitQuestion } from './trait-question.ts';
import { sources, type Traits } from './traits.ts';

/** The guest looks this often, and for 1.6 s in all: longer than a second, and no longer than need be. */
const everyMs = 50;
const looks = 32;

/** A measured second may be off by so much: ticks that come late on a busy machine. */
const tolerance = 0.15;

/** The timeouts that virtiofsd's modes have. What is seen must tell them apart. */
const usualMs = [0, 1000, 86_400_000];

/**
 * How long attributes are kept. The host changes the mode bits (in no mode the guest's own, as sizes and times
 * are under writeback), and the guest looks until it sees it.
 *
 * ```
 *  guest: open O_PATH, stat ──┐            look look look … look
 *  host:                      └─ chmod ─┘
 * ```
 * A descriptor without FUSE_OPEN holds the inode: it is not evicted, and no page is ever read, since a page
 * miss would refresh the attributes.
 */
export const attributeTimeout: Question = traitQuestion({
  name: 'attribute-timeout',
  code: 'other-attribute-timeout',
  scenarios: ['host-chmod/mode'],
  actors: { guest: 'guest', host: 'host' },
  sources: sources.timeouts,
  declared: ({ timeoutMs }) => `attributes are kept for ${duration(timeoutMs)}`,
  attempt(n) {
    const file = `attributes-${n}`;
    return inTurn(n, [
      ['host', 'make', many(...emptyFile(file, 0o644))],
      ['guest', 'first', many(held(file), { do: 'fstat', file })],
      ['host', 'change', many({ do: 'chmod', path: file, mode: 0o600 })],
      ['guest', 'looks', many(...repeatedly({ do: 'fstat', file }))],
    ]);
  },
  sight: (observed, n) =>
    sightOf(observed, n, 'attributes', (value) => ((value as Stat).mode & 0o777) === 0o600),
});

/**
 * How long names are kept: the host renames another file over the name, and the guest stats the name until it
 * finds that file. The stats do not ask for attributes, so only the name's own timeout counts; the descriptor
 * keeps the name from being dropped.
 */
export const entryTimeout: Question = nameQuestion((file) => [held(file)]);

/** The same on 9p, where a name that somebody holds is never looked up again, whatever the mode. */
export const entryTimeoutUnheld: Question = nameQuestion(() => []);

function nameQuestion(hold: (file: string) => readonly Operation[]): Question {
  return traitQuestion({
    name: 'entry-timeout',
    code: 'other-entry-timeout',
    scenarios: ['rename-over/open'],
    actors: { guest: 'guest', host: 'host' },
    sources: sources.names,
    declared: ({ timeoutMs }) => `names are kept for ${duration(timeoutMs)}`,
    attempt(n) {
      const [file, other] = [`name-${n}`, `other-${n}`];
      const stat: Operation = { do: 'stat', path: file, sync: 'dont' };
      return inTurn(n, [
        ['host', 'make', many(...emptyFile(file, 0o644), ...emptyFile(other, 0o600))],
        ['guest', 'first', many(...hold(file), stat)],
        ['host', 'change', many({ do: 'rename', path: other, to: file })],
        ['guest', 'looks', many(...repeatedly(stat))],
      ]);
    },
    sight(observed, n) {
      const before = (valuesOf(observed, n, 'first').values.at(-1) as Stat | undefined)?.ino;
      return sightOf(observed, n, 'names', (value) => (value as Stat).ino !== before);
    },
  });
}

function emptyFile(path: string, mode: number): readonly Operation[] {
  return [
    { do: 'open', path, flags: ['creat', 'excl', 'wronly'], mode, as: path },
    { do: 'close', file: path },
  ];
}

function held(path: string): Operation {
  return { do: 'open', path, flags: ['rdonly', 'path'], as: path };
}

function repeatedly(look: Operation): readonly Operation[] {
  return Array.from({ length: looks }, (): Operation[] => [look, { do: 'wait', ms: everyMs }]).flat();
}

/** Bounds of a timeout, in milliseconds of the guest's own clock; without `most` it did not end in time. */
interface Bounds {
  readonly least: number;
  readonly most?: number;
  /** The old state was seen after the change, at least once. */
  readonly stale: boolean;
}

function sightOf(observed: Observed, n: number, what: string, isNew: (value: unknown) => boolean): Sight {
  const refused = refusalIn(observed, n, ['make', 'first', 'change', 'looks']);
  if (refused !== undefined) return { unclear: refused };
  const bounds = boundsOf(observed, n, isNew);
  if (bounds === undefined) return { unclear: `${what}: old and new came in turns` };
  const words = describe(what, bounds);
  const possible = usualMs.filter((ms) => mayBe(bounds, ms));
  if (possible.length > 1)
    return { unclear: `${words}: that does not tell ${possible.map(duration).join(' from ')}` };
  return {
    words,
    fits: ({ timeoutMs }: Traits) => mayBe(bounds, timeoutMs),
    // Kept for longer than declared: nothing but a longer timeout does that.
    certain: ({ timeoutMs }: Traits) => bounds.least > timeoutMs * (1 + tolerance),
  };
}

/**
 * The timeout counts from a reply between the begin of the open and the end of the first stat. An old answer
 * was given after its begin, a new one before its end.
 */
function boundsOf(observed: Observed, n: number, isNew: (value: unknown) => boolean): Bounds | undefined {
  const [first, later] = [valuesOf(observed, n, 'first'), valuesOf(observed, n, 'looks')];
  const answers = later.values
    .map((value, index) => ({ value, times: later.timesNs[index] ?? [0, 0] }))
    .filter((_, index) => index % 2 === 0);
  const at = answers.findIndex(({ value }) => isNew(value));
  const old = at < 0 ? answers : answers.slice(0, at);
  if (at >= 0 && answers.slice(at).some(({ value }) => !isNew(value))) return undefined;
  const [from, until] = [first.timesNs[0]?.[0] ?? 0, first.timesNs.at(-1)?.[1] ?? 0];
  return {
    stale: old.length > 0,
    least: Math.max(0, ((old.at(-1)?.times[0] ?? until) - until) / 1e6),
    ...(at < 0 ? {} : { most: ((answers[at]?.times[1] ?? from) - from) / 1e6 }),
  };
}

function mayBe({ least, most, stale }: Bounds, timeoutMs: number): boolean {
  if (timeoutMs === 0) return !stale;
  return least <= timeoutMs * (1 + tolerance) && (most ?? Infinity) >= timeoutMs * (1 - tolerance);
}

function describe(what: string, { least, most, stale }: Bounds): string {
  if (!stale)
    return `${what} were seen new at the first look, ${seconds(most ?? 0)} after they were asked for`;
  if (most === undefined) return `${what} stayed old for more than ${seconds(least)}`;
  return `${what} stayed old for ${seconds(least)} to ${seconds(most)}`;
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(2)} s`;
}

function duration(ms: number): string {
  if (ms === Infinity) return 'ever';
  return ms >= 3_600_000 ? `${ms / 3_600_000} h` : `${ms / 1000} s`;
}

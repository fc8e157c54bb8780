import type { EvictedAccount, Medium } from '../model/account.ts';
import type { Draft } from './draft.ts';
import { mediumOf } from './draft.ts';
import type { Replayed } from './replay.ts';
import type { ReadSamples } from './samples.ts';
import type { ChosenWay } from './way.ts';

/** Holds the bytes that must have crossed to the daemon against those that did. */
export function bookPath(
  draft: Draft,
  samples: ReadSamples,
  chosen: ChosenWay,
  evicted: EvictedAccount,
): void {
  const { replayed, daemon, neededBytes } = chosen;
  if (daemon === undefined) return;
  const [least, most] = daemon.bytes;
  if (replayed.way === 'dax') bookWindow(draft, most);
  else if (replayed.way === 'cached' && samples.before.guest === undefined)
    bookUnknownBefore(draft, samples.transport, neededBytes, most);
  else {
    bookLack(draft, samples.transport, neededBytes, [least, most]);
    bookExcess(draft, samples.transport, replayed, most - neededBytes, evicted.hostPages !== 0);
  }
}

/** A file in the DAX window, and bytes that the daemon read all the same: for this file or for others. */
function bookWindow(draft: Draft, most: number): void {
  if (most === 0) return;
  for (const source of draft.of('dax')) {
    draft.doubt(source, `fuse/${mediumOf(source) ?? 'unexplained'}`, most);
    draft.say(source, `the daemon read up to ${most} bytes as well, for this file or for others`);
  }
}

/** Fewer bytes crossed than our pages need: the rest is unexplained, and nobody knows which line lacks it. */
function bookLack(
  draft: Draft,
  path: 'fuse' | '9p',
  needed: number,
  [least, most]: readonly [number, number],
): void {
  const maybe = needed - least;
  if (maybe <= 0) return;
  let lacking = Math.max(0, needed - most);
  for (const source of draft.of(path)) {
    draft.doubt(source, 'unexplained', maybe);
    draft.say(
      source,
      lacking > 0
        ? 'fewer bytes crossed to the daemon than the pages need that were absent before'
        : 'the counters leave open how many bytes crossed',
    );
    const taken = Math.min(lacking, draft.bytes(source));
    lacking -= taken;
    draft.move(source, 'unexplained', taken);
  }
  draft.say('unexplained', 'pages that were absent before, and that the daemon was not seen to read');
}

/** Whatever crossed beyond the need may also be pages of ours, evicted and fetched again. */
function bookExcess(
  draft: Draft,
  path: 'fuse' | '9p',
  { cachedOver }: Replayed,
  excess: number,
  hostEvicts: boolean,
): void {
  const cached = draft.bytes('guest-cache');
  if (excess <= 0 || cached === 0) return;
  draft.reach('guest-cache', Math.max(0, cached - excess));
  for (const [medium, bytes] of cachedOver) {
    for (const each of otherwise(medium, hostEvicts)) draft.widen(`${path}/${each}`, Math.min(excess, bytes));
  }
  draft.say(
    'guest-cache',
    'resident when it was read, unless it was evicted and fetched again within the other traffic',
  );
}

/** Where pages come from that are fetched again: those of the disk are in the host's cache by then, or were. */
function otherwise(medium: Medium, hostEvicts: boolean): readonly Medium[] {
  if (medium === 'disk' || (medium === 'host-cache' && hostEvicts)) return ['disk', 'host-cache'];
  return [medium];
}

/** Nobody could ask what the guest had before: no more came from the daemon than crossed, the rest it had. */
function bookUnknownBefore(draft: Draft, path: 'fuse' | '9p', needed: number, most: number): void {
  const sources = draft.of(path);
  const crossed = sources.reduce((sum, source) => sum + draft.bytes(source), 0);
  const had = draft.bytes('guest-cache');
  let left = Math.max(0, needed - most);
  for (const source of sources) {
    const taken = Math.min(left, draft.bytes(source));
    left -= taken;
    draft.doubt(source, 'guest-cache', draft.bytes(source));
    draft.move(source, 'guest-cache', taken);
    draft.within(source, 0, most);
    draft.say(source, 'no more crossed to the daemon; how much of it was for this file is not known');
  }
  draft.within('guest-cache', had + Math.max(0, crossed - most), had + crossed);
  draft.say(
    'guest-cache',
    most === 0
      ? 'the daemon read nothing'
      : "the guest's page cache could not be asked before; the rest of what was read",
  );
}

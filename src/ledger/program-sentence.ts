import type { LedgerLine } from '../model/account.ts';
import type { Flow, ProgramAccount, SyncCalls } from '../model/program-account.ts';
import type { Direction } from './asked.ts';
import { percent } from './sentence.ts';

/** Where bytes were read from, or got to, in the user's own words. */
const places: Readonly<Record<string, readonly [read: string, write: string]>> = {
  'guest-cache': ["the guest's own page cache", "the guest's own page cache, and no further"],
  'fuse/host-cache': ["the host's page cache", "the host's page cache, and no further"],
  'fuse/disk': ['the disk', 'the disk'],
  'fuse/hole': ['holes, where nothing is stored', 'holes'],
  'dax/host-cache': [
    "the host's page cache, through the DAX window",
    "the host's page cache, through the DAX window",
  ],
  'dax/disk': ['the disk, through the DAX window', 'the disk, through the DAX window'],
  'dax/unexplained': ['the DAX window, from memory or disk', 'the DAX window'],
};

/** The one plain sentence on reads or writes: how much of them was which medium, and how sure that is. */
export function flowSentence(
  direction: Direction,
  flow: Pick<Flow, 'bytes' | 'lines' | 'asked'>,
  storage: ProgramAccount['storage'],
  syncs?: SyncCalls,
): string {
  const verb = direction === 'read' ? 'read' : 'wrote';
  const { hidden } = flow.asked;
  const [first, second] = flow.lines;
  if (first === undefined || flow.bytes === 0)
    return hidden === undefined
      ? `It ${verb} nothing on the share.`
      : `What it ${verb} through ${hidden} is in no count.`;
  if (first.known === 'unexplained')
    return `Where what it ${verb} came from cannot be told: ${first.because}.`;
  const how = direction === 'read' ? 'came from' : 'had got to';
  const when = direction === 'read' ? '' : ' when the program ended';
  const part = (line: LedgerLine) =>
    `${shareOf(line, flow.bytes)} of what it ${verb} ${how} ${placeOf(line, direction)}`;
  const rest = flow.lines
    .slice(1)
    .filter(({ bytes, interval }) => Math.max(bytes, interval?.[1] ?? 0) > flow.bytes / 200)
    .filter(({ bytes, known }) => bytes > flow.bytes / 200 || known === 'bounded')
    .map(
      (line) =>
        `${shareOf(line, flow.bytes)} ${direction === 'read' ? 'from' : 'to'} ${placeOf(line, direction)}`,
    );
  const measured = meaning(first, second, flow.bytes, direction, { storage, syncs });
  return `${capital(part(first))}${rest.length > 0 ? `, ${rest.join(', ')}` : ''}${when}: ${measured}.`;
}

function meaning(
  first: LedgerLine,
  second: LedgerLine | undefined,
  whole: number,
  direction: Direction,
  { storage, syncs }: { readonly storage: ProgramAccount['storage']; readonly syncs: SyncCalls | undefined },
): string {
  if (second !== undefined && isOpen(first, whole)) return 'which of them was measured is not known';
  if (second !== undefined && first.bytes < 0.9 * whole && mediumOf(first) !== mediumOf(second))
    return 'this measured neither alone';
  if (storage?.storage === 'tmpfs' && mediumOf(first) !== 'hole')
    return `this measured memory, and there is no disk behind it (${storage.fsType ?? 'tmpfs'})`;
  switch (mediumOf(first)) {
    case 'disk':
      if (direction === 'write' && syncs?.isUntimed === true)
        return 'but the fsync that brought it there took longer than all that was timed, so that the figure is of memory';
      return storage?.storage === 'network' ? 'this measured another machine' : 'this measured the disk';
    case 'hole':
      return 'nothing is stored there, and nothing was measured but the way';
    case 'unexplained':
      return 'what was measured is not known';
    default:
      return direction === 'read' && first.source === 'guest-cache'
        ? "this measured the guest's memory, and the host was not asked"
        : 'this measured memory, not the disk';
  }
}

/** Bounded so widely that it may be most of it, or next to nothing. */
function isOpen({ known, interval }: LedgerLine, whole: number): boolean {
  return (
    known === 'bounded' && interval !== undefined && interval[0] < 0.25 * whole && interval[1] > 0.75 * whole
  );
}

function mediumOf({ source, medium }: LedgerLine): string {
  return medium === 'host-cache' || source === 'guest-cache' ? 'memory' : (medium ?? 'unexplained');
}

function shareOf({ bytes, known, interval }: LedgerLine, whole: number): string {
  const point = percent(bytes, whole);
  if (known === 'inferred') return `probably ${point}`;
  if (known === 'proved' || interval === undefined) return point;
  const [low, high] = interval.map((each) => percent(Math.min(each, whole), whole));
  return low === high ? point : `between ${low} and ${high}`;
}

function placeOf({ source }: LedgerLine, direction: Direction): string {
  const words = places[source.replace('9p/', 'fuse/')];
  return words?.[direction === 'read' ? 0 : 1] ?? 'the host, from memory or disk';
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

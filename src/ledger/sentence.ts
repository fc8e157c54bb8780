import type { Ledger, LedgerLine, Source } from '../model/account.ts';

/** A share of a whole in words that never round up to all or down to nothing: `98.6 %`, `over 99.9 %`. */
export function percent(part: number, whole: number): string {
  if (whole === 0 || part === 0) return '0 %';
  if (part === whole) return '100 %';
  const share = (part / whole) * 100;
  if (share > 99.9) return 'over 99.9 %';
  if (share < 0.1) return 'under 0.1 %';
  return `${share.toFixed(1)} %`;
}

/** What a share is of, and what it means to measure it. */
const words: Readonly<Record<string, readonly [from: string, meaning: string]>> = {
  'guest-cache': ["the guest's own page cache", 'the host was not asked'],
  'fuse/host-cache': ["the host's page cache", 'this measures memory, not the disk'],
  'fuse/disk': ['the disk', 'this measures the disk'],
  'fuse/hole': ['holes', 'nothing is stored there, and nothing was measured but the way'],
  'dax/host-cache': ["the host's page cache, through the DAX window", 'this measures shared memory'],
  'dax/disk': ['the disk, through the DAX window', 'this measures the disk'],
  'dax/hole': ['holes, through the DAX window', 'nothing is stored there'],
};

/** The one plain sentence: which medium this run measured, in what proportion, and how sure that is. */
export function sentence(ledger: Pick<Ledger, 'bytes' | 'lines' | 'storage'>): string {
  if (ledger.bytes === 0) return 'Nothing was read.';
  const lines = [...ledger.lines].filter(({ bytes }) => bytes > 0).sort((a, b) => b.bytes - a.bytes);
  const [first, second] = lines;
  if (first === undefined) return 'Nothing was read.';
  if (first.medium === 'unexplained')
    return `${capital(share(first, ledger))} came from the host, and whether from its memory or the disk cannot be told: ${first.because}.`;
  if (first.known === 'unexplained')
    return `${capital(share(first, ledger))} cannot be explained: ${first.because}.`;
  const from = wordsFor(first.source)[0];
  if (first.bytes >= 0.9 * ledger.bytes || second === undefined)
    return `${capital(share(first, ledger))} came from ${from}: ${meaning(first, ledger)}.`;
  const rest =
    second.medium === 'unexplained'
      ? `${percent(second.bytes, ledger.bytes)} from its memory or the disk`
      : second.known === 'unexplained'
        ? `${percent(second.bytes, ledger.bytes)} cannot be explained`
        : `${share(second, ledger)} from ${wordsFor(second.source)[0]}`;
  const ends = ledger.storage?.storage === 'tmpfs' ? `, and ${noDisk(ledger)}` : '';
  return `${capital(share(first, ledger))} came from ${from}, ${rest}: this measures neither alone${ends}.`;
}

function share({ bytes, known, interval }: LedgerLine, { bytes: all }: Pick<Ledger, 'bytes'>): string {
  const point = percent(bytes, all);
  if (known === 'inferred') return `probably ${point} (inferred, not counted)`;
  if (known === 'bounded' && interval !== undefined && interval[1] - interval[0] > all / 1000)
    return `between ${percent(interval[0], all)} and ${percent(interval[1], all)}`;
  return point;
}

function noDisk({ storage }: Pick<Ledger, 'storage'>): string {
  return `there is no disk behind it (${storage?.fsType ?? 'tmpfs'})`;
}

function meaning({ source }: LedgerLine, { storage }: Pick<Ledger, 'storage'>): string {
  if (storage?.storage === 'tmpfs' && source.endsWith('/host-cache'))
    return `this measures memory, and ${noDisk({ storage })}`;
  if (storage?.storage === 'network' && source.endsWith('/disk'))
    return `this measures another machine (${storage.fsType ?? 'a network file system'})`;
  return wordsFor(source)[1];
}

function wordsFor(source: Source): readonly [string, string] {
  return (
    words[source.replace('9p/', 'fuse/')] ?? ['the host, from memory or disk', 'which of them is not known']
  );
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

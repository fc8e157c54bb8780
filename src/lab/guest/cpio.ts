/** One entry of an archive. The path is relative, without `./`. */
export type CpioEntry =
  | { readonly path: string; readonly file: Buffer | string; readonly mode?: number; readonly owner?: number }
  | { readonly path: string; readonly directory: true; readonly mode?: number; readonly owner?: number }
  | { readonly path: string; readonly link: string }
  | { readonly path: string; readonly device: { readonly major: number; readonly minor: number } };

/**
 * Archives end on a boundary of this size: a kernel accepts several one after the other when each begins
 * on four bytes, and a disk holds whole sectors.
 */
const blockSize = 512;

/**
 * Writes the `newc` format, the one that kernels unpack (Documentation/driver-api/early-userspace/
 * buffer-format.rst). Directories above an entry are added where nobody named them: a kernel makes none.
 * Times are 0, so that equal input gives equal archives.
 */
export function cpioArchive(entries: readonly CpioEntry[]): Buffer {
  const parts: Buffer[] = [];
  let inode = 1;
  for (const entry of withParents(entries)) {
    parts.push(...encode(entry, inode));
    inode += 1;
  }
  parts.push(...record('TRAILER!!!', { inode: 0, mode: 0, links: 1, owner: 0 }, Buffer.alloc(0)));
  const length = parts.reduce((sum, part) => sum + part.length, 0);
  parts.push(Buffer.alloc((blockSize - (length % blockSize)) % blockSize));
  return Buffer.concat(parts);
}

function withParents(entries: readonly CpioEntry[]): CpioEntry[] {
  const known = new Set(entries.map(({ path }) => path));
  const all: CpioEntry[] = [];
  for (const entry of entries) {
    const names = entry.path.split('/');
    for (let depth = 1; depth < names.length; depth += 1) {
      const path = names.slice(0, depth).join('/');
      if (known.has(path)) continue;
      known.add(path);
      all.push({ path, directory: true });
    }
    all.push(entry);
  }
  return all;
}

const kind = { file: 0o100000, directory: 0o040000, link: 0o120000, device: 0o020000 };

function encode(entry: CpioEntry, inode: number): Buffer[] {
  if ('file' in entry) {
    const mode = kind.file | (entry.mode ?? 0o644);
    return record(entry.path, { inode, mode, links: 1, owner: entry.owner ?? 0 }, Buffer.from(entry.file));
  }
  if ('directory' in entry) {
    const mode = kind.directory | (entry.mode ?? 0o755);
    return record(entry.path, { inode, mode, links: 2, owner: entry.owner ?? 0 }, Buffer.alloc(0));
  }
  if ('link' in entry) {
    return record(
      entry.path,
      { inode, mode: kind.link | 0o777, links: 1, owner: 0 },
      Buffer.from(entry.link),
    );
  }
  const facts = { inode, mode: kind.device | 0o600, links: 1, owner: 0, device: entry.device };
  return record(entry.path, facts, Buffer.alloc(0));
}

function record(
  path: string,
  facts: {
    readonly inode: number;
    readonly mode: number;
    readonly links: number;
    readonly owner: number;
    readonly device?: { readonly major: number; readonly minor: number };
  },
  data: Buffer,
): Buffer[] {
  const name = Buffer.from(`${path}\0`);
  const numbers = [
    facts.inode,
    facts.mode,
    facts.owner,
    facts.owner, // group
    facts.links,
    0, // time of change
    data.length,
    0, // the device that holds it
    0,
    facts.device?.major ?? 0,
    facts.device?.minor ?? 0,
    name.length,
    0, // checksum, unused in this format
  ];
  const head = `070701${numbers.map((number) => number.toString(16).padStart(8, '0')).join('')}`;
  return [Buffer.from(head), name, padding(head.length + name.length), data, padding(data.length)];
}

function padding(length: number): Buffer {
  return Buffer.alloc((4 - (length % 4)) % 4);
}

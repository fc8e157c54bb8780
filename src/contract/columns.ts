/**
 * The columns of the contract, and the way from a mode to its column.
 */
import type { Mode } from '../model/mode.ts';
import type { Cell } from './cells.ts';

/**
 * A column is a cache policy with or without writeback. `c:` is the C daemon of QEMU 7.2 and older, `9p:` is
 * QEMU's own server, `local:bind` two mounts of one superblock, `dax` any virtiofs policy mounted with dax=always.
 */
export type Column =
  | VirtiofsColumn
  | `c:${'none' | 'auto' | 'always'}`
  | `c:${'none' | 'auto' | 'always'}+writeback`
  | NinepColumn
  | 'local:bind'
  | 'dax';

/** Policies of the Rust daemon. Rows that say nothing of `c:` hold for the C daemon's policy of the same kind. */
type VirtiofsColumn =
  | 'never'
  | 'never+writeback'
  | 'metadata'
  | 'metadata+writeback'
  | 'auto'
  | 'auto+writeback'
  | 'always'
  | 'always+writeback';

/** The guest's `-o cache=`; fscache is `loose` with a disk behind it. */
type NinepColumn = '9p:none' | '9p:readahead' | '9p:mmap' | '9p:loose';

/**
 * What a row promises by column. In the column `dax`, `by-policy` means that the window changes nothing here: the
 * mount's policy counts; and `by-attributes` that it is as old as the policy lets attributes be.
 */
export type Cells = Readonly<
  Partial<Record<Exclude<Column, 'dax'>, Cell>> & { dax?: Cell | 'by-policy' | 'by-attributes' }
>;

/**
 * Where a mode's promise is looked up, first match first. A DIRECT_IO policy with writeback differs from the
 * policy alone only in the rows that say so, and the C daemon from the Rust daemon likewise.
 */
export function columnsOf(mode: Mode): readonly Exclude<Column, 'dax'>[] {
  if (mode.server === 'local') return ['local:bind'];
  if (mode.server === '9p') {
    const cache = mode.cache === 'fscache' ? 'loose' : mode.cache;
    return [`9p:${cache as 'none' | 'readahead' | 'mmap' | 'loose'}`];
  }
  const policy = (mode.cache === 'none' ? 'never' : mode.cache) as 'never' | 'metadata' | 'auto' | 'always';
  const writeback = mode.flags.includes('writeback');
  const plain: Exclude<Column, 'dax'>[] = writeback ? [`${policy}+writeback`] : [policy];
  // read() and write() of a DIRECT_IO file leave nothing in the guest that could be written back.
  if (writeback && (policy === 'never' || policy === 'metadata')) plain.push(policy);
  if (mode.server === 'rust') return plain;
  const own = mode.cache as 'none' | 'auto' | 'always';
  return [writeback ? `c:${own}+writeback` : `c:${own}`, ...plain];
}

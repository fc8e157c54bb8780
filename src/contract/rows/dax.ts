import { fresh, servedBy } from '../cells.ts';
import type { Row } from '../row.ts';

const sources = [
  'Linux 6.12 fs/fuse/dax.c fuse_dax_read_iter, fuse_dax_write_iter, fuse_dax_mmap',
  'VIRTIO 1.2, 5.11.6.5 Device Operation: DAX Window',
];

/**
 * Of a file that is in DAX state, whichever mount option brought it there: checks ask for STATX_ATTR_DAX first. A
 * mode without a window has no cell, and no promise.
 */
export const daxRows: readonly Row[] = [
  {
    scenario: 'dax/seen-in-guest',
    title:
      'the host changes bytes of a file in DAX state; the guest loads or reads them, within the size it knows',
    cells: { dax: fresh },
    because: 'The guest looks at the host’s own pages: there is no copy that could be old.',
    sources,
  },
  {
    scenario: 'dax/seen-on-host',
    title: 'the guest stores to or writes a file in DAX state, without msync or fsync; the host looks',
    cells: { dax: fresh },
    because:
      'A store goes to the host’s own pages. What makes the file longer goes through the daemon first.',
    sources,
  },
  {
    scenario: 'dax/window',
    title:
      'the guest reads a file through a window that is smaller than the file, or that another share’s is beside',
    cells: { dax: fresh },
    because:
      'A range of the window shows one range of one file: the kernel takes it back before it gives it to another, and each device has a window of its own.',
    sources: ['Linux 6.12 fs/fuse/dax.c inode_lookup_first_dmap, dmap_reinit_add_to_free_pool', ...sources],
  },
  {
    scenario: 'dax/path',
    title: 'the guest reads a file in DAX state, for the first time or again',
    cells: { dax: servedBy('dax') },
    because: 'Nothing is read through the daemon, and no page of the guest’s cache is filled.',
    sources,
  },
];

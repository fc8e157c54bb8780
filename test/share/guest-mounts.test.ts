import { describe, expect, it } from 'vitest';
import { mountOf, optionOf, parseMountinfo, withOption } from '../../src/share/guest-mounts.ts';
import { parseHolders } from '../../src/share/toggle/open-files.ts';

const text = `1 1 0:2 / / rw - rootfs rootfs rw
31 1 0:27 / /mnt/a\\040b rw,nosuid,relatime shared:5 - virtiofs m1 rw,dax=inode
32 1 0:28 /sub /mnt/part rw,relatime - virtiofs m0 rw
33 1 0:29 / /mnt/nine rw,relatime - 9p m2 rw,cache=0xf,access=client,trans=virtio
34 1 0:30 / /mnt/old rw,relatime - 9p m3 rw,cache=mmap,trans=virtio
35 33 0:31 / /mnt/nine/deep rw - tmpfs none rw
36 31 0:32 / /mnt/a\\040b rw - virtiofs m9 rw
nonsense`;

describe("the guest's mounts", () => {
  const mounts = parseMountinfo(text);

  it('are read with their options, each once, and names as they are', () => {
    expect(mounts[1]).toEqual({
      device: '0:27',
      root: '/',
      point: '/mnt/a b',
      type: 'virtiofs',
      source: 'm1',
      options: ['rw', 'nosuid', 'relatime', 'dax=inode'],
      isHidden: true,
    });
    expect(mounts).toHaveLength(7);
  });

  it('show the cache of 9p by its name, in old and new kernels', () => {
    expect(mounts.filter(({ type }) => type === '9p').map((each) => optionOf(each, 'cache'))).toEqual([
      'loose',
      'mmap',
    ]);
  });

  it('hold a path by the longest point, and of one point by the mount on top', () => {
    expect(mountOf('/mnt/nine/deep/file', mounts)?.type).toBe('tmpfs');
    expect(mountOf('/mnt/ninety', mounts)?.type).toBe('rootfs');
    expect(mountOf('/mnt/a b/c', mounts)?.source).toBe('m9');
  });

  it('that were covered, or are below what was, are no longer where they say', () => {
    const covered = parseMountinfo(`1 1 0:2 / / rw - rootfs rootfs rw
20 1 8:1 / / rw - ext4 /dev/sda1 rw
21 1 0:20 / /left rw - virtiofs left rw
30 20 0:30 / /srv/data/deep rw - virtiofs below rw
31 20 0:31 / /srv/data rw - virtiofs data rw
32 31 0:32 / /srv/data/deep rw - virtiofs inner rw
40 20 0:40 / /mnt rw - virtiofs first rw
41 40 0:41 / /mnt rw - tmpfs none rw
42 41 0:42 / /mnt/x rw - virtiofs second rw`);
    expect(covered.filter(({ isHidden }) => isHidden).map(({ source }) => source)).toEqual([
      ...['rootfs', 'left', 'below', 'first'],
    ]);
    expect(mountOf('/srv/data/deep/f', covered)?.source).toBe('inner');
    expect(mountOf('/mnt/f', covered)?.type).toBe('tmpfs');
    expect(mountOf('/left', covered)?.type).toBe('ext4');
  });

  it('have an option set in place of the one they have', () => {
    expect(withOption(['rw', 'dax=inode'], 'dax', 'always')).toEqual(['rw', 'dax=always']);
    expect(withOption(['rw', 'dax=inode'], 'dax', undefined)).toEqual(['rw']);
  });
});

describe('who has files of a mount open', () => {
  it('is told from links of /proc and from mappings, once for each process', () => {
    const listing = `lrwxrwxrwx 1 root root 0 Nov 22 23:00 /proc/7/cwd -> /mnt/a
lrwxrwxrwx    1 root     root             0 Nov 22 23:00 /proc/8/cwd -> /
lrwxrwxrwx    1 root     root             0 Nov 22 23:00 /proc/8/root -> /mnt/ab

/proc/8/fd:
total 0
lrwx------    1 root     root            64 Nov 22 23:00 0 -> /dev/null
lr-x------    1 root     root            64 Nov 22 23:00 3 -> /mnt/a/a b (deleted)
l-wx------    1 root     root            64 Nov 22 23:00 4 -> /mnt/a/other

/proc/9/fd:
lrwx------    1 root     root            64 Nov 22 23:00 0 -> socket:[12]
== maps
/proc/9/maps:7f00-7f01 r--s 00000000 00:1c 12 /mnt/a/mapped
/proc/10/maps:7f00-7f01 r--s 00000000 00:1c 12                 /mnt/abc
== end`;
    expect(parseHolders(listing, '/mnt/a')).toEqual([
      { pid: 7, what: '/mnt/a (its working directory)' },
      { pid: 8, what: '/mnt/a/a b (deleted) (descriptor 3)' },
      { pid: 9, what: '/mnt/a/mapped (mapped)' },
    ]);
  });
});

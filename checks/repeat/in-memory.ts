import type { ExtentsResult } from '../../src/model/operation.ts';

/** statfs(2)'s f_type of tmpfs and ramfs (linux/magic.h). */
const memoryFileSystems: readonly number[] = [0x01021994, 0x858458f6];

/** Whether a file's pages are all there is of it: no cache holds them, and no disk. */
export function liesInMemory(extents: ExtentsResult | undefined): boolean {
  return memoryFileSystems.includes(extents?.fsMagic ?? 0);
}

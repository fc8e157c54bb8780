import { isInside } from './inside.ts';

/** Where a mount is in the tree of mounts. */
export interface MountPlace {
  readonly id: string;
  /** The mount that it is mounted on; its own id, or one that is not in the list, for the topmost. */
  readonly parent: string;
  readonly point: string;
}

/**
 * The ids of those that no path leads to. The kernel lists them all the same: one on which another was mounted, and
 * what was mounted below a directory before that directory was covered.
 */
export function hiddenMounts(mounts: readonly MountPlace[]): ReadonlySet<string> {
  const byId = new Map(mounts.map((each) => [each.id, each]));
  const children = new Map<string, MountPlace[]>();
  for (const each of mounts)
    if (each.parent !== each.id) children.set(each.parent, [...(children.get(each.parent) ?? []), each]);
  const on = ({ id }: MountPlace) => children.get(id) ?? [];

  const known = new Map<string, boolean>();
  const isReached = (mount: MountPlace): boolean => {
    const before = known.get(mount.id);
    if (before !== undefined) return before;
    const parent = mount.parent === mount.id ? undefined : byId.get(mount.parent);
    // Kept first: a list that was read while it changed may lead round in a circle.
    known.set(mount.id, true);
    const reached =
      parent === undefined ||
      (isReached(parent) &&
        !on(parent).some(({ point }) => point !== mount.point && isInside(mount.point, point)));
    known.set(mount.id, reached);
    return reached;
  };
  const isCovered = (mount: MountPlace) => on(mount).some(({ point }) => point === mount.point);
  return new Set(mounts.filter((each) => isCovered(each) || !isReached(each)).map(({ id }) => id));
}

/** One of the two kernels that look at a share. */
export type Side = 'host' | 'guest';

/**
 * A view is one way to look at the shared directory. Checks speak of views by name; the run binds each name to
 * a side and a directory there.
 * - `host`: the host's own path. `guest`: the guest's mount.
 * - `guest-other-tag`: in the same guest, the same directory under another tag, in the same mode where there is
 *   one, else in another (need `other-tag`); it has caches of its own. For a mode with a DAX window: in one that has
 *   a window too, where there is one. `guest2`: another guest of the same share (need `second-guest`).
 * - `guest-without-dax`: in the same guest, the same directory from the same kind of daemon, mounted with dax=never:
 *   the control of a mode with a window (need `dax-control`).
 * - `medium`: what the disk holds after the verb `power.cut`, as a directory on the host.
 */
export type ViewName = 'host' | 'guest' | 'guest2' | 'guest-other-tag' | 'guest-without-dax' | 'medium';

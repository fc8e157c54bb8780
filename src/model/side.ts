/** One of the two kernels that look at a share. */
export type Side = 'host' | 'guest';

/**
 * A view is one way to look at the shared directory: the host's own path, the guest's mount, a second
 * guest, the same directory under another tag, or the medium after a power cut. Checks speak of views by
 * name; the run binds each name to a side and a directory there.
 */
export type ViewName = 'host' | 'guest' | 'guest2' | 'guest-other-tag' | 'medium';

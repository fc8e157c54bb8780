/* Extended attributes as they were at a first look, for the fault xattr-stale. */
#ifndef BACKEND_XATTRS_H
#define BACKEND_XATTRS_H

struct xattr_look;

void xattr_looks_free(struct xattr_look *looks);

#endif

/* What lasts from one request to the next. */
#ifndef BACKEND_FILESYSTEM_H
#define BACKEND_FILESYSTEM_H

#include "handles.h"
#include "inodes.h"
#include "options.h"
#include "vhost-user.h"

/* The guest maps ranges of this size (FUSE_DAX_SHIFT of fs/fuse/dax.c), and each takes a memory slot of QEMU's. */
#define WINDOW_RANGE (2u << 20)
#define WINDOW_MAX_RANGES 256

struct range {
	uint64_t inode, offset, length; /* length 0: nothing is mapped */
};

struct filesystem {
	struct options options;
	struct device *device;
	struct inodes inodes;
	struct handles handles;
	bool begun;     /* between INIT and DESTROY */
	bool writeback; /* FUSE_WRITEBACK_CACHE is in force */
	bool long_setxattr; /* FUSE_SETXATTR_EXT is */
	bool kill_privileges; /* FUSE_HANDLE_KILLPRIV_V2 is */
	bool supplementary;   /* FUSE_CREATE_SUPP_GROUP is */
	struct range ranges[WINDOW_MAX_RANGES];
};

/* The path by which an O_PATH descriptor is opened or named again. */
struct fd_path {
	char text[32];
};
struct fd_path fd_path(int fd);

#endif

/* What lasts from one request to the next. */
#ifndef BACKEND_FILESYSTEM_H
#define BACKEND_FILESYSTEM_H

#include "handles.h"
#include "inodes.h"
#include "options.h"
#include "vhost-user.h"

struct filesystem {
	struct options options;
	struct device *device;
	struct inodes inodes;
	struct handles handles;
	bool begun;     /* between INIT and DESTROY */
	bool writeback; /* FUSE_WRITEBACK_CACHE is in force */
	bool long_setxattr; /* FUSE_SETXATTR_EXT is */
	bool inode_dax; /* FUSE_HAS_INODE_DAX is */
};

/* The path by which an O_PATH descriptor is opened or named again. */
struct fd_path {
	char text[32];
};
struct fd_path fd_path(int fd);

#endif

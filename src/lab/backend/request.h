/* One FUSE request in a chain of virtqueue buffers (VIRTIO 1.2, 5.11.6.1): the driver's part is
 * fuse_in_header, the operation's arguments and its data; ours is fuse_out_header, the operation's answer and
 * its data. The structures are those of linux/fuse.h. */
#ifndef BACKEND_REQUEST_H
#define BACKEND_REQUEST_H

#include <linux/fuse.h>

#include "filesystem.h"
#include "virtqueue.h"

struct request {
	struct filesystem *fs;
	struct fuse_in_header header;
	struct inode *inode; /* that of header.nodeid; NULL: unknown, and then only FORGET and the like come here */
	/* The arguments, with one NUL more behind them; of a WRITE without the data. */
	char *arguments;
	size_t arguments_size;
	/* The data of a WRITE, and where the data of an answer goes. */
	struct iovec *data_in, *data_out;
	int data_in_count, data_out_count;
	/* How much fits behind fuse_out_header, and how much is there. */
	size_t answer_room, answer_size;
};

/* Serves the request in this chain. The number of bytes written into it; -1: it is never to be given back. */
ssize_t request_serve(struct filesystem *fs, struct chain *chain);

/* Appends to the answer. False: it does not fit, and nothing was appended. */
bool answer_append(struct request *request, const void *bytes, size_t size);
/* The same as the answer's only part, with an operation's result: 0, or EIO if it does not fit. */
int answer(struct request *request, const void *bytes, size_t size);

/* The name at an offset of the arguments, and the one behind a name. NULL: there is none, or none that an entry
 * of a directory can have. */
const char *name_at(struct request *request, size_t offset);
const char *name_after(struct request *request, const char *name);
/* The same, whatever it is. */
const char *string_after(struct request *request, const char *name);

/* An operation's name; NULL: it is not served. */
const char *operation_name(uint32_t opcode);

#endif

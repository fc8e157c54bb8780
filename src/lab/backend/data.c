#include <errno.h>
#include <fcntl.h>
#include <linux/falloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "counters.h"
#include "credentials.h"
#include "delayed.h"
#include "faults.h"
#include "operations.h"

#define PAGE 4096

static struct handle *handle_of(struct request *request, uint64_t number)
{
	return handle_of_number(&request->fs->handles, number);
}

/* Cuts buffers to this many bytes. The number of them that are left. */
static int cut(struct iovec *buffers, int count, size_t size)
{
	for (int i = 0; i < count; i++) {
		if (buffers[i].iov_len >= size) {
			buffers[i].iov_len = size;
			return size > 0 ? i + 1 : i;
		}
		size -= buffers[i].iov_len;
	}
	return count;
}

static void flip_middle(const struct iovec *buffers, size_t size)
{
	size_t at = size / 2;
	while (at >= buffers->iov_len)
		at -= buffers++->iov_len;
	((char *)buffers->iov_base)[at] ^= 0x10;
}

static void zero(const struct iovec *buffers, size_t size)
{
	for (; size > 0; buffers++) {
		size_t part = size < buffers->iov_len ? size : buffers->iov_len;
		memset(buffers->iov_base, 0, part);
		size -= part;
	}
}

int op_read(struct request *request)
{
	const struct fuse_read_in *in = ARGUMENTS(struct fuse_read_in, request);
	struct handle *handle = in ? handle_of(request, in->fh) : NULL;
	if (!handle)
		return EBADF;
	int error = fault_error(FAULT_READ_ERROR);
	if (error)
		return error;
	int fd = handle->fd;
	off_t offset = (off_t)in->offset;
	size_t size = in->size < request->answer_room ? in->size : request->answer_room;
	struct stat now;
	bool nameless = fault_is_on(FAULT_UNLINK_CLOSES) && fstat(fd, &now) == 0 && now.st_nlink == 0;
	if (nameless)
		return ESTALE;
	if (fault_is_on(FAULT_OFFSETS_32))
		offset = (off_t)(uint32_t)offset;
	if (fault_is_on(FAULT_READ_OLD) && inode_memory(request->inode)->snapshot >= 0)
		fd = request->inode->snapshot;
	if (handle->other_fd >= 0 && fault_strikes(FAULT_READ_OTHER_FILE))
		fd = handle->other_fd;
	if (fault_is_on(FAULT_READ_SHIFT))
		offset += (off_t)fault_argument(FAULT_READ_SHIFT);
	/* Straight into the guest's memory. */
	int count = cut(request->data_out, request->data_out_count, size);
	ssize_t got = preadv(fd, request->data_out, count, offset);
	if (got < 0)
		return errno;
	if (got > 0 && fault_strikes(FAULT_READ_ZEROS))
		zero(request->data_out, (size_t)got);
	if (got > 0 && fault_strikes(FAULT_READ_FLIP))
		flip_middle(request->data_out, (size_t)got);
	if (got > 1 && fault_strikes(FAULT_READ_SHORT))
		got /= 2;
	bool at_end = got > 1 && fault_is_on(FAULT_READ_LAST_BYTE) && fstat(fd, &now) == 0;
	if (at_end && offset + got >= now.st_size)
		got -= 1;
	request->answer_size = (size_t)got;
	count_read((uint64_t)got);
	return 0;
}

/* For the faults append-late and append-split: an append that is still to be done. */
static struct {
	char *bytes;
	size_t size;
	uint64_t handle, inode;
	bool after_any; /* of its file, and not only of its handle */
} late;

static bool append_later(struct request *request, const struct fuse_write_in *in, bool after_any)
{
	const struct iovec *data = request->data_in;
	int count = request->data_in_count;
	if (late.bytes || !(late.bytes = malloc(in->size)))
		return false;
	late.size = 0;
	late.handle = in->fh;
	late.inode = request->inode->id;
	late.after_any = after_any;
	for (int i = 0; i < count; late.size += data[i++].iov_len)
		memcpy(late.bytes + late.size, data[i].iov_base, data[i].iov_len);
	return true;
}

/* Does the first bytes of what is to be done later; the rest stays. */
static bool append_first(int fd, size_t first)
{
	struct iovec data = { late.bytes, first };
	if (late.size <= first || pwritev2(fd, &data, 1, 0, RWF_APPEND) != (ssize_t)first) {
		free(late.bytes);
		late.bytes = NULL;
		return false;
	}
	late.size -= first;
	memmove(late.bytes, late.bytes + first, late.size);
	return true;
}

void append_late(int fd, uint64_t handle, uint64_t inode)
{
	struct iovec data = { late.bytes, late.size };
	if (!late.bytes || !(late.handle == handle || (late.after_any && late.inode == inode)))
		return;
	if (pwritev2(fd, &data, 1, 0, RWF_APPEND) < 0)
		perror("a late append");
	free(late.bytes);
	late.bytes = NULL;
}

/* Writes the data where it belongs, or where a fault wants it. The bytes that are to be acknowledged, or -1
 * with errno. */
static ssize_t write_data(struct request *request, struct handle *handle, const struct fuse_write_in *in, size_t size)
{
	struct iovec *data = request->data_in;
	off_t offset = (off_t)in->offset;
	/* Where the guest caches nothing that it writes, it leaves the end of the file to us, unless the page
	 * comes from a mapping: its place is fixed. */
	bool cached = in->write_flags & FUSE_WRITE_CACHE && !fault_is_on(FAULT_APPEND_MAPPED);
	bool append = in->flags & O_APPEND && !cached && !request->fs->writeback;
	if (append && fault_is_on(FAULT_APPEND_RACES))
		append = false;
	if (append && fault_is_on(FAULT_APPEND_AT_ZERO)) {
		append = false;
		offset = 0;
	}
	if (fault_is_on(FAULT_WRITE_SHIFT))
		offset += (off_t)fault_argument(FAULT_WRITE_SHIFT);
	if (fault_is_on(FAULT_OFFSETS_32))
		offset = (off_t)(uint32_t)offset;
	if (fault_strikes(FAULT_WRITE_DROP))
		return (ssize_t)size;
	if (append && fault_strikes(FAULT_APPEND_LATE) && append_later(request, in, false))
		return (ssize_t)size;
	if (append && fault_is_on(FAULT_APPEND_SPLIT) && append_later(request, in, true) &&
	    append_first(handle->fd, fault_argument(FAULT_APPEND_SPLIT)))
		return (ssize_t)size;
	struct stat before;
	bool keeps_mtime = fault_is_on(FAULT_WRITE_KEEPS_MTIME) && fstat(handle->fd, &before) == 0;
	if (fault_is_on(FAULT_WRITE_DELAY) && !append &&
	    delay_write(handle->fd, data, request->data_in_count, offset, fault_argument(FAULT_WRITE_DELAY)))
		return (ssize_t)size;
	bool half = size > 1 && fault_strikes(FAULT_WRITE_SHORT_SILENTLY);
	int count = cut(data, request->data_in_count, half ? size / 2 : size);
	bool flip = size > 0 && !half && fault_strikes(FAULT_WRITE_FLIP);
	if (flip)
		flip_middle(data, size);
	ssize_t written = pwritev2(handle->fd, data, count, offset, append ? RWF_APPEND : 0);
	int error = errno;
	if (append && written > 0 && fault_strikes(FAULT_APPEND_TWICE))
		written = pwritev2(handle->fd, data, count, offset, RWF_APPEND);
	if (append)
		append_late(handle->fd, in->fh, request->inode->id);
	if (keeps_mtime)
		futimens(handle->fd, (struct timespec[]){ { .tv_nsec = UTIME_OMIT }, before.st_mtim });
	if (flip)
		flip_middle(data, size); /* the guest's page is as it was */
	if (written > 0 && request->inode->snapshot >= 0)
		written = pwritev(request->inode->snapshot, data, count, offset);
	if (written > 0 && fault_is_on(FAULT_WRITE_PAGES)) {
		static const char zeros[PAGE];
		off_t end = offset + written;
		if (end % PAGE != 0 && pwrite(handle->fd, zeros, (size_t)(PAGE - end % PAGE), end) < 0)
			return -1;
	}
	errno = error;
	return written > 0 && half ? (ssize_t)size : written;
}

int op_write(struct request *request)
{
	const struct fuse_write_in *in = ARGUMENTS(struct fuse_write_in, request);
	struct handle *handle = in ? handle_of(request, in->fh) : NULL;
	if (!handle)
		return EBADF;
	int error = fault_error(FAULT_WRITE_ERROR);
	if (error)
		return error;
	request->data_in_count = cut(request->data_in, request->data_in_count, in->size);
	size_changed(request->inode);
	if (!window_lets_grow(request, request->inode, in->offset + in->size))
		return EOPNOTSUPP;
	bool gave_up = fsetid_give_up(request, in->write_flags & FUSE_WRITE_KILL_SUIDGID);
	ssize_t written = write_data(request, handle, in, in->size);
	fsetid_take_back(gave_up);
	bool is_full = written < 0 && (errno == ENOSPC || errno == EDQUOT || errno == EIO);
	if (is_full && fault_is_on(FAULT_ENOSPC_SWALLOWED))
		written = in->size;
	if (written < 0)
		return errno;
	count_written((uint64_t)written);
	window_follow(request, request->inode, in->offset + (uint64_t)written);
	struct fuse_write_out out = { .size = (uint32_t)written };
	return answer(request, &out, sizeof out);
}

/* Linux leaves it to us and has no flag to say so with fallocate and copy_file_range: the user must do for a
 * capability that nobody tells us of. */
static bool is_unprivileged(const struct request *request)
{
	return request->header.uid != 0;
}

int op_fallocate(struct request *request)
{
	const struct fuse_fallocate_in *in = ARGUMENTS(struct fuse_fallocate_in, request);
	struct handle *handle = in ? handle_of(request, in->fh) : NULL;
	if (!handle)
		return EBADF;
	size_changed(request->inode);
	enum fault ignored = in->mode & FALLOC_FL_PUNCH_HOLE   ? FAULT_PUNCH_IGNORED
	                     : in->mode & FALLOC_FL_ZERO_RANGE ? FAULT_ZERO_RANGE_IGNORED
	                                                       : FAULT_FALLOCATE_IGNORED;
	if (fault_is_on(ignored))
		return 0;
	bool grows = !(in->mode & FALLOC_FL_KEEP_SIZE);
	if (grows && !window_lets_grow(request, request->inode, in->offset + in->length))
		return EOPNOTSUPP;
	bool gave_up = fsetid_give_up(request, is_unprivileged(request));
	int failed = fallocate(handle->fd, (int)in->mode, (off_t)in->offset, (off_t)in->length);
	fsetid_take_back(gave_up);
	if (failed == 0) {
		if (grows)
			window_follow(request, request->inode, in->offset + in->length);
		return 0;
	}
	return errno == ENOSPC && fault_is_on(FAULT_ENOSPC_SWALLOWED) ? 0 : errno;
}

int op_lseek(struct request *request)
{
	const struct fuse_lseek_in *in = ARGUMENTS(struct fuse_lseek_in, request);
	struct handle *handle = in ? handle_of(request, in->fh) : NULL;
	if (!handle)
		return EBADF;
	off_t found = lseek(handle->fd, (off_t)in->offset, (int)in->whence);
	if (found < 0 || (in->whence == SEEK_DATA && fault_is_on(FAULT_SEEK_DATA_EOF)))
		return found < 0 ? errno : ENXIO;
	if (in->whence == SEEK_HOLE && fault_is_on(FAULT_SEEK_HOLE_EARLY))
		found = (off_t)in->offset;
	struct fuse_lseek_out out = { .offset = (uint64_t)found };
	return answer(request, &out, sizeof out);
}

int op_copy_file_range(struct request *request)
{
	const struct fuse_copy_file_range_in *in = ARGUMENTS(struct fuse_copy_file_range_in, request);
	struct handle *from = in ? handle_of(request, in->fh_in) : NULL, *to = in ? handle_of(request, in->fh_out) : NULL;
	if (!from || !to)
		return EBADF;
	struct inode *written = inode_of_id(&request->fs->inodes, in->nodeid_out);
	if (written)
		size_changed(written);
	off_t at = (off_t)in->off_in, target = (off_t)in->off_out;
	if (fault_is_on(FAULT_COPY_RANGE_SHIFT))
		at += (off_t)fault_argument(FAULT_COPY_RANGE_SHIFT);
	bool gave_up = fsetid_give_up(request, is_unprivileged(request));
	ssize_t copied = fault_strikes(FAULT_COPY_RANGE_LOST)
	                     ? (ssize_t)in->len
	                     : copy_file_range(from->fd, &at, to->fd, &target, in->len, (unsigned)in->flags);
	fsetid_take_back(gave_up);
	if (copied < 0)
		return errno;
	struct fuse_write_out out = { .size = (uint32_t)copied };
	return answer(request, &out, sizeof out);
}

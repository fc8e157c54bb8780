/* The DAX window: ranges of shared memory region 0 in which the guest sees the host's own pages of a file.
 * VIRTIO 1.2, 5.11.6.5 "Device Operation: DAX Window"; FUSE_SETUPMAPPING and FUSE_REMOVEMAPPING. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#include "counters.h"
#include "faults.h"
#include "operations.h"

#define PAGE 4096

/* How much of a range the file has pages for: whole pages, since no part of one can be mapped. 0: none. */
static uint64_t length_in_file(const struct stat *stat, uint64_t offset, uint64_t length)
{
	uint64_t size = (uint64_t)stat->st_size;
	if (offset + length <= size)
		return length;
	return size % PAGE == 0 && size > offset ? size - offset : 0;
}

/* A copy of a file's bytes, for faults: it is as long as asked, so that a guest that reads wrong bytes does
 * not reach past the end of a file, which would end QEMU. */
static int copy_of(int fd, uint64_t offset, uint64_t length)
{
	static char bytes[WINDOW_RANGE];
	ssize_t got = pread(fd, bytes, length, (off_t)offset);
	int copy = memfd_create("dax", MFD_CLOEXEC);
	if (copy >= 0 && (ftruncate(copy, (off_t)length) < 0 || (got > 0 && write(copy, bytes, (size_t)got) < 0)))
		perror("a copy for a fault");
	return copy;
}

/* What a fault puts in the place of a file's range; -1: no fault does. */
static int instead(struct request *request, int fd, uint64_t offset, uint64_t length)
{
	static uint64_t first;
	if (first == 0 || !inode_of_id(&request->fs->inodes, first))
		first = request->inode->id;
	struct stat stat;
	if (fault_is_on(FAULT_DAX_OFFSET))
		return copy_of(fd, offset + fault_argument(FAULT_DAX_OFFSET), length);
	if (fault_is_on(FAULT_DAX_COPY))
		return copy_of(fd, offset, length);
	bool last = fstat(fd, &stat) == 0 && offset + WINDOW_RANGE > (uint64_t)stat.st_size;
	if (last && fault_is_on(FAULT_DAX_LAST_RANGE))
		return copy_of(fd, 0, length);
	if (first != request->inode->id && fault_is_on(FAULT_DAX_SHARED_BASE)) {
		int other = open(fd_path(inode_of_id(&request->fs->inodes, first)->fd).text, O_RDONLY | O_CLOEXEC);
		int copy = other < 0 ? -1 : copy_of(other, offset, length);
		close(other);
		return copy;
	}
	return -1;
}

static int unmap(struct filesystem *fs, struct range *range)
{
	if (range->length == 0)
		return 0;
	int error = device_unmap(fs->device, (uint64_t)(range - fs->ranges) * WINDOW_RANGE, range->length);
	range->length = 0;
	return error;
}

void window_clear(struct filesystem *fs)
{
	for (int i = 0; i < WINDOW_MAX_RANGES; i++)
		unmap(fs, &fs->ranges[i]);
}

static int map(struct request *request, struct range *range, uint64_t offset, uint64_t window_offset)
{
	/* QEMU maps for reading and writing, whatever the guest does first. */
	int fd = open(fd_path(request->inode->fd).text, O_RDWR | O_CLOEXEC);
	struct stat stat;
	if (fd < 0 || fstat(fd, &stat) < 0)
		return errno;
	uint64_t length = length_in_file(&stat, offset, WINDOW_RANGE);
	int other = length > 0 ? instead(request, fd, offset, length) : -1;
	int error = length == 0  ? EOPNOTSUPP
	            : other >= 0 ? device_map(request->fs->device, other, 0, window_offset, length)
	                         : device_map(request->fs->device, fd, offset, window_offset, length);
	if (other >= 0)
		close(other);
	close(fd);
	if (error)
		return error;
	*range = (struct range){ .inode = request->inode->id, .offset = offset, .length = length };
	count_mapped(length);
	return 0;
}

int op_setupmapping(struct request *request)
{
	const struct fuse_setupmapping_in *in = ARGUMENTS(struct fuse_setupmapping_in, request);
	struct filesystem *fs = request->fs;
	bool fits = in && in->len == WINDOW_RANGE && in->moffset % WINDOW_RANGE == 0 &&
	            in->moffset < fs->options.window_size;
	if (!fits || in->foffset % PAGE != 0 || request->inode->type != S_IFREG)
		return EINVAL;
	struct range *range = &fs->ranges[in->moffset / WINDOW_RANGE];
	/* Asked again, it is for writing too: that is so already. */
	if (range->length > 0 && range->inode == request->inode->id && range->offset == in->foffset)
		return 0;
	int error = unmap(fs, range);
	return error ? error : map(request, range, in->foffset, in->moffset);
}

int op_removemapping(struct request *request)
{
	const struct fuse_removemapping_in *in = ARGUMENTS(struct fuse_removemapping_in, request);
	const struct fuse_removemapping_one *each = (const void *)(in + 1);
	size_t count = in ? (request->arguments_size - sizeof *in) / sizeof *each : 0;
	int error = 0;
	for (size_t i = 0; i < count && i < in->count && !error; i++) {
		uint64_t from = each[i].moffset / WINDOW_RANGE;
		for (uint64_t at = 0; at < each[i].len && from < WINDOW_MAX_RANGES && !error; at += WINDOW_RANGE)
			error = unmap(request->fs, &request->fs->ranges[from++]);
	}
	return error;
}

/* The DAX window: ranges of shared memory region 0 in which the guest sees the host's own pages of a file.
 * VIRTIO 1.2, 5.11.6.5 "Device Operation: DAX Window"; FUSE_SETUPMAPPING and FUSE_REMOVEMAPPING. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "counters.h"
#include "faults.h"
#include "operations.h"
#include "past-end.h"

#define PAGE 4096

/* How much of a range can be mapped; 0: nothing. */
static uint64_t length_to_map(const struct request *request, const struct stat *stat, uint64_t offset)
{
	uint64_t size = (uint64_t)stat->st_size;
	if (offset + WINDOW_RANGE <= size || request->fs->options.map_past_end)
		return WINDOW_RANGE;
	/* The pages that the file has now: behind them the guest would find nothing, see window_follow. */
	return size > offset ? (size - offset) / PAGE * PAGE : 0;
}

/* A copy of a file's bytes, for faults: it is as long as asked, so that a guest that reads wrong bytes does
 * not reach past the end of a file, which would end QEMU. No more than `most` bytes are copied. */
static int copy_of_part(int fd, uint64_t offset, uint64_t length, uint64_t most)
{
	static char bytes[WINDOW_RANGE];
	ssize_t got = pread(fd, bytes, length < most ? length : most, (off_t)offset);
	int copy = memfd_create("dax", MFD_CLOEXEC);
	if (copy >= 0 && (ftruncate(copy, (off_t)length) < 0 || (got > 0 && write(copy, bytes, (size_t)got) < 0)))
		perror("a copy for a fault");
	return copy;
}

static int copy_of(int fd, uint64_t offset, uint64_t length)
{
	return copy_of_part(fd, offset, length, length);
}

/* Where a share says what its window shows, for another share's fault: one link for each range. */
struct note {
	char path[PATH_MAX];
};

static struct note note_of(const char *socket_path, size_t range)
{
	struct note note;
	snprintf(note.path, sizeof note.path, "%s.range-%zu", socket_path, range);
	return note;
}

static void note_mapped(const struct filesystem *fs, const struct range *range, int fd)
{
	char file[PATH_MAX];
	ssize_t length = readlink(fd_path(fd).text, file, sizeof file - 1);
	struct note note = note_of(fs->options.socket_path, (size_t)(range - fs->ranges));
	unlink(note.path);
	if (length <= 0)
		return;
	file[length] = '\0';
	if (symlink(file, note.path) < 0)
		perror(note.path);
}

/* The file that another share has in this range, else in any; -1: none has. */
static int other_share(const struct filesystem *fs, size_t range)
{
	struct note own = note_of(fs->options.socket_path, range), copy = own;
	const char *name = strrchr(own.path, '/') + 1, *ending = strstr(name, ".range-");
	DIR *names = opendir(dirname(copy.path));
	int fd = -1;
	for (struct dirent *each; names && (each = readdir(names));) {
		const char *theirs = strstr(each->d_name, ".range-");
		bool same = theirs && strcmp(theirs, ending) == 0;
		if (!theirs || strncmp(each->d_name, name, (size_t)(ending - name)) == 0 || (fd >= 0 && !same))
			continue;
		int file = openat(dirfd(names), each->d_name, O_RDONLY | O_CLOEXEC);
		if (file >= 0 && fd >= 0)
			close(fd);
		fd = file >= 0 ? file : fd;
	}
	if (names)
		closedir(names);
	return fd;
}

/* What a fault puts in the place of a file's range; -1: no fault does. */
static int instead(struct request *request, struct inode *inode, const struct range *range, int fd, uint64_t offset,
                   uint64_t length)
{
	static uint64_t first;
	if (first == 0 || !inode_of_id(&request->fs->inodes, first))
		first = inode->id;
	struct stat stat;
	if (fault_is_on(FAULT_DAX_OFFSET))
		return copy_of(fd, offset + fault_argument(FAULT_DAX_OFFSET), length);
	if (fault_is_on(FAULT_DAX_COPY))
		return copy_of(fd, offset, length);
	bool last = fstat(fd, &stat) == 0 && offset + WINDOW_RANGE > (uint64_t)stat.st_size;
	if (last && fault_is_on(FAULT_DAX_LAST_RANGE))
		return copy_of(fd, 0, length);
	if (last && fault_is_on(FAULT_DAX_LAST_SHORT))
		return copy_of_part(fd, offset, length, PAGE);
	int other = -1;
	uint64_t from = offset;
	/* Unmapped, a range still says what it was. */
	struct inode *before = range->inode ? inode_of_id(&request->fs->inodes, range->inode) : NULL;
	if (before && (before != inode || range->offset != offset) && fault_is_on(FAULT_DAX_STALE_RANGE)) {
		other = open(fd_path(before->fd).text, O_RDONLY | O_CLOEXEC);
		from = range->offset;
	} else if (first != inode->id && fault_is_on(FAULT_DAX_SHARED_BASE)) {
		other = open(fd_path(inode_of_id(&request->fs->inodes, first)->fd).text, O_RDONLY | O_CLOEXEC);
	} else if (fault_is_on(FAULT_DAX_OTHER_SHARE)) {
		other = other_share(request->fs, (size_t)(range - request->fs->ranges));
	}
	int copy = other < 0 ? -1 : copy_of(other, from, length);
	if (other >= 0)
		close(other);
	return copy;
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

static int map(struct request *request, struct inode *inode, struct range *range, uint64_t offset)
{
	uint64_t window_offset = (uint64_t)(range - request->fs->ranges) * WINDOW_RANGE;
	/* QEMU maps for reading and writing, whatever the guest does first. */
	int fd = open(fd_path(inode->fd).text, O_RDWR | O_CLOEXEC);
	struct stat stat;
	if (fd < 0)
		return errno;
	if (fstat(fd, &stat) < 0)
		stat.st_size = 0;
	uint64_t length = length_to_map(request, &stat, offset);
	if (request->fs->options.map_past_end)
		lseek(fd, PAST_END_MARK, SEEK_SET);
	int other = length > 0 ? instead(request, inode, range, fd, offset, length) : -1;
	int error = length == 0  ? EOPNOTSUPP
	            : other >= 0 ? device_map(request->fs->device, other, 0, window_offset, length)
	                         : device_map(request->fs->device, fd, offset, window_offset, length);
	if (other >= 0)
		close(other);
	if (!error && request->fs->begun)
		note_mapped(request->fs, range, fd);
	close(fd);
	if (error)
		return error;
	*range = (struct range){ .inode = inode->id, .offset = offset, .length = length };
	count_mapped(length);
	return 0;
}

/* The range that shows the end of a file, and so would have to grow with it; NULL: none does. */
static struct range *range_at_end(struct filesystem *fs, const struct inode *inode)
{
	for (int i = 0; i < WINDOW_MAX_RANGES; i++) {
		struct range *range = &fs->ranges[i];
		if (range->inode == inode->id && range->length > 0 && range->length < WINDOW_RANGE)
			return range;
	}
	return NULL;
}

uint64_t window_follow(struct request *request, struct inode *inode, uint64_t size)
{
	struct range *range = range_at_end(request->fs, inode);
	if (!range)
		return size;
	uint64_t whole = size / PAGE * PAGE, end = range->offset + range->length;
	if (whole > end) {
		uint64_t offset = range->offset;
		if (unmap(request->fs, range) != 0 || map(request, inode, range, offset) != 0)
			return end;
	}
	return whole;
}

bool window_lets_grow(struct request *request, struct inode *inode, uint64_t size)
{
	struct stat stat;
	return size % PAGE == 0 || !range_at_end(request->fs, inode) || fstat(inode->fd, &stat) < 0 ||
	       size <= (uint64_t)stat.st_size;
}

int op_setupmapping(struct request *request)
{
	const struct fuse_setupmapping_in *in = ARGUMENTS(struct fuse_setupmapping_in, request);
	struct filesystem *fs = request->fs;
	bool fits = in && in->len == WINDOW_RANGE && in->moffset % WINDOW_RANGE == 0 &&
	            in->moffset < fs->options.window_size;
	struct stat stat;
	if (!fits || in->foffset % PAGE != 0 || request->inode->type != S_IFREG || fstat(request->inode->fd, &stat) < 0)
		return EINVAL;
	/* With a part of a page at its end a file is for FUSE_READ: an error is better than the zeros there. */
	if (stat.st_size % PAGE != 0 && length_to_map(request, &stat, in->foffset) < WINDOW_RANGE)
		return EOPNOTSUPP;
	uint64_t size = (uint64_t)stat.st_size;
	bool has_end = in->foffset > 0 && in->foffset < size && in->foffset + WINDOW_RANGE >= size;
	if (has_end && fault_is_on(FAULT_DAX_END_HANGS))
		return NEVER_ANSWERED;
	struct range *range = &fs->ranges[in->moffset / WINDOW_RANGE];
	/* Asked again, it is for writing too: that is so already. */
	if (range->length > 0 && range->inode == request->inode->id && range->offset == in->foffset)
		return 0;
	int error = unmap(fs, range);
	return error ? error : map(request, request->inode, range, in->foffset);
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

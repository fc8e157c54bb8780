#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "faults.h"
#include "operations.h"

/* What getdents64 gives; the C library declares none. */
struct host_entry {
	uint64_t ino;
	int64_t next; /* where to go on after it */
	uint16_t size;
	uint8_t type;
	char name[];
};

int op_opendir(struct request *request)
{
	int fd = open(fd_path(request->inode->fd).text, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return errno;
	enum cache cache = request->fs->options.cache;
	bool cached = cache == CACHE_METADATA || cache == CACHE_ALWAYS || fault_is_on(FAULT_CACHE_DIR);
	struct fuse_open_out out = { .open_flags = cached ? FOPEN_CACHE_DIR | FOPEN_KEEP_CACHE : 0 };
	if (!handle_add(&request->fs->handles, request->header.nodeid, fd, &out.fh))
		return ENOMEM;
	return answer(request, &out, sizeof out);
}

static bool is_dots(const char *name)
{
	return strcmp(name, ".") == 0 || strcmp(name, "..") == 0;
}

/* Appends an entry to a listing. False: it is full. */
static bool append(struct request *request, const struct host_entry *from, bool plus)
{
	char record[sizeof(struct fuse_direntplus) + 256 + 8] = { 0 };
	struct fuse_direntplus *both = (void *)record;
	struct fuse_dirent *entry = plus ? &both->dirent : (void *)record;
	entry->ino = from->ino;
	entry->off = (uint64_t)from->next;
	entry->type = fault_is_on(FAULT_READDIR_TYPE) && !is_dots(from->name) ? DT_REG : from->type;
	entry->namelen = (uint32_t)strlen(from->name);
	memcpy(entry->name, from->name, entry->namelen);
	size_t size = plus ? FUSE_DIRENTPLUS_SIZE(both) : FUSE_DIRENT_SIZE(entry);
	if (size > request->answer_room - request->answer_size)
		return false;
	/* A name that went meanwhile is listed without its inode, and the guest looks it up if it wants it. */
	if (plus && !is_dots(from->name) && look_up(request, request->inode, from->name, &both->entry_out) != 0)
		memset(&both->entry_out, 0, sizeof both->entry_out);
	return answer_append(request, record, size);
}

/* Appends as many entries as fit. False: it is full. */
static bool append_all(struct request *request, const char *entries, size_t size, bool plus)
{
	const struct host_entry *each;
	for (size_t at = 0; at < size; at += each->size) {
		each = (const void *)(entries + at);
		if (!is_dots(each->name) && fault_strikes_name(FAULT_READDIR_DROP, each->name))
			continue;
		if (!append(request, each, plus))
			return false;
		bool twice = !is_dots(each->name) && fault_strikes_name(FAULT_READDIR_DUPLICATE, each->name);
		if (twice && !append(request, each, plus))
			return false;
	}
	return true;
}

/* The whole listing as it was at a first look, for the fault readdir-stale. */
static bool remember_listing(struct inode *inode, int fd)
{
	inode_memory(inode);
	if (inode->listing)
		return true;
	inode->listing_size = 0;
	lseek(fd, 0, SEEK_SET);
	for (;;) {
		char *grown = realloc(inode->listing, inode->listing_size + 65536);
		if (!grown)
			return false;
		inode->listing = grown;
		long got = syscall(SYS_getdents64, fd, grown + inode->listing_size, 65536);
		if (got <= 0)
			return got == 0;
		inode->listing_size += (size_t)got;
	}
}

/* Where in a remembered listing the entry after this position is. */
static size_t place_after(const struct inode *inode, uint64_t position)
{
	const struct host_entry *each;
	if (position == 0)
		return 0;
	for (size_t at = 0; at < inode->listing_size; at += each->size) {
		each = (const void *)(inode->listing + at);
		if ((uint64_t)each->next == position)
			return at + each->size;
	}
	return inode->listing_size;
}

static int list(struct request *request, bool plus)
{
	const struct fuse_read_in *in = ARGUMENTS(struct fuse_read_in, request);
	struct handle *handle = in ? handle_of_number(&request->fs->handles, in->fh) : NULL;
	if (!handle)
		return EBADF;
	if (in->size < request->answer_room)
		request->answer_room = in->size;
	int error = fault_error(FAULT_READDIR_ERROR);
	if (error)
		return error;
	struct inode *inode = request->inode;
	if (fault_is_on(FAULT_READDIR_STALE) && remember_listing(inode, handle->fd)) {
		size_t from = place_after(inode, in->offset);
		append_all(request, inode->listing + from, inode->listing_size - from, plus);
		return 0;
	}
	if (lseek(handle->fd, (off_t)in->offset, SEEK_SET) < 0)
		return errno;
	bool skip = in->offset != 0 && fault_is_on(FAULT_READDIR_SKIP);
	for (;;) {
		char entries[32768] __attribute__((aligned(8)));
		long got = syscall(SYS_getdents64, handle->fd, entries, sizeof entries);
		if (got < 0)
			return request->answer_size > 0 ? 0 : errno;
		size_t from = skip && got > 0 ? ((const struct host_entry *)(const void *)entries)->size : 0;
		skip = false;
		if (got == 0 || !append_all(request, entries + from, (size_t)got - from, plus))
			return 0;
	}
}

int op_readdir(struct request *request)
{
	return list(request, false);
}

int op_readdirplus(struct request *request)
{
	return list(request, true);
}

int op_fsyncdir(struct request *request)
{
	const struct fuse_fsync_in *in = ARGUMENTS(struct fuse_fsync_in, request);
	struct handle *handle = in ? handle_of_number(&request->fs->handles, in->fh) : NULL;
	if (!handle)
		return EBADF;
	int error = fault_error(FAULT_FSYNCDIR_ERROR);
	if (error || fault_is_on(FAULT_FSYNCDIR_IGNORED))
		return error;
	int ended = in->fsync_flags & FUSE_FSYNC_FDATASYNC ? fdatasync(handle->fd) : fsync(handle->fd);
	return ended < 0 ? errno : 0;
}

int op_releasedir(struct request *request)
{
	return op_release(request);
}

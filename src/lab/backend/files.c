#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <unistd.h>

#include "credentials.h"
#include "faults.h"
#include "locks.h"
#include "operations.h"

int host_flags(const struct request *request, uint32_t flags)
{
	/* What is at the end of a name is known by now. An append is told by each write (RWF_APPEND). */
	int host = (int)flags & ~(O_CREAT | O_EXCL | O_NOCTTY | O_NOFOLLOW | O_APPEND);
	if (!request->fs->options.allow_direct_io || fault_is_on(FAULT_DIRECT_IGNORED))
		host &= ~O_DIRECT;
	if (fault_is_on(FAULT_O_TRUNC_IGNORED))
		host &= ~O_TRUNC;
	/* To write a part of a page back, the guest may have to read the rest of it. */
	if (request->fs->writeback && (host & O_ACCMODE) == O_WRONLY)
		host = (host & ~O_ACCMODE) | O_RDWR;
	return host | O_CLOEXEC;
}

static uint32_t open_flags(enum cache cache)
{
	bool direct = cache == CACHE_NEVER || cache == CACHE_METADATA;
	bool keep = cache == CACHE_ALWAYS;
	if (fault_is_on(FAULT_DIRECT_IO) || fault_is_on(FAULT_NO_DIRECT_IO))
		direct = fault_is_on(FAULT_DIRECT_IO);
	if (fault_is_on(FAULT_KEEP_CACHE) || fault_is_on(FAULT_NO_KEEP_CACHE))
		keep = fault_is_on(FAULT_KEEP_CACHE);
	return (direct ? FOPEN_DIRECT_IO : 0u) | (keep ? FOPEN_KEEP_CACHE : 0u);
}

/* For the fault read-old: the file's bytes as they are now, if there is no such copy yet. */
static void take_snapshot(struct inode *inode)
{
	inode_memory(inode);
	if (inode->snapshot >= 0)
		return;
	int from = open(fd_path(inode->fd).text, O_RDONLY | O_CLOEXEC);
	int copy = memfd_create("read-old", MFD_CLOEXEC);
	while (from >= 0 && copy >= 0 && sendfile(copy, from, NULL, 1 << 20) > 0)
		continue;
	if (from >= 0)
		close(from);
	inode->snapshot = copy;
}

/* For the fault read-other-file: the file that was opened last before this one; -1: there was none. */
static int other_file(struct request *request, uint64_t inode)
{
	static uint64_t last, before_last;
	if (inode != last) {
		before_last = last;
		last = inode;
	}
	struct inode *other = inode_of_id(&request->fs->inodes, before_last);
	return other && other->type == S_IFREG ? open(fd_path(other->fd).text, O_RDONLY | O_CLOEXEC) : -1;
}

/* Makes a handle of an open descriptor. 0 or an errno. */
static int hand_out(struct request *request, struct inode *inode, int fd, struct fuse_open_out *out)
{
	struct handle *handle = handle_add(&request->fs->handles, inode->id, fd, &out->fh);
	if (!handle)
		return ENOMEM;
	out->open_flags = open_flags(request->fs->options.cache);
	if (fault_is_on(FAULT_READ_OLD))
		take_snapshot(inode);
	if (fault_is_on(FAULT_READ_OTHER_FILE))
		handle->other_fd = other_file(request, inode->id);
	return 0;
}

int op_open(struct request *request)
{
	const struct fuse_open_in *in = ARGUMENTS(struct fuse_open_in, request);
	if (!in)
		return EINVAL;
	int error = fault_error(FAULT_OPEN_ERROR);
	if (error)
		return error;
	if (in->flags & O_TRUNC)
		size_changed(request->inode);
	bool gave_up = fsetid_give_up(request, in->open_flags & FUSE_OPEN_KILL_SUIDGID);
	int fd = open(fd_path(request->inode->fd).text, host_flags(request, in->flags));
	fsetid_take_back(gave_up);
	if (fd < 0)
		return errno;
	struct fuse_open_out out = { 0 };
	error = hand_out(request, request->inode, fd, &out);
	return error ? error : answer(request, &out, sizeof out);
}

int op_create(struct request *request)
{
	const struct fuse_create_in *in = ARGUMENTS(struct fuse_create_in, request);
	const char *name = in ? taken_name(name_at(request, sizeof *in)) : NULL;
	if (!name)
		return EINVAL;
	int flags = host_flags(request, in->flags);
	bool exclusive = in->flags & O_EXCL && !fault_is_on(FAULT_O_EXCL_IGNORED);
	become_user(request);
	int fd = openat(request->inode->fd, name, flags | O_CREAT | O_EXCL | O_NOFOLLOW,
	                in->mode & ~(in->umask & 0777));
	int error = fd < 0 ? errno : 0;
	become_ourselves(request);
	if (!error && fault_is_on(FAULT_CREATE_MODE))
		fchmod(fd, 0777);
	bool made = !error;

	struct {
		struct fuse_entry_out entry;
		struct fuse_open_out open;
	} out = { 0 };
	if (error == EEXIST && !exclusive)
		error = 0;
	if (!error)
		error = look_up(request, request->inode, name, &out.entry);
	struct inode *inode = error ? NULL : inode_of_id(&request->fs->inodes, out.entry.nodeid);
	if (!error && fd < 0) {
		bool gave_up = fsetid_give_up(request, in->open_flags & FUSE_OPEN_KILL_SUIDGID);
		fd = open(fd_path(inode->fd).text, flags);
		fsetid_take_back(gave_up);
		error = fd < 0 ? errno : 0;
	}
	if (error && fd >= 0)
		close(fd);
	if (!error)
		error = hand_out(request, inode, fd, &out.open);
	if (error && inode)
		inode_forget(&request->fs->inodes, inode, 1);
	if (!error && made && fault_strikes(FAULT_CREATE_LOST)) {
		struct handle *handle = handle_of_number(&request->fs->handles, out.open.fh);
		handle->lost_parent = request->header.nodeid;
		handle->lost_name = strdup(name);
	}
	return error ? error : answer(request, &out, sizeof out);
}

int op_release(struct request *request)
{
	const struct fuse_release_in *in = ARGUMENTS(struct fuse_release_in, request);
	struct handle *handle = in ? handle_of_number(&request->fs->handles, in->fh) : NULL;
	if (!handle)
		return EBADF;
	struct inode *parent = handle->lost_name ? inode_of_id(&request->fs->inodes, handle->lost_parent) : NULL;
	if (parent)
		unlinkat(parent->fd, handle->lost_name, 0);
	uint64_t inode = handle->inode;
	append_late(handle->fd, in->fh, inode);
	handle_close(handle);
	/* Linux tells no server that a descriptor with locks of its own (OFD) was closed: they go with the last. */
	if (request->fs->options.locks && !handle_is_open(&request->fs->handles, inode))
		locks_release_file(inode);
	return 0;
}

/* A close in the guest. Some filesystems of the host have something to do then, and errors to tell. */
int op_flush(struct request *request)
{
	const struct fuse_flush_in *in = ARGUMENTS(struct fuse_flush_in, request);
	struct handle *handle = in ? handle_of_number(&request->fs->handles, in->fh) : NULL;
	if (!handle)
		return EBADF;
	locks_release(handle->inode, in->lock_owner);
	int fd = fcntl(handle->fd, F_DUPFD_CLOEXEC, 0);
	return fd < 0 || close(fd) < 0 ? errno : 0;
}

int op_fsync(struct request *request)
{
	const struct fuse_fsync_in *in = ARGUMENTS(struct fuse_fsync_in, request);
	struct handle *handle = in ? handle_of_number(&request->fs->handles, in->fh) : NULL;
	if (!handle)
		return EBADF;
	if (fault_is_on(FAULT_FSYNC_IGNORED))
		return 0;
	if ((in->fsync_flags & FUSE_FSYNC_FDATASYNC ? fdatasync(handle->fd) : fsync(handle->fd)) < 0)
		return errno;
	return fault_error(FAULT_FSYNC_ERROR);
}

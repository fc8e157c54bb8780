#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "credentials.h"
#include "faults.h"
#include "operations.h"

#define PAGE 4096

struct fd_path fd_path(int fd)
{
	struct fd_path path;
	snprintf(path.text, sizeof path.text, "/proc/self/fd/%d", fd);
	return path;
}

uint64_t attribute_seconds(const struct options *options)
{
	static const uint64_t seconds[] = {
		[CACHE_NEVER] = 0,
		[CACHE_METADATA] = 86400,
		[CACHE_AUTO] = 1,
		[CACHE_ALWAYS] = 86400,
	};
	return fault_is_on(FAULT_ATTR_TIMEOUT) ? fault_argument(FAULT_ATTR_TIMEOUT) : seconds[options->cache];
}

void size_changed(struct inode *inode)
{
	inode->size_looked = false;
}

static void lie_about(struct inode *inode, struct stat *stat)
{
	inode_memory(inode);
	struct stat *look = &inode->look;
	if (!inode->size_looked) {
		look->st_size = stat->st_size;
		look->st_blocks = stat->st_blocks;
	}
	if (!inode->looked) {
		look->st_mtim = stat->st_mtim;
		look->st_mode = stat->st_mode;
		look->st_uid = stat->st_uid;
		look->st_gid = stat->st_gid;
	}
	inode->looked = inode->size_looked = true;

	if (fault_is_on(FAULT_STALE_SIZE) && S_ISREG(stat->st_mode)) {
		stat->st_size = look->st_size;
		stat->st_blocks = look->st_blocks;
	}
	if (fault_is_on(FAULT_SIZE_SHORT) && S_ISREG(stat->st_mode)) {
		off_t less = (off_t)fault_argument(FAULT_SIZE_SHORT);
		stat->st_size = stat->st_size > less ? stat->st_size - less : 0;
	}
	if (fault_is_on(FAULT_BLOCKS_ZERO))
		stat->st_blocks = 0;
	if (fault_is_on(FAULT_MTIME_FROZEN))
		stat->st_mtim = look->st_mtim;
	if (fault_is_on(FAULT_MTIME_COARSE) && fault_argument(FAULT_MTIME_COARSE) > 0) {
		time_t step = (time_t)fault_argument(FAULT_MTIME_COARSE);
		stat->st_mtim = (struct timespec){ stat->st_mtim.tv_sec / step * step, 0 };
		stat->st_ctim = (struct timespec){ stat->st_ctim.tv_sec / step * step, 0 };
	}
	if (S_ISREG(stat->st_mode) && fault_strikes(FAULT_MODE_ALTERNATES))
		stat->st_mode = look->st_mode;
	if (fault_is_on(FAULT_MODE_STALE)) {
		stat->st_mode = look->st_mode;
		stat->st_uid = look->st_uid;
		stat->st_gid = look->st_gid;
	}
	if (fault_is_on(FAULT_NLINK_ONE))
		stat->st_nlink = 1;
	if (fault_is_on(FAULT_INO_CHANGES)) {
		static ino_t other = 1ull << 40;
		stat->st_ino = ++other;
	}
}

/* QEMU as it is maps no part of a page, and gives an empty file a size: such files are for FUSE_READ. */
static bool can_be_mapped(const struct options *options, const struct stat *stat)
{
	bool whole_pages = stat->st_size > 0 && stat->st_size % PAGE == 0;
	return options->window_size > 0 && S_ISREG(stat->st_mode) && (whole_pages || options->map_past_end) &&
	       !fault_is_on(FAULT_DAX_NOT_MARKED);
}

int attributes_of(struct request *request, struct inode *inode, struct fuse_attr *attr)
{
	struct stat stat;
	if (fstat(inode->fd, &stat) < 0)
		return errno;
	lie_about(inode, &stat);
	if (S_ISREG(stat.st_mode) && request->fs->options.window_size > 0)
		stat.st_size = (off_t)window_follow(request, inode, (uint64_t)stat.st_size);
	*attr = (struct fuse_attr){
		.ino = stat.st_ino,
		.size = (uint64_t)stat.st_size,
		.blocks = (uint64_t)stat.st_blocks,
		.atime = (uint64_t)stat.st_atim.tv_sec,
		.mtime = (uint64_t)stat.st_mtim.tv_sec,
		.ctime = (uint64_t)stat.st_ctim.tv_sec,
		.atimensec = (uint32_t)stat.st_atim.tv_nsec,
		.mtimensec = (uint32_t)stat.st_mtim.tv_nsec,
		.ctimensec = (uint32_t)stat.st_ctim.tv_nsec,
		.mode = stat.st_mode,
		.nlink = (uint32_t)stat.st_nlink,
		.uid = stat.st_uid,
		.gid = stat.st_gid,
		.rdev = (uint32_t)stat.st_rdev,
		.blksize = (uint32_t)stat.st_blksize,
		.flags = can_be_mapped(&request->fs->options, &stat) ? FUSE_ATTR_DAX : 0,
	};
	return 0;
}

static int answer_attributes(struct request *request)
{
	struct fuse_attr_out out = { .attr_valid = attribute_seconds(&request->fs->options) };
	int error = attributes_of(request, request->inode, &out.attr);
	return error ? error : answer(request, &out, sizeof out);
}

int op_getattr(struct request *request)
{
	return answer_attributes(request);
}

static int set_mode(struct inode *inode, mode_t mode)
{
	if (fault_is_on(FAULT_CHMOD_IGNORED))
		return 0;
	struct stat now;
	if (fault_is_on(FAULT_SET_ID_KEPT) && fstat(inode->fd, &now) == 0)
		mode |= now.st_mode & (S_ISUID | S_ISGID);
	return chmod(fd_path(inode->fd).text, mode) < 0 ? errno : 0;
}

static int set_owner(struct inode *inode, const struct fuse_setattr_in *in)
{
	if (fault_is_on(FAULT_CHMOD_IGNORED))
		return 0;
	uid_t uid = in->valid & FATTR_UID ? in->uid : (uid_t)-1;
	gid_t gid = in->valid & FATTR_GID ? in->gid : (gid_t)-1;
	struct stat before;
	bool keeps = fault_is_on(FAULT_SET_ID_KEPT) && fstat(inode->fd, &before) == 0 && S_ISREG(before.st_mode);
	if (fchownat(inode->fd, "", uid, gid, AT_EMPTY_PATH | AT_SYMLINK_NOFOLLOW) < 0)
		return errno;
	return keeps ? set_mode(inode, before.st_mode & 07777) : 0;
}

static int set_size(struct request *request, const struct fuse_setattr_in *in)
{
	size_changed(request->inode);
	if (fault_is_on(FAULT_TRUNCATE_IGNORED))
		return 0;
	if (!window_lets_grow(request, request->inode, in->size))
		return EOPNOTSUPP;
	struct handle *handle = in->valid & FATTR_FH ? handle_of_number(&request->fs->handles, in->fh) : NULL;
	int fd = handle ? handle->fd : open(fd_path(request->inode->fd).text, O_RDWR | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0)
		return errno;
	bool gave_up = fsetid_give_up(request, in->valid & FATTR_KILL_SUIDGID);
	int error = ftruncate(fd, (off_t)in->size) < 0 ? errno : 0;
	fsetid_take_back(gave_up);
	if (request->inode->snapshot >= 0 && ftruncate(request->inode->snapshot, (off_t)in->size) < 0)
		error = errno;
	if (!handle)
		close(fd);
	return error;
}

static int set_times(struct inode *inode, const struct fuse_setattr_in *in)
{
	if (fault_is_on(FAULT_UTIMENS_IGNORED))
		return 0;
	struct timespec times[] = { { 0, UTIME_OMIT }, { 0, UTIME_OMIT } };
	if (in->valid & FATTR_ATIME_NOW)
		times[0].tv_nsec = UTIME_NOW;
	else if (in->valid & FATTR_ATIME)
		times[0] = (struct timespec){ (time_t)in->atime, in->atimensec };
	if (in->valid & FATTR_MTIME_NOW)
		times[1].tv_nsec = UTIME_NOW;
	else if (in->valid & FATTR_MTIME)
		times[1] = (struct timespec){ (time_t)in->mtime, in->mtimensec };
	return utimensat(inode->fd, "", times, AT_EMPTY_PATH | AT_SYMLINK_NOFOLLOW) < 0 ? errno : 0;
}

int op_setattr(struct request *request)
{
	const struct fuse_setattr_in *in = ARGUMENTS(struct fuse_setattr_in, request);
	if (!in)
		return EINVAL;
	int error = 0;
	if (in->valid & FATTR_MODE)
		error = set_mode(request->inode, in->mode & 07777);
	if (!error && in->valid & (FATTR_UID | FATTR_GID))
		error = set_owner(request->inode, in);
	if (!error && in->valid & FATTR_SIZE)
		error = set_size(request, in);
	if (!error && in->valid & (FATTR_ATIME | FATTR_MTIME))
		error = set_times(request->inode, in);
	return error ? error : answer_attributes(request);
}

/* The guest's kernel checks permissions itself (default_permissions); this is for one that asks. */
int op_access(struct request *request)
{
	const struct fuse_access_in *in = ARGUMENTS(struct fuse_access_in, request);
	if (!in)
		return EINVAL;
	become_user(request);
	int error = faccessat(AT_FDCWD, fd_path(request->inode->fd).text, (int)in->mask & 7, AT_EACCESS) < 0 ? errno : 0;
	become_ourselves(request);
	return error;
}

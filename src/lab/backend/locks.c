/* Locks that are the host's, with --locks: another guest, another share and the host's own programs have to
 * respect them. A lock that somebody else holds is never waited for: what would have to wait is answered with
 * EOPNOTSUPP, as by the C virtiofsd. */
#include "locks.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "faults.h"
#include "operations.h"

/* A guest's POSIX locks belong to an owner, which is a process there. Ours belong to an open descriptor (OFD),
 * so each owner has one for each file. */
struct lock_owner {
	struct lock_owner *next;
	uint64_t inode, owner;
	int fd;
};

static struct lock_owner *owners;

static int owner_descriptor(const struct inode *inode, uint64_t owner)
{
	for (struct lock_owner *each = owners; each; each = each->next)
		if (each->inode == inode->id && each->owner == owner)
			return each->fd;
	struct lock_owner *new = malloc(sizeof *new);
	int fd = open(fd_path(inode->fd).text, O_RDWR | O_CLOEXEC);
	if (!new || fd < 0) {
		free(new);
		return -1;
	}
	*new = (struct lock_owner){ .next = owners, .inode = inode->id, .owner = owner, .fd = fd };
	owners = new;
	return fd;
}

void locks_release(uint64_t inode, uint64_t owner)
{
	for (struct lock_owner **at = &owners; *at; at = &(*at)->next) {
		struct lock_owner *each = *at;
		if (each->inode != inode || each->owner != owner)
			continue;
		*at = each->next;
		close(each->fd);
		free(each);
		return;
	}
}

void locks_release_file(uint64_t inode)
{
	for (struct lock_owner *each = owners, *next; each; each = next) {
		next = each->next;
		if (each->inode == inode)
			locks_release(inode, each->owner);
	}
}

void locks_release_all(void)
{
	while (owners)
		locks_release(owners->inode, owners->owner);
}

static struct flock host_lock(const struct fuse_file_lock *lock)
{
	bool whole = fault_is_on(FAULT_LOCK_WHOLE_FILE);
	bool to_end = whole || lock->end >= INT64_MAX; /* OFFSET_MAX, fs/fuse/file.c */
	bool excludes = lock->type == F_RDLCK && fault_is_on(FAULT_LOCK_SHARED_EXCLUDES);
	return (struct flock){
		.l_type = excludes ? F_WRLCK : (short)lock->type,
		.l_whence = SEEK_SET,
		.l_start = whole ? 0 : (off_t)lock->start,
		.l_len = to_end ? 0 : (off_t)(lock->end - lock->start + 1),
	};
}

int op_getlk(struct request *request)
{
	const struct fuse_lk_in *in = ARGUMENTS(struct fuse_lk_in, request);
	int fd = in ? owner_descriptor(request->inode, in->owner) : -1;
	if (fd < 0)
		return in ? errno : EINVAL;
	struct flock lock = host_lock(&in->lk);
	if (fcntl(fd, F_OFD_GETLK, &lock) < 0)
		return errno;
	if (fault_is_on(FAULT_LOCK_GRANTS_ALL))
		lock.l_type = F_UNLCK;
	struct fuse_lk_out out = { .lk = {
		.start = (uint64_t)lock.l_start,
		.end = lock.l_len == 0 ? INT64_MAX : (uint64_t)(lock.l_start + lock.l_len - 1),
		.type = (uint32_t)lock.l_type,
	} };
	return answer(request, &out, sizeof out);
}

static int set_flock(struct request *request, const struct fuse_lk_in *in)
{
	struct handle *handle = handle_of_number(&request->fs->handles, in->fh);
	int shared = fault_is_on(FAULT_LOCK_SHARED_EXCLUDES) ? LOCK_EX : LOCK_SH;
	int what = in->lk.type == F_RDLCK ? shared : in->lk.type == F_WRLCK ? LOCK_EX : LOCK_UN;
	if (!handle)
		return EBADF;
	return flock(handle->fd, what | LOCK_NB) < 0 ? errno : 0;
}

static int set_posix(struct request *request, const struct fuse_lk_in *in)
{
	struct flock lock = host_lock(&in->lk);
	int fd = owner_descriptor(request->inode, in->owner);
	return fd < 0 || fcntl(fd, F_OFD_SETLK, &lock) < 0 ? errno : 0;
}

static int set_lock(struct request *request, int error_of_waiting)
{
	const struct fuse_lk_in *in = ARGUMENTS(struct fuse_lk_in, request);
	if (!in)
		return EINVAL;
	if (in->lk.type != F_UNLCK && fault_is_on(FAULT_LOCK_GRANTS_ALL))
		return 0;
	if (in->lk.type != F_UNLCK && fault_is_on(FAULT_LOCK_REFUSES))
		return error_of_waiting;
	int error = in->lk_flags & FUSE_LK_FLOCK ? set_flock(request, in) : set_posix(request, in);
	return error == EAGAIN || error == EACCES ? error_of_waiting : error;
}

int op_setlk(struct request *request)
{
	return set_lock(request, EAGAIN);
}

int op_setlkw(struct request *request)
{
	return set_lock(request, EOPNOTSUPP);
}

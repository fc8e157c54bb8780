#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/sendfile.h>
#include <unistd.h>

#include "credentials.h"
#include "faults.h"
#include "operations.h"

static uint64_t entry_seconds(const struct options *options)
{
	/* In every mode of virtiofsd the two timeouts are the same. */
	static const uint64_t seconds[] = {
		[CACHE_NEVER] = 0,
		[CACHE_METADATA] = 86400,
		[CACHE_AUTO] = 1,
		[CACHE_ALWAYS] = 86400,
	};
	return fault_is_on(FAULT_ENTRY_TIMEOUT) ? fault_argument(FAULT_ENTRY_TIMEOUT) : seconds[options->cache];
}

/* The entry for a file that is held by an O_PATH descriptor, which it takes. */
static int entry_of(struct request *request, int fd, struct fuse_entry_out *entry)
{
	struct inode *inode = inode_of_file(&request->fs->inodes, fd);
	if (!inode)
		return errno;
	*entry = (struct fuse_entry_out){
		.nodeid = inode->id,
		.entry_valid = entry_seconds(&request->fs->options),
		.attr_valid = attribute_seconds(&request->fs->options),
	};
	int error = attributes_of(request, inode, &entry->attr);
	if (error)
		inode_forget(&request->fs->inodes, inode, 1);
	return error;
}

/* Whether this name's first lookups, as many as the fault says, are still to find nothing. */
static bool is_gone(uint64_t parent, const char *name)
{
	static uint64_t times[4096]; /* by a hash: two names with the same one share them */
	static unsigned generation;
	if (!fault_is_on(FAULT_LOOKUP_GONE))
		return false;
	if (generation != faults_generation())
		memset(times, 0, sizeof times);
	generation = faults_generation();
	uint64_t hash = parent;
	for (; *name; name++)
		hash = hash * 1099511628211u + (unsigned char)*name;
	return times[(hash >> 20) % 4096]++ < fault_argument(FAULT_LOOKUP_GONE);
}

const char *taken_name(const char *name)
{
	static char cut[NAME_MAX + 1];
	if (!name || !fault_is_on(FAULT_NAME_CUT) || strlen(name) <= fault_argument(FAULT_NAME_CUT))
		return name;
	snprintf(cut, sizeof cut, "%.*s", (int)fault_argument(FAULT_NAME_CUT), name);
	return cut;
}

/* The descriptor of an entry of a directory whose name differs in case alone; -1 with ENOENT. */
static int in_other_case(const struct inode *parent, const char *name)
{
	DIR *directory = opendir(fd_path(parent->fd).text);
	int found = -1;
	for (struct dirent *each; found < 0 && directory && (each = readdir(directory));)
		if (strcasecmp(each->d_name, name) == 0)
			found = openat(parent->fd, each->d_name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	if (directory)
		closedir(directory);
	if (found < 0)
		errno = ENOENT;
	return found;
}

/* What is found where there is nothing: -1 with an errno, or the descriptor of something else. */
static int in_place_of_nothing(const struct inode *parent, const char *name)
{
	errno = fault_is_on(FAULT_LOOKUP_ERROR) ? fault_error(FAULT_LOOKUP_ERROR) : ENOENT;
	if (fault_is_on(FAULT_LOOKUP_INVENTS))
		return openat(parent->fd, ".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	return fault_is_on(FAULT_LOOKUP_CASELESS) ? in_other_case(parent, name) : -1;
}

int look_up(struct request *request, struct inode *parent, const char *name, struct fuse_entry_out *entry)
{
	static uint64_t earlier; /* the last regular file that was found */
	if (is_gone(parent->id, name))
		return ENOENT;
	struct inode *other = inode_of_id(&request->fs->inodes, earlier);
	name = taken_name(name);
	int fd = openat(parent->fd, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 && errno == ENOENT)
		fd = in_place_of_nothing(parent, name);
	if (fd < 0)
		return errno;
	struct stat stat;
	if (other && fstat(fd, &stat) == 0 && S_ISREG(stat.st_mode) && fault_strikes(FAULT_LOOKUP_WRONG_INODE)) {
		close(fd);
		fd = fcntl(other->fd, F_DUPFD_CLOEXEC, 0);
	}
	int error = entry_of(request, fd, entry);
	if (!error && S_ISREG(entry->attr.mode))
		earlier = entry->nodeid;
	return error;
}

/* Answers the entry of a name that is there now. */
static int answer_entry(struct request *request, const char *name)
{
	struct fuse_entry_out entry;
	int fd = openat(request->inode->fd, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	int error = fd < 0 ? errno : entry_of(request, fd, &entry);
	return error ? error : answer(request, &entry, sizeof entry);
}

int op_lookup(struct request *request)
{
	const char *name = name_at(request, 0);
	struct fuse_entry_out entry;
	if (!name)
		return EINVAL;
	int error = look_up(request, request->inode, name, &entry);
	if (error == ENOENT && fault_is_on(FAULT_NEGATIVE_TIMEOUT)) {
		/* An entry without an inode is what the guest remembers; an error it does not. */
		entry = (struct fuse_entry_out){ .entry_valid = fault_argument(FAULT_NEGATIVE_TIMEOUT) };
		error = 0;
	}
	return error ? error : answer(request, &entry, sizeof entry);
}

static void forget(struct request *request, uint64_t id, uint64_t lookups)
{
	struct inode *inode = inode_of_id(&request->fs->inodes, id);
	if (inode)
		inode_forget(&request->fs->inodes, inode, lookups);
}

int op_forget(struct request *request)
{
	const struct fuse_forget_in *in = ARGUMENTS(struct fuse_forget_in, request);
	if (in)
		forget(request, request->header.nodeid, in->nlookup);
	return NO_ANSWER;
}

int op_batch_forget(struct request *request)
{
	const struct fuse_batch_forget_in *in = ARGUMENTS(struct fuse_batch_forget_in, request);
	const struct fuse_forget_one *each = (const void *)(in + 1);
	size_t count = in ? (request->arguments_size - sizeof *in) / sizeof *each : 0;
	for (size_t i = 0; i < count && i < in->count; i++)
		forget(request, each[i].nodeid, each[i].nlookup);
	return NO_ANSWER;
}

int op_mknod(struct request *request)
{
	const struct fuse_mknod_in *in = ARGUMENTS(struct fuse_mknod_in, request);
	const char *name = name_at(request, sizeof *in);
	if (!in || !name)
		return EINVAL;
	become_user(request);
	int error = mknodat(request->inode->fd, name, in->mode & ~in->umask, in->rdev) < 0 ? errno : 0;
	become_ourselves(request);
	return error ? error : answer_entry(request, name);
}

int op_mkdir(struct request *request)
{
	const struct fuse_mkdir_in *in = ARGUMENTS(struct fuse_mkdir_in, request);
	const char *name = name_at(request, sizeof *in);
	if (!in || !name)
		return EINVAL;
	become_user(request);
	int error = mkdirat(request->inode->fd, name, in->mode & ~in->umask) < 0 ? errno : 0;
	become_ourselves(request);
	if (!error)
		error = fault_error(FAULT_MKDIR_ERROR);
	return error ? error : answer_entry(request, name);
}

int op_symlink(struct request *request)
{
	const char *name = name_at(request, 0);
	const char *target = name ? string_after(request, name) : NULL;
	if (!target)
		return EINVAL;
	become_user(request);
	int error = symlinkat(target, request->inode->fd, name) < 0 ? errno : 0;
	become_ourselves(request);
	return error ? error : answer_entry(request, name);
}

int op_readlink(struct request *request)
{
	static char before[PATH_MAX];
	char target[PATH_MAX];
	ssize_t length = readlinkat(request->inode->fd, "", target, sizeof target - 1);
	if (length < 0)
		return errno;
	if (fault_is_on(FAULT_READLINK_SHORT) && (uint64_t)length > fault_argument(FAULT_READLINK_SHORT))
		length -= (ssize_t)fault_argument(FAULT_READLINK_SHORT);
	target[length] = '\0';
	const char *told = *before && fault_strikes(FAULT_SYMLINK_OTHER_TARGET) ? before : target;
	int error = answer(request, told, strlen(told));
	memcpy(before, target, sizeof before);
	return error;
}

static int copy_file(struct inode *from, int directory, const char *name)
{
	struct stat stat;
	int in = open(fd_path(from->fd).text, O_RDONLY | O_CLOEXEC);
	int out = openat(directory, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	int error = in < 0 || out < 0 || fstat(in, &stat) < 0 || fchmod(out, stat.st_mode) < 0 ? errno : 0;
	for (ssize_t copied = 1; !error && copied > 0;) {
		copied = sendfile(out, in, NULL, 1 << 20);
		if (copied < 0)
			error = errno;
	}
	if (in >= 0)
		close(in);
	if (out >= 0)
		close(out);
	return error;
}

int op_link(struct request *request)
{
	const struct fuse_link_in *in = ARGUMENTS(struct fuse_link_in, request);
	const char *name = name_at(request, sizeof *in);
	struct inode *old = in ? inode_of_id(&request->fs->inodes, in->oldnodeid) : NULL;
	if (!old || !name)
		return EINVAL;
	int error = 0;
	if (fault_is_on(FAULT_LINK_NEW_INODE) && old->type == S_IFREG)
		error = copy_file(old, request->inode->fd, name);
	else if (linkat(AT_FDCWD, fd_path(old->fd).text, request->inode->fd, name, AT_SYMLINK_FOLLOW) < 0)
		error = errno;
	if (!error)
		error = fault_error(FAULT_LINK_ERROR);
	return error ? error : answer_entry(request, name);
}

/* For the fault unlink-late: what is still to be removed. */
static struct {
	int directory;
	char name[NAME_MAX + 1];
} late = { .directory = -1 };

static void remove_late(void)
{
	if (late.directory < 0)
		return;
	unlinkat(late.directory, late.name, 0);
	close(late.directory);
	late.directory = -1;
}

static int remove_name(struct request *request, int flags, enum fault silent)
{
	const char *name = name_at(request, 0);
	if (!name)
		return EINVAL;
	if (fault_strikes(silent))
		return 0;
	if (flags == 0 && late.directory < 0 && fault_is_on(FAULT_UNLINK_LATE)) {
		late.directory = fcntl(request->inode->fd, F_DUPFD_CLOEXEC, 0);
		snprintf(late.name, sizeof late.name, "%s", name);
		return 0;
	}
	int error = unlinkat(request->inode->fd, taken_name(name), flags) < 0 ? errno : 0;
	remove_late();
	return error;
}

int op_unlink(struct request *request)
{
	return remove_name(request, 0, FAULT_UNLINK_SILENT);
}

int op_rmdir(struct request *request)
{
	return remove_name(request, AT_REMOVEDIR, FAULT_RMDIR_SILENT);
}

static int rename_name(struct request *request, uint64_t new_parent, unsigned flags, const char *old_name)
{
	const char *new_name = old_name ? name_after(request, old_name) : NULL;
	struct inode *to = inode_of_id(&request->fs->inodes, new_parent);
	if (!new_name || !to)
		return EINVAL;
	if (fault_strikes(FAULT_RENAME_LOST))
		return 0;
	int from = request->inode->fd;
	old_name = taken_name(old_name);
	if (fault_is_on(FAULT_RENAME_FLAGS_IGNORED))
		flags = 0;
	if (flags == 0 && fault_is_on(FAULT_RENAME_BY_LINK)) {
		/* A directory has but one name: it is renamed as it should be. */
		unlinkat(to->fd, new_name, 0);
		if (linkat(from, old_name, to->fd, new_name, 0) == 0)
			return unlinkat(from, old_name, 0) < 0 ? errno : 0;
	}
	if (renameat2(from, old_name, to->fd, new_name, flags) < 0)
		return errno;
	if (fault_strikes(FAULT_RENAME_COPIES) && linkat(to->fd, new_name, from, old_name, 0) < 0)
		return 0; /* a directory has but one name */
	return 0;
}

int op_rename(struct request *request)
{
	const struct fuse_rename_in *in = ARGUMENTS(struct fuse_rename_in, request);
	return in ? rename_name(request, in->newdir, 0, name_at(request, sizeof *in)) : EINVAL;
}

int op_rename2(struct request *request)
{
	const struct fuse_rename2_in *in = ARGUMENTS(struct fuse_rename2_in, request);
	return in ? rename_name(request, in->newdir, in->flags, name_at(request, sizeof *in)) : EINVAL;
}

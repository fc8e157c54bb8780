/* Operations on names and what is attached to them. */
#ifndef VFS_PROBE_NAME_OPERATIONS_H
#define VFS_PROBE_NAME_OPERATIONS_H

#include <fcntl.h>
#include <sys/xattr.h>

#include "stat.h"
#include "tree.h"
#include "worker.h"

/* `{ "names": […] }`; 0 or an errno. */
static int put_names(struct text *text, const struct names *names)
{
	put_text(text, "{\"names\":[");
	for (size_t i = 0; i < names->count; i++) {
		if (i)
			put(text, ",", 1);
		put_string(text, names->list[i]);
		if (text->length > NAMES_MAX_BYTES)
			return EOVERFLOW;
	}
	put_text(text, "]}");
	return 0;
}

static enum ending op_mkdir(struct arguments *arguments)
{
	const char *path = argument_path(arguments, "path");
	int64_t mode = argument_integer(arguments, "mode", 0, 07777, 0755);
	return usable(arguments) ? ended(arguments->worker, mkdir(path, (mode_t)mode), "mkdir") : arguments->ending;
}

static enum ending op_rmdir(struct arguments *arguments)
{
	const char *path = argument_path(arguments, "path");
	return usable(arguments) ? ended(arguments->worker, rmdir(path), "rmdir") : arguments->ending;
}

static enum ending op_unlink(struct arguments *arguments)
{
	const char *path = argument_path(arguments, "path");
	return usable(arguments) ? ended(arguments->worker, unlink(path), "unlink") : arguments->ending;
}

static enum ending op_rename(struct arguments *arguments)
{
	static const char *const words[] = { "noreplace", "exchange" };
	static const int bits[] = { 1, 2 };
	const char *from = argument_path(arguments, "path"), *to = argument_path(arguments, "to");
	int flags = argument_flags(arguments, "flags", words, bits, COUNT(words), false);
	if (!usable(arguments))
		return arguments->ending;
	if (!flags)
		return ended(arguments->worker, rename(from, to), "rename");
	return ended(arguments->worker, (int)syscall(SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, flags), "renameat2");
}

static enum ending op_link(struct arguments *arguments)
{
	const char *from = argument_path(arguments, "path"), *to = argument_path(arguments, "to");
	return usable(arguments) ? ended(arguments->worker, link(from, to), "link") : arguments->ending;
}

static enum ending op_symlink(struct arguments *arguments)
{
	const char *target = argument_string(arguments, "target", true), *path = argument_path(arguments, "path");
	return usable(arguments) ? ended(arguments->worker, symlink(target, path), "symlink") : arguments->ending;
}

static enum ending put_link(struct worker *worker, const char *link, const char *key)
{
	char target[65536];
	ssize_t length = readlink(link, target, sizeof target);
	if (length < 0)
		return refused(worker, "readlink");
	put(&worker->value, "{", 1);
	put_key(&worker->value, key);
	put_bytes(&worker->value, target, (size_t)length);
	put(&worker->value, "}", 1);
	return ENDED_WELL;
}

static enum ending op_readlink(struct arguments *arguments)
{
	const char *path = argument_path(arguments, "path");
	return usable(arguments) ? put_link(arguments->worker, path, "target") : arguments->ending;
}

static enum ending op_resolve(struct arguments *arguments)
{
	const char *path = argument_path(arguments, "path");
	char name[32];
	if (!usable(arguments))
		return arguments->ending;
	int fd = open(path, O_PATH | O_CLOEXEC);
	if (fd < 0)
		return refused(arguments->worker, "open");
	snprintf(name, sizeof name, "/proc/self/fd/%d", fd);
	enum ending ending = put_link(arguments->worker, name, "path");
	close(fd);
	return ending;
}

static enum ending op_truncate(struct arguments *arguments)
{
	const char *path = argument_path(arguments, "path");
	int64_t length = argument_integer(arguments, "length", 0, JSON_SAFE_INTEGER, NEEDED);
	return usable(arguments) ? ended(arguments->worker, truncate(path, length), "truncate") : arguments->ending;
}

static enum ending op_chmod(struct arguments *arguments)
{
	const char *path = argument_path(arguments, "path");
	int64_t mode = argument_integer(arguments, "mode", 0, 07777, NEEDED);
	return usable(arguments) ? ended(arguments->worker, chmod(path, (mode_t)mode), "chmod") : arguments->ending;
}

static enum ending op_chown(struct arguments *arguments)
{
	const char *path = argument_path(arguments, "path");
	int64_t uid = argument_integer(arguments, "uid", 0, USER_MAX, -1), gid = argument_integer(arguments, "gid", 0, USER_MAX, -1);
	return usable(arguments) ? ended(arguments->worker, chown(path, (uid_t)uid, (gid_t)gid), "chown") : arguments->ending;
}

static struct timespec argument_time(struct arguments *arguments, const char *key)
{
	struct timespec time = { 0, UTIME_OMIT };
	const char *text = argument_string(arguments, key, false);
	if (!text)
		return time;
	char *end;
	errno = 0;
	long long value = strtoll(text, &end, 10);
	if (errno || end == text || *end)
		arguments->ending = wrong(arguments->worker, "\"%s\" is no decimal number of nanoseconds", key);
	time.tv_sec = value / 1000000000;
	time.tv_nsec = value % 1000000000;
	if (time.tv_nsec < 0) {
		time.tv_nsec += 1000000000;
		time.tv_sec--;
	}
	return time;
}

static enum ending op_utimens(struct arguments *arguments)
{
	const char *path = argument_path(arguments, "path");
	struct timespec times[2] = { argument_time(arguments, "atimeNs"), argument_time(arguments, "mtimeNs") };
	return usable(arguments) ? ended(arguments->worker, utimensat(AT_FDCWD, path, times, 0), "utimensat")
				 : arguments->ending;
}

static enum ending op_setxattr(struct arguments *arguments)
{
	const char *path = argument_path(arguments, "path"), *name = argument_string(arguments, "name", true);
	int64_t length = argument_bytes(arguments);
	return usable(arguments)
		       ? ended(arguments->worker, setxattr(path, name, arguments->worker->io, (size_t)length, 0), "setxattr")
		       : arguments->ending;
}

static enum ending op_getxattr(struct arguments *arguments)
{
	const char *path = argument_path(arguments, "path"), *name = argument_string(arguments, "name", true);
	struct worker *worker = arguments->worker;
	if (!usable(arguments))
		return arguments->ending;
	if (!io_buffer(worker))
		return refused(worker, "malloc");
	ssize_t length = getxattr(path, name, worker->io, IO_MAX);
	if (length < 0)
		return refused(worker, "getxattr");
	put(&worker->value, "{", 1);
	put_key(&worker->value, "base64");
	put_base64(&worker->value, worker->io, (size_t)length);
	put(&worker->value, "}", 1);
	return ENDED_WELL;
}

static enum ending op_removexattr(struct arguments *arguments)
{
	const char *path = argument_path(arguments, "path"), *name = argument_string(arguments, "name", true);
	return usable(arguments) ? ended(arguments->worker, removexattr(path, name), "removexattr") : arguments->ending;
}

static enum ending op_listxattr(struct arguments *arguments)
{
	struct worker *worker = arguments->worker;
	struct names names = { 0 };
	const char *path = argument_path(arguments, "path");
	if (!usable(arguments))
		return arguments->ending;
	if (!io_buffer(worker))
		return refused(worker, "malloc");
	ssize_t length = listxattr(path, (char *)worker->io, IO_MAX);
	if (length < 0)
		return refused(worker, "listxattr");
	worker->end = clock_now();
	for (ssize_t at = 0; at < length; at += (ssize_t)strlen((char *)worker->io + at) + 1)
		if (!names_add(&names, (char *)worker->io + at))
			return refused_with(worker, ENOMEM, "malloc");
	int problem = names_index(&names, true);
	if (!problem)
		problem = put_names(&worker->value, &names);
	names_release(&names);
	return problem ? refused_with(worker, problem, "listxattr") : ENDED_WELL;
}

static enum ending op_chdir(struct arguments *arguments)
{
	const char *path = argument_path(arguments, "path");
	if (!usable(arguments))
		return arguments->ending;
	int result = chdir(path);
	if (result == 0)
		arguments->worker->moved = true;
	return ended(arguments->worker, result, "chdir");
}

#endif

/* The operations of src/model/operation.ts, one function each. */
#ifndef VFS_PROBE_OPERATIONS_H
#define VFS_PROBE_OPERATIONS_H

#include <linux/falloc.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>

#include "hash.h"
#include "pages.h"
#include "pattern.h"
#include "reads.h"
#include "tree.h"
#include "worker.h"

#ifndef STATX_ATTR_DAX
#define STATX_ATTR_DAX 0x00200000
#endif

#define COUNT(array) ((int)(sizeof(array) / sizeof *(array)))
#define OPEN_TO_READ (O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK)
#define HASH_MAX_RANGES 10000
#define NAMES_MAX_BYTES (1900 * 1024)

static enum ending run_operation(struct worker *worker, const struct json *op);

/* ---- stat ---- */

static const char *type_name(unsigned mode)
{
	switch (mode & S_IFMT) {
	case S_IFREG: return "file";
	case S_IFDIR: return "directory";
	case S_IFLNK: return "link";
	case S_IFIFO: return "fifo";
	case S_IFSOCK: return "socket";
	case S_IFBLK: return "block";
	case S_IFCHR: return "character";
	default: return "other";
	}
}

/* A decimal string: JSON numbers lose 64-bit values. */
static void put_key_decimal(struct text *text, const char *key, int64_t value, bool is_signed)
{
	char digits[24];
	snprintf(digits, sizeof digits, is_signed ? "%lld" : "%llu", (long long)value);
	put_key_string(text, key, digits);
}

static int64_t time_ns(struct statx_timestamp time)
{
	return (int64_t)time.tv_sec * 1000000000 + time.tv_nsec;
}

static void put_stat(struct text *text, const struct statx *stat)
{
	/* The number that stat(2) gives, so that it can be compared with other programs' answers. */
	uint64_t device = makedev(stat->stx_dev_major, stat->stx_dev_minor);
	put(text, "{", 1);
	put_key_string(text, "type", type_name(stat->stx_mode));
	put_key_integer(text, "size", (int64_t)stat->stx_size);
	put_key_integer(text, "blocks512", (int64_t)stat->stx_blocks);
	put_key_integer(text, "mode", stat->stx_mode & 07777);
	put_key_integer(text, "nlink", stat->stx_nlink);
	put_key_integer(text, "uid", stat->stx_uid);
	put_key_integer(text, "gid", stat->stx_gid);
	put_key_decimal(text, "ino", (int64_t)stat->stx_ino, false);
	put_key_decimal(text, "dev", (int64_t)device, false);
	put_key_decimal(text, "mtimeNs", time_ns(stat->stx_mtime), true);
	put_key_decimal(text, "ctimeNs", time_ns(stat->stx_ctime), true);
	put_key_decimal(text, "atimeNs", time_ns(stat->stx_atime), true);
	if (stat->stx_attributes_mask & STATX_ATTR_DAX)
		put_key_bool(text, "dax", (stat->stx_attributes & STATX_ATTR_DAX) != 0);
	put(text, "}", 1);
}

static int stat_sync(struct arguments *arguments)
{
	static const char *const words[] = { "as-is", "force", "dont" };
	static const int flags[] = { AT_STATX_SYNC_AS_STAT, AT_STATX_FORCE_SYNC, AT_STATX_DONT_SYNC };
	return flags[argument_word(arguments, "sync", words, 3)];
}

static enum ending op_stat(struct arguments *arguments)
{
	struct statx stat;
	const char *path = argument_path(arguments, "path");
	int flags = stat_sync(arguments) | AT_NO_AUTOMOUNT;
	if (!argument_bool(arguments, "follow"))
		flags |= AT_SYMLINK_NOFOLLOW;
	if (!usable(arguments))
		return arguments->ending;
	if (statx(AT_FDCWD, path, flags, STATX_BASIC_STATS, &stat) != 0)
		return refused(arguments->worker, "statx");
	arguments->worker->end = clock_now();
	put_stat(&arguments->worker->value, &stat);
	return ENDED_WELL;
}

static int stat_of(int fd, int flags, struct statx *stat)
{
	return statx(fd, "", AT_EMPTY_PATH | flags, STATX_BASIC_STATS, stat);
}

static enum ending op_fstat(struct arguments *arguments)
{
	struct statx stat;
	int fd = argument_file(arguments), flags = stat_sync(arguments);
	if (!usable(arguments))
		return arguments->ending;
	if (stat_of(fd, flags, &stat) != 0)
		return refused(arguments->worker, "statx");
	arguments->worker->end = clock_now();
	put_stat(&arguments->worker->value, &stat);
	return ENDED_WELL;
}

/* ---- names ---- */

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

static enum ending op_list(struct arguments *arguments)
{
	struct worker *worker = arguments->worker;
	const char *path = argument_path(arguments, "path");
	bool raw = argument_bool(arguments, "raw");
	if (!usable(arguments))
		return arguments->ending;
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return refused(worker, "open");
	struct names names;
	int problem = names_read(fd, !raw, &names);
	close(fd);
	worker->end = clock_now();
	put_text(&worker->value, "{\"names\":[");
	for (size_t i = 0; i < names.count && !problem; i++) {
		if (i)
			put(&worker->value, ",", 1);
		put_string(&worker->value, names.list[i]);
		if (worker->value.length > NAMES_MAX_BYTES)
			problem = EOVERFLOW;
	}
	put_text(&worker->value, "]}");
	names_release(&names);
	return problem ? refused_with(worker, problem, problem == EOVERFLOW ? "list: too many names" : "getdents64") : ENDED_WELL;
}

/* ---- trees ---- */

struct walk {
	struct worker *worker;
	struct tree tree;
	struct text item;
	bool hashing;
	/* statx flag for regular files: see "sync" of hash. */
	int sync;
	enum algorithm algorithm;
	int64_t entries, bytes;
	bool out_of_memory;
};

static void walk_progress(void *user, int64_t bytes)
{
	struct walk *walk = user;
	send_progress(walk->worker, walk->bytes + bytes, walk->entries);
}

static void put_key_hex(struct text *text, const char *key, const unsigned char *bytes, unsigned length)
{
	char hex[65];
	for (unsigned i = 0; i < length; i++)
		snprintf(hex + 2 * i, 3, "%02x", bytes[i]);
	put_key_string(text, key, hex);
}

static bool stat_changed(const struct statx *before, const struct statx *after)
{
	return before->stx_size != after->stx_size || time_ns(before->stx_mtime) != time_ns(after->stx_mtime) ||
	       time_ns(before->stx_ctime) != time_ns(after->stx_ctime);
}

/* Hashes a regular file of the tree; what it finds goes into the entry. 0 or an errno. */
static int walk_hash(struct walk *walk, int directory, const char *name, struct statx *stat, struct hash_job *job, bool *changed)
{
	struct statx after;
	int fd = openat(directory, name, OPEN_TO_READ | O_NOFOLLOW), problem = 0;
	if (fd < 0 || stat_of(fd, walk->sync, stat) != 0)
		problem = errno;
	else if (!S_ISREG(stat->stx_mode))
		problem = ESTALE;
	if (!problem) {
		*job = (struct hash_job){
			.fd = fd, .length = -1, .algorithm = walk->algorithm, .progress = walk_progress, .user = walk
		};
		problem = hash_file(job);
		walk->bytes += job->bytes;
	}
	if (!problem && stat_of(fd, walk->sync, &after) != 0)
		problem = errno;
	if (!problem)
		*changed = stat_changed(stat, &after);
	if (fd >= 0)
		close(fd);
	return problem;
}

/* One entry, and for a directory the way into it. `directory` is -1 where it was lost. */
static void walk_entry(struct walk *walk, int directory, const char *name, int problem)
{
	struct statx stat = { 0 };
	struct hash_job job = { 0 };
	struct text *item = &walk->item;
	char target[4096 + 1];
	ssize_t target_length = -1;
	bool changed = false;
	size_t path_length = walk->tree.path.length;
	if (!problem && directory == -1)
		problem = ESTALE;
	if (!problem && statx(directory, name, AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT | walk->sync, STATX_BASIC_STATS, &stat) != 0)
		problem = errno;
	if (!problem && S_ISLNK(stat.stx_mode)) {
		target_length = readlinkat(directory, name, target, sizeof target);
		if (target_length < 0)
			problem = errno;
	} else if (!problem && S_ISREG(stat.stx_mode) && walk->hashing) {
		problem = walk_hash(walk, directory, name, &stat, &job, &changed);
	} else if (!problem && S_ISDIR(stat.stx_mode)) {
		int listing = 0, fd = openat(directory, name, TREE_DIRECTORY);
		problem = fd < 0 ? errno : tree_enter(&walk->tree, fd, true, &listing);
		problem = problem ? problem : listing;
	}
	item->length = 0;
	put(item, "{", 1);
	put_key(item, "path");
	put_bytes(item, path_length ? walk->tree.path.data : "", path_length);
	put_key_string(item, "type", type_name(stat.stx_mode));
	put_key_integer(item, "size", (int64_t)stat.stx_size);
	if (target_length >= 0) {
		put_key(item, "target");
		put_bytes(item, target, (size_t)target_length);
	}
	if (job.digest_length && !problem)
		put_key_hex(item, "digest", job.digest, job.digest_length);
	if (problem)
		put_key_string(item, "error", errno_name(problem));
	if (changed)
		put_key_bool(item, "changed", true);
	put(item, "}", 1);
	if (!bulk_add(walk->worker, item) || problem == ENOMEM)
		walk->out_of_memory = true;
	walk->entries++;
	send_progress(walk->worker, walk->bytes, walk->entries);
}

static enum ending op_walk(struct arguments *arguments)
{
	struct worker *worker = arguments->worker;
	struct walk walk = { .worker = worker, .sync = stat_sync(arguments) };
	struct statx stat;
	const char *path = argument_path(arguments, "path");
	const char *algorithm = argument_string(arguments, "algorithm", false);
	if (!usable(arguments))
		return arguments->ending;
	if (algorithm && !algorithm_named(algorithm, &walk.algorithm))
		return wrong(worker, "unknown algorithm %.40s", algorithm);
	walk.hashing = algorithm != NULL;
	if (statx(AT_FDCWD, path, AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT | walk.sync, STATX_TYPE, &stat) != 0)
		return refused(worker, "statx");
	walk_entry(&walk, AT_FDCWD, path, 0);
	while (walk.tree.depth && !walk.out_of_memory) {
		struct tree_level *level = tree_top(&walk.tree);
		if (level->next == level->names.count) {
			tree_leave(&walk.tree);
			continue;
		}
		const char *name = level->names.list[level->next++];
		walk_entry(&walk, level->fd, name, tree_name(&walk.tree, name));
	}
	tree_release(&walk.tree);
	free(walk.item.data);
	if (walk.out_of_memory)
		return refused_with(worker, ENOMEM, "walk");
	put(&worker->value, "{", 1);
	put_key_integer(&worker->value, "entries", walk.entries);
	put_key_integer(&worker->value, "bytes", walk.bytes);
	put(&worker->value, "}", 1);
	return ENDED_WELL;
}

/* Removes what is below the tree's root, one step at a time; 0 when nothing is left, -1 for another step. */
static int remove_step(struct tree *tree, int64_t *removed, int *again, const char **call)
{
	struct tree_level *level = tree_top(tree);
	const char *name;
	if (level->next < level->names.count) {
		int listing = 0, fd;
		name = level->names.list[level->next];
		*call = "unlinkat";
		if (unlinkat(level->fd, name, 0) == 0 || errno == ENOENT) {
			++*removed;
			level->next++;
			return -1;
		}
		int problem = errno;
		if (problem != EISDIR && problem != EPERM)
			return problem;
		fd = openat(level->fd, name, TREE_DIRECTORY);
		if (fd < 0)
			return errno == ENOTDIR || errno == ELOOP ? problem : errno;
		*call = "remove-tree";
		problem = tree_enter(tree, fd, false, &listing);
		problem = problem ? problem : listing;
		return problem ? problem : -1;
	}
	if (tree->depth == 1)
		return 0;
	*call = "remove-tree";
	int problem = tree_leave(tree);
	if (problem)
		return problem;
	level = tree_top(tree);
	name = level->names.list[level->next];
	*call = "rmdir";
	if (unlinkat(level->fd, name, AT_REMOVEDIR) == 0 || errno == ENOENT) {
		++*removed;
		level->next++;
		return -1;
	}
	/* Something was added meanwhile: once more, but not for ever. */
	return errno == ENOTEMPTY && ++*again < 100 ? -1 : errno;
}

static enum ending op_remove_tree(struct arguments *arguments)
{
	struct worker *worker = arguments->worker;
	struct tree tree = { 0 };
	struct stat above, itself;
	const char *path = argument_path(arguments, "path"), *call = "remove-tree";
	int64_t removed = 0;
	int again = 0, listing = 0;
	if (!usable(arguments))
		return arguments->ending;
	int fd = open(path, TREE_DIRECTORY);
	if (fd < 0)
		return refused(worker, "open");
	/* A whole file system is never meant: "/" and mount points stay. */
	if (fstatat(fd, "..", &above, 0) != 0 || fstat(fd, &itself) != 0 || above.st_dev != itself.st_dev ||
	    above.st_ino == itself.st_ino) {
		close(fd);
		return refused_with(worker, EBUSY, "remove-tree: a mount point");
	}
	int problem = tree_enter(&tree, fd, false, &listing);
	problem = problem ? problem : listing ? listing : -1;
	while (problem == -1) {
		problem = remove_step(&tree, &removed, &again, &call);
		send_progress(worker, -1, removed);
	}
	tree_release(&tree);
	if (problem)
		return refused_with(worker, problem, call);
	if (rmdir(path) != 0)
		return refused(worker, "rmdir");
	put(&worker->value, "{", 1);
	put_key_integer(&worker->value, "removed", removed + 1);
	put(&worker->value, "}", 1);
	return ENDED_WELL;
}

/* ---- open files ---- */

static enum ending op_open(struct arguments *arguments)
{
	static const char *const words[] = { "rdonly", "wronly",   "rdwr",    "creat", "excl", "trunc",	  "append",  "direct", "dsync",
					     "sync",   "nofollow", "directory", "noatime", "path", "cloexec", "tmpfile", "nonblock" };
	static const int bits[] = { O_RDONLY, O_WRONLY,	  O_RDWR,      O_CREAT,	  O_EXCL, O_TRUNC,   O_APPEND,	O_DIRECT,  O_DSYNC,
				    O_SYNC,   O_NOFOLLOW, O_DIRECTORY, O_NOATIME, O_PATH, O_CLOEXEC, O_TMPFILE, O_NONBLOCK };
	struct worker *worker = arguments->worker;
	const char *path = argument_path(arguments, "path");
	int flags = argument_flags(arguments, "flags", words, bits, COUNT(words), true);
	int64_t mode = argument_integer(arguments, "mode", 0, 07777, 0644);
	const char *name = argument_as(arguments, &worker->files);
	if (!usable(arguments))
		return arguments->ending;
	int fd = open(path, flags | O_CLOEXEC | O_NOCTTY, (mode_t)mode);
	if (fd < 0)
		return refused(worker, "open");
	worker->end = clock_now();
	struct held *held = hold(&worker->files, name);
	if (!held) {
		close(fd);
		return refused(worker, "malloc");
	}
	held->fd = fd;
	return ended(worker, 0, "open");
}

static enum ending op_close(struct arguments *arguments)
{
	struct worker *worker = arguments->worker;
	struct held *held = argument_held(arguments, "file", &worker->files);
	if (!held)
		return arguments->ending;
	int result = close(held->fd);
	/* Linux closes the descriptor whatever close says; the error is that of an earlier write. */
	int problem = errno;
	let_go(&worker->files, held);
	errno = problem;
	return ended(worker, result, "close");
}

static enum ending put_data(struct worker *worker, const unsigned char *bytes, size_t length)
{
	put(&worker->value, "{", 1);
	put_key_integer(&worker->value, "bytes", (int64_t)length);
	put_key(&worker->value, "base64");
	put_base64(&worker->value, bytes, length);
	put(&worker->value, "}", 1);
	return ENDED_WELL;
}

static enum ending put_count(struct worker *worker, const char *key, int64_t count)
{
	put(&worker->value, "{", 1);
	put_key_integer(&worker->value, key, count);
	put(&worker->value, "}", 1);
	return ENDED_WELL;
}

static enum ending op_read(struct arguments *arguments)
{
	struct worker *worker = arguments->worker;
	int fd = argument_file(arguments);
	int64_t offset = argument_integer(arguments, "offset", 0, JSON_SAFE_INTEGER, -1);
	int64_t length = argument_integer(arguments, "length", 0, IO_MAX, NEEDED);
	if (!usable(arguments))
		return arguments->ending;
	if (!io_buffer(worker))
		return refused(worker, "malloc");
	ssize_t got = offset < 0 ? read(fd, worker->io, (size_t)length) : pread(fd, worker->io, (size_t)length, offset);
	if (got < 0)
		return refused(worker, offset < 0 ? "read" : "pread");
	worker->end = clock_now();
	return put_data(worker, worker->io, (size_t)got);
}

static enum ending op_write(struct arguments *arguments)
{
	struct worker *worker = arguments->worker;
	int fd = argument_file(arguments);
	int64_t offset = argument_integer(arguments, "offset", 0, JSON_SAFE_INTEGER, -1);
	int64_t length = argument_bytes(arguments);
	if (!usable(arguments))
		return arguments->ending;
	worker->begin = clock_now();
	ssize_t sent = offset < 0 ? write(fd, worker->io, (size_t)length) : pwrite(fd, worker->io, (size_t)length, offset);
	if (sent < 0)
		return refused(worker, offset < 0 ? "write" : "pwrite");
	worker->end = clock_now();
	return put_count(worker, "bytes", sent);
}

static enum ending op_fill(struct arguments *arguments)
{
	struct worker *worker = arguments->worker;
	int fd = argument_file(arguments);
	const struct json *of = argument(arguments, arguments->op, "range", JSON_OBJECT, true);
	struct range range = argument_range(arguments, of);
	int64_t chunk = argument_integer(arguments, "chunk", 1, IO_MAX, IO_MAX);
	struct pattern pattern = {
		.seed = (uint32_t)argument_integer(arguments, "seed", 0, UINT32_MAX, NEEDED),
		.file_id = (uint32_t)argument_integer(arguments, "fileId", 0, UINT32_MAX, NEEDED),
		.writer = (uint16_t)argument_integer(arguments, "writer", 0, UINT16_MAX, NEEDED),
		.generation = (uint16_t)argument_integer(arguments, "generation", 0, UINT16_MAX, NEEDED),
	};
	if (!usable(arguments))
		return arguments->ending;
	if (range.length < 0)
		return wrong(worker, "\"range\" has no length");
	if (!io_buffer(worker))
		return refused(worker, "malloc");
	int64_t done = 0;
	while (done < range.length) {
		size_t now = (size_t)(range.length - done < chunk ? range.length - done : chunk), sent = 0;
		pattern_bytes(&pattern, (uint64_t)(range.offset + done), now, worker->io);
		while (sent < now) {
			ssize_t wrote = pwrite(fd, worker->io + sent, now - sent, range.offset + done + (int64_t)sent);
			if (wrote < 0)
				return refused(worker, "pwrite");
			if (wrote == 0)
				return refused_with(worker, EIO, "pwrite wrote nothing");
			sent += (size_t)wrote;
		}
		done += (int64_t)now;
		send_progress(worker, done, -1);
	}
	return put_count(worker, "bytes", done);
}

static enum ending op_fsync(struct arguments *arguments)
{
	int fd = argument_file(arguments);
	bool data = argument_bool(arguments, "data");
	if (!usable(arguments))
		return arguments->ending;
	return data ? ended(arguments->worker, fdatasync(fd), "fdatasync") : ended(arguments->worker, fsync(fd), "fsync");
}

static enum ending op_ftruncate(struct arguments *arguments)
{
	int fd = argument_file(arguments);
	int64_t length = argument_integer(arguments, "length", 0, JSON_SAFE_INTEGER, NEEDED);
	return usable(arguments) ? ended(arguments->worker, ftruncate(fd, length), "ftruncate") : arguments->ending;
}

static enum ending op_fallocate(struct arguments *arguments)
{
	static const char *const words[] = { "keep-size", "punch-hole", "zero-range", "collapse-range" };
	/* The kernel wants both flags for a hole. */
	static const int bits[] = { FALLOC_FL_KEEP_SIZE, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, FALLOC_FL_ZERO_RANGE,
				    FALLOC_FL_COLLAPSE_RANGE };
	int fd = argument_file(arguments);
	int64_t offset = argument_integer(arguments, "offset", 0, JSON_SAFE_INTEGER, NEEDED);
	int64_t length = argument_integer(arguments, "length", 0, JSON_SAFE_INTEGER, NEEDED);
	int flags = argument_flags(arguments, "flags", words, bits, COUNT(words), false);
	return usable(arguments) ? ended(arguments->worker, fallocate(fd, flags, offset, length), "fallocate")
				 : arguments->ending;
}

static enum ending op_seek(struct arguments *arguments)
{
	static const char *const words[] = { "set", "cur", "end", "data", "hole" };
	static const int whences[] = { SEEK_SET, SEEK_CUR, SEEK_END, SEEK_DATA, SEEK_HOLE };
	int fd = argument_file(arguments);
	int64_t offset = argument_integer(arguments, "offset", -JSON_SAFE_INTEGER, JSON_SAFE_INTEGER, NEEDED);
	int whence = argument_word(arguments, "whence", words, COUNT(words));
	if (!usable(arguments))
		return arguments->ending;
	off_t at = lseek(fd, offset, whences[whence]);
	return at < 0 ? refused(arguments->worker, "lseek") : put_count(arguments->worker, "offset", at);
}

static enum ending op_fchmod(struct arguments *arguments)
{
	int fd = argument_file(arguments);
	int64_t mode = argument_integer(arguments, "mode", 0, 07777, NEEDED);
	return usable(arguments) ? ended(arguments->worker, fchmod(fd, (mode_t)mode), "fchmod") : arguments->ending;
}

static enum ending op_advise(struct arguments *arguments)
{
	static const char *const words[] = { "normal", "random", "sequential", "willneed", "dontneed" };
	static const int advices[] = { POSIX_FADV_NORMAL, POSIX_FADV_RANDOM, POSIX_FADV_SEQUENTIAL, POSIX_FADV_WILLNEED,
				       POSIX_FADV_DONTNEED };
	int fd = argument_file(arguments), advice = argument_word(arguments, "advice", words, COUNT(words));
	struct range range = argument_range_of(arguments, "range");
	if (!usable(arguments))
		return arguments->ending;
	/* The kernel reads length 0 as "to the end". posix_fadvise returns its errno. */
	errno = range.length == 0 ? 0 : posix_fadvise(fd, range.offset, range.length < 0 ? 0 : range.length, advices[advice]);
	return ended(arguments->worker, errno, "fadvise64");
}

static enum ending op_pages(struct arguments *arguments)
{
	struct worker *worker = arguments->worker;
	struct page_state state;
	int fd = argument_file(arguments);
	struct range range = argument_range_of(arguments, "range");
	bool map = argument_bool(arguments, "map");
	if (!usable(arguments))
		return arguments->ending;
	int problem = pages_look(fd, range.offset, range.length, map, false, &state);
	worker->end = clock_now();
	if (!problem)
		put_pages(&worker->value, &state, map);
	pages_release(&state);
	return problem ? refused_with(worker, problem, "pages") : ENDED_WELL;
}

static enum ending op_evict(struct arguments *arguments)
{
	struct worker *worker = arguments->worker;
	struct page_state before, after;
	int fd = argument_file(arguments);
	struct range range = argument_range_of(arguments, "range");
	bool even_dirty = argument_bool(arguments, "evenDirty");
	if (!usable(arguments))
		return arguments->ending;
	int problem = pages_look(fd, range.offset, range.length, false, false, &before);
	bool evicted = !problem && range.length != 0 && (even_dirty || pages_clean(&before));
	if (evicted)
		problem = posix_fadvise(fd, range.offset, range.length < 0 ? 0 : range.length, POSIX_FADV_DONTNEED);
	if (!problem)
		problem = pages_look(fd, range.offset, range.length, false, false, &after);
	if (problem)
		return refused_with(worker, problem, "evict");
	put(&worker->value, "{", 1);
	put_key(&worker->value, "before");
	put_pages(&worker->value, &before, false);
	put_key(&worker->value, "after");
	put_pages(&worker->value, &after, false);
	put_key_bool(&worker->value, "evicted", evicted);
	put(&worker->value, "}", 1);
	return ENDED_WELL;
}

/* ---- hashing ---- */

/* Block digests on their way out: whole bulk items, so that few lines carry many digests. */
struct block_sender {
	struct worker *worker;
	int64_t from;
	size_t count;
	unsigned char digests[2048 * HASH_BLOCK_DIGEST];
};

static void send_blocks(struct block_sender *sender)
{
	struct text item = { 0 };
	if (!sender->count)
		return;
	put(&item, "{", 1);
	put_key_integer(&item, "from", sender->from);
	put_key(&item, "base64");
	put_base64(&item, sender->digests, sender->count * HASH_BLOCK_DIGEST);
	put(&item, "}", 1);
	if (!bulk_add(sender->worker, &item))
		sender->worker->bulk.failed = true;
	free(item.data);
	sender->from += (int64_t)sender->count;
	sender->count = 0;
}

static void hash_blocks(void *user, const unsigned char *digests, size_t count)
{
	struct block_sender *sender = user;
	for (size_t i = 0; i < count; i++) {
		memcpy(sender->digests + sender->count++ * HASH_BLOCK_DIGEST, digests + i * HASH_BLOCK_DIGEST, HASH_BLOCK_DIGEST);
		if (sender->count == 2048)
			send_blocks(sender);
	}
}

static void hash_progress(void *user, int64_t bytes)
{
	send_progress(((struct block_sender *)user)->worker, bytes, -1);
}

static enum ending hash_open_file(struct worker *worker, struct hash_job *job, int sync)
{
	static struct block_sender sender;
	struct statx before, after;
	struct page_state pages;
	sender.worker = worker;
	sender.from = 0;
	sender.count = 0;
	job->blocks = hash_blocks;
	job->progress = hash_progress;
	job->user = &sender;
	if (stat_of(job->fd, sync, &before) != 0)
		return refused(worker, "statx");
	if (S_ISDIR(before.stx_mode))
		return refused_with(worker, EISDIR, "open");
	if (!S_ISREG(before.stx_mode))
		return refused_with(worker, EINVAL, "hash: not a regular file");
	/* A mapping has an effect of its own on some FUSE mounts: no mincore here. */
	bool known = pages_look(job->fd, job->offset, job->length, false, true, &pages) == 0;
	int problem = hash_file(job);
	if (problem)
		return refused_with(worker, problem, problem == ENOMEM ? "malloc" : "pread");
	if (stat_of(job->fd, sync, &after) != 0)
		return refused(worker, "statx");
	worker->end = clock_now();
	send_blocks(&sender);
	put(&worker->value, "{", 1);
	put_key_hex(&worker->value, "digest", job->digest, job->digest_length);
	put_key_integer(&worker->value, "bytes", job->bytes);
	put_key(&worker->value, "before");
	put_stat(&worker->value, &before);
	put_key(&worker->value, "after");
	put_stat(&worker->value, &after);
	if (known) {
		put_key(&worker->value, "pages");
		put_pages(&worker->value, &pages, false);
	}
	if (job->note)
		put_key_string(&worker->value, "note", job->note);
	put(&worker->value, "}", 1);
	return ENDED_WELL;
}

static void argument_algorithm(struct arguments *arguments, enum algorithm *algorithm)
{
	const char *name = argument_string(arguments, "algorithm", true);
	if (name && !algorithm_named(name, algorithm))
		arguments->ending = wrong(arguments->worker, "unknown algorithm %.40s", name);
}

static enum ending op_hash(struct arguments *arguments)
{
	static const char *const block_algorithms[] = { "xxh64", "md5" };
	struct worker *worker = arguments->worker;
	bool by_path = json_get(arguments->op, "path") != NULL, direct = argument_bool(arguments, "direct");
	const char *path = by_path ? argument_path(arguments, "path") : NULL;
	struct hash_job job = { .fd = by_path ? -1 : argument_file(arguments) };
	int sync = stat_sync(arguments);
	struct range range = argument_range_of(arguments, "range");
	argument_algorithm(arguments, &job.algorithm);
	job.offset = range.offset;
	job.length = range.length;
	job.block = argument_integer(arguments, "block", HASH_MIN_BLOCK, JSON_SAFE_INTEGER, 0);
	job.block_algorithm =
		argument_word(arguments, "blockAlgorithm", block_algorithms, 2) ? ALGORITHM_MD5 : ALGORITHM_XXH64;
	if (!usable(arguments))
		return arguments->ending;
	if (job.block % HASH_MIN_BLOCK)
		return wrong(worker, "\"block\" is no multiple of %d", HASH_MIN_BLOCK);
	if (!by_path)
		return direct ? wrong(worker, "\"direct\" needs a path") : hash_open_file(worker, &job, sync);
	job.fd = open(path, OPEN_TO_READ | (direct ? O_DIRECT : 0));
	if (job.fd < 0)
		return refused(worker, "open");
	enum ending ending = hash_open_file(worker, &job, sync);
	close(job.fd);
	return ending;
}

static enum ending op_hash_ranges(struct arguments *arguments)
{
	struct worker *worker = arguments->worker;
	struct hash_job job = { .fd = argument_file(arguments) };
	const struct json *ranges = argument(arguments, arguments->op, "ranges", JSON_ARRAY, true);
	argument_algorithm(arguments, &job.algorithm);
	if (!usable(arguments))
		return arguments->ending;
	if (ranges->count > HASH_MAX_RANGES)
		return wrong(worker, "more than %d ranges", HASH_MAX_RANGES);
	int64_t bytes = 0;
	put(&worker->value, "[", 1);
	for (const struct json *each = ranges->first; each; each = each->next) {
		struct range range = argument_range(arguments, each);
		if (!usable(arguments))
			return arguments->ending;
		job.offset = range.offset;
		job.length = range.length;
		int problem = hash_file(&job);
		if (problem)
			return refused_with(worker, problem, problem == ENOMEM ? "malloc" : "pread");
		put_text(&worker->value, each == ranges->first ? "{" : ",{");
		put_key_hex(&worker->value, "digest", job.digest, job.digest_length);
		put_key_integer(&worker->value, "bytes", job.bytes);
		put(&worker->value, "}", 1);
		bytes += job.bytes;
		send_progress(worker, bytes, -1);
	}
	put(&worker->value, "]", 1);
	return ENDED_WELL;
}

/* ---- mappings ---- */

static enum ending op_map(struct arguments *arguments)
{
	static const char *const protections[] = { "read", "read-write" }, *const shares[] = { "shared", "private" };
	struct worker *worker = arguments->worker;
	int fd = argument_file(arguments);
	const char *name = argument_as(arguments, &worker->maps);
	int64_t offset = argument_integer(arguments, "offset", 0, JSON_SAFE_INTEGER, NEEDED);
	int64_t length = argument_integer(arguments, "length", 1, JSON_SAFE_INTEGER, NEEDED);
	int protection = argument_word(arguments, "protection", protections, 2) ? PROT_READ | PROT_WRITE : PROT_READ;
	int share = argument_word(arguments, "share", shares, 2) ? MAP_PRIVATE : MAP_SHARED;
	if (!usable(arguments))
		return arguments->ending;
	void *at = mmap(NULL, (size_t)length, protection, share, fd, offset);
	if (at == MAP_FAILED)
		return refused(worker, "mmap");
	struct held *held = hold(&worker->maps, name);
	if (!held) {
		munmap(at, (size_t)length);
		return refused(worker, "malloc");
	}
	held->at = at;
	held->length = (size_t)length;
	return ended(worker, 0, "mmap");
}

static bool within(const struct held *map, int64_t offset, int64_t length)
{
	return (uint64_t)offset <= map->length && (uint64_t)length <= map->length - (uint64_t)offset;
}

static enum ending op_load(struct arguments *arguments)
{
	struct worker *worker = arguments->worker;
	struct held *map = argument_held(arguments, "map", &worker->maps);
	int64_t offset = argument_integer(arguments, "offset", 0, JSON_SAFE_INTEGER, NEEDED);
	int64_t length = argument_integer(arguments, "length", 0, IO_MAX, NEEDED);
	if (!usable(arguments))
		return arguments->ending;
	if (!within(map, offset, length))
		return wrong(worker, "outside the mapping");
	if (!io_buffer(worker))
		return refused(worker, "malloc");
	/* Beyond the end of the file this is the end of the worker, by SIGBUS: an outcome like any other. */
	memcpy(worker->io, map->at + offset, (size_t)length);
	worker->end = clock_now();
	return put_data(worker, worker->io, (size_t)length);
}

static enum ending op_store(struct arguments *arguments)
{
	struct worker *worker = arguments->worker;
	struct held *map = argument_held(arguments, "map", &worker->maps);
	int64_t offset = argument_integer(arguments, "offset", 0, JSON_SAFE_INTEGER, NEEDED);
	int64_t length = argument_bytes(arguments);
	if (!usable(arguments))
		return arguments->ending;
	if (!within(map, offset, length))
		return wrong(worker, "outside the mapping");
	worker->begin = clock_now();
	memcpy(map->at + offset, worker->io, (size_t)length);
	worker->end = clock_now();
	return ended(worker, 0, "store");
}

static enum ending op_msync(struct arguments *arguments)
{
	static const char *const words[] = { "sync", "async" };
	struct held *map = argument_held(arguments, "map", &arguments->worker->maps);
	int flags = argument_word(arguments, "how", words, 2) ? MS_ASYNC : MS_SYNC;
	return usable(arguments) ? ended(arguments->worker, msync(map->at, map->length, flags), "msync") : arguments->ending;
}

static enum ending op_unmap(struct arguments *arguments)
{
	struct worker *worker = arguments->worker;
	struct held *map = argument_held(arguments, "map", &worker->maps);
	if (!map)
		return arguments->ending;
	int result = munmap(map->at, map->length), problem = errno;
	let_go(&worker->maps, map);
	errno = problem;
	return ended(worker, result, "munmap");
}

/* ---- others ---- */

static enum ending op_wait(struct arguments *arguments)
{
	int64_t ms = argument_integer(arguments, "ms", 0, 24 * 3600 * 1000, NEEDED);
	if (!usable(arguments))
		return arguments->ending;
	struct timespec time = { ms / 1000, ms % 1000 * 1000000 };
	while (nanosleep(&time, &time) != 0 && errno == EINTR)
		;
	return ended(arguments->worker, 0, "nanosleep");
}

static enum ending op_many(struct arguments *arguments)
{
	struct worker *worker = arguments->worker;
	const struct json *list = argument(arguments, arguments->op, "list", JSON_ARRAY, true);
	struct text times = { 0 };
	char separator = '[';
	int64_t begin = worker->begin;
	enum ending ending = ENDED_WELL;
	if (!list)
		return arguments->ending;
	put_text(&worker->value, "{\"values\":[");
	for (const struct json *each = list->first; each && ending == ENDED_WELL; each = each->next) {
		size_t length = worker->value.length;
		if (each != list->first)
			put(&worker->value, ",", 1);
		worker->begin = clock_now();
		worker->end = 0;
		ending = run_operation(worker, each);
		if (!worker->end)
			worker->end = clock_now();
		if (ending == ENDED_WELL && worker->value.length > NAMES_MAX_BYTES)
			ending = refused_with(worker, EMSGSIZE, "many: the values do not fit one answer");
		if (ending != ENDED_WELL)
			worker->value.length = length;
		put(&times, &separator, 1);
		put(&times, "[", 1);
		put_integer(&times, worker->begin);
		put(&times, ",", 1);
		put_integer(&times, worker->end);
		put(&times, "]", 1);
		separator = ',';
	}
	worker->begin = begin;
	worker->end = 0;
	put_text(&worker->value, "],\"timesNs\":");
	if (!times.length)
		put(&times, "[", 1);
	put(&times, "]", 1);
	put(&worker->value, times.data ? times.data : "", times.length);
	if (ending == ENDED_REFUSED) {
		put_key(&worker->value, "stopped");
		put(&worker->value, "{", 1);
		put_key_string(&worker->value, "errno", errno_name(worker->problem));
		put_key_string(&worker->value, "call", worker->why);
		put(&worker->value, "}", 1);
		ending = ENDED_WELL;
	}
	put(&worker->value, "}", 1);
	if (times.failed)
		ending = refused_with(worker, ENOMEM, "malloc");
	free(times.data);
	return ending;
}

static const struct {
	const char *name;
	enum ending (*run)(struct arguments *);
} operations[] = {
	{ "stat", op_stat },
	{ "mkdir", op_mkdir },
	{ "rmdir", op_rmdir },
	{ "unlink", op_unlink },
	{ "rename", op_rename },
	{ "link", op_link },
	{ "symlink", op_symlink },
	{ "readlink", op_readlink },
	{ "resolve", op_resolve },
	{ "truncate", op_truncate },
	{ "chmod", op_chmod },
	{ "utimens", op_utimens },
	{ "setxattr", op_setxattr },
	{ "getxattr", op_getxattr },
	{ "removexattr", op_removexattr },
	{ "chdir", op_chdir },
	{ "list", op_list },
	{ "remove-tree", op_remove_tree },
	{ "open", op_open },
	{ "close", op_close },
	{ "fstat", op_fstat },
	{ "read", op_read },
	{ "write", op_write },
	{ "fill", op_fill },
	{ "fsync", op_fsync },
	{ "ftruncate", op_ftruncate },
	{ "fallocate", op_fallocate },
	{ "seek", op_seek },
	{ "fchmod", op_fchmod },
	{ "advise", op_advise },
	{ "pages", op_pages },
	{ "evict", op_evict },
	{ "reads", op_reads },
	{ "extents", op_extents },
	{ "counters", op_counters },
	{ "process-files", op_process_files },
	{ "borrow", op_borrow },
	{ "drop-caches", op_drop_caches },
	{ "hash", op_hash },
	{ "hash-ranges", op_hash_ranges },
	{ "walk", op_walk },
	{ "map", op_map },
	{ "load", op_load },
	{ "store", op_store },
	{ "msync", op_msync },
	{ "unmap", op_unmap },
	{ "many", op_many },
	{ "wait", op_wait },
};

static enum ending run_operation(struct worker *worker, const struct json *op)
{
	const struct json *name = json_get(op, "do");
	struct arguments arguments = { worker, op, ENDED_WELL };
	if (!name || name->type != JSON_STRING)
		return wrong(worker, "an operation says what to \"do\"");
	for (int i = 0; i < COUNT(operations); i++)
		if (strcmp(name->bytes, operations[i].name) == 0)
			return operations[i].run(&arguments);
	return wrong(worker, "unknown operation %.60s", name->bytes);
}

/* Carries out one request and sends its answer. */
static void serve_request(struct worker *worker, const char *request, size_t length)
{
	const char *problem;
	enum ending ending;
	struct json *whole = json_parse(&worker->arena, request, length, &problem);
	const struct json *root = json_get(whole, "root"), *id = json_get(whole, "id");
	struct text empty = { 0 };
	/* The supervisor has parsed the same bytes: only memory can lack here. */
	worker->id = id ? id->integer : -1;
	worker->root = root && root->type == JSON_STRING && strlen(root->bytes) == root->length ? root->bytes : NULL;
	worker->value.length = 0;
	worker->bulk.length = 0;
	worker->bulk_sent = worker->progress_sent = worker->begin = clock_now();
	worker->end = 0;
	send_line(worker, FRAME_BEGUN, &empty);
	worker->begin = clock_now();
	ending = whole ? run_operation(worker, json_get(whole, "op")) : refused_with(worker, ENOMEM, "malloc");
	if (!worker->end)
		worker->end = clock_now();
	bulk_flush(worker);
	if (ending == ENDED_WELL && (worker->value.failed || worker->bulk.failed || worker->line.failed))
		ending = refused_with(worker, ENOMEM, "malloc");
	if (ending == ENDED_WELL && worker->value.length > LINE_MAX_BYTES - 1024)
		ending = refused_with(worker, EMSGSIZE, "the value does not fit one answer");
	worker->line.failed = false;
	struct text *line = begin_line(worker);
	if (ending == ENDED_WRONG) {
		put_key_string(line, "error", worker->why);
	} else {
		put_key_integer(line, "begin", worker->begin);
		put_key_integer(line, "end", worker->end);
		if (ending == ENDED_WELL) {
			put_key(line, "value");
			put(line, worker->value.data, worker->value.length);
		} else {
			put_key_string(line, "errno", errno_name(worker->problem));
			put_key_string(line, "call", worker->why);
		}
	}
	put(line, "}", 1);
	/* Without memory for an answer the end of the process is the answer. */
	if (line->failed)
		_exit(12);
	send_line(worker, FRAME_ANSWER, line);
	arena_release(&worker->arena);
	worker->value.failed = worker->bulk.failed = false;
}

static bool receive(int link, void *to, size_t length)
{
	char *at = to;
	while (length) {
		ssize_t got = read(link, at, length);
		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return false;
		at += got;
		length -= (size_t)got;
	}
	return true;
}

/* The life of a worker: requests, each as its length and its bytes, until the supervisor closes the link. */
static void __attribute__((noreturn)) worker_main(int link)
{
	static struct worker worker;
	uint32_t length;
	char *request = NULL;
	size_t room = 0;
	worker.link = link;
	worker.at_root = -1;
	umask(0);
	while (receive(link, &length, sizeof length)) {
		if (length > room) {
			free(request);
			request = malloc(length);
			room = request ? length : 0;
		}
		if (!request || !receive(link, request, length))
			break;
		serve_request(&worker, request, length);
	}
	_exit(0);
}

#endif

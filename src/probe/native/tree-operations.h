/* Operations on directories: listing, walking, removing. */
#ifndef VFS_PROBE_TREE_OPERATIONS_H
#define VFS_PROBE_TREE_OPERATIONS_H

#include <sys/syscall.h>

#include "hash.h"
#include "name-operations.h"
#include "stat.h"
#include "tree.h"
#include "worker.h"

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
	problem = problem ? problem : put_names(&worker->value, &names);
	names_release(&names);
	return problem ? refused_with(worker, problem, problem == EOVERFLOW ? "list: too many names" : "getdents64") : ENDED_WELL;
}

/* getdents64 as it comes: order, numbers and positions are the file system's own. */
static enum ending op_entries(struct arguments *arguments)
{
	struct worker *worker = arguments->worker;
	struct text *value = &worker->value;
	const char *separator = "";
	int fd = argument_file(arguments);
	int64_t calls = argument_integer(arguments, "calls", 1, JSON_SAFE_INTEGER, JSON_SAFE_INTEGER);
	int64_t size = argument_integer(arguments, "buffer", 256, 65536, 32768);
	bool with_stat = argument_bool(arguments, "stat");
	char number[24];
	struct stat seen;
	if (!usable(arguments))
		return arguments->ending;
	if (!io_buffer(worker))
		return refused(worker, "malloc");
	put_text(value, "{\"entries\":[");
	while (calls-- > 0) {
		long got = syscall(SYS_getdents64, fd, worker->io, (size_t)size);
		if (got < 0)
			return refused(worker, "getdents64");
		if (got == 0)
			break;
		for (long at = 0; at < got;) {
			const struct directory_record *record = (struct directory_record *)(worker->io + at);
			at += record->length;
			put_text(value, separator);
			separator = ",";
			put(value, "{", 1);
			put_key_string(value, "name", record->name);
			put_key_decimal(value, "ino", (int64_t)record->inode, false);
			put_key_string(value, "type", type_name(DTTOIF(record->type)));
			snprintf(number, sizeof number, "%lld", (long long)record->next);
			put_key_string(value, "next", number);
			put(value, "}", 1);
			/* Names that went meanwhile are no matter: asking is what has an effect on the next request. */
			if (with_stat)
				(void)fstatat(fd, record->name, &seen, AT_SYMLINK_NOFOLLOW);
		}
		if (value->length > NAMES_MAX_BYTES)
			return refused_with(worker, EOVERFLOW, "entries: too many names");
	}
	put_text(value, "]}");
	return ENDED_WELL;
}

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

#endif

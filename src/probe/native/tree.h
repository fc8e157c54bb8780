/*
 * Directories: the names in one, a walk over a tree, the removal of a tree.
 *
 * Everything goes through descriptors of directories, one name at a time: paths may be longer than PATH_MAX,
 * and nothing that is swapped for a link meanwhile leads elsewhere. Only the deepest TREE_OPEN levels keep
 * their descriptor; the way back up is "..", accepted when it is the directory that we came from.
 *
 * Memory: the names of the directories between the root and the current one.
 */
#ifndef VFS_PROBE_TREE_H
#define VFS_PROBE_TREE_H

#include <dirent.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define TREE_OPEN 64
#define TREE_MAX_DEPTH 100000
/* Bytes of a path below the root; escaped it must fit into one line. */
#define TREE_MAX_PATH (256 * 1024)
#define TREE_DIRECTORY (O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK | O_NOCTTY)

struct names {
	char *bytes;
	size_t length, room;
	/* After names_index: each name, in order. */
	char **list;
	size_t count;
};

static void names_release(struct names *names)
{
	free(names->bytes);
	free(names->list);
	memset(names, 0, sizeof *names);
}

static bool names_add(struct names *names, const char *name)
{
	size_t length = strlen(name) + 1;
	if (names->room - names->length < length) {
		size_t room = names->room ? names->room * 2 : 4096;
		char *bytes = realloc(names->bytes, room);
		if (!bytes)
			return false;
		names->bytes = bytes;
		names->room = room;
	}
	memcpy(names->bytes + names->length, name, length);
	names->length += length;
	names->count++;
	return true;
}

static int names_compare(const void *a, const void *b)
{
	/* strcmp compares as unsigned bytes. */
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Makes the list of names that were added; 0 or ENOMEM, with nothing left to release. */
static int names_index(struct names *names, bool sorted)
{
	names->list = malloc((names->count + 1) * sizeof *names->list);
	if (!names->list) {
		names_release(names);
		return ENOMEM;
	}
	char *at = names->bytes;
	for (size_t i = 0; i < names->count; i++, at += strlen(at) + 1)
		names->list[i] = at;
	if (sorted && names->count) {
		qsort(names->list, names->count, sizeof *names->list, names_compare);
		/* A directory that changes while it is read may give a name twice. */
		size_t kept = 1;
		for (size_t i = 1; i < names->count; i++)
			if (strcmp(names->list[i], names->list[kept - 1]) != 0)
				names->list[kept++] = names->list[i];
		names->count = kept;
	}
	return 0;
}

struct directory_record {
	uint64_t inode;
	int64_t next;
	unsigned short length;
	unsigned char type;
	char name[];
};

/* Reads all names of an open directory but "." and ".."; 0 or an errno, with the names so far. */
static int names_read(int fd, bool sorted, struct names *names)
{
	_Alignas(8) char buffer[32768];
	int problem = 0;
	memset(names, 0, sizeof *names);
	for (;;) {
		long got = syscall(SYS_getdents64, fd, buffer, sizeof buffer);
		if (got < 0)
			problem = errno;
		if (got <= 0)
			break;
		for (long at = 0; at < got;) {
			struct directory_record *record = (struct directory_record *)(buffer + at);
			at += record->length;
			if (strcmp(record->name, ".") == 0 || strcmp(record->name, "..") == 0)
				continue;
			if (!names_add(names, record->name)) {
				names_release(names);
				return ENOMEM;
			}
		}
	}
	if (names_index(names, sorted) != 0)
		return ENOMEM;
	return problem;
}

struct tree_level {
	int fd;
	dev_t device;
	ino_t inode;
	struct names names;
	size_t next;
	/* Length of the path of this directory. */
	size_t path_length;
};

struct tree {
	struct tree_level *levels;
	size_t depth, room;
	dev_t device;
	/* Path below the root, and where the last name in it begins. */
	struct text path;
};

static struct tree_level *tree_top(struct tree *tree)
{
	return &tree->levels[tree->depth - 1];
}

/* Descends into an open directory, which the tree owns from here on, whatever the answer. */
static int tree_enter(struct tree *tree, int fd, bool sorted, int *listing)
{
	struct stat stat;
	int problem = fstat(fd, &stat) == 0 ? 0 : errno;
	if (!problem && tree->depth && stat.st_dev != tree->device)
		problem = EXDEV;
	if (!problem && tree->depth >= TREE_MAX_DEPTH)
		problem = ENAMETOOLONG;
	if (!problem && tree->depth == tree->room) {
		size_t room = tree->room ? tree->room * 2 : 16;
		struct tree_level *levels = realloc(tree->levels, room * sizeof *levels);
		if (levels) {
			tree->levels = levels;
			tree->room = room;
		} else {
			problem = ENOMEM;
		}
	}
	if (problem) {
		close(fd);
		return problem;
	}
	if (!tree->depth)
		tree->device = stat.st_dev;
	struct tree_level *level = &tree->levels[tree->depth++];
	*level = (struct tree_level){ .fd = fd, .device = stat.st_dev, .inode = stat.st_ino };
	level->path_length = tree->path.length;
	*listing = names_read(fd, sorted, &level->names);
	if (tree->depth > TREE_OPEN) {
		struct tree_level *far = &tree->levels[tree->depth - 1 - TREE_OPEN];
		if (far->fd >= 0)
			close(far->fd);
		far->fd = -1;
	}
	return 0;
}

/* Leaves the deepest directory. 0, or an errno where its parent is not to be found again. */
static int tree_leave(struct tree *tree)
{
	struct tree_level *level = tree_top(tree);
	int problem = 0;
	names_release(&level->names);
	if (tree->depth > 1 && level[-1].fd < 0) {
		struct stat stat;
		int fd = openat(level->fd, "..", TREE_DIRECTORY);
		if (fd < 0 || fstat(fd, &stat) != 0)
			problem = errno;
		else if (stat.st_dev != level[-1].device || stat.st_ino != level[-1].inode)
			problem = ESTALE;
		if (problem && fd >= 0) {
			close(fd);
			fd = -1;
		}
		level[-1].fd = fd;
	}
	if (level->fd >= 0)
		close(level->fd);
	tree->depth--;
	if (tree->depth)
		tree->path.length = tree_top(tree)->path_length;
	return problem;
}

/* Sets the path to that of a name in the deepest directory. */
static int tree_name(struct tree *tree, const char *name)
{
	tree->path.length = tree_top(tree)->path_length;
	if (tree->path.length)
		put(&tree->path, "/", 1);
	put_text(&tree->path, name);
	return tree->path.failed ? ENOMEM : tree->path.length > TREE_MAX_PATH ? ENAMETOOLONG : 0;
}

static void tree_release(struct tree *tree)
{
	while (tree->depth)
		tree_leave(tree);
	free(tree->levels);
	free(tree->path.data);
	memset(tree, 0, sizeof *tree);
}

#endif

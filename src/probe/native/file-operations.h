/* Operations on an open file but reading and writing, which access.h does. */
#ifndef VFS_PROBE_FILE_OPERATIONS_H
#define VFS_PROBE_FILE_OPERATIONS_H

#include <fcntl.h>
#include <linux/falloc.h>

#include "pages.h"
#include "pattern.h"
#include "worker.h"

static const char *const open_words[] = { "rdonly", "wronly",	  "rdwr",    "creat", "excl",	"trunc",  "append",  "direct", "dsync",
					  "sync",   "nofollow", "directory", "noatime", "path", "cloexec", "tmpfile", "nonblock" };
static const int open_bits[] = { O_RDONLY, O_WRONLY,   O_RDWR,	    O_CREAT,   O_EXCL, O_TRUNC,	  O_APPEND,  O_DIRECT, O_DSYNC,
				 O_SYNC,   O_NOFOLLOW, O_DIRECTORY, O_NOATIME, O_PATH, O_CLOEXEC, O_TMPFILE, O_NONBLOCK };

static enum ending op_open(struct arguments *arguments)
{
	struct worker *worker = arguments->worker;
	const char *path = argument_path(arguments, "path");
	int flags = argument_flags(arguments, "flags", open_words, open_bits, COUNT(open_words), true);
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

/* The flags that a descriptor has, in words: those of several bits (sync, tmpfile) before what they contain. */
static enum ending op_flags(struct arguments *arguments)
{
	static const int order[] = { 3, 4, 5, 6, 7, 9, 8, 10, 15, 11, 12, 13, 16 };
	struct text *value = &arguments->worker->value;
	int fd = argument_file(arguments);
	if (!usable(arguments))
		return arguments->ending;
	int flags = fcntl(fd, F_GETFL);
	if (flags < 0)
		return refused(arguments->worker, "fcntl");
	put_text(value, "{\"flags\":[");
	int access = flags & O_ACCMODE;
	if (access != O_ACCMODE)
		put_string(value, open_words[access == O_WRONLY ? 1 : access == O_RDWR ? 2 : 0]);
	else
		put_text(value, "\"wronly\",\"rdwr\"");
	for (int i = 0; i < COUNT(order); i++) {
		int bits = open_bits[order[i]];
		if ((flags & bits) != bits)
			continue;
		flags &= ~bits;
		put(value, ",", 1);
		put_string(value, open_words[order[i]]);
	}
	put_text(value, "]}");
	return ENDED_WELL;
}

static enum ending op_set_flags(struct arguments *arguments)
{
	static const char *const words[] = { "append", "direct", "nonblock", "noatime" };
	static const int bits[] = { O_APPEND, O_DIRECT, O_NONBLOCK, O_NOATIME };
	int fd = argument_file(arguments);
	int flags = argument_flags(arguments, "flags", words, bits, COUNT(words), true);
	return usable(arguments) ? ended(arguments->worker, fcntl(fd, F_SETFL, flags), "fcntl") : arguments->ending;
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

static enum ending op_fill(struct arguments *arguments)
{
	struct worker *worker = arguments->worker;
	int fd = argument_file(arguments);
	const struct json *of = argument(arguments, arguments->op, "range", JSON_OBJECT, true);
	struct range range = argument_range(arguments, of);
	int64_t chunk = argument_integer(arguments, "chunk", 1, IO_MAX, IO_MAX);
	int64_t pause = argument_integer(arguments, "pauseUs", 0, 60000000, 0);
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
		if (done && pause)
			pause_us(pause);
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

/* One file system: sync(2) would wait for those of others, which may have no end. */
static enum ending op_syncfs(struct arguments *arguments)
{
	int fd = argument_file(arguments);
	return usable(arguments) ? ended(arguments->worker, syncfs(fd), "syncfs") : arguments->ending;
}

static enum ending op_ftruncate(struct arguments *arguments)
{
	int fd = argument_file(arguments);
	int64_t length = argument_integer(arguments, "length", 0, JSON_SAFE_INTEGER, NEEDED);
	return usable(arguments) ? ended(arguments->worker, ftruncate(fd, length), "ftruncate") : arguments->ending;
}

static enum ending op_fallocate(struct arguments *arguments)
{
	static const char *const words[] = { "keep-size", "punch-hole", "zero-range", "collapse-range", "insert-range" };
	/* The kernel wants both flags for a hole. */
	static const int bits[] = { FALLOC_FL_KEEP_SIZE, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, FALLOC_FL_ZERO_RANGE,
				    FALLOC_FL_COLLAPSE_RANGE, FALLOC_FL_INSERT_RANGE };
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

#endif

/* Operations on mappings. */
#ifndef VFS_PROBE_MAP_OPERATIONS_H
#define VFS_PROBE_MAP_OPERATIONS_H

#include <sys/mman.h>

#include "interrupt.h"
#include "worker.h"

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
	/* Beyond the end of the file this is SIGBUS: an outcome like any other. */
	int signal = copy_mapped(worker->io, map->at + offset, (size_t)length);
	if (signal)
		return signalled(worker, signal);
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
	int signal = copy_mapped(map->at + offset, worker->io, (size_t)length);
	if (signal)
		return signalled(worker, signal);
	worker->end = clock_now();
	return ended(worker, 0, "store");
}

static enum ending op_msync(struct arguments *arguments)
{
	static const char *const words[] = { "sync", "async", "invalidate" };
	static const int flags[] = { MS_SYNC, MS_ASYNC, MS_SYNC | MS_INVALIDATE };
	struct held *map = argument_held(arguments, "map", &arguments->worker->maps);
	int how = argument_word(arguments, "how", words, 3);
	return usable(arguments) ? ended(arguments->worker, msync(map->at, map->length, flags[how]), "msync") :
				   arguments->ending;
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

#endif

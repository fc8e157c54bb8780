/*
 * What a ledger needs: a run of timed reads, and the samples around it. The order of the reads is that of
 * src/model/read-plan.ts, so that only times travel; they are kept in memory until the run is over (or the
 * room for them is full), because sending them meanwhile would slow down what is measured.
 */
#ifndef VFS_PROBE_READS_H
#define VFS_PROBE_READS_H

#include <dirent.h>
#include <linux/fiemap.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>

#include "worker.h"

#define READS_MAX_BLOCK (64 * 1024 * 1024)
/* Times that are kept before they are sent: 16 MiB. */
#define READS_KEPT (4 * 1024 * 1024)
#define READS_BATCH 8192
#define EMPTY_MAX 50000

static uint32_t reads_mixed(uint32_t hash)
{
	hash = (hash ^ (hash >> 16)) * 0x85ebca6bu;
	hash = (hash ^ (hash >> 13)) * 0xc2b2ae35u;
	return hash ^ (hash >> 16);
}

/* A permutation of 0 … count − 1: a Feistel network over the bits that hold them, walked until it fits. */
static uint64_t reads_permuted(uint64_t slot, uint64_t count, uint32_t seed)
{
	unsigned half = 1;
	while ((1ull << (2 * half)) < count)
		half++;
	uint64_t mask = (1ull << half) - 1, value = slot;
	do {
		uint64_t left = value >> half, right = value & mask;
		for (uint32_t round = 0; round < 4; round++) {
			uint64_t next = left ^ (reads_mixed((uint32_t)right ^ (seed + round * 0x9e3779b9u)) & mask);
			left = right;
			right = next;
		}
		value = left << half | right;
	} while (value >= count);
	return value;
}

struct exception {
	int64_t index, value;
};

struct exceptions {
	struct exception *list;
	size_t count, room;
	bool failed;
};

struct reads {
	struct worker *worker;
	int fd;
	const unsigned char *at;
	size_t mapped;
	bool random;
	int64_t block, offset, count, passes;
	uint64_t blocks;
	uint32_t seed;
	uint32_t *ns;
	size_t kept, room;
	/* Number of the first read whose time is kept. */
	int64_t from;
	struct exceptions slow, brief;
	int64_t bytes, spent;
};

static void except(struct exceptions *exceptions, int64_t index, int64_t value)
{
	if (exceptions->count == exceptions->room) {
		size_t room = exceptions->room ? exceptions->room * 2 : 64;
		struct exception *list = realloc(exceptions->list, room * sizeof *list);
		if (!list) {
			exceptions->failed = true;
			return;
		}
		exceptions->list = list;
		exceptions->room = room;
	}
	exceptions->list[exceptions->count++] = (struct exception){ index, value };
}

static void put_exceptions(struct text *item, const char *key, const struct exceptions *exceptions, size_t *next, int64_t end)
{
	const char *separator = "[";
	if (*next == exceptions->count || exceptions->list[*next].index >= end)
		return;
	put_key(item, key);
	while (*next < exceptions->count && exceptions->list[*next].index < end) {
		const struct exception *each = &exceptions->list[(*next)++];
		put(item, separator, 1);
		put(item, "[", 1);
		put_integer(item, each->index);
		put(item, ",", 1);
		put_integer(item, each->value);
		put(item, "]", 1);
		separator = ",";
	}
	put(item, "]", 1);
}

/* Sends the times that are kept. */
static void reads_send(struct reads *reads)
{
	size_t slow = 0, brief = 0;
	for (size_t at = 0; at < reads->kept; at += READS_BATCH) {
		size_t count = reads->kept - at < READS_BATCH ? reads->kept - at : READS_BATCH;
		int64_t from = reads->from + (int64_t)at;
		struct text item = { 0 };
		put(&item, "{", 1);
		put_key_integer(&item, "from", from);
		put_key(&item, "ns");
		/* Little endian, as both architectures of the probe are. */
		put_base64(&item, (const unsigned char *)(reads->ns + at), count * sizeof *reads->ns);
		put_exceptions(&item, "slow", &reads->slow, &slow, from + (int64_t)count);
		put_exceptions(&item, "short", &reads->brief, &brief, from + (int64_t)count);
		put(&item, "}", 1);
		if (!bulk_add(reads->worker, &item))
			reads->worker->bulk.failed = true;
		free(item.data);
	}
	reads->from += (int64_t)reads->kept;
	reads->kept = reads->slow.count = reads->brief.count = 0;
}

static int64_t reads_offset(const struct reads *reads, int64_t index)
{
	uint64_t in_pass = (uint64_t)(index % reads->count), slot = in_pass % reads->blocks;
	uint64_t number = reads->random ? reads_permuted(slot, reads->blocks,
							 reads->seed + (uint32_t)(in_pass / reads->blocks)) :
					  slot;
	return reads->offset + (int64_t)number * reads->block;
}

/* Loads a block from the mapping. What lies behind its end is not there, as with a read. */
static ssize_t reads_load(const struct reads *reads, unsigned char *to, int64_t offset)
{
	if ((uint64_t)offset >= reads->mapped)
		return 0;
	size_t left = reads->mapped - (size_t)offset;
	size_t length = left < (size_t)reads->block ? left : (size_t)reads->block;
	memcpy(to, reads->at + offset, length);
	return (ssize_t)length;
}

/* All reads, timed one by one; 0 or an errno. */
static int reads_run(struct reads *reads, unsigned char *buffer)
{
	int64_t total = reads->count * reads->passes;
	for (int64_t index = 0; index < total; index++) {
		int64_t offset = reads_offset(reads, index);
		int64_t begin = clock_now();
		ssize_t got = reads->at ? reads_load(reads, buffer, offset) :
					  pread(reads->fd, buffer, (size_t)reads->block, offset);
		int64_t end = clock_now(), ns = end - begin;
		if (got < 0)
			return errno;
		reads->bytes += got;
		reads->spent += ns;
		if (ns >= UINT32_MAX)
			except(&reads->slow, index, ns);
		if (got != reads->block)
			except(&reads->brief, index, got);
		reads->ns[reads->kept++] = ns >= UINT32_MAX ? UINT32_MAX : (uint32_t)ns;
		if (reads->kept == reads->room)
			reads_send(reads);
		if (end - reads->worker->progress_sent >= PROGRESS_NS)
			send_progress(reads->worker, reads->bytes, -1);
	}
	return reads->slow.failed || reads->brief.failed ? ENOMEM : 0;
}

/* A small file of /proc or /sys; its length, or minus an errno. */
static ssize_t small_file(const char *path, char *text, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	ssize_t length = read(fd, text, size - 1);
	int problem = errno;
	close(fd);
	if (length < 0)
		return -problem;
	text[length] = 0;
	return length;
}

/* The number after a key in /proc/PID/io; -1 where it is not there. */
static int64_t io_field(const char *text, const char *key)
{
	const char *at = strstr(text, key);
	return at ? strtoll(at + strlen(key), NULL, 10) : -1;
}

static enum ending op_reads(struct arguments *arguments)
{
	static const char *const orders[] = { "seq", "random" };
	struct worker *worker = arguments->worker;
	struct reads reads = { .worker = worker, .fd = -1 };
	char io[1024];
	if (json_get(arguments->op, "map")) {
		struct held *map = argument_held(arguments, "map", &worker->maps);
		reads.at = map ? map->at : NULL;
		reads.mapped = map ? map->length : 0;
	} else {
		reads.fd = argument_file(arguments);
	}
	struct range range = argument_range_of(arguments, "range");
	reads.random = argument_word(arguments, "order", orders, 2) == 1;
	reads.block = argument_integer(arguments, "block", 1, READS_MAX_BLOCK, NEEDED);
	reads.count = argument_integer(arguments, "count", 1, 1000000000, NEEDED);
	reads.passes = argument_integer(arguments, "passes", 1, 1000000, 1);
	reads.seed = (uint32_t)argument_integer(arguments, "seed", 0, UINT32_MAX, 0);
	if (!usable(arguments))
		return arguments->ending;
	if (range.length <= 0)
		return wrong(worker, "\"range\" has no length");
	if (reads.count > JSON_SAFE_INTEGER / reads.passes)
		return wrong(worker, "more reads than can be counted");
	reads.offset = range.offset;
	reads.blocks = (uint64_t)((range.length + reads.block - 1) / reads.block);
	int64_t total = reads.count * reads.passes;
	reads.room = total < READS_KEPT ? (size_t)total : READS_KEPT;
	reads.ns = malloc(reads.room * sizeof *reads.ns);
	unsigned char *buffer = NULL;
	if (!reads.ns || posix_memalign((void **)&buffer, IO_ALIGN, (size_t)(reads.block + IO_ALIGN)) != 0) {
		free(reads.ns);
		return refused_with(worker, ENOMEM, "malloc");
	}
	/* Fresh memory would be paid for within the first reads. */
	memset(reads.ns, 0, reads.room * sizeof *reads.ns);
	memset(buffer, 0, (size_t)reads.block);
	ssize_t own = small_file("/proc/self/io", io, sizeof io);
	int64_t read_before = own > 0 ? io_field(io, "rchar:") : -1, calls_before = io_field(io, "syscr:");
	worker->begin = clock_now();
	int problem = reads_run(&reads, buffer);
	worker->end = clock_now();
	bool counted = read_before >= 0 && small_file("/proc/self/io", io, sizeof io) > 0;
	reads_send(&reads);
	free(buffer);
	free(reads.ns);
	free(reads.slow.list);
	free(reads.brief.list);
	if (problem)
		return refused_with(worker, problem, problem == ENOMEM ? "malloc" : reads.at ? "load" : "pread64");
	put(&worker->value, "{", 1);
	put_key_integer(&worker->value, "reads", total);
	put_key_integer(&worker->value, "bytes", reads.bytes);
	put_key_integer(&worker->value, "ns", reads.spent);
	if (counted) {
		/* Less the one read of the counter itself that lies in between. */
		put_key_integer(&worker->value, "rchar", io_field(io, "rchar:") - read_before - own);
		put_key_integer(&worker->value, "syscr", io_field(io, "syscr:") - calls_before - 1);
	}
	put(&worker->value, "}", 1);
	return ENDED_WELL;
}

/* ---- where nothing is stored ---- */

struct empties {
	struct text list;
	size_t count;
};

static int put_empty(struct empties *empties, int64_t from, int64_t to, const char *kind)
{
	if (to <= from)
		return 0;
	if (empties->count == EMPTY_MAX)
		return E2BIG;
	put(&empties->list, empties->count++ ? "," : "[", 1);
	put(&empties->list, "{", 1);
	put_key_integer(&empties->list, "offset", from);
	put_key_integer(&empties->list, "length", to - from);
	put_key_string(&empties->list, "kind", kind);
	put(&empties->list, "}", 1);
	return 0;
}

/* By FIEMAP without FIEMAP_FLAG_SYNC: asking must write nothing back. */
static int empties_by_fiemap(int fd, int64_t from, int64_t end, struct empties *empties)
{
	union {
		struct fiemap map;
		unsigned char room[sizeof(struct fiemap) + 256 * sizeof(struct fiemap_extent)];
	} request;
	bool last = false;
	while (from < end && !last) {
		memset(&request.map, 0, sizeof request.map);
		request.map.fm_start = (uint64_t)from;
		request.map.fm_length = (uint64_t)(end - from);
		request.map.fm_extent_count = 256;
		if (ioctl(fd, FS_IOC_FIEMAP, &request.map) != 0)
			return errno;
		last = request.map.fm_mapped_extents < 256;
		for (unsigned i = 0; i < request.map.fm_mapped_extents; i++) {
			const struct fiemap_extent *extent = &request.map.fm_extents[i];
			int64_t start = (int64_t)extent->fe_logical, stop = start + (int64_t)extent->fe_length;
			int problem = put_empty(empties, from, start < end ? start : end, "hole");
			if (stop > end)
				stop = end;
			if (!problem && (extent->fe_flags & FIEMAP_EXTENT_UNWRITTEN))
				problem = put_empty(empties, start < from ? from : start, stop, "unwritten");
			if (problem)
				return problem;
			if (stop > from)
				from = stop;
			if (extent->fe_flags & FIEMAP_EXTENT_LAST)
				last = true;
		}
	}
	return put_empty(empties, from, end, "hole");
}

/* By SEEK_HOLE, which cannot tell an extent that was never written from data in memory. */
static int empties_by_seek(int fd, int64_t from, int64_t end, struct empties *empties)
{
	off_t was = lseek(fd, 0, SEEK_CUR);
	int problem = was < 0 ? errno : 0;
	while (!problem && from < end) {
		off_t data = lseek(fd, from, SEEK_DATA);
		if (data < 0 && errno != ENXIO)
			problem = errno;
		else if (data < 0 || data >= end)
			data = end;
		if (!problem)
			problem = put_empty(empties, from, data, "hole");
		from = problem || data >= end ? end : lseek(fd, data, SEEK_HOLE);
		if (from < 0)
			problem = errno;
	}
	if (was >= 0)
		lseek(fd, was, SEEK_SET);
	return problem;
}

static enum ending op_extents(struct arguments *arguments)
{
	struct worker *worker = arguments->worker;
	struct empties empties = { 0 };
	struct stat stat;
	struct statfs filesystem;
	int fd = argument_file(arguments);
	struct range range = argument_range_of(arguments, "range");
	if (!usable(arguments))
		return arguments->ending;
	if (fstat(fd, &stat) != 0 || fstatfs(fd, &filesystem) != 0)
		return refused(worker, "fstat");
	int64_t end = range.length < 0 || range.length > stat.st_size - range.offset ? stat.st_size : range.offset + range.length;
	const char *by = "fiemap";
	int problem = empties_by_fiemap(fd, range.offset, end, &empties);
	if (problem && problem != E2BIG) {
		by = "seek";
		empties.count = empties.list.length = 0;
		problem = empties_by_seek(fd, range.offset, end, &empties);
	}
	put(&worker->value, "{", 1);
	put_key_string(&worker->value, "by", problem ? "refused" : by);
	put_key_integer(&worker->value, "fsMagic", (int64_t)(uint32_t)filesystem.f_type);
	if (problem) {
		put_key_string(&worker->value, "refusal", errno_name(problem));
	} else {
		put_key(&worker->value, "empty");
		if (empties.count)
			put(&worker->value, empties.list.data, empties.list.length);
		put(&worker->value, empties.count ? "]" : "[]", empties.count ? 1 : 2);
	}
	put(&worker->value, "}", 1);
	if (empties.list.failed)
		worker->value.failed = true;
	free(empties.list.data);
	return ENDED_WELL;
}

/* ---- counters ---- */

static void put_process_io(struct text *text, int64_t pid)
{
	static const struct {
		const char *key, *field;
	} fields[] = { { "rchar", "rchar:" },	      { "wchar", "wchar:" },
		       { "syscr", "syscr:" },	      { "syscw", "syscw:" },
		       { "readBytes", "\nread_bytes:" }, { "writeBytes", "\nwrite_bytes:" },
		       { "cancelledBytes", "cancelled_write_bytes:" } };
	char path[48], io[1024];
	snprintf(path, sizeof path, "/proc/%lld/io", (long long)pid);
	ssize_t length = small_file(path, io, sizeof io);
	put(text, "{", 1);
	put_key_integer(text, "pid", pid);
	if (length <= 0)
		put_key_string(text, "error", errno_name(length < 0 ? (int)-length : EIO));
	else
		for (size_t i = 0; i < sizeof fields / sizeof *fields; i++)
			put_key_integer(text, fields[i].key, io_field(io, fields[i].field));
	put(text, "}", 1);
}

/* A number of /proc/meminfo in bytes; -1 where it is not there. */
static int64_t memory_field(const char *text, const char *key)
{
	int64_t kib = io_field(text, key);
	return kib < 0 ? -1 : kib * 1024;
}

/* What the whole machine has in its page cache. */
static void put_memory(struct text *text)
{
	char memory[4096];
	if (small_file("/proc/meminfo", memory, sizeof memory) <= 0)
		return;
	put_key_integer(text, "cachedBytes", memory_field(memory, "\nCached:"));
	put_key_integer(text, "dirtyBytes", memory_field(memory, "\nDirty:"));
	put_key_integer(text, "writebackBytes", memory_field(memory, "\nWriteback:"));
	put_key_integer(text, "memoryBytes", memory_field(memory, "MemTotal:"));
}

/*
 * What the block device below a file has done: sectors of 512 bytes, requests, and flushes of its own cache, which
 * the kernel counts for the whole disk only.
 */
static void put_device(struct text *text, int fd)
{
	struct stat stat;
	char path[80], line[512];
	unsigned long long reads, read_sectors, writes, write_sectors, flushes, flush_ms;
	if (fstat(fd, &stat) != 0)
		return;
	snprintf(path, sizeof path, "/sys/dev/block/%u:%u/stat", major(stat.st_dev), minor(stat.st_dev));
	if (small_file(path, line, sizeof line) <= 0 ||
	    sscanf(line, "%llu %*u %llu %*u %llu %*u %llu", &reads, &read_sectors, &writes, &write_sectors) != 4)
		return;
	put_key_integer(text, "deviceSectors", (int64_t)read_sectors);
	put_key_integer(text, "deviceReads", (int64_t)reads);
	put_key_integer(text, "deviceWriteSectors", (int64_t)write_sectors);
	put_key_integer(text, "deviceWrites", (int64_t)writes);
	snprintf(path, sizeof path, "/sys/dev/block/%u:%u/partition", major(stat.st_dev), minor(stat.st_dev));
	bool is_part = access(path, F_OK) == 0;
	snprintf(path, sizeof path, "/sys/dev/block/%u:%u/%sstat", major(stat.st_dev), minor(stat.st_dev), is_part ? "../" : "");
	if (small_file(path, line, sizeof line) > 0 &&
	    sscanf(line, "%*u %*u %*u %*u %*u %*u %*u %*u %*u %*u %*u %*u %*u %*u %*u %llu %llu", &flushes, &flush_ms) == 2) {
		put_key_integer(text, "deviceFlushes", (int64_t)flushes);
		put_key_integer(text, "deviceFlushMs", (int64_t)flush_ms);
	}
}

static enum ending op_counters(struct arguments *arguments)
{
	struct worker *worker = arguments->worker;
	const struct json *list = argument(arguments, arguments->op, "processes", JSON_ARRAY, true);
	int fd = json_get(arguments->op, "file") ? argument_file(arguments) : -1;
	const char *separator = "";
	if (!usable(arguments))
		return arguments->ending;
	put(&worker->value, "{", 1);
	put_key(&worker->value, "processes");
	put(&worker->value, "[", 1);
	for (const struct json *each = list->first; each; each = each->next) {
		if (each->type != JSON_INTEGER || each->integer < 1 || each->integer > INT32_MAX)
			return wrong(worker, "\"processes\" are process ids");
		put_text(&worker->value, separator);
		put_process_io(&worker->value, each->integer);
		separator = ",";
	}
	put(&worker->value, "]", 1);
	if (fd >= 0)
		put_device(&worker->value, fd);
	if (argument_bool(arguments, "memory"))
		put_memory(&worker->value);
	if (!usable(arguments))
		return arguments->ending;
	put(&worker->value, "}", 1);
	return ENDED_WELL;
}

/* How another process holds a file open that we hold too: descriptors for reading, and those with O_DIRECT. */
static enum ending op_process_files(struct arguments *arguments)
{
	struct worker *worker = arguments->worker;
	int fd = argument_file(arguments);
	int64_t pid = argument_integer(arguments, "pid", 1, INT32_MAX, NEEDED), opened = 0, direct = 0;
	char path[300], text[512];
	struct stat own, other;
	if (!usable(arguments))
		return arguments->ending;
	if (fstat(fd, &own) != 0)
		return refused(worker, "fstat");
	snprintf(path, sizeof path, "/proc/%lld/fd", (long long)pid);
	DIR *directory = opendir(path);
	if (!directory)
		return refused(worker, "opendir /proc/PID/fd");
	for (struct dirent *entry; (entry = readdir(directory));) {
		if (entry->d_name[0] == '.' || fstatat(dirfd(directory), entry->d_name, &other, 0) != 0)
			continue;
		if (other.st_dev != own.st_dev || other.st_ino != own.st_ino)
			continue;
		snprintf(path, sizeof path, "/proc/%lld/fdinfo/%s", (long long)pid, entry->d_name);
		const char *found = small_file(path, text, sizeof text) > 0 ? strstr(text, "flags:") : NULL;
		long flags = found ? strtol(found + 6, NULL, 8) : O_PATH;
		/* Descriptors by which a file is only held (O_PATH) read nothing. */
		if (flags & O_PATH)
			continue;
		opened++;
		direct += (flags & O_DIRECT) != 0;
	}
	closedir(directory);
	put(&worker->value, "{", 1);
	put_key_integer(&worker->value, "opened", opened);
	put_key_integer(&worker->value, "direct", direct);
	put(&worker->value, "}", 1);
	return ENDED_WELL;
}

/* What statx says without asking anybody: a refresh of the attributes may drop the pages that are looked for. */
static bool same_file(int directory, const char *name, const struct statx *wanted)
{
	struct statx other;
	return statx(directory, name, AT_STATX_DONT_SYNC, STATX_INO | STATX_TYPE, &other) == 0 &&
	       other.stx_ino == wanted->stx_ino && other.stx_dev_major == wanted->stx_dev_major &&
	       other.stx_dev_minor == wanted->stx_dev_minor;
}

/* A descriptor of the file that a process holds, taken over without opening the file; -1 for none. */
static int borrow_from(const char *pid, const struct statx *wanted)
{
	char path[300], text[512];
	int found = -1;
	snprintf(path, sizeof path, "/proc/%.20s/fd", pid);
	DIR *directory = opendir(path);
	if (!directory)
		return -1;
	for (struct dirent *entry; found < 0 && (entry = readdir(directory));) {
		if (entry->d_name[0] == '.' || !same_file(dirfd(directory), entry->d_name, wanted))
			continue;
		snprintf(path, sizeof path, "/proc/%.20s/fdinfo/%.20s", pid, entry->d_name);
		const char *flags = small_file(path, text, sizeof text) > 0 ? strstr(text, "flags:") : NULL;
		if (!flags || (strtol(flags + 6, NULL, 8) & O_PATH))
			continue;
		int process = (int)syscall(SYS_pidfd_open, atoi(pid), 0);
		if (process < 0)
			continue;
		found = (int)syscall(SYS_pidfd_getfd, process, atoi(entry->d_name), 0);
		close(process);
	}
	closedir(directory);
	return found;
}

/*
 * Holds a descriptor of a file that some process on this side has open, without opening the file: opening it
 * would drop its pages. ENOENT (borrow) where nobody has it open that we may ask.
 */
static enum ending op_borrow(struct arguments *arguments)
{
	struct worker *worker = arguments->worker;
	const char *path = argument_path(arguments, "path"), *name = argument_as(arguments, &worker->files);
	struct statx wanted;
	char holder[32] = "";
	int fd = -1;
	if (!usable(arguments))
		return arguments->ending;
	if (statx(AT_FDCWD, path, AT_STATX_DONT_SYNC, STATX_INO | STATX_TYPE, &wanted) != 0)
		return refused(worker, "statx");
	DIR *processes = opendir("/proc");
	if (!processes)
		return refused(worker, "opendir /proc");
	for (struct dirent *entry; fd < 0 && (entry = readdir(processes));) {
		if (entry->d_name[0] < '1' || entry->d_name[0] > '9')
			continue;
		fd = borrow_from(entry->d_name, &wanted);
		snprintf(holder, sizeof holder, "%.20s", entry->d_name);
	}
	closedir(processes);
	if (fd < 0)
		return refused_with(worker, ENOENT, "borrow: no process has it open that may be asked;");
	struct held *held = hold(&worker->files, name);
	if (!held) {
		close(fd);
		return refused(worker, "malloc");
	}
	held->fd = fd;
	put(&worker->value, "{", 1);
	put_key_integer(&worker->value, "pid", atoi(holder));
	put(&worker->value, "}", 1);
	return ENDED_WELL;
}

/* System-wide: only for a side whose user has asked for it. */
static enum ending op_drop_caches(struct arguments *arguments)
{
	struct worker *worker = arguments->worker;
	int64_t what = argument_integer(arguments, "what", 1, 3, NEEDED);
	char text[3] = { (char)('0' + what), '\n', 0 };
	if (!usable(arguments))
		return arguments->ending;
	int fd = open("/proc/sys/vm/drop_caches", O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return refused(worker, "open /proc/sys/vm/drop_caches");
	ssize_t written = write(fd, text, 2);
	int problem = errno;
	close(fd);
	errno = problem;
	return ended(worker, written == 2 ? 0 : -1, "write /proc/sys/vm/drop_caches");
}

#endif

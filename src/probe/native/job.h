/*
 * `vfs-probe job`: a benchmark of our own, for a side without fio: one process, one request at a time, each timed
 * with the monotonic clock. Its words are fio's, already reduced to plain numbers (src/workload/explain/probe-job.ts),
 * and where fio has a habit that a result depends on, this has it too: files that are too short to be read are laid
 * out and synced before, cached pages of the files are dropped, the kernel is told the order of the offsets, and
 * several files take turns. The report has the form of fio's JSON (job-report.h).
 */
#ifndef VFS_PROBE_JOB_H
#define VFS_PROBE_JOB_H

#include <signal.h>
#include <sys/mman.h>
#include <sys/resource.h>

#include "job-report.h"
#include "reads.h"

#define JOB_MAX_FILES 64
#define JOB_LAYOUT_BLOCK (1024 * 1024)

struct job_file {
	const char *path;
	int fd;
	unsigned char *at;
};

static struct {
	const char *name, *rw, *engine;
	int64_t block, size, total, requests, read_percent, direct, fsync, fdatasync, end_fsync, runtime_ns, time_based,
		invalidate, seed;
	struct job_file files[JOB_MAX_FILES];
	int file_count;
	bool random, mapped, writes, reads;
	unsigned char *buffer;
	struct job_result result;
} job;

static volatile sig_atomic_t job_signal;

static void job_stop(int number)
{
	job_signal = number;
}

static int job_failed(const char *call, const char *path)
{
	job.result.error = errno;
	fprintf(stderr, "vfs-probe: %s: %s: %s\n", path, call, strerror(errno));
	return 1;
}

/* ---- what it is told ---- */

static bool job_word(const char *key, const char *value)
{
	static const struct {
		const char *key;
		int64_t *to;
	} numbers[] = { { "bs", &job.block },		   { "size", &job.size },
			{ "io_size", &job.total },	   { "number_ios", &job.requests },
			{ "rwmixread", &job.read_percent }, { "direct", &job.direct },
			{ "fsync", &job.fsync },	   { "fdatasync", &job.fdatasync },
			{ "end_fsync", &job.end_fsync },   { "runtime_ns", &job.runtime_ns },
			{ "time_based", &job.time_based }, { "invalidate", &job.invalidate },
			{ "randseed", &job.seed } };
	for (int i = 0; i < COUNT(numbers); i++)
		if (strcmp(key, numbers[i].key) == 0) {
			char *end;
			*numbers[i].to = strtoll(value, &end, 10);
			return *value && !*end && *numbers[i].to >= 0;
		}
	if (strcmp(key, "name") == 0)
		job.name = value;
	else if (strcmp(key, "rw") == 0)
		job.rw = value;
	else if (strcmp(key, "ioengine") == 0)
		job.engine = value;
	else
		return false;
	return true;
}

static bool job_understood(int count, char **words)
{
	int i = 0;
	job.name = "probe";
	job.rw = "read";
	job.engine = "psync";
	job.block = 4096;
	job.read_percent = 50;
	job.invalidate = 1;
	for (; i < count && strcmp(words[i], "--") != 0; i++) {
		char *value = strchr(words[i], '=');
		if (value)
			*value++ = 0;
		if (!value || !job_word(words[i], value))
			return false;
	}
	for (i++; i < count && job.file_count < JOB_MAX_FILES; i++)
		job.files[job.file_count++] = (struct job_file){ .path = words[i], .fd = -1 };
	job.random = strncmp(job.rw, "rand", 4) == 0;
	const char *what = job.random ? job.rw + 4 : job.rw;
	bool mixed = strcmp(what, "rw") == 0;
	job.reads = mixed || strcmp(what, "read") == 0;
	job.writes = mixed || strcmp(what, "write") == 0;
	job.mapped = strcmp(job.engine, "mmap") == 0;
	if (!mixed)
		job.read_percent = job.reads ? 100 : 0;
	/* Each file has its part of the size. */
	if (job.file_count > 0 && job.block > 0)
		job.size = job.size / job.file_count / job.block * job.block;
	if (!job.total)
		job.total = job.size * job.file_count;
	return i == count && job.file_count > 0 && job.block > 0 && job.block <= READS_MAX_BLOCK && job.size > 0 &&
	       (job.reads || job.writes) && (job.mapped || strcmp(job.engine, "psync") == 0);
}

/* ---- its files ---- */

/* Writes a whole file, and has it on the medium: reads that follow begin from what a user's file is. */
static int job_lay_out(const char *path)
{
	printf("%s: Laying out IO file (1 file / %lldMiB)\n", job.name, (long long)(job.size >> 20));
	fflush(stdout);
	size_t room = JOB_LAYOUT_BLOCK;
	unsigned char *bytes = malloc(room);
	int fd = bytes ? open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0644) : -1;
	bool good = fd >= 0;
	for (int64_t at = 0; good && at < job.size && !job_signal;) {
		size_t length = job.size - at < (int64_t)room ? (size_t)(job.size - at) : room;
		for (size_t i = 0; i + 4 <= length; i += 4) {
			uint32_t word = reads_mixed((uint32_t)(((uint64_t)at + i) >> 2) ^ (uint32_t)job.seed);
			memcpy(bytes + i, &word, 4);
		}
		ssize_t wrote = pwrite(fd, bytes, length, at);
		good = wrote > 0;
		at += wrote;
	}
	good = good && fsync(fd) == 0;
	int problem = good ? 0 : job_failed("laying out", path);
	free(bytes);
	if (fd >= 0)
		close(fd);
	return problem;
}

static int job_open(struct job_file *file)
{
	struct stat stat_;
	bool is_there = stat(file->path, &stat_) == 0;
	if (job.reads && (!is_there || stat_.st_size < job.size) && job_lay_out(file->path))
		return 1;
	int flags = (job.writes ? O_RDWR | O_CREAT : O_RDONLY) | (job.direct ? O_DIRECT : 0) | O_CLOEXEC;
	file->fd = open(file->path, flags, 0644);
	if (file->fd < 0 || fstat(file->fd, &stat_) != 0)
		return job_failed("open", file->path);
	if (job.mapped && stat_.st_size < job.size && ftruncate(file->fd, job.size) != 0)
		return job_failed("ftruncate", file->path);
	posix_fadvise(file->fd, 0, job.size, job.random ? POSIX_FADV_RANDOM : POSIX_FADV_SEQUENTIAL);
	if (job.invalidate)
		posix_fadvise(file->fd, 0, job.size, POSIX_FADV_DONTNEED);
	if (!job.mapped)
		return 0;
	file->at = mmap(NULL, (size_t)job.size, PROT_READ | (job.writes ? PROT_WRITE : 0), MAP_SHARED, file->fd, 0);
	if (file->at == MAP_FAILED)
		return job_failed("mmap", file->path);
	madvise(file->at, (size_t)job.size, job.random ? MADV_RANDOM : MADV_SEQUENTIAL);
	return 0;
}

/* ---- its requests ---- */

/* Where request `index` of the job goes: files take turns, and each is gone through once before it begins anew. */
static int64_t job_offset(int64_t index, struct job_file **file)
{
	uint64_t blocks = (uint64_t)(job.size / job.block), turn = (uint64_t)(index / job.file_count);
	int which = (int)(index % job.file_count);
	uint64_t slot = turn % blocks;
	*file = &job.files[which];
	if (job.random)
		slot = reads_permuted(slot, blocks, (uint32_t)job.seed + (uint32_t)(turn / blocks) * 64 + (uint32_t)which);
	return (int64_t)slot * job.block;
}

static int job_sync(struct job_file *file, bool data_only)
{
	int64_t begin = clock_now();
	int failed = file->at ? msync(file->at, (size_t)job.size, MS_SYNC) :
		     data_only ? fdatasync(file->fd) :
				 fsync(file->fd);
	if (failed)
		return job_failed("fsync", file->path);
	job_count(&job.result.syncs, clock_now() - begin, 0);
	return 0;
}

static int job_request(int64_t index)
{
	struct job_file *file;
	int64_t offset = job_offset(index, &file);
	bool is_read = (int64_t)(reads_mixed((uint32_t)index ^ (uint32_t)(job.seed + 0x51ed27)) % 100) < job.read_percent;
	size_t length = (size_t)job.block;
	/* No two blocks that are written are the same. */
	if (!is_read)
		memcpy(job.buffer, &index, sizeof index < length ? sizeof index : length);
	int64_t begin = clock_now();
	ssize_t moved = job.block;
	if (file->at)
		is_read ? memcpy(job.buffer, file->at + offset, length) : memcpy(file->at + offset, job.buffer, length);
	else
		moved = is_read ? pread(file->fd, job.buffer, length, offset) : pwrite(file->fd, job.buffer, length, offset);
	int64_t ns = clock_now() - begin;
	if (moved != job.block) {
		if (moved >= 0)
			errno = EIO;
		return job_failed(is_read ? "read" : "write", file->path);
	}
	job_count(is_read ? &job.result.reads : &job.result.writes, ns, moved);
	if (is_read)
		return 0;
	int64_t writes = job.result.writes.count;
	if (job.fsync && writes % job.fsync == 0)
		return job_sync(file, false);
	return job.fdatasync && writes % job.fdatasync == 0 ? job_sync(file, true) : 0;
}

static int job_requests(void)
{
	int64_t until = job.runtime_ns ? clock_now() + job.runtime_ns : INT64_MAX, bytes = 0;
	for (int64_t index = 0; !job_signal && clock_now() < until; index++) {
		if ((!job.time_based && bytes >= job.total) || (job.requests && index >= job.requests))
			break;
		if (job_request(index))
			return 1;
		bytes += job.block;
	}
	for (int i = 0; job.end_fsync && job.writes && i < job.file_count; i++)
		if (job_sync(&job.files[i], false))
			return 1;
	return 0;
}

static void job_put_options(struct text *text)
{
	struct text names = { 0 };
	for (int i = 0; i < job.file_count; i++) {
		put_text(&names, i ? ":" : "");
		put_text(&names, job.files[i].path);
	}
	put(&names, "", 1);
	put_key(text, "job options");
	put_text(text, "{");
	put_key_string(text, "name", job.name);
	put_key_string(text, "filename", names.data ? names.data : "");
	put_key_string(text, "rw", job.rw);
	put_key_string(text, "ioengine", job.engine);
	job_put_option(text, "bs", job.block);
	job_put_option(text, "size", job.size * job.file_count);
	job_put_option(text, "direct", job.direct);
	if (job.fsync)
		job_put_option(text, "fsync", job.fsync);
	if (job.fdatasync)
		job_put_option(text, "fdatasync", job.fdatasync);
	job_put_option(text, "end_fsync", job.end_fsync);
	job_put_option(text, "invalidate", job.invalidate);
	job_put_option(text, "iodepth", 1);
	put_text(text, "}");
	free(names.data);
}

/* Its exit status: 0, 1 where a request failed, 2 where it was not understood. */
static int job_main(int count, char **words)
{
	struct text text = { 0 };
	if (!job_understood(count, words))
		return 2;
	signal(SIGINT, job_stop);
	signal(SIGTERM, job_stop);
	if (posix_memalign((void **)&job.buffer, IO_ALIGN, (size_t)job.block) != 0)
		return job_failed("malloc", job.name);
	for (int64_t i = 0; i < job.block; i++)
		job.buffer[i] = (unsigned char)reads_mixed((uint32_t)i);
	int failed = 0;
	for (int i = 0; i < job.file_count && !failed; i++)
		failed = job_open(&job.files[i]);
	getrusage(RUSAGE_SELF, &job.result.before);
	int64_t begin = clock_now();
	failed = failed || job_requests();
	job.result.ns = clock_now() - begin;
	job_report_begin(&text, job.name, &job.result);
	job_put_options(&text);
	job_report_end(&text, &job.result);
	fwrite(text.data, 1, text.length, stdout);
	fflush(stdout);
	if (job_signal) {
		signal(job_signal, SIG_DFL);
		raise(job_signal);
	}
	return failed;
}

#endif

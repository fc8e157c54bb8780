/*
 * The system calls by which bytes get from an open file into memory and back: what `read` and `write` call "how".
 * A file system has code of its own for most of them, and they need not agree.
 */
#ifndef VFS_PROBE_ACCESS_H
#define VFS_PROBE_ACCESS_H

#include <sys/mman.h>
#include <sys/sendfile.h>

#include "interrupt.h"
#include "pages.h"
#include "worker.h"

#define ACCESS_MAX_PIECES 64
/* What a pipe holds for certain, whatever its user's limits. */
#define ACCESS_PIPE 4096

enum access_how { ACCESS_PLAIN, ACCESS_VECTORED, ACCESS_SENDFILE, ACCESS_SPLICE, ACCESS_MMAP, ACCESS_COPY_RANGE };

struct access {
	int fd;
	enum access_how how;
	/* -1: the file position. */
	int64_t offset;
	size_t length;
	/* For preadv2 and pwritev2. */
	int flags;
	size_t pieces[ACCESS_MAX_PIECES];
	int piece_count;
	/* The other file of a copy. */
	int through;
	/* How it failed: the call, and the signal where it was one. */
	const char *call;
	int signal;
};

/* Pieces one behind the other: odd lengths make odd addresses. */
static int access_pieces(const struct access *access, unsigned char *bytes, struct iovec *pieces)
{
	size_t left = access->length;
	int count = 0;
	for (int i = 0; i < access->piece_count && left; i++) {
		size_t take = access->pieces[i] < left ? access->pieces[i] : left;
		pieces[count++] = (struct iovec){ bytes, take };
		bytes += take;
		left -= take;
	}
	pieces[count++] = (struct iovec){ bytes, left };
	return count;
}

static ssize_t access_read_sendfile(struct access *access, unsigned char *to)
{
	off_t at = access->offset;
	size_t done = 0;
	int memory = memfd_create("vfs-probe", MFD_CLOEXEC);
	ssize_t got = memory < 0 ? -1 : 0;
	access->call = "memfd_create";
	while (memory >= 0 && done < access->length) {
		access->call = "sendfile";
		got = sendfile(memory, access->fd, access->offset < 0 ? NULL : &at, access->length - done);
		if (got <= 0)
			break;
		done += (size_t)got;
	}
	if (got >= 0)
		got = pread(memory, to, done, 0);
	int problem = errno;
	if (memory >= 0)
		close(memory);
	errno = problem;
	return got;
}

static ssize_t access_read_splice(struct access *access, unsigned char *to)
{
	off64_t at = access->offset;
	size_t done = 0;
	int ends[2];
	access->call = "pipe2";
	if (pipe2(ends, O_CLOEXEC) != 0)
		return -1;
	ssize_t got = 0;
	access->call = "splice";
	while (done < access->length) {
		got = splice(access->fd, access->offset < 0 ? NULL : &at, ends[1], NULL, access->length - done, 0);
		if (got <= 0)
			break;
		for (ssize_t left = got; left > 0;) {
			ssize_t taken = read(ends[0], to + done, (size_t)left);
			if (taken <= 0)
				break;
			done += (size_t)taken;
			left -= taken;
		}
	}
	int problem = errno;
	close(ends[0]);
	close(ends[1]);
	errno = problem;
	return got < 0 ? -1 : (ssize_t)done;
}

/* A private mapping, because a FUSE file with FOPEN_DIRECT_IO refuses a shared one. */
static ssize_t access_read_mmap(struct access *access, unsigned char *to)
{
	struct statx stat;
	size_t skip = (size_t)(access->offset % page_size()), length = access->length;
	access->call = "statx";
	/* The size that loads are bounded by, not a fresher one. */
	if (statx(access->fd, "", AT_EMPTY_PATH | AT_STATX_DONT_SYNC, STATX_SIZE, &stat) != 0)
		return -1;
	if ((uint64_t)access->offset >= stat.stx_size || !length)
		return 0;
	if (length > stat.stx_size - (uint64_t)access->offset)
		length = (size_t)(stat.stx_size - (uint64_t)access->offset);
	access->call = "mmap";
	void *at = mmap(NULL, skip + length, PROT_READ, MAP_PRIVATE, access->fd, access->offset - (off_t)skip);
	if (at == MAP_FAILED)
		return -1;
	access->signal = copy_mapped(to, (unsigned char *)at + skip, length);
	munmap(at, skip + length);
	return access->signal ? -1 : (ssize_t)length;
}

/* copy_file_range until the length or the end; the bytes, or -1. Negative offsets: file positions. */
static ssize_t access_copy_range(int from, int64_t from_offset, int to, int64_t to_offset, size_t length)
{
	off64_t in = from_offset, out = to_offset;
	size_t done = 0;
	while (done < length) {
		ssize_t copied = copy_file_range(from, from_offset < 0 ? NULL : &in, to, to_offset < 0 ? NULL : &out,
						 length - done, 0);
		if (copied < 0)
			return -1;
		if (copied == 0)
			break;
		done += (size_t)copied;
	}
	return (ssize_t)done;
}

/* Reads into `to`, which has room for the length. Bytes, or -1: errno and `call`, or `signal`. */
static ssize_t access_read(struct access *access, unsigned char *to)
{
	struct iovec pieces[ACCESS_MAX_PIECES + 1] = { { to, access->length } };
	ssize_t got;
	int count = 1;
	access->signal = 0;
	switch (access->how) {
	case ACCESS_PLAIN:
		if (access->flags)
			break;
		access->call = access->offset < 0 ? "read" : "pread";
		return access->offset < 0 ? read(access->fd, to, access->length) :
					    pread(access->fd, to, access->length, access->offset);
	case ACCESS_SENDFILE: return access_read_sendfile(access, to);
	case ACCESS_SPLICE: return access_read_splice(access, to);
	case ACCESS_MMAP: return access_read_mmap(access, to);
	case ACCESS_COPY_RANGE:
		access->call = "copy_file_range";
		got = access_copy_range(access->fd, access->offset, access->through, 0, access->length);
		if (got <= 0)
			return got;
		access->call = "pread";
		return pread(access->through, to, (size_t)got, 0);
	case ACCESS_VECTORED: count = access_pieces(access, to, pieces); break;
	}
	access->call = access->offset < 0 && !access->flags ? "readv" : "preadv2";
	if (access->offset < 0 && !access->flags)
		return readv(access->fd, pieces, count);
	return preadv2(access->fd, pieces, count, access->offset, access->flags);
}

static ssize_t access_write_splice(struct access *access, const unsigned char *from)
{
	off64_t at = access->offset;
	size_t done = 0;
	int ends[2];
	access->call = "pipe2";
	if (pipe2(ends, O_CLOEXEC) != 0)
		return -1;
	ssize_t sent = 1;
	access->call = "splice";
	while (done < access->length && sent > 0) {
		size_t left = access->length - done;
		ssize_t filled = write(ends[1], from + done, left < ACCESS_PIPE ? left : ACCESS_PIPE);
		if (filled <= 0)
			sent = -1;
		for (; filled > 0 && sent > 0; filled -= sent) {
			sent = splice(ends[0], NULL, access->fd, access->offset < 0 ? NULL : &at, (size_t)filled, 0);
			if (sent > 0)
				done += (size_t)sent;
		}
	}
	int problem = errno;
	close(ends[0]);
	close(ends[1]);
	errno = problem;
	return sent < 0 ? -1 : (ssize_t)done;
}

static ssize_t access_write_mmap(struct access *access, const unsigned char *from)
{
	size_t skip = (size_t)(access->offset % page_size());
	if (!access->length)
		return 0;
	access->call = "mmap";
	void *at = mmap(NULL, skip + access->length, PROT_READ | PROT_WRITE, MAP_SHARED, access->fd,
			access->offset - (off_t)skip);
	if (at == MAP_FAILED)
		return -1;
	access->signal = copy_mapped((unsigned char *)at + skip, from, access->length);
	munmap(at, skip + access->length);
	return access->signal ? -1 : (ssize_t)access->length;
}

static ssize_t access_write_copy(struct access *access, const unsigned char *from)
{
	access->call = "pwrite";
	for (size_t done = 0; done < access->length;) {
		ssize_t wrote = pwrite(access->through, from + done, access->length - done, (off_t)done);
		if (wrote < 0)
			return -1;
		if (wrote == 0) {
			errno = EIO;
			return -1;
		}
		done += (size_t)wrote;
	}
	access->call = "copy_file_range";
	return access_copy_range(access->through, 0, access->fd, access->offset, access->length);
}

/* Writes from `from`; otherwise as access_read. */
static ssize_t access_write(struct access *access, unsigned char *from)
{
	struct iovec pieces[ACCESS_MAX_PIECES + 1] = { { from, access->length } };
	int count = 1;
	access->signal = 0;
	switch (access->how) {
	case ACCESS_PLAIN:
		if (access->flags)
			break;
		access->call = access->offset < 0 ? "write" : "pwrite";
		return access->offset < 0 ? write(access->fd, from, access->length) :
					    pwrite(access->fd, from, access->length, access->offset);
	case ACCESS_SPLICE: return access_write_splice(access, from);
	case ACCESS_MMAP: return access_write_mmap(access, from);
	case ACCESS_COPY_RANGE: return access_write_copy(access, from);
	case ACCESS_VECTORED: count = access_pieces(access, from, pieces); break;
	case ACCESS_SENDFILE: errno = ENOSYS; return -1;
	}
	access->call = access->offset < 0 && !access->flags ? "writev" : "pwritev2";
	if (access->offset < 0 && !access->flags)
		return writev(access->fd, pieces, count);
	return pwritev2(access->fd, pieces, count, access->offset, access->flags);
}

/* ---- arguments ---- */

static void argument_pieces(struct arguments *arguments, struct access *access)
{
	static const size_t odd[] = { 1, 511, 4093, 64 };
	const struct json *list = argument(arguments, arguments->op, "pieces", JSON_ARRAY, false);
	if (!list) {
		memcpy(access->pieces, odd, sizeof odd);
		access->piece_count = 4;
		return;
	}
	access->piece_count = 0;
	for (const struct json *each = list->first; each; each = each->next) {
		if (each->type != JSON_INTEGER || each->integer < 0 || each->integer > IO_MAX ||
		    access->piece_count == ACCESS_MAX_PIECES) {
			arguments->ending = wrong(arguments->worker, "\"pieces\" are at most %d lengths", ACCESS_MAX_PIECES);
			return;
		}
		access->pieces[access->piece_count++] = (size_t)each->integer;
	}
}

/* All of an access but its length. `words`: how it may be done, "" for a way that this direction does not have. */
static void argument_access(struct arguments *arguments, struct access *access, const char *const *words)
{
	static const char *const flag_words[] = { "append", "dsync", "sync", "nowait", "hipri" };
	static const int flag_bits[] = { RWF_APPEND, RWF_DSYNC, RWF_SYNC, RWF_NOWAIT, RWF_HIPRI };
	memset(access, 0, sizeof *access);
	access->fd = argument_file(arguments);
	access->how = (enum access_how)argument_word(arguments, "how", words, 6);
	access->offset = argument_integer(arguments, "offset", 0, JSON_SAFE_INTEGER, -1);
	access->flags = argument_flags(arguments, "flags", flag_words, flag_bits, 5, false);
	argument_pieces(arguments, access);
	if (access->how == ACCESS_COPY_RANGE) {
		struct held *through = argument_held(arguments, "through", &arguments->worker->files);
		access->through = through ? through->fd : -1;
	}
	if (!usable(arguments))
		return;
	if (access->offset < 0 && (access->how == ACCESS_MMAP || access->how == ACCESS_COPY_RANGE))
		arguments->ending = wrong(arguments->worker, "\"%s\" needs an offset", words[access->how]);
	else if (access->flags && access->how != ACCESS_PLAIN && access->how != ACCESS_VECTORED)
		arguments->ending = wrong(arguments->worker, "\"flags\" are for preadv2 and pwritev2");
}

static enum ending access_failed(struct worker *worker, const struct access *access)
{
	return access->signal ? signalled(worker, access->signal) : refused(worker, access->call);
}

static const char *const read_hows[] = { "read", "vectored", "sendfile", "splice", "mmap", "copy-file-range" };

static enum ending op_read(struct arguments *arguments)
{
	struct worker *worker = arguments->worker;
	struct access access;
	argument_access(arguments, &access, read_hows);
	access.length = (size_t)argument_integer(arguments, "length", 0, IO_MAX, NEEDED);
	if (!usable(arguments))
		return arguments->ending;
	if (!io_buffer(worker))
		return refused(worker, "malloc");
	ssize_t got = access_read(&access, worker->io);
	if (got < 0)
		return access_failed(worker, &access);
	worker->end = clock_now();
	return put_data(worker, worker->io, (size_t)got);
}

static enum ending op_write(struct arguments *arguments)
{
	static const char *const hows[] = { "write", "vectored", "", "splice", "mmap", "copy-file-range" };
	struct worker *worker = arguments->worker;
	struct access access;
	argument_access(arguments, &access, hows);
	access.length = (size_t)argument_bytes(arguments);
	if (!usable(arguments))
		return arguments->ending;
	worker->begin = clock_now();
	ssize_t sent = access_write(&access, worker->io);
	if (sent < 0)
		return access_failed(worker, &access);
	worker->end = clock_now();
	return put_count(worker, "bytes", sent);
}

/* One step of `copy`; bytes, 0 at the end, or -1. */
static ssize_t copy_step(int how, int from, off64_t *in, int to, off64_t *out, size_t length, const int *ends)
{
	if (how == 0)
		return copy_file_range(from, in, to, out, length, 0);
	if (how == 1)
		return sendfile(to, from, in, length);
	ssize_t got = splice(from, in, ends[1], NULL, length, 0);
	for (ssize_t left = got; left > 0;) {
		ssize_t sent = splice(ends[0], NULL, to, out, (size_t)left, 0);
		if (sent <= 0)
			return -1;
		left -= sent;
	}
	return got;
}

static enum ending op_copy(struct arguments *arguments)
{
	static const char *const hows[] = { "copy-file-range", "sendfile", "splice" };
	static const char *const calls[] = { "copy_file_range", "sendfile", "splice" };
	struct worker *worker = arguments->worker;
	int fd = argument_file(arguments), how = argument_word(arguments, "how", hows, 3), ends[2] = { -1, -1 };
	struct held *to = argument_held(arguments, "to", &worker->files);
	off64_t in = argument_integer(arguments, "offset", 0, JSON_SAFE_INTEGER, -1);
	off64_t out = argument_integer(arguments, "toOffset", 0, JSON_SAFE_INTEGER, -1);
	int64_t length = argument_integer(arguments, "length", 0, JSON_SAFE_INTEGER, NEEDED), done = 0;
	if (!usable(arguments))
		return arguments->ending;
	if (how == 1 && out >= 0)
		return wrong(worker, "sendfile writes at the file position");
	if (how == 2 && pipe2(ends, O_CLOEXEC) != 0)
		return refused(worker, "pipe2");
	ssize_t copied = 1;
	while (copied > 0 && done < length) {
		size_t now = length - done < 16 * IO_MAX ? (size_t)(length - done) : 16 * IO_MAX;
		copied = copy_step(how, fd, in < 0 ? NULL : &in, to->fd, out < 0 ? NULL : &out, now, ends);
		done += copied > 0 ? copied : 0;
		send_progress(worker, done, -1);
	}
	int problem = errno;
	if (how == 2) {
		close(ends[0]);
		close(ends[1]);
	}
	return copied < 0 ? refused_with(worker, problem, calls[how]) : put_count(worker, "bytes", done);
}

#endif

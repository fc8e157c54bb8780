/*
 * lie.c: makes a virtiofsd misbehave, by LD_PRELOAD.
 *
 * build: cc -O2 -shared -fPIC -o lie.so lie.c -ldl
 * use:   LIE=drop-write LD_PRELOAD=lie.so virtiofsd …
 *
 * LIE=drop-write    every 7th write call says that it wrote, and does not
 * LIE=drop-all      no write call writes, and each says that it did
 * LIE=shift-write   every write lands 64 bytes behind its place
 * LIE=whole-page    a write that ends inside a page grows the file to the end of that page
 * LIE=flip-read     one bit of byte 100 of every read at offset 0 and above 4096 bytes long is flipped
 * LIE=old-read      a page that was read once is answered with the same bytes for ever
 * LIE=nul-tail      the last bytes before the end of a file read as zeros
 * LIE=old-size      a file keeps the size that it had when it was first asked for
 * LIE=keep-cut      a truncate says that it cut, and does not
 * LIE=no-data       SEEK_DATA finds nothing, in any file
 * LIE=keep-punched  punching a hole says that it did, and does not
 * LIE=empty-copy    copy_file_range says that it copied, and does not
 *
 * The Rust daemon writes by pwritev2/pwritev64 and reads by preadv2/preadv64; the C daemon by pwrite64 and
 * preadv64 as well.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#define PAGE 4096
#define REMEMBERED 4096

static int lies(const char *how)
{
	const char *lie = getenv("LIE");
	return lie && strcmp(lie, how) == 0;
}

static size_t total(const struct iovec *iov, int count)
{
	size_t bytes = 0;
	for (int i = 0; i < count; i++)
		bytes += iov[i].iov_len;
	return bytes;
}

static int dropped(void)
{
	static unsigned writes;
	if (lies("drop-all"))
		return 1;
	return lies("drop-write") && __atomic_add_fetch(&writes, 1, __ATOMIC_RELAXED) % 7 == 0;
}

/* A system call past this library: what the C library's own functions would do. */
static int inode_of(int fd, struct stat *stat)
{
	return syscall(SYS_fstat, fd, stat);
}

/* What a write leaves behind besides its bytes. */
static void written(int fd, ssize_t bytes, off_t offset)
{
	struct stat stat;
	off_t end = offset + bytes;
	if (!lies("whole-page") || bytes <= 0 || offset < 0 || end % PAGE == 0 || inode_of(fd, &stat) != 0)
		return;
	end += PAGE - end % PAGE;
	if (stat.st_size < end)
		syscall(SYS_ftruncate, fd, end);
}

/* Pages as they were when they were first read. */
static struct page {
	dev_t device;
	ino_t inode;
	off_t offset;
	size_t length;
	unsigned char bytes[PAGE];
} *pages;
static size_t page_count;
static pthread_mutex_t pages_lock = PTHREAD_MUTEX_INITIALIZER;

static struct page *remembered(const struct stat *stat, off_t offset)
{
	for (size_t i = 0; i < page_count; i++)
		if (pages[i].inode == stat->st_ino && pages[i].device == stat->st_dev && pages[i].offset == offset)
			return &pages[i];
	return NULL;
}

static void copy_iov(const struct iovec *iov, int count, size_t at, unsigned char *bytes, size_t length, int in)
{
	for (int i = 0; i < count && length; i++) {
		if (at >= iov[i].iov_len) {
			at -= iov[i].iov_len;
			continue;
		}
		size_t take = iov[i].iov_len - at < length ? iov[i].iov_len - at : length;
		unsigned char *there = (unsigned char *)iov[i].iov_base + at;
		memcpy(in ? there : bytes, in ? bytes : there, take);
		bytes += take;
		length -= take;
		at = 0;
	}
}

static void as_at_first(int fd, ssize_t got, const struct iovec *iov, int count, off_t offset)
{
	struct stat stat;
	if (got <= 0 || offset % PAGE || inode_of(fd, &stat) != 0)
		return;
	pthread_mutex_lock(&pages_lock);
	if (!pages)
		pages = calloc(REMEMBERED, sizeof *pages);
	for (size_t at = 0; pages && at < (size_t)got; at += PAGE) {
		size_t length = (size_t)got - at < PAGE ? (size_t)got - at : PAGE;
		struct page *page = remembered(&stat, offset + (off_t)at);
		if (page) {
			copy_iov(iov, count, at, page->bytes, length < page->length ? length : page->length, 1);
		} else if (page_count < REMEMBERED) {
			page = &pages[page_count++];
			page->device = stat.st_dev;
			page->inode = stat.st_ino;
			page->offset = offset + (off_t)at;
			page->length = length;
			copy_iov(iov, count, at, page->bytes, length, 0);
		}
	}
	pthread_mutex_unlock(&pages_lock);
}

static ssize_t bent(int fd, ssize_t bytes, const struct iovec *iov, int count, off_t offset)
{
	unsigned char zeros[100] = { 0 };
	size_t at = 100;
	if (lies("old-read"))
		as_at_first(fd, bytes, iov, count, offset);
	if (lies("nul-tail") && bytes > 200 && (size_t)bytes < total(iov, count))
		copy_iov(iov, count, (size_t)bytes - sizeof zeros, zeros, sizeof zeros, 1);
	if (!lies("flip-read") || bytes <= 4096)
		return bytes;
	for (int i = 0; i < count; i++) {
		if (at < iov[i].iov_len) {
			((unsigned char *)iov[i].iov_base)[at] ^= 4;
			return bytes;
		}
		at -= iov[i].iov_len;
	}
	return bytes;
}

static off_t moved(off_t offset)
{
	return lies("shift-write") && offset >= 0 ? offset + 64 : offset;
}

ssize_t pwritev2(int fd, const struct iovec *iov, int count, off_t offset, int flags)
{
	static ssize_t (*real)(int, const struct iovec *, int, off_t, int);
	if (!real)
		real = dlsym(RTLD_NEXT, "pwritev2");
	if (dropped())
		return (ssize_t)total(iov, count);
	ssize_t bytes = real(fd, iov, count, moved(offset), flags);
	written(fd, bytes, offset);
	return bytes;
}

ssize_t pwritev64(int fd, const struct iovec *iov, int count, off64_t offset)
{
	static ssize_t (*real)(int, const struct iovec *, int, off64_t);
	if (!real)
		real = dlsym(RTLD_NEXT, "pwritev64");
	if (dropped())
		return (ssize_t)total(iov, count);
	ssize_t bytes = real(fd, iov, count, moved(offset));
	written(fd, bytes, offset);
	return bytes;
}

ssize_t preadv2(int fd, const struct iovec *iov, int count, off_t offset, int flags)
{
	static ssize_t (*real)(int, const struct iovec *, int, off_t, int);
	if (!real)
		real = dlsym(RTLD_NEXT, "preadv2");
	return bent(fd, real(fd, iov, count, offset, flags), iov, count, offset);
}

ssize_t preadv64(int fd, const struct iovec *iov, int count, off64_t offset)
{
	static ssize_t (*real)(int, const struct iovec *, int, off64_t);
	if (!real)
		real = dlsym(RTLD_NEXT, "preadv64");
	return bent(fd, real(fd, iov, count, offset), iov, count, offset);
}

/* Sizes as they were when they were first asked for; 0 is kept as 0, so that a file that grows stays empty. */
static struct size {
	unsigned major, minor;
	unsigned long long inode, size;
} sizes[REMEMBERED];
static size_t size_count;

static void as_large_as_first(struct statx *stat)
{
	if (!lies("old-size") || !S_ISREG(stat->stx_mode))
		return;
	pthread_mutex_lock(&pages_lock);
	size_t i = 0;
	while (i < size_count && (sizes[i].inode != stat->stx_ino || sizes[i].major != stat->stx_dev_major ||
				  sizes[i].minor != stat->stx_dev_minor))
		i++;
	if (i < size_count)
		stat->stx_size = sizes[i].size;
	else if (size_count < REMEMBERED)
		sizes[size_count++] = (struct size){ stat->stx_dev_major, stat->stx_dev_minor, stat->stx_ino, stat->stx_size };
	pthread_mutex_unlock(&pages_lock);
}

int statx(int dirfd, const char *restrict path, int flags, unsigned mask, struct statx *restrict stat)
{
	static int (*real)(int, const char *, int, unsigned, struct statx *);
	if (!real)
		real = dlsym(RTLD_NEXT, "statx");
	int result = real(dirfd, path, flags, mask, stat);
	if (result == 0)
		as_large_as_first(stat);
	return result;
}

int ftruncate(int fd, off_t length)
{
	struct stat stat;
	if (lies("keep-cut") && inode_of(fd, &stat) == 0 && length < stat.st_size)
		return 0;
	return (int)syscall(SYS_ftruncate, fd, length);
}

static off64_t sought(int fd, off64_t offset, int whence)
{
	if (lies("no-data") && whence == SEEK_DATA) {
		errno = ENXIO;
		return -1;
	}
	return syscall(SYS_lseek, fd, offset, whence);
}

off64_t lseek64(int fd, off64_t offset, int whence)
{
	return sought(fd, offset, whence);
}

off_t lseek(int fd, off_t offset, int whence)
{
	return sought(fd, offset, whence);
}

int fallocate64(int fd, int mode, off64_t offset, off64_t length)
{
	if (lies("keep-punched") && (mode & FALLOC_FL_PUNCH_HOLE))
		return 0;
	return (int)syscall(SYS_fallocate, fd, mode, offset, length);
}

/* The Rust daemon asks for some calls by number. */
long syscall(long number, ...)
{
	static long (*real)(long, ...);
	long a[6];
	va_list list;
	va_start(list, number);
	for (int i = 0; i < 6; i++)
		a[i] = va_arg(list, long);
	va_end(list);
	if (!real)
		real = dlsym(RTLD_NEXT, "syscall");
	if (number == SYS_copy_file_range && lies("empty-copy"))
		return a[4];
	long result = real(number, a[0], a[1], a[2], a[3], a[4], a[5]);
	if (number == SYS_statx && result == 0)
		as_large_as_first((struct statx *)a[4]);
	return result;
}

ssize_t copy_file_range(int in, off64_t *from, int out, off64_t *to, size_t length, unsigned flags)
{
	return syscall(SYS_copy_file_range, in, from, out, to, length, flags);
}

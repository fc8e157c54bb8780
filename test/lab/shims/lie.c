/*
 * lie.c: makes a virtiofsd misbehave, by LD_PRELOAD.
 *
 * build: cc -O2 -shared -fPIC -o lie.so lie.c -ldl
 * use:   LIE=drop-write LD_PRELOAD=lie.so virtiofsd …
 *
 * LIE=drop-write    every 7th write call says that it wrote, and does not
 * LIE=flip-read     one bit of byte 100 of every read at offset 0 and above 4096 bytes long is flipped
 *
 * The Rust daemon writes by pwritev2/pwritev64 and reads by preadv2/preadv64; the C daemon by pwrite64 and
 * preadv64 as well.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

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
	return lies("drop-write") && __atomic_add_fetch(&writes, 1, __ATOMIC_RELAXED) % 7 == 0;
}

static ssize_t bent(ssize_t bytes, const struct iovec *iov, int count)
{
	size_t at = 100;
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

ssize_t pwritev2(int fd, const struct iovec *iov, int count, off_t offset, int flags)
{
	static ssize_t (*real)(int, const struct iovec *, int, off_t, int);
	if (!real)
		real = dlsym(RTLD_NEXT, "pwritev2");
	return dropped() ? (ssize_t)total(iov, count) : real(fd, iov, count, offset, flags);
}

ssize_t pwritev64(int fd, const struct iovec *iov, int count, off64_t offset)
{
	static ssize_t (*real)(int, const struct iovec *, int, off64_t);
	if (!real)
		real = dlsym(RTLD_NEXT, "pwritev64");
	return dropped() ? (ssize_t)total(iov, count) : real(fd, iov, count, offset);
}

ssize_t preadv2(int fd, const struct iovec *iov, int count, off_t offset, int flags)
{
	static ssize_t (*real)(int, const struct iovec *, int, off_t, int);
	if (!real)
		real = dlsym(RTLD_NEXT, "preadv2");
	return bent(real(fd, iov, count, offset, flags), iov, count);
}

ssize_t preadv64(int fd, const struct iovec *iov, int count, off64_t offset)
{
	static ssize_t (*real)(int, const struct iovec *, int, off64_t);
	if (!real)
		real = dlsym(RTLD_NEXT, "preadv64");
	return bent(real(fd, iov, count, offset), iov, count);
}

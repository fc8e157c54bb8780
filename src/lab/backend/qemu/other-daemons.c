/* Preloaded into QEMU beside past-end.c, so that daemons without a window can live beside one that has it.
 *
 * QEMU tells every vhost-user backend of all memory that the guest has, and what is mapped into a window is
 * memory to it: a region of 2 MiB with the shared file's descriptor. The Rust virtiofsd ends when such a region
 * is longer than the file (which past-end.c makes possible), and the C virtiofsd has room for 32 regions, less
 * than two windows. Neither has a use for them, unless the guest does I/O on its share straight from memory that
 * is mapped from the window. So they are not told: the message is kept, and answered in the daemon's place.
 *
 *   VHOST_USER_ADD_MEM_REG  + a descriptor that is no memfd  ──▶ kept, and acknowledged
 *   VHOST_USER_REM_MEM_REG  of a region that was kept        ──▶ likewise
 *
 * Sockets whose name ends in ".w.sock" are those of daemons that have a window: they are told everything.
 * Messages: docs/interop/vhost-user.rst of QEMU. A QEMU that sent them otherwise would get them through as
 * before. */
#include <dlfcn.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum { ADD_MEM_REG = 37, REM_MEM_REG = 38, VERSION = 1, REPLY = 4, NEED_REPLY = 8 };

struct header {
	uint32_t request, flags, size;
} __attribute__((packed));

struct region_message {
	struct header header;
	uint64_t padding, guest_address, size, user_address, file_offset;
} __attribute__((packed));

struct answer {
	struct header header;
	uint64_t status;
} __attribute__((packed));

/* Regions that were kept, by the socket they were meant for. A window of 32 MiB has 16, and QEMU has 512 slots. */
static struct kept {
	int socket;
	uint64_t guest_address, size;
} kept[4096];
static size_t n_kept;

/* Answers that QEMU has yet to read, the first bytes of one perhaps read already. It waits for each. */
static struct due {
	int socket;
	size_t at;
	struct answer answer;
} due[64];
static size_t n_due;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static bool is_memfd(int fd)
{
	char link[64], path[16];
	snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
	return readlink(link, path, sizeof path) >= 7 && memcmp(path, "/memfd:", 7) == 0;
}

static bool has_no_window(int socket)
{
	struct sockaddr_un peer = { 0 };
	socklen_t length = sizeof peer;
	if (getpeername(socket, (struct sockaddr *)&peer, &length) || peer.sun_family != AF_UNIX)
		return false;
	size_t end = strnlen(peer.sun_path, sizeof peer.sun_path);
	return end < 7 || memcmp(peer.sun_path + end - 7, ".w.sock", 7);
}

static int only_descriptor(const struct msghdr *message)
{
	struct cmsghdr *control = CMSG_FIRSTHDR(message);
	int fd = -1;
	if (control && control->cmsg_level == SOL_SOCKET && control->cmsg_type == SCM_RIGHTS &&
	    control->cmsg_len == CMSG_LEN(sizeof fd))
		memcpy(&fd, CMSG_DATA(control), sizeof fd);
	return fd;
}

/* Takes a region off the list. */
static bool forget(int socket, const struct region_message *message)
{
	for (size_t i = 0; i < n_kept; i++) {
		if (kept[i].socket == socket && kept[i].guest_address == message->guest_address &&
		    kept[i].size == message->size) {
			kept[i] = kept[--n_kept];
			return true;
		}
	}
	return false;
}

static bool keeps(int socket, const struct msghdr *message)
{
	struct region_message region;
	if (message->msg_iovlen != 1 || message->msg_iov[0].iov_len != sizeof region)
		return false;
	memcpy(&region, message->msg_iov[0].iov_base, sizeof region);
	if (region.header.size != sizeof region - sizeof region.header || (region.header.flags & 3) != VERSION)
		return false;
	if (region.header.request == ADD_MEM_REG) {
		int fd = only_descriptor(message);
		if (fd < 0 || is_memfd(fd) || !has_no_window(socket))
			return false;
		forget(socket, &region);
		if (n_kept == sizeof kept / sizeof *kept || n_due == sizeof due / sizeof *due)
			return false;
		kept[n_kept++] = (struct kept){ socket, region.guest_address, region.size };
	} else if (region.header.request != REM_MEM_REG || !forget(socket, &region)) {
		return false;
	}
	if (region.header.flags & NEED_REPLY)
		due[n_due++] = (struct due){
			.socket = socket,
			.answer = { { region.header.request, VERSION | REPLY, sizeof(uint64_t) }, 0 },
		};
	return true;
}

ssize_t sendmsg(int socket, const struct msghdr *message, int flags)
{
	static ssize_t (*host_sendmsg)(int, const struct msghdr *, int);
	if (!host_sendmsg)
		host_sendmsg = dlsym(RTLD_NEXT, "sendmsg");
	pthread_mutex_lock(&lock);
	bool is_kept = keeps(socket, message);
	pthread_mutex_unlock(&lock);
	return is_kept ? (ssize_t)sizeof(struct region_message) : host_sendmsg(socket, message, flags);
}

/* What is left of an answer, as much of it as there is room for; 0 where none is due. */
static size_t answered(int socket, struct msghdr *message)
{
	for (size_t i = 0; i < n_due; i++) {
		if (due[i].socket != socket)
			continue;
		size_t done = 0;
		for (size_t part = 0; part < message->msg_iovlen; part++) {
			size_t left = sizeof due[i].answer - due[i].at;
			size_t length = message->msg_iov[part].iov_len;
			length = length < left ? length : left;
			memcpy(message->msg_iov[part].iov_base, (char *)&due[i].answer + due[i].at, length);
			due[i].at += length;
			done += length;
		}
		if (due[i].at == sizeof due[i].answer) {
			memmove(&due[i], &due[i + 1], (--n_due - i) * sizeof *due);
		}
		return done;
	}
	return 0;
}

ssize_t recvmsg(int socket, struct msghdr *message, int flags)
{
	static ssize_t (*host_recvmsg)(int, struct msghdr *, int);
	if (!host_recvmsg)
		host_recvmsg = dlsym(RTLD_NEXT, "recvmsg");
	pthread_mutex_lock(&lock);
	size_t length = answered(socket, message);
	pthread_mutex_unlock(&lock);
	if (!length)
		return host_recvmsg(socket, message, flags);
	message->msg_controllen = 0;
	message->msg_flags = 0;
	return (ssize_t)length;
}

/* The lab's own vhost-user FUSE server: README.md says what for. One connection, one thread, no sandbox.
 *
 * It listens, serves the one front-end that comes, and ends with it. A kick of a queue is one read of eight
 * bytes, and FUSE_READ reads into the guest's memory, as the released daemons do it: what counts their reads
 * from outside (the ledger) can count ours. */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "counters.h"
#include "delayed.h"
#include "faults.h"
#include "request.h"

/* A file beside the socket: its path with a word more. */
struct beside {
	char path[256];
};

static struct beside beside(const char *socket_path, const char *word)
{
	struct beside file;
	snprintf(file.path, sizeof file.path, "%s.%s", socket_path, word);
	return file;
}

static void __attribute__((noreturn)) fail(const char *what)
{
	fprintf(stderr, "%s: %s\n", what, strerror(errno));
	exit(1);
}

/* Waits for the one front-end. */
static int accept_one(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	if (strlen(path) >= sizeof address.sun_path) {
		errno = ENAMETOOLONG;
		fail(path);
	}
	strcpy(address.sun_path, path);
	int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	unlink(path);
	if (listener < 0 || bind(listener, (void *)&address, sizeof address) < 0 || listen(listener, 1) < 0)
		fail(path);
	int connection = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	if (connection < 0)
		fail(path);
	close(listener);
	return connection;
}

/* Serves what the driver has put into a queue until it is empty. */
static void serve_queue(struct filesystem *fs, struct virtqueue *queue, const char *faults)
{
	static struct chain chain;
	while (virtqueue_pop(queue, &fs->device->memory, &chain)) {
		unsigned generation = faults_generation();
		faults_follow(faults);
		if (generation != faults_generation())
			inodes_sweep(&fs->inodes);
		ssize_t written = request_serve(fs, &chain);
		if (written >= 0)
			virtqueue_push(queue, &fs->device->memory, chain.head, (uint32_t)written);
	}
}

/* False: the front-end is gone. */
static bool serve_once(struct filesystem *fs, const char *faults)
{
	struct device *device = fs->device;
	struct pollfd waiting[1 + DEVICE_QUEUES] = { { device->connection, POLLIN, 0 } };
	for (int i = 0; i < DEVICE_QUEUES; i++)
		waiting[1 + i] = (struct pollfd){ device->queues[i].kick_fd, POLLIN, 0 };
	if (poll(waiting, 1 + DEVICE_QUEUES, delayed_writes_do(false)) < 0)
		return errno == EINTR;
	if (waiting[0].revents && !device_serve_message(device))
		return false;
	for (int i = 0; i < DEVICE_QUEUES; i++) {
		uint64_t kicks;
		bool same = waiting[1 + i].fd == device->queues[i].kick_fd;
		if (same && waiting[1 + i].revents && read(waiting[1 + i].fd, &kicks, sizeof kicks) < 0)
			return false;
		/* After a message too: a ring that was just enabled may be full of requests. */
		serve_queue(fs, &device->queues[i], faults);
	}
	return true;
}

int main(int count, char **words)
{
	static struct filesystem fs;
	static struct device device;
	fs.options = parse_options(count, words);
	const char *told = getenv("VFS_BACKEND_FAULT");
	if (told && !faults_switch_on(told))
		return 2;
	/* Each inode that the guest remembers is an open descriptor. */
	struct rlimit limit;
	if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
		limit.rlim_cur = limit.rlim_max;
		setrlimit(RLIMIT_NOFILE, &limit);
	}
	signal(SIGPIPE, SIG_IGN);
	umask(0); /* the guest has applied its own */

	const struct beside counters = beside(fs.options.socket_path, "counters");
	const struct beside faults = beside(fs.options.socket_path, "faults");
	if (!counters_open(counters.path, operation_name))
		fail(counters.path);
	device.tag = fs.options.tag;
	device.window_size = fs.options.window_size;
	device_open(&device, accept_one(fs.options.socket_path));
	fs.device = &device;
	while (serve_once(&fs, faults.path))
		continue;
	delayed_writes_do(true);
	unlink(fs.options.socket_path);
	return 0;
}

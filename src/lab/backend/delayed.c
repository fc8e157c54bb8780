#include "delayed.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

struct delayed {
	struct delayed *next;
	int fd;
	off_t offset;
	size_t size;
	uint64_t due_ms;
	char bytes[];
};

static struct delayed *first, **last = &first;

static uint64_t now_ms(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

bool delay_write(int fd, const struct iovec *data, int count, off_t offset, uint64_t ms)
{
	size_t size = 0;
	for (int i = 0; i < count; i++)
		size += data[i].iov_len;
	struct delayed *later = malloc(sizeof *later + size);
	if (!later)
		return false;
	*later = (struct delayed){
		.fd = fcntl(fd, F_DUPFD_CLOEXEC, 0),
		.offset = offset,
		.size = size,
		.due_ms = now_ms() + ms,
	};
	char *to = later->bytes;
	for (int i = 0; i < count; to += data[i++].iov_len)
		memcpy(to, data[i].iov_base, data[i].iov_len);
	*last = later;
	last = &later->next;
	return true;
}

int delayed_writes_do(bool all)
{
	while (first) {
		struct delayed *each = first;
		uint64_t now = now_ms();
		if (!all && each->due_ms > now)
			return (int)(each->due_ms - now);
		if (pwrite(each->fd, each->bytes, each->size, each->offset) < 0)
			perror("a delayed write");
		close(each->fd);
		first = each->next;
		if (!first)
			last = &first;
		free(each);
	}
	return -1;
}

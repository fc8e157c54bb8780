/* Attending a program that `vfs-probe run` runs: its account comes by a socket, and goes on as bulk items. */
#ifndef VFS_PROBE_ATTEND_H
#define VFS_PROBE_ATTEND_H

#include <poll.h>
#include <signal.h>

#include "run.h"

/* One account line is far shorter: a path and some numbers. */
#define ATTEND_LINE_MAX 32768

/* Whether who called is ourselves: the name of the socket is no secret to the machine's other users. */
static bool attend_is_own(int link)
{
	struct ucred who;
	socklen_t length = sizeof who;
	return getsockopt(link, SOL_SOCKET, SO_PEERCRED, &who, &length) == 0 && who.uid == geteuid();
}

/* Waits for the caller; -1 with errno. */
static int attend_accept(const char *name, int64_t wait_ms)
{
	struct sockaddr_un address;
	socklen_t length = run_address(name, &address);
	int64_t until = clock_now() + wait_ms * 1000000;
	int door = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), link = -1, problem = 0;
	if (door < 0)
		return -1;
	if (bind(door, (struct sockaddr *)&address, length) != 0 || listen(door, 4) != 0)
		problem = errno;
	while (!problem && link < 0) {
		int64_t left = (until - clock_now()) / 1000000;
		struct pollfd polls = { door, POLLIN, 0 };
		if (left <= 0 || poll(&polls, 1, (int)left) == 0) {
			problem = ETIMEDOUT;
			break;
		}
		link = accept4(door, NULL, NULL, SOCK_CLOEXEC);
		if (link >= 0 && !attend_is_own(link)) {
			close(link);
			link = -1;
		}
	}
	close(door);
	errno = problem;
	return link;
}

static enum ending op_attend(struct arguments *arguments)
{
	struct worker *worker = arguments->worker;
	const char *name = argument_string(arguments, "name", true);
	int64_t wait_ms = argument_integer(arguments, "waitMs", 1, 600000, NEEDED);
	struct text in = { 0 };
	int64_t lines = 0;
	if (!usable(arguments))
		return arguments->ending;
	if (strlen(name) < 8 || strlen(name) > 90)
		return wrong(worker, "\"name\" has 8 to 90 bytes");
	int link = attend_accept(name, wait_ms);
	if (link < 0)
		return refused(worker, "accept");
	for (;;) {
		if (!text_room(&in, ATTEND_LINE_MAX))
			break;
		ssize_t got = read(link, in.data + in.length, ATTEND_LINE_MAX);
		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			break;
		in.length += (size_t)got;
		char *from = in.data, *end;
		while ((end = memchr(from, '\n', in.length - (size_t)(from - in.data)))) {
			struct text line = { .data = from, .length = (size_t)(end - from) };
			bulk_add(worker, &line);
			lines++;
			from = end + 1;
		}
		bulk_flush(worker);
		memmove(in.data, from, in.length - (size_t)(from - in.data));
		in.length -= (size_t)(from - in.data);
		if (in.length > ATTEND_LINE_MAX)
			break;
	}
	free(in.data);
	close(link);
	return put_count(worker, "lines", lines);
}

/* For a program that is attended: its supervisor hands signals on. */
static enum ending op_signal(struct arguments *arguments)
{
	static const char *const words[] = { "TERM", "INT", "HUP", "QUIT", "USR1", "USR2" };
	static const int numbers[] = { SIGTERM, SIGINT, SIGHUP, SIGQUIT, SIGUSR1, SIGUSR2 };
	int64_t pid = argument_integer(arguments, "pid", 2, INT32_MAX, NEEDED);
	int word = argument_word(arguments, "signal", words, COUNT(words));
	if (!usable(arguments))
		return arguments->ending;
	return ended(arguments->worker, kill((pid_t)pid, numbers[word]), "kill");
}

#endif

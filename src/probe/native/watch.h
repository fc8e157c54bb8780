/* inotify: what a kernel tells of changes to files that somebody watches. */
#ifndef VFS_PROBE_WATCH_H
#define VFS_PROBE_WATCH_H

#include <poll.h>
#include <sys/inotify.h>

#include "worker.h"

#define WATCH_MAX_PATHS 64
#define WATCH_MAX_EVENTS 10000
#define WATCH_MAX_BYTES (1500 * 1024)

struct watch {
	int count;
	int numbers[WATCH_MAX_PATHS];
	char *paths[WATCH_MAX_PATHS];
};

static const char *const watch_words[] = { "access",	 "modify",  "attrib", "close-write", "close-nowrite", "open",
					   "moved-from", "moved-to", "create", "delete",      "delete-self",   "move-self",
					   "directory",	 "ignored", "unmount" };
static const int watch_bits[] = { IN_ACCESS,	 IN_MODIFY,   IN_ATTRIB, IN_CLOSE_WRITE, IN_CLOSE_NOWRITE, IN_OPEN,
				  IN_MOVED_FROM, IN_MOVED_TO, IN_CREATE, IN_DELETE,	 IN_DELETE_SELF,   IN_MOVE_SELF,
				  IN_ISDIR,	 IN_IGNORED,  IN_UNMOUNT };
/* Those that can be asked for; the others come by themselves. */
#define WATCH_ASKED 12
#define WATCH_KNOWN 15

static void watch_release(struct held *held)
{
	struct watch *watch = (struct watch *)held->at;
	for (int i = 0; i < watch->count; i++)
		free(watch->paths[i]);
	free(watch);
	close(held->fd);
}

static enum ending op_watch(struct arguments *arguments)
{
	struct worker *worker = arguments->worker;
	const struct json *paths = argument(arguments, arguments->op, "paths", JSON_ARRAY, true);
	const char *name = argument_as(arguments, &worker->watches);
	int mask = argument_flags(arguments, "events", watch_words, watch_bits, WATCH_ASKED, false);
	if (!usable(arguments))
		return arguments->ending;
	if (paths->count < 1 || paths->count > WATCH_MAX_PATHS)
		return wrong(worker, "\"paths\" are 1 to %d", WATCH_MAX_PATHS);
	struct watch *watch = calloc(1, sizeof *watch);
	struct held *held = watch ? hold(&worker->watches, name) : NULL;
	if (!held) {
		free(watch);
		return refused(worker, "malloc");
	}
	held->at = (unsigned char *)watch;
	held->fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	enum ending ending = held->fd < 0 ? refused(worker, "inotify_init1") : ended(worker, 0, "");
	for (const struct json *each = paths->first; each && ending == ENDED_WELL; each = each->next) {
		const char *path = path_of(arguments, each, "paths");
		if (!path) {
			ending = arguments->ending;
			break;
		}
		int number = inotify_add_watch(held->fd, path, mask ? (uint32_t)mask : IN_ALL_EVENTS);
		char *copy = number < 0 ? NULL : strdup(each->bytes);
		if (!copy) {
			ending = refused(worker, number < 0 ? "inotify_add_watch" : "malloc");
			break;
		}
		watch->numbers[watch->count] = number;
		watch->paths[watch->count++] = copy;
	}
	if (ending != ENDED_WELL) {
		watch_release(held);
		let_go(&worker->watches, held);
	}
	return ending;
}

static void put_event(struct text *text, const struct watch *watch, const struct inotify_event *event, int64_t at)
{
	const char *path = "", *separator = "";
	for (int i = 0; i < watch->count; i++)
		if (watch->numbers[i] == event->wd) {
			path = watch->paths[i];
			break;
		}
	put(text, "{", 1);
	put_key_string(text, "path", path);
	put_key(text, "mask");
	put(text, "[", 1);
	for (int i = 0; i < WATCH_KNOWN; i++) {
		if (!(event->mask & (uint32_t)watch_bits[i]))
			continue;
		put_text(text, separator);
		put_string(text, watch_words[i]);
		separator = ",";
	}
	put(text, "]", 1);
	/* The name is padded with NULs. */
	if (event->len)
		put_key_string(text, "name", event->name);
	if (event->cookie)
		put_key_integer(text, "cookie", event->cookie);
	put_key_integer(text, "atNs", at);
	put(text, "}", 1);
}

static enum ending op_events(struct arguments *arguments)
{
	struct worker *worker = arguments->worker;
	/* Small, so that no more events are taken from the kernel's queue than can be answered. */
	_Alignas(struct inotify_event) char buffer[4096];
	struct held *held = argument_held(arguments, "watch", &worker->watches);
	int64_t quiet = argument_integer(arguments, "quietMs", 0, 24 * 3600 * 1000, NEEDED) * 1000000;
	int64_t limit = argument_integer(arguments, "limitMs", 0, 24 * 3600 * 1000, NEEDED) * 1000000;
	int64_t wanted = argument_integer(arguments, "count", 1, WATCH_MAX_EVENTS, WATCH_MAX_EVENTS), count = 0;
	if (!usable(arguments))
		return arguments->ending;
	int64_t begin = clock_now(), last = begin;
	size_t start = worker->value.length;
	bool overflow = false;
	put_text(&worker->value, "{\"events\":[");
	while (count < wanted && worker->value.length - start < WATCH_MAX_BYTES) {
		ssize_t got = read(held->fd, buffer, sizeof buffer);
		if (got < 0 && errno != EAGAIN && errno != EINTR)
			return refused(worker, "read");
		int64_t now = clock_now();
		if (got <= 0) {
			int64_t until = last + quiet < begin + limit ? last + quiet : begin + limit;
			if (now >= until)
				break;
			struct pollfd wait = { held->fd, POLLIN, 0 };
			/* Not longer than what keeps a client's `silent` limit away. */
			int64_t ms = (until - now) / 1000000 + 1;
			poll(&wait, 1, ms < 1000 ? (int)ms : 1000);
			send_progress(worker, -1, count);
			continue;
		}
		last = now;
		for (ssize_t at = 0; at < got;) {
			const struct inotify_event *event = (const struct inotify_event *)(buffer + at);
			at += (ssize_t)(sizeof *event + event->len);
			if (event->mask & IN_Q_OVERFLOW) {
				overflow = true;
				continue;
			}
			if (count++)
				put(&worker->value, ",", 1);
			put_event(&worker->value, (struct watch *)held->at, event, now);
		}
		if (now >= begin + limit)
			break;
	}
	put(&worker->value, "]", 1);
	if (overflow)
		put_key_bool(&worker->value, "overflow", true);
	put(&worker->value, "}", 1);
	return ENDED_WELL;
}

static enum ending op_unwatch(struct arguments *arguments)
{
	struct worker *worker = arguments->worker;
	struct held *held = argument_held(arguments, "watch", &worker->watches);
	if (!held)
		return arguments->ending;
	watch_release(held);
	let_go(&worker->watches, held);
	return ended(worker, 0, "close");
}

#endif

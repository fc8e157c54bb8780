/* Reading links while signals interrupt the calls: an answer that comes late must not be taken for another's. */
#ifndef VFS_PROBE_LINKS_H
#define VFS_PROBE_LINKS_H

#include "interrupt.h"
#include "stat.h"
#include "worker.h"

#define LINKS_MAX 10000
#define LINKS_KEPT 100
/* After so many interruptions in a row one call goes without: signals may come faster than answers. */
#define LINKS_PATIENCE 50

struct links {
	struct worker *worker;
	struct text wrong, errors;
	int64_t reads, interrupted, wrong_in_all, errors_in_all;
};

/* readlink until it is not interrupted. */
static ssize_t links_read(struct links *links, const char *path, char *target, size_t room)
{
	sigset_t timer;
	sigemptyset(&timer);
	sigaddset(&timer, SIGALRM);
	for (int again = 0;; again++) {
		if (again == LINKS_PATIENCE)
			sigprocmask(SIG_BLOCK, &timer, NULL);
		ssize_t length = readlink(path, target, room);
		int problem = errno;
		if (again == LINKS_PATIENCE)
			sigprocmask(SIG_UNBLOCK, &timer, NULL);
		links->reads++;
		errno = problem;
		if (length >= 0 || problem != EINTR || again == LINKS_PATIENCE)
			return length;
		links->interrupted++;
	}
}

static void links_look(struct links *links, const char *path, const char *expected, int64_t round)
{
	char target[4096];
	ssize_t length = links_read(links, path, target, sizeof target);
	if (length == (ssize_t)strlen(expected) && memcmp(target, expected, (size_t)length) == 0)
		return;
	int problem = errno;
	struct text *text = length < 0 ? &links->errors : &links->wrong;
	if ((length < 0 ? links->errors_in_all++ : links->wrong_in_all++) >= LINKS_KEPT)
		return;
	put_text(text, text->length ? ",{" : "{");
	put_key_string(text, "path", path);
	if (length < 0) {
		put_key_string(text, "errno", errno_name(problem));
	} else {
		put_key(text, "target");
		put_bytes(text, target, (size_t)length);
		put_key_string(text, "expected", expected);
	}
	put_key_integer(text, "round", round);
	put(text, "}", 1);
}

static void put_key_list(struct text *text, const char *key, const struct text *items)
{
	put_key(text, key);
	put(text, "[", 1);
	put(text, items->length ? items->data : "", items->length);
	put(text, "]", 1);
}

static enum ending op_read_links(struct arguments *arguments)
{
	struct worker *worker = arguments->worker;
	struct links links = { .worker = worker };
	const struct json *list = argument(arguments, arguments->op, "links", JSON_ARRAY, true);
	int64_t rounds = argument_integer(arguments, "rounds", 1, 100000, NEEDED);
	int64_t every = argument_integer(arguments, "signalEveryUs", 0, 60000000, NEEDED), round = 0;
	int64_t limit = argument_integer(arguments, "limitMs", 0, 24 * 3600 * 1000, 24 * 3600 * 1000) * 1000000;
	if (!usable(arguments))
		return arguments->ending;
	if (list->count > LINKS_MAX)
		return wrong(worker, "more than %d links", LINKS_MAX);
	for (const struct json *each = list->first; each; each = each->next) {
		const struct json *path = json_get(each, "path"), *target = json_get(each, "target");
		if (!path || !target || !path_of(arguments, path, "path") || !string_in(arguments, target, "target"))
			return usable(arguments) ? wrong(worker, "a link has a \"path\" and a \"target\"") : arguments->ending;
	}
	timer_signals = 0;
	if (every)
		timer_start(every, every);
	for (int64_t last = clock_now() + limit; round < rounds && (!round || clock_now() < last); round++)
		for (const struct json *each = list->first; each; each = each->next) {
			links_look(&links, json_get(each, "path")->bytes, json_get(each, "target")->bytes, round);
			send_progress(worker, -1, links.reads);
		}
	timer_stop();
	worker->end = clock_now();
	put(&worker->value, "{", 1);
	put_key_integer(&worker->value, "rounds", round);
	put_key_integer(&worker->value, "reads", links.reads);
	put_key_integer(&worker->value, "interrupted", links.interrupted);
	put_key_integer(&worker->value, "signals", timer_signals);
	put_key_list(&worker->value, "wrong", &links.wrong);
	put_key_list(&worker->value, "errors", &links.errors);
	put_key_integer(&worker->value, "wrongInAll", links.wrong_in_all);
	put_key_integer(&worker->value, "errorsInAll", links.errors_in_all);
	put(&worker->value, "}", 1);
	worker->value.failed = worker->value.failed || links.wrong.failed || links.errors.failed;
	free(links.wrong.data);
	free(links.errors.data);
	return ENDED_WELL;
}

#endif

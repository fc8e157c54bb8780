/*
 * What a worker process is made of: its link to the supervisor, what it holds open, how an operation reads
 * its arguments and says how it ended. The table of operations is in operations.h.
 */
#ifndef VFS_PROBE_WORKER_H
#define VFS_PROBE_WORKER_H

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#include "fresh-pages.h"
#include "json.h"
#include "names.h"

#define LINE_MAX_BYTES (2 * 1024 * 1024)
/* What one read or write may carry, and the room for it in memory. */
#define IO_MAX (1024 * 1024)
#define IO_ALIGN 4096
#define IO_ROOM (IO_MAX + IO_ALIGN)
#define BULK_BYTES 60000
#define PROGRESS_NS 100000000LL
#define MAX_HELD 1024
#define MAX_ROOTS 16
/* Names in one answer. */
#define NAMES_MAX_BYTES (1900 * 1024)
#define OPEN_TO_READ (O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK)
/* The last number that a user or a group can have: -1 is nobody. */
#define USER_MAX 0xfffffffeLL
#define COUNT(array) ((int)(sizeof(array) / sizeof *(array)))

/* What goes from a worker to the supervisor: this, then `length` bytes of one JSON line. */
enum frame_kind {
	FRAME_BEGUN,
	FRAME_MEANWHILE,
	FRAME_ANSWER,
	/* Instead of its end: it is as new, and can serve another actor (recycle.h). */
	FRAME_AS_NEW
};

/* In place of a request's length: the actor is released. */
#define RELEASED 0

struct frame {
	uint32_t length, kind;
	int64_t id, begin;
};

enum ending {
	ENDED_WELL,
	/* A system call was refused. */
	ENDED_REFUSED,
	/* By a signal that would have ended another process: a fault in a mapped file. */
	ENDED_SIGNALLED,
	/* The request was wrong. */
	ENDED_WRONG
};

struct held {
	char *name;
	int fd;
	unsigned char *at;
	size_t length;
	struct held *next;
};

struct worker {
	int link;
	int64_t id;
	struct arena arena;
	/* The value of the operation under way, as JSON; bulk items not sent yet. */
	struct text value, bulk, line;
	int64_t begin, end, bulk_sent, progress_sent;
	/* Why it did not end well: an errno, or a signal. */
	int problem;
	char why[256];
	const char *root;
	struct {
		char *path;
		int fd;
	} roots[MAX_ROOTS];
	size_t root_count;
	/* The root that is the working directory now; `moved` once the actor has chosen its own. */
	int at_root;
	bool moved;
	struct held *files, *maps, *watches;
	unsigned char *io;
	/* It did what a reset does not undo: it serves no second actor. */
	bool spent;
};

/* Set once by the supervisor before it forks: all times count from here. */
static int64_t clock_origin;

static int64_t clock_now(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec - clock_origin;
}

/* ---- answers ---- */

/* Sends one line. The supervisor's end is the worker's end. */
static void send_line(struct worker *worker, enum frame_kind kind, const struct text *line)
{
	struct frame frame = { (uint32_t)line->length, kind, worker->id, worker->begin };
	struct iovec parts[2] = { { &frame, sizeof frame }, { line->data, line->length } };
	size_t left = sizeof frame + line->length;
	while (left) {
		ssize_t sent = writev(worker->link, parts, 2);
		if (sent < 0 && errno == EINTR)
			continue;
		if (sent <= 0)
			_exit(0);
		left -= (size_t)sent;
		for (int i = 0; i < 2; i++) {
			size_t take = (size_t)sent < parts[i].iov_len ? (size_t)sent : parts[i].iov_len;
			parts[i].iov_base = (char *)parts[i].iov_base + take;
			parts[i].iov_len -= take;
			sent -= (ssize_t)take;
		}
	}
}

static struct text *begin_line(struct worker *worker)
{
	worker->line.length = 0;
	put(&worker->line, "{", 1);
	put_key_integer(&worker->line, "id", worker->id);
	return &worker->line;
}

static void bulk_flush(struct worker *worker)
{
	if (!worker->bulk.length)
		return;
	struct text *line = begin_line(worker);
	put_key(line, "bulk");
	put(line, "[", 1);
	put(line, worker->bulk.data, worker->bulk.length);
	put(line, "]}", 2);
	worker->bulk.length = 0;
	worker->bulk_sent = clock_now();
	if (!line->failed)
		send_line(worker, FRAME_MEANWHILE, line);
}

/* Adds one bulk item, a complete JSON value. False when memory ran out. */
static bool bulk_add(struct worker *worker, const struct text *item)
{
	if (item->failed)
		return false;
	if (worker->bulk.length && (worker->bulk.length + item->length > BULK_BYTES ||
				    clock_now() - worker->bulk_sent > PROGRESS_NS))
		bulk_flush(worker);
	if (worker->bulk.length)
		put(&worker->bulk, ",", 1);
	put(&worker->bulk, item->data, item->length);
	return !worker->bulk.failed;
}

/* At most one line in PROGRESS_NS; a negative count is not mentioned. */
static void send_progress(struct worker *worker, int64_t bytes, int64_t entries)
{
	int64_t now = clock_now();
	if (now - worker->progress_sent < PROGRESS_NS)
		return;
	worker->progress_sent = now;
	struct text *line = begin_line(worker);
	put_key(line, "progress");
	put(line, "{", 1);
	if (entries >= 0)
		put_key_integer(line, "entries", entries);
	if (bytes >= 0)
		put_key_integer(line, "bytes", bytes);
	put(line, "}}", 2);
	if (!line->failed)
		send_line(worker, FRAME_MEANWHILE, line);
}

/* ---- how an operation ends ---- */

static enum ending refused_with(struct worker *worker, int problem, const char *call)
{
	if (!worker->end)
		worker->end = clock_now();
	worker->problem = problem;
	snprintf(worker->why, sizeof worker->why, "%s", call);
	return ENDED_REFUSED;
}

static enum ending refused(struct worker *worker, const char *call)
{
	return refused_with(worker, errno, call);
}

static enum ending signalled(struct worker *worker, int number)
{
	if (!worker->end)
		worker->end = clock_now();
	worker->problem = number;
	return ENDED_SIGNALLED;
}

__attribute__((format(printf, 2, 3))) static enum ending wrong(struct worker *worker, const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	vsnprintf(worker->why, sizeof worker->why, format, arguments);
	va_end(arguments);
	return ENDED_WRONG;
}

/* The value `{}`, or the refusal of a call that answers 0 for success. */
static enum ending ended(struct worker *worker, int result, const char *call)
{
	if (result != 0)
		return refused(worker, call);
	put_text(&worker->value, "{}");
	return ENDED_WELL;
}

static enum ending put_data(struct worker *worker, const unsigned char *bytes, size_t length)
{
	put(&worker->value, "{", 1);
	put_key_integer(&worker->value, "bytes", (int64_t)length);
	put_key(&worker->value, "base64");
	put_base64(&worker->value, bytes, length);
	put(&worker->value, "}", 1);
	return ENDED_WELL;
}

static enum ending put_count(struct worker *worker, const char *key, int64_t count)
{
	put(&worker->value, "{", 1);
	put_key_integer(&worker->value, key, count);
	put(&worker->value, "}", 1);
	return ENDED_WELL;
}

/* ---- arguments ---- */

/* Arguments are read in turn; the first that is wrong decides how the operation ends. */
struct arguments {
	struct worker *worker;
	const struct json *op;
	enum ending ending;
};

static bool usable(const struct arguments *arguments)
{
	return arguments->ending == ENDED_WELL;
}

static const struct json *argument(struct arguments *arguments, const struct json *from, const char *key,
				   enum json_type type, bool needed)
{
	const struct json *value = json_get(from, key);
	if (!usable(arguments) || (!value && !needed))
		return NULL;
	if (!value || value->type != type) {
		arguments->ending = wrong(arguments->worker, "\"%.40s\" is missing or of the wrong type", key);
		return NULL;
	}
	return value;
}

#define NEEDED INT64_MIN

/* A whole number between two bounds, `absent` where it is not there; NEEDED: then it is wrong. */
static int64_t argument_integer_of(struct arguments *arguments, const struct json *from, const char *key,
				   int64_t least, int64_t most, int64_t absent)
{
	const struct json *value = argument(arguments, from, key, JSON_INTEGER, absent == NEEDED);
	if (!value)
		return absent;
	if (value->integer < least || value->integer > most) {
		arguments->ending = wrong(arguments->worker, "\"%.40s\" is out of bounds", key);
		return absent;
	}
	return value->integer;
}

static int64_t argument_integer(struct arguments *arguments, const char *key, int64_t least, int64_t most, int64_t absent)
{
	return argument_integer_of(arguments, arguments->op, key, least, most, absent);
}

static bool argument_bool(struct arguments *arguments, const char *key)
{
	const struct json *value = json_get(arguments->op, key);
	if (value && usable(arguments) && value->type != JSON_TRUE && value->type != JSON_FALSE)
		arguments->ending = wrong(arguments->worker, "\"%.40s\" is of the wrong type", key);
	return value && value->type == JSON_TRUE;
}

/* The bytes of a string, which may have no NUL in it. */
static const char *string_in(struct arguments *arguments, const struct json *value, const char *key)
{
	if (value->type == JSON_STRING && strlen(value->bytes) == value->length)
		return value->bytes;
	arguments->ending = wrong(arguments->worker, value->type == JSON_STRING ? "\"%.40s\" has a NUL in it" :
										    "\"%.40s\" is of the wrong type", key);
	return NULL;
}

/* A string without NULs; NULL where it is absent (which is wrong if it is needed). */
static const char *argument_string(struct arguments *arguments, const char *key, bool needed)
{
	const struct json *value = argument(arguments, arguments->op, key, JSON_STRING, needed);
	return value ? string_in(arguments, value, key) : NULL;
}

/* Which of some words a string is; 0, the first, where it is absent. */
static int argument_word(struct arguments *arguments, const char *key, const char *const *words, int count)
{
	const char *word = argument_string(arguments, key, false);
	if (!word)
		return 0;
	for (int i = 0; i < count; i++)
		if (strcmp(word, words[i]) == 0)
			return i;
	arguments->ending = wrong(arguments->worker, "\"%.40s\" is not known: %.60s", key, word);
	return 0;
}

/* The bits of a list of words. */
static int argument_flags(struct arguments *arguments, const char *key, const char *const *words, const int *bits, int count,
			  bool needed)
{
	const struct json *list = argument(arguments, arguments->op, key, JSON_ARRAY, needed);
	int flags = 0;
	for (const struct json *word = list ? list->first : NULL; word; word = word->next) {
		int i = 0;
		while (i < count && (word->type != JSON_STRING || strcmp(word->bytes, words[i]) != 0))
			i++;
		if (i == count) {
			arguments->ending = wrong(arguments->worker, "\"%.40s\" has a word that is not known", key);
			return 0;
		}
		flags |= bits[i];
	}
	return flags;
}

/* Makes the request's root the working directory, opening it the first time. */
static bool enter_root(struct arguments *arguments)
{
	struct worker *worker = arguments->worker;
	size_t i = 0;
	if (worker->moved)
		return true;
	if (!worker->root || worker->root[0] != '/') {
		arguments->ending = wrong(worker, "a relative path needs an absolute root");
		return false;
	}
	while (i < worker->root_count && strcmp(worker->roots[i].path, worker->root) != 0)
		i++;
	if (i == worker->root_count) {
		if (i == MAX_ROOTS) {
			arguments->ending = wrong(worker, "more than %d roots", MAX_ROOTS);
			return false;
		}
		int fd = open(worker->root, O_PATH | O_DIRECTORY | O_CLOEXEC);
		char *path = fd < 0 ? NULL : strdup(worker->root);
		if (!path) {
			arguments->ending = refused(worker, "open the root");
			if (fd >= 0)
				close(fd);
			return false;
		}
		worker->roots[worker->root_count].path = path;
		worker->roots[worker->root_count++].fd = fd;
	}
	if (worker->at_root != worker->roots[i].fd) {
		if (fchdir(worker->roots[i].fd) != 0) {
			arguments->ending = refused(worker, "fchdir to the root");
			return false;
		}
		worker->at_root = worker->roots[i].fd;
	}
	return true;
}

/* A path, ready for a system call: relative ones start from the root. "" is the root itself. */
static const char *path_of(struct arguments *arguments, const struct json *value, const char *key)
{
	const char *path = string_in(arguments, value, key);
	if (!path || (path[0] != '/' && !enter_root(arguments)))
		return NULL;
	return path[0] ? path : ".";
}

static const char *argument_path(struct arguments *arguments, const char *key)
{
	const struct json *value = argument(arguments, arguments->op, key, JSON_STRING, true);
	return value ? path_of(arguments, value, key) : NULL;
}

static struct held **find_held(struct held **list, const char *name)
{
	while (*list && strcmp((*list)->name, name) != 0)
		list = &(*list)->next;
	return list;
}

/* Something that an earlier operation opened. */
static struct held *argument_held(struct arguments *arguments, const char *key, struct held **list)
{
	const char *name = argument_string(arguments, key, true);
	if (!name)
		return NULL;
	struct held *held = *find_held(list, name);
	if (!held) {
		char call[128];
		snprintf(call, sizeof call, "%s %.80s is not open", key, name);
		arguments->ending = refused_with(arguments->worker, EBADF, call);
	}
	return held;
}

static int argument_file(struct arguments *arguments)
{
	struct held *held = argument_held(arguments, "file", &arguments->worker->files);
	return held ? held->fd : -1;
}

/* The name under which something new is to be held: not in use, and not one too many. */
static const char *argument_as(struct arguments *arguments, struct held **list)
{
	const char *name = argument_string(arguments, "as", true);
	size_t count = 0;
	if (!name)
		return NULL;
	for (struct held *held = *list; held; held = held->next)
		count++;
	if (*find_held(list, name) || count >= MAX_HELD) {
		arguments->ending = wrong(arguments->worker, "\"%.60s\" is open already, or too much is open", name);
		return NULL;
	}
	return name;
}

static struct held *hold(struct held **list, const char *name)
{
	struct held *held = calloc(1, sizeof *held);
	if (held)
		held->name = strdup(name);
	if (!held || !held->name) {
		free(held);
		errno = ENOMEM;
		return NULL;
	}
	held->next = *list;
	*list = held;
	return held;
}

static void let_go(struct held **list, struct held *held)
{
	while (*list != held)
		list = &(*list)->next;
	*list = held->next;
	free(held->name);
	free(held);
}

struct range {
	int64_t offset;
	/* -1: to the end of the file. */
	int64_t length;
};

static struct range argument_range(struct arguments *arguments, const struct json *from)
{
	struct range range = { 0, -1 };
	if (from) {
		range.offset = argument_integer_of(arguments, from, "offset", 0, JSON_SAFE_INTEGER, NEEDED);
		range.length = argument_integer_of(arguments, from, "length", 0, JSON_SAFE_INTEGER, -1);
	}
	return range;
}

static struct range argument_range_of(struct arguments *arguments, const char *key)
{
	return argument_range(arguments, argument(arguments, arguments->op, key, JSON_OBJECT, false));
}

static void pause_us(int64_t us)
{
	struct timespec time = { us / 1000000, us % 1000000 * 1000 };
	while (nanosleep(&time, &time) != 0 && errno == EINTR)
		;
}

/* The buffer for reads and writes: page-aligned, IO_MAX bytes and a little for base64's last group. */
static unsigned char *io_buffer(struct worker *worker)
{
	if (!worker->io)
		worker->io = fresh_pages(IO_ROOM);
	return worker->io;
}

/* Bytes in base64, decoded into the buffer; -1 with the ending set. */
static int64_t argument_bytes(struct arguments *arguments)
{
	const struct json *value = argument(arguments, arguments->op, "base64", JSON_STRING, true);
	if (!value)
		return -1;
	if (!io_buffer(arguments->worker)) {
		arguments->ending = refused(arguments->worker, "malloc");
		return -1;
	}
	int64_t length = value->length > IO_MAX / 3 * 4 + 4 ? -1 : base64_decode(value->bytes, value->length, arguments->worker->io);
	if (length < 0 || length > IO_MAX) {
		arguments->ending = wrong(arguments->worker, "\"base64\" is no base64, or more than 1 MiB");
		return -1;
	}
	return length;
}

#endif

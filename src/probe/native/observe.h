/*
 * Looking again and again until something holds, and when what was seen. The client is far away: asking it for
 * each look would measure the connection. Only changes are kept, each with the time of its first and last look.
 *
 * Memory: what is answered, below 2 MiB.
 */
#ifndef VFS_PROBE_OBSERVE_H
#define VFS_PROBE_OBSERVE_H

#include <sys/xattr.h>

#include "access.h"
#include "file-operations.h"
#include "locks.h"
#include "map-operations.h"
#include "pages.h"
#include "stat.h"
#include "tree.h"
#include "worker.h"

#define OBSERVE_MAX_LOOKS 16
#define OBSERVE_MAX_SIGHTINGS 500
#define OBSERVE_MAX_BYTES 4096
/* All that is kept, as JSON. */
#define OBSERVE_KEPT (1500 * 1024)
#define STAT_USUAL (1u << 1 | 1u << 3 | 1u << 4 | 1u << 7 | 1u << 9)

struct sighting {
	char *value;
	int64_t first[2], last[2], count;
};

struct look {
	struct arguments arguments;
	bool (*see)(struct look *);
	const struct json *until;
	/* What it looks at: some of these. */
	const char *path, *name;
	struct held *map;
	struct access access;
	struct lock lock;
	struct range range;
	int flags;
	unsigned members;
	/* The look under way: its result as JSON, its times, and the call that was refused. */
	struct text now;
	int64_t begin, end;
	const char *call;
	/* The one before, and everything kept. */
	struct text last;
	bool holds;
	struct sighting *sightings;
	size_t count;
	int64_t dropped;
};

static bool look_refused(struct look *look, const char *call)
{
	look->call = call;
	return false;
}

/* Called after the system call and before the result is put into words. */
static void look_made(struct look *look)
{
	look->end = clock_now();
}

static bool look_stat(struct look *look, int directory, const char *path, int flags)
{
	struct statx stat;
	if (statx(directory, path, look->flags | flags, STATX_BASIC_STATS, &stat) != 0)
		return look_refused(look, "statx");
	look_made(look);
	put_stat_members(&look->now, &stat, look->members);
	return true;
}

static bool see_stat(struct look *look)
{
	return look_stat(look, AT_FDCWD, look->path, AT_NO_AUTOMOUNT);
}

static bool see_fstat(struct look *look)
{
	return look_stat(look, look->access.fd, "", AT_EMPTY_PATH);
}

static bool see_name(struct look *look)
{
	struct statx stat;
	int result = statx(AT_FDCWD, look->path, look->flags | AT_NO_AUTOMOUNT, STATX_INO, &stat);
	if (result != 0 && errno != ENOENT)
		return look_refused(look, "statx");
	look_made(look);
	put_key_bool(&look->now, "exists", result == 0);
	if (result == 0)
		put_key_decimal(&look->now, "ino", (int64_t)stat.stx_ino, false);
	return true;
}

static bool see_names(struct look *look)
{
	struct names names;
	int fd = open(look->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return look_refused(look, "open");
	int problem = names_read(fd, true, &names);
	close(fd);
	look_made(look);
	bool listed = false;
	/* FNV-1a. */
	uint32_t sum = 0x811c9dc5u;
	for (size_t i = 0; i < names.count; i++) {
		const unsigned char *at = (const unsigned char *)names.list[i];
		listed = listed || (look->name && strcmp(look->name, names.list[i]) == 0);
		do
			sum = (sum ^ *at) * 0x01000193u;
		while (*at++);
	}
	if (look->name) {
		put_key_bool(&look->now, "listed", listed);
	} else {
		char hex[9];
		snprintf(hex, sizeof hex, "%08x", sum);
		put_key_integer(&look->now, "names", (int64_t)names.count);
		put_key_string(&look->now, "fnv1a", hex);
	}
	names_release(&names);
	errno = problem;
	return problem ? look_refused(look, "getdents64") : true;
}

static void put_seen_data(struct look *look, size_t length)
{
	put_key_integer(&look->now, "bytes", (int64_t)length);
	put_key(&look->now, "base64");
	put_base64(&look->now, look->arguments.worker->io, length);
}

static bool see_read(struct look *look)
{
	ssize_t got = access_read(&look->access, look->arguments.worker->io);
	if (got < 0 && !look->access.signal)
		return look_refused(look, look->access.call);
	look_made(look);
	if (got < 0)
		put_key_string(&look->now, "signal", signal_name(look->access.signal));
	else
		put_seen_data(look, (size_t)got);
	return true;
}

static bool see_content(struct look *look)
{
	int fd = open(look->path, look->flags | O_CLOEXEC | O_NOCTTY, 0644);
	if (fd < 0)
		return look_refused(look, "open");
	ssize_t got = pread(fd, look->arguments.worker->io, look->access.length, look->access.offset);
	int problem = errno;
	look_made(look);
	close(fd);
	errno = problem;
	if (got < 0)
		return look_refused(look, "pread");
	put_seen_data(look, (size_t)got);
	return true;
}

static bool see_load(struct look *look)
{
	int signal = copy_mapped(look->arguments.worker->io, look->map->at + look->access.offset, look->access.length);
	look_made(look);
	if (signal)
		put_key_string(&look->now, "signal", signal_name(signal));
	else
		put_seen_data(look, look->access.length);
	return true;
}

static bool see_readlink(struct look *look)
{
	char target[4096];
	ssize_t length = readlink(look->path, target, sizeof target);
	if (length < 0)
		return look_refused(look, "readlink");
	look_made(look);
	put_key(&look->now, "target");
	put_bytes(&look->now, target, (size_t)length);
	return true;
}

static bool see_getxattr(struct look *look)
{
	ssize_t length = getxattr(look->path, look->name, look->arguments.worker->io, OBSERVE_MAX_BYTES);
	if (length < 0)
		return look_refused(look, "getxattr");
	look_made(look);
	put_seen_data(look, (size_t)length);
	return true;
}

static bool see_pages(struct look *look)
{
	static const char *const by[] = { "cachestat", "mincore", "refused" };
	struct page_state state;
	int problem = pages_look(look->access.fd, look->range.offset, look->range.length, false, false, &state);
	look_made(look);
	pages_release(&state);
	errno = problem;
	if (problem)
		return look_refused(look, "pages");
	put_key_string(&look->now, "by", by[state.by]);
	put_key_integer(&look->now, "cached", (int64_t)state.cached);
	if (state.by == PAGES_BY_CACHESTAT) {
		put_key_integer(&look->now, "dirty", (int64_t)state.dirty);
		put_key_integer(&look->now, "writeback", (int64_t)state.writeback);
	}
	return true;
}

static bool see_lock(struct look *look)
{
	if (lock_take(&look->lock, false) != 0)
		return look_refused(look, lock_call(&look->lock));
	look_made(look);
	struct lock release = look->lock;
	release.mode = LOCK_NONE;
	lock_take(&release, false);
	put_key_bool(&look->now, "locked", true);
	return true;
}

/* ---- arguments of a look ---- */

static void look_range(struct look *look)
{
	look->access.offset = argument_integer(&look->arguments, "offset", 0, JSON_SAFE_INTEGER, NEEDED);
	look->access.length = (size_t)argument_integer(&look->arguments, "length", 0, OBSERVE_MAX_BYTES, NEEDED);
}

static unsigned look_members(struct look *look)
{
	int bits[STAT_WORDS];
	for (int i = 0; i < STAT_WORDS; i++)
		bits[i] = 1 << i;
	int members = argument_flags(&look->arguments, "fields", stat_words, bits, STAT_WORDS, false);
	return members ? (unsigned)members : STAT_USUAL;
}

static void argument_stat_look(struct look *look)
{
	look->members = look_members(look);
	look->flags = stat_sync(&look->arguments);
}

static void look_arguments(struct look *look)
{
	static const struct {
		const char *word;
		bool (*see)(struct look *);
	} kinds[] = {
		{ "stat", see_stat },	  { "fstat", see_fstat },	  { "name", see_name },	      { "listed", see_names },
		{ "list", see_names },	  { "read", see_read },		  { "content", see_content }, { "load", see_load },
		{ "readlink", see_readlink }, { "getxattr", see_getxattr }, { "pages", see_pages },   { "lock", see_lock },
	};
	struct arguments *arguments = &look->arguments;
	const char *kind = argument_string(arguments, "see", true);
	int i = 0;
	if (!usable(arguments))
		return;
	while (i < COUNT(kinds) && strcmp(kind, kinds[i].word) != 0)
		i++;
	if (i == COUNT(kinds)) {
		arguments->ending = wrong(arguments->worker, "unknown look %.60s", kind);
		return;
	}
	look->see = kinds[i].see;
	look->until = argument(arguments, arguments->op, "until", JSON_OBJECT, false);
	if (look->see == see_lock) {
		argument_lock(arguments, &look->lock);
		if (usable(arguments) && look->lock.mode == LOCK_NONE)
			arguments->ending = wrong(arguments->worker, "\"mode\" is shared or exclusive");
	} else if (look->see == see_load) {
		look_range(look);
		look->map = argument_held(arguments, "map", &arguments->worker->maps);
		if (usable(arguments) && !within(look->map, look->access.offset, (int64_t)look->access.length))
			arguments->ending = wrong(arguments->worker, "outside the mapping");
	} else if (look->see == see_read) {
		argument_access(arguments, &look->access, read_hows);
		look_range(look);
		if (usable(arguments) && look->access.how == ACCESS_COPY_RANGE)
			arguments->ending = wrong(arguments->worker, "no look copies");
	} else if (look->see == see_fstat || look->see == see_pages) {
		look->access.fd = argument_file(arguments);
		look->range = argument_range_of(arguments, "range");
		argument_stat_look(look);
	} else {
		look->path = argument_path(arguments, "path");
	}
	if (look->see == see_stat || look->see == see_name) {
		argument_stat_look(look);
		if (look->see == see_name || !argument_bool(arguments, "follow"))
			look->flags |= AT_SYMLINK_NOFOLLOW;
	} else if (look->see == see_content) {
		look_range(look);
		look->flags = argument_flags(arguments, "flags", open_words, open_bits, COUNT(open_words), false);
	} else if (look->see == see_getxattr || strcmp(kind, "listed") == 0) {
		look->name = argument_string(arguments, "name", true);
	}
}

/* ---- what was seen ---- */

static bool same_value(const struct json *one, const struct json *other)
{
	if (!one || !other || one->type != other->type)
		return false;
	if (one->type == JSON_INTEGER)
		return one->integer == other->integer;
	if (one->type == JSON_STRING)
		return one->length == other->length && memcmp(one->bytes, other->bytes, one->length) == 0;
	return one->type == JSON_TRUE || one->type == JSON_FALSE;
}

/* Whether `until` holds for what was seen last. */
static bool look_holds(const struct look *look)
{
	const struct json *is = json_get(look->until, "is"), *is_not = json_get(look->until, "isNot");
	struct arena arena = { 0 };
	const char *problem;
	const struct json *seen = json_parse(&arena, look->last.data, look->last.length, &problem);
	bool holds = seen != NULL, differs = !is_not;
	for (const struct json *each = is ? is->first : NULL; each; each = each->next)
		holds = holds && same_value(each, json_get(seen, each->key));
	for (const struct json *each = is_not ? is_not->first : NULL; each; each = each->next)
		differs = differs || !same_value(each, json_get(seen, each->key));
	arena_release(&arena);
	return holds && differs;
}

/* Makes one look and keeps what it saw. `kept`: the bytes that all looks keep. */
static void look_once(struct look *look, size_t *kept)
{
	look->now.length = 0;
	put(&look->now, "{", 1);
	look->begin = clock_now();
	look->end = 0;
	if (!look->see(look)) {
		int problem = errno;
		if (!look->end)
			look_made(look);
		look->now.length = 1;
		put_key_string(&look->now, "errno", errno_name(problem));
		put_key_string(&look->now, "call", look->call);
	}
	put(&look->now, "}", 1);
	bool same = look->now.length == look->last.length && !memcmp(look->now.data, look->last.data, look->now.length);
	if (!same) {
		struct text last = look->last;
		look->last = look->now;
		look->now = last;
		look->holds = !look->until || look_holds(look);
		if (look->dropped || look->count == OBSERVE_MAX_SIGHTINGS || *kept + look->last.length > OBSERVE_KEPT) {
			look->dropped++;
			return;
		}
		char *value = malloc(look->last.length + 1);
		if (!value) {
			look->last.failed = true;
			return;
		}
		memcpy(value, look->last.data, look->last.length);
		value[look->last.length] = 0;
		look->sightings[look->count++] = (struct sighting){ value, { look->begin, look->end }, { 0, 0 }, 0 };
		/* The times and counts of a sighting are not much longer than this. */
		*kept += look->last.length + 150;
	}
	if (look->dropped)
		return;
	struct sighting *sighting = &look->sightings[look->count - 1];
	sighting->last[0] = look->begin;
	sighting->last[1] = look->end;
	sighting->count++;
}

static void put_key_window(struct text *text, const char *key, const int64_t *window)
{
	put_key(text, key);
	put(text, "[", 1);
	put_integer(text, window[0]);
	put(text, ",", 1);
	put_integer(text, window[1]);
	put(text, "]", 1);
}

static void put_timeline(struct text *text, const struct look *look)
{
	put_text(text, "{\"seen\":[");
	for (size_t i = 0; i < look->count; i++) {
		const struct sighting *sighting = &look->sightings[i];
		put_text(text, i ? ",{" : "{");
		put_key(text, "value");
		put_text(text, sighting->value);
		put_key_window(text, "first", sighting->first);
		put_key_window(text, "last", sighting->last);
		put_key_integer(text, "count", sighting->count);
		put(text, "}", 1);
	}
	put(text, "]", 1);
	if (look->dropped)
		put_key_integer(text, "dropped", look->dropped);
	put(text, "}", 1);
}

static void looks_release(struct look *looks, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		for (size_t k = 0; k < looks[i].count; k++)
			free(looks[i].sightings[k].value);
		free(looks[i].sightings);
		free(looks[i].now.data);
		free(looks[i].last.data);
	}
	free(looks);
}

static enum ending looks_prepare(struct worker *worker, const struct json *list, struct look *looks, bool *awaited)
{
	size_t i = 0;
	for (const struct json *each = list->first; each; each = each->next, i++) {
		struct look *look = &looks[i];
		look->arguments = (struct arguments){ worker, each, ENDED_WELL };
		look_arguments(look);
		if (!usable(&look->arguments))
			return look->arguments.ending;
		look->sightings = calloc(OBSERVE_MAX_SIGHTINGS, sizeof *look->sightings);
		if (!look->sightings)
			return refused_with(worker, ENOMEM, "malloc");
		*awaited = *awaited || look->until;
	}
	return ENDED_WELL;
}

static enum ending op_observe(struct arguments *arguments)
{
	struct worker *worker = arguments->worker;
	const struct json *list = argument(arguments, arguments->op, "looks", JSON_ARRAY, true);
	int64_t every = argument_integer(arguments, "everyUs", 0, 3600000000LL, 1000);
	int64_t limit = argument_integer(arguments, "limitMs", 0, 24 * 3600 * 1000, NEEDED) * 1000000;
	int64_t then = argument_integer(arguments, "thenMs", 0, 24 * 3600 * 1000, 0) * 1000000, rounds = 0;
	size_t kept = 0;
	bool awaited = false, reached = false, failed = false;
	if (!usable(arguments))
		return arguments->ending;
	if (list->count < 1 || list->count > OBSERVE_MAX_LOOKS)
		return wrong(worker, "\"looks\" are 1 to %d", OBSERVE_MAX_LOOKS);
	struct look *looks = calloc(list->count, sizeof *looks);
	if (!looks || !io_buffer(worker)) {
		free(looks);
		return refused_with(worker, ENOMEM, "malloc");
	}
	enum ending ending = looks_prepare(worker, list, looks, &awaited);
	if (ending != ENDED_WELL) {
		looks_release(looks, list->count);
		return ending;
	}
	for (int64_t last = clock_now() + limit;; rounds++) {
		bool hold = awaited;
		for (size_t i = 0; i < list->count; i++) {
			look_once(&looks[i], &kept);
			hold = hold && looks[i].holds;
			failed = failed || looks[i].last.failed || looks[i].now.failed;
		}
		int64_t now = clock_now();
		if (hold && !reached) {
			reached = true;
			last = now + then;
		}
		if (now >= last || failed)
			break;
		send_progress(worker, -1, rounds);
		int64_t left = (last - now) / 1000 + 1;
		if (every)
			pause_us(every < left ? every : left);
	}
	worker->end = clock_now();
	put(&worker->value, "{", 1);
	put_key_bool(&worker->value, "reached", reached);
	put_key_integer(&worker->value, "rounds", rounds + 1);
	put_key(&worker->value, "looks");
	for (size_t i = 0; i < list->count; i++) {
		put_text(&worker->value, i ? "," : "[");
		put_timeline(&worker->value, &looks[i]);
	}
	put(&worker->value, "]}", 2);
	looks_release(looks, list->count);
	return failed ? refused_with(worker, ENOMEM, "malloc") : ENDED_WELL;
}

#endif

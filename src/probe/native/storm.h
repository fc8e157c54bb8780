/*
 * Thousands of names made, renamed, linked and removed in one request: the generator of src/model/storm.ts,
 * which explains it and computes what must be left.
 */
#ifndef VFS_PROBE_STORM_H
#define VFS_PROBE_STORM_H

#include "pattern.h"
#include "stat.h"
#include "worker.h"

#define STORM_MAX_SLOTS 20000
#define STORM_MAX_DIRS 1000
#define STORM_MAX_STEPS 1000000
#define STORM_MAX_ACTS 16
#define STORM_ERRORS_KEPT 100
#define STORM_MAX_SIZE (3 * PATTERN_CELL)

enum storm_act { STORM_REMOVE, STORM_RENAME, STORM_LINK, STORM_REWRITE, STORM_REPLACE };

/* A version of 0: there is no file. */
struct storm_slot {
	uint32_t version, written;
};

struct storm {
	struct worker *worker;
	int directory;
	uint32_t seed, slot_count, dirs;
	uint16_t writer;
	bool verify;
	enum storm_act acts[STORM_MAX_ACTS];
	uint32_t act_count;
	struct storm_slot *slots;
	struct text errors;
	int64_t errors_in_all;
};

struct storm_name {
	char text[48];
};

static struct storm_name storm_path(const struct storm *storm, uint32_t slot, uint32_t version)
{
	struct storm_name name;
	if (storm->dirs)
		snprintf(name.text, sizeof name.text, "d%u/s%u-%u", pattern_mix(storm->seed ^ version) % storm->dirs, slot, version);
	else
		snprintf(name.text, sizeof name.text, "s%u-%u", slot, version);
	return name;
}

static size_t storm_bytes(const struct storm *storm, uint32_t slot, uint32_t written, unsigned char *to)
{
	struct pattern key = { storm->seed, slot, storm->writer, (uint16_t)written };
	size_t size = PATTERN_CELL * (1 + slot % 3);
	pattern_bytes(&key, 0, size, to);
	return size;
}

static void storm_error(struct storm *storm, int64_t step, const char *path, const char *call, int problem)
{
	if (storm->errors_in_all++ >= STORM_ERRORS_KEPT)
		return;
	put_text(&storm->errors, storm->errors.length ? ",{" : "{");
	put_key_integer(&storm->errors, "step", step);
	put_key_string(&storm->errors, "path", path);
	put_key_string(&storm->errors, "call", call);
	put_key_string(&storm->errors, "errno", errno_name(problem));
	put(&storm->errors, "}", 1);
}

static void storm_write(struct storm *storm, int64_t step, const char *path, int flags, uint32_t slot, uint32_t written)
{
	unsigned char bytes[STORM_MAX_SIZE];
	size_t size = storm_bytes(storm, slot, written, bytes);
	int fd = openat(storm->directory, path, flags | O_WRONLY | O_CLOEXEC | O_NOFOLLOW, 0644);
	if (fd < 0) {
		storm_error(storm, step, path, "open", errno);
		return;
	}
	ssize_t sent = write(fd, bytes, size);
	if (sent != (ssize_t)size)
		storm_error(storm, step, path, "write", sent < 0 ? errno : EIO);
	if (close(fd) != 0)
		storm_error(storm, step, path, "close", errno);
}

static void storm_rename(struct storm *storm, int64_t step, const char *from, const char *to)
{
	if (renameat(storm->directory, from, storm->directory, to) != 0)
		storm_error(storm, step, from, "rename", errno);
}

static void storm_unlink(struct storm *storm, int64_t step, const char *path)
{
	if (unlinkat(storm->directory, path, 0) != 0)
		storm_error(storm, step, path, "unlink", errno);
}

/* The new name leads to the bytes that were written, and the old one to nothing. */
static void storm_verify(struct storm *storm, int64_t step, uint32_t slot, const struct storm_slot *file, const char *old)
{
	unsigned char expected[STORM_MAX_SIZE], found[STORM_MAX_SIZE + 1];
	struct stat stat;
	if (old && (fstatat(storm->directory, old, &stat, AT_SYMLINK_NOFOLLOW) == 0 || errno != ENOENT))
		storm_error(storm, step, old, "verify: the old name", errno == ENOENT ? EEXIST : errno);
	if (!file->version)
		return;
	struct storm_name name = storm_path(storm, slot, file->version);
	size_t size = storm_bytes(storm, slot, file->written, expected);
	int fd = openat(storm->directory, name.text, OPEN_TO_READ | O_NOFOLLOW);
	ssize_t got = fd < 0 ? -1 : read(fd, found, sizeof found);
	if (got < 0)
		storm_error(storm, step, name.text, fd < 0 ? "verify: open" : "verify: read", errno);
	else if (got != (ssize_t)size || memcmp(found, expected, size) != 0)
		storm_error(storm, step, name.text, "verify: the content", EILSEQ);
	if (fd >= 0)
		close(fd);
}

static void storm_act(struct storm *storm, int64_t step, enum storm_act act, uint32_t slot, const struct storm_slot *before,
		      const struct storm_slot *after)
{
	struct storm_name old = storm_path(storm, slot, before->version), new = storm_path(storm, slot, after->version);
	if (!before->version) {
		storm_write(storm, step, new.text, O_CREAT | O_EXCL, slot, after->written);
	} else {
		switch (act) {
		case STORM_REMOVE: storm_unlink(storm, step, old.text); break;
		case STORM_RENAME: storm_rename(storm, step, old.text, new.text); break;
		case STORM_LINK:
			if (linkat(storm->directory, old.text, storm->directory, new.text, 0) != 0)
				storm_error(storm, step, new.text, "link", errno);
			storm_unlink(storm, step, old.text);
			break;
		case STORM_REWRITE:
			storm_rename(storm, step, old.text, new.text);
			storm_write(storm, step, new.text, O_TRUNC, slot, after->written);
			break;
		case STORM_REPLACE:
			storm_write(storm, step, new.text, O_CREAT | O_EXCL, slot, after->written);
			storm_rename(storm, step, new.text, old.text);
			storm_rename(storm, step, old.text, new.text);
			break;
		}
	}
	if (storm->verify)
		storm_verify(storm, step, slot, after, before->version ? old.text : NULL);
}

/* Draws a step, brings its slot up to date, and carries it out unless it is taken as done. */
static void storm_step(struct storm *storm, int64_t step, bool done)
{
	uint32_t draw = pattern_mix(storm->seed + (uint32_t)step * 0x9e3779b9u), slot = draw % storm->slot_count;
	enum storm_act act = storm->acts[pattern_mix(draw ^ 0x5bd1e995u) % storm->act_count];
	struct storm_slot before = storm->slots[slot], after = { (uint32_t)step + 1, before.written };
	if (!before.version || act == STORM_REWRITE || act == STORM_REPLACE)
		after.written = after.version;
	else if (act == STORM_REMOVE)
		after = (struct storm_slot){ 0 };
	storm->slots[slot] = after;
	if (!done)
		storm_act(storm, step, act, slot, &before, &after);
}

static void storm_directories(struct storm *storm)
{
	char name[16];
	for (uint32_t i = 0; i < storm->dirs; i++) {
		snprintf(name, sizeof name, "d%u", i);
		if (mkdirat(storm->directory, name, 0755) != 0 && errno != EEXIST)
			storm_error(storm, 0, name, "mkdir", errno);
	}
}

static void argument_acts(struct arguments *arguments, struct storm *storm)
{
	static const char *const words[] = { "remove", "rename", "link", "rewrite", "replace" };
	const struct json *list = argument(arguments, arguments->op, "acts", JSON_ARRAY, false);
	storm->acts[storm->act_count++] = STORM_REMOVE;
	storm->acts[storm->act_count++] = STORM_RENAME;
	if (!list)
		return;
	storm->act_count = 0;
	for (const struct json *each = list->first; each; each = each->next) {
		int act = 0;
		while (act < COUNT(words) && (each->type != JSON_STRING || strcmp(each->bytes, words[act]) != 0))
			act++;
		if (act == COUNT(words) || storm->act_count == STORM_MAX_ACTS)
			break;
		storm->acts[storm->act_count++] = (enum storm_act)act;
	}
	if (!list->count || storm->act_count != list->count)
		arguments->ending = wrong(arguments->worker, "\"acts\" are 1 to %d known words", STORM_MAX_ACTS);
}

static enum ending op_storm(struct arguments *arguments)
{
	struct worker *worker = arguments->worker;
	struct storm storm = { .worker = worker };
	const char *path = argument_path(arguments, "path");
	storm.seed = (uint32_t)argument_integer(arguments, "seed", 0, UINT32_MAX, NEEDED);
	storm.slot_count = (uint32_t)argument_integer(arguments, "slots", 1, STORM_MAX_SLOTS, NEEDED);
	storm.dirs = (uint32_t)argument_integer(arguments, "dirs", 0, STORM_MAX_DIRS, NEEDED);
	storm.writer = (uint16_t)argument_integer(arguments, "writer", 0, UINT16_MAX, NEEDED);
	int64_t from = argument_integer(arguments, "from", 0, STORM_MAX_STEPS, 0);
	int64_t steps = argument_integer(arguments, "steps", 0, STORM_MAX_STEPS, NEEDED), left = 0;
	int64_t limit = argument_integer(arguments, "limitMs", 0, 24 * 3600 * 1000, 24 * 3600 * 1000) * 1000000;
	storm.verify = argument_bool(arguments, "verify");
	if (usable(arguments))
		argument_acts(arguments, &storm);
	if (!usable(arguments))
		return arguments->ending;
	if (from + steps > STORM_MAX_STEPS)
		return wrong(worker, "more than %d steps", STORM_MAX_STEPS);
	storm.directory = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (storm.directory < 0)
		return refused(worker, "open");
	storm.slots = calloc(storm.slot_count, sizeof *storm.slots);
	if (!storm.slots) {
		close(storm.directory);
		return refused_with(worker, ENOMEM, "malloc");
	}
	storm_directories(&storm);
	int64_t last = clock_now() + limit, step = 0;
	for (; step < from + steps; step++) {
		if (step > from && clock_now() >= last)
			break;
		storm_step(&storm, step, step < from);
		send_progress(worker, -1, step);
	}
	worker->end = clock_now();
	for (uint32_t slot = 0; slot < storm.slot_count; slot++)
		left += storm.slots[slot].version != 0;
	close(storm.directory);
	free(storm.slots);
	put(&worker->value, "{", 1);
	put_key_integer(&worker->value, "steps", step - from);
	put_key_integer(&worker->value, "left", left);
	put_key_integer(&worker->value, "errorsInAll", storm.errors_in_all);
	put_key(&worker->value, "errors");
	put(&worker->value, "[", 1);
	put(&worker->value, storm.errors.length ? storm.errors.data : "", storm.errors.length);
	put(&worker->value, "]}", 2);
	worker->value.failed = worker->value.failed || storm.errors.failed;
	free(storm.errors.data);
	return ENDED_WELL;
}

#endif

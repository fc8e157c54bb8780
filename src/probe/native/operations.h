/* What a worker does: the operations of src/model/operation.ts by name, and requests one after the other. */
#ifndef VFS_PROBE_OPERATIONS_H
#define VFS_PROBE_OPERATIONS_H

#include "access.h"
#include "attend.h"
#include "become.h"
#include "file-operations.h"
#include "hash-operations.h"
#include "links.h"
#include "locks.h"
#include "map-operations.h"
#include "name-operations.h"
#include "observe.h"
#include "reads.h"
#include "recycle.h"
#include "stat.h"
#include "storm.h"
#include "syncs.h"
#include "tree-operations.h"
#include "watch.h"
#include "worker.h"

static enum ending run_operation(struct worker *worker, const struct json *op);

static enum ending op_wait(struct arguments *arguments)
{
	int64_t ms = argument_integer(arguments, "ms", 0, 24 * 3600 * 1000, NEEDED);
	if (!usable(arguments))
		return arguments->ending;
	pause_us(ms * 1000);
	return ended(arguments->worker, 0, "nanosleep");
}

/* The side's clocks: read in one go, so that they can be compared with each other. */
static enum ending op_clock(struct arguments *arguments)
{
	struct text *value = &arguments->worker->value;
	struct timespec real;
	int64_t now = clock_now();
	clock_gettime(CLOCK_REALTIME, &real);
	put(value, "{", 1);
	put_key_integer(value, "nowNs", now);
	put_key_decimal(value, "monotonicNs", now + clock_origin, true);
	put_key_decimal(value, "realtimeNs", (int64_t)real.tv_sec * 1000000000 + real.tv_nsec, true);
	put(value, "}", 1);
	return ENDED_WELL;
}

/* What stands for an operation that gave no value. */
static void put_refusal(struct worker *worker, enum ending ending)
{
	put(&worker->value, "{", 1);
	if (ending == ENDED_SIGNALLED) {
		put_key_string(&worker->value, "signal", signal_name(worker->problem));
	} else {
		put_key_string(&worker->value, "errno", errno_name(worker->problem));
		put_key_string(&worker->value, "call", worker->why);
	}
	put(&worker->value, "}", 1);
}

static enum ending op_many(struct arguments *arguments)
{
	struct worker *worker = arguments->worker;
	const struct json *list = argument(arguments, arguments->op, "list", JSON_ARRAY, true);
	bool anyway = argument_bool(arguments, "anyway");
	struct text times = { 0 };
	char separator = '[';
	int64_t begin = worker->begin;
	enum ending ending = ENDED_WELL;
	if (!usable(arguments))
		return arguments->ending;
	put_text(&worker->value, "{\"values\":[");
	for (const struct json *each = list->first; each && ending == ENDED_WELL; each = each->next) {
		size_t length = worker->value.length;
		if (each != list->first)
			put(&worker->value, ",", 1);
		worker->begin = clock_now();
		worker->end = 0;
		ending = run_operation(worker, each);
		if (!worker->end)
			worker->end = clock_now();
		if (anyway && (ending == ENDED_REFUSED || ending == ENDED_SIGNALLED)) {
			worker->value.length = length + (each != list->first);
			put_refusal(worker, ending);
			ending = ENDED_WELL;
		}
		if (ending == ENDED_WELL && worker->value.length > NAMES_MAX_BYTES)
			ending = refused_with(worker, EMSGSIZE, "many: the values do not fit one answer");
		if (ending != ENDED_WELL)
			worker->value.length = length;
		put(&times, &separator, 1);
		put(&times, "[", 1);
		put_integer(&times, worker->begin);
		put(&times, ",", 1);
		put_integer(&times, worker->end);
		put(&times, "]", 1);
		separator = ',';
	}
	worker->begin = begin;
	worker->end = 0;
	put_text(&worker->value, "],\"timesNs\":");
	if (!times.length)
		put(&times, "[", 1);
	put(&times, "]", 1);
	put(&worker->value, times.data ? times.data : "", times.length);
	if (ending == ENDED_REFUSED) {
		put_key(&worker->value, "stopped");
		put_refusal(worker, ending);
		ending = ENDED_WELL;
	}
	put(&worker->value, "}", 1);
	if (times.failed)
		ending = refused_with(worker, ENOMEM, "malloc");
	free(times.data);
	return ending;
}

static const struct {
	const char *name;
	enum ending (*run)(struct arguments *);
	/* Leaves nothing in its process but what worker_recycle undoes. When in doubt: false, and the worker ends. */
	bool recyclable;
} operations[] = {
	{ "stat", op_stat, true },
	{ "mkdir", op_mkdir, true },
	{ "rmdir", op_rmdir, true },
	{ "unlink", op_unlink, true },
	{ "rename", op_rename, true },
	{ "link", op_link, true },
	{ "symlink", op_symlink, true },
	{ "readlink", op_readlink, true },
	{ "read-links", op_read_links, true },
	{ "resolve", op_resolve, true },
	{ "truncate", op_truncate, true },
	{ "chmod", op_chmod, true },
	{ "chown", op_chown, true },
	{ "become", op_become, false },
	{ "utimens", op_utimens, true },
	{ "setxattr", op_setxattr, true },
	{ "getxattr", op_getxattr, true },
	{ "removexattr", op_removexattr, true },
	{ "listxattr", op_listxattr, true },
	{ "statfs", op_statfs, true },
	{ "chdir", op_chdir, true },
	{ "list", op_list, true },
	{ "entries", op_entries, true },
	{ "storm", op_storm, true },
	{ "remove-tree", op_remove_tree, true },
	{ "open", op_open, true },
	{ "close", op_close, true },
	{ "flags", op_flags, true },
	{ "set-flags", op_set_flags, true },
	{ "fstat", op_fstat, true },
	{ "read", op_read, true },
	{ "write", op_write, true },
	{ "copy", op_copy, true },
	{ "fill", op_fill, true },
	{ "fsync", op_fsync, true },
	{ "syncfs", op_syncfs, true },
	{ "ftruncate", op_ftruncate, true },
	{ "fallocate", op_fallocate, true },
	{ "seek", op_seek, true },
	{ "fchmod", op_fchmod, true },
	{ "advise", op_advise, true },
	{ "pages", op_pages, true },
	{ "evict", op_evict, true },
	{ "reads", op_reads, true },
	{ "extents", op_extents, true },
	{ "counters", op_counters, true },
	{ "syncs", op_syncs, false },
	{ "process-files", op_process_files, true },
	{ "borrow", op_borrow, false },
	{ "drop-caches", op_drop_caches, false },
	{ "attend", op_attend, false },
	{ "signal", op_signal, false },
	{ "hash", op_hash, true },
	{ "hash-ranges", op_hash_ranges, true },
	{ "walk", op_walk, true },
	{ "map", op_map, true },
	{ "load", op_load, true },
	{ "store", op_store, true },
	{ "msync", op_msync, true },
	{ "unmap", op_unmap, true },
	{ "lock", op_lock, true },
	{ "test-lock", op_test_lock, true },
	{ "watch", op_watch, true },
	{ "events", op_events, true },
	{ "unwatch", op_unwatch, true },
	{ "observe", op_observe, true },
	{ "many", op_many, true },
	{ "wait", op_wait, true },
	{ "clock", op_clock, true },
};

/*
 * `vfs-probe privileged` knows these alone: the numbers of /proc/PID/io, two kprobes, /proc/sys/vm/drop_caches.
 * No path of the caller's is opened, so that sudo can let a user start it without giving him root.
 */
static const char *const privileged_operations[] = { "counters", "syncs", "drop-caches" };
static bool only_privileged;

static bool is_privileged(const char *name)
{
	for (int i = 0; i < COUNT(privileged_operations); i++)
		if (strcmp(name, privileged_operations[i]) == 0)
			return true;
	return false;
}

static enum ending run_operation(struct worker *worker, const struct json *op)
{
	const struct json *name = json_get(op, "do");
	struct arguments arguments = { worker, op, ENDED_WELL };
	if (!name || name->type != JSON_STRING)
		return wrong(worker, "an operation says what to \"do\"");
	if (only_privileged && !is_privileged(name->bytes))
		return wrong(worker, "a privileged probe does not do %.60s", name->bytes);
	for (int i = 0; i < COUNT(operations); i++)
		if (strcmp(name->bytes, operations[i].name) == 0) {
			worker->spent = worker->spent || !operations[i].recyclable;
			return operations[i].run(&arguments);
		}
	return wrong(worker, "unknown operation %.60s", name->bytes);
}

/* Carries out one request and sends its answer. */
static void serve_request(struct worker *worker, const char *request, size_t length)
{
	const char *problem;
	enum ending ending;
	struct json *whole = json_parse(&worker->arena, request, length, &problem);
	const struct json *root = json_get(whole, "root"), *id = json_get(whole, "id");
	struct text empty = { 0 };
	/* The supervisor has parsed the same bytes: only memory can lack here. */
	worker->id = id ? id->integer : -1;
	worker->root = root && root->type == JSON_STRING && strlen(root->bytes) == root->length ? root->bytes : NULL;
	worker->value.length = 0;
	worker->bulk.length = 0;
	worker->bulk_sent = worker->progress_sent = worker->begin = clock_now();
	worker->end = 0;
	send_line(worker, FRAME_BEGUN, &empty);
	worker->begin = clock_now();
	ending = whole ? run_operation(worker, json_get(whole, "op")) : refused_with(worker, ENOMEM, "malloc");
	if (!worker->end)
		worker->end = clock_now();
	bulk_flush(worker);
	if (ending == ENDED_WELL && (worker->value.failed || worker->bulk.failed || worker->line.failed))
		ending = refused_with(worker, ENOMEM, "malloc");
	if (ending == ENDED_WELL && worker->value.length > LINE_MAX_BYTES - 1024)
		ending = refused_with(worker, EMSGSIZE, "the value does not fit one answer");
	worker->line.failed = false;
	struct text *line = begin_line(worker);
	if (ending == ENDED_WRONG) {
		put_key_string(line, "error", worker->why);
	} else if (ending == ENDED_SIGNALLED) {
		put_key_integer(line, "begin", worker->begin);
		put_key_integer(line, "end", worker->end);
		put_key_string(line, "signal", signal_name(worker->problem));
	} else {
		put_key_integer(line, "begin", worker->begin);
		put_key_integer(line, "end", worker->end);
		if (ending == ENDED_WELL) {
			put_key(line, "value");
			put(line, worker->value.data, worker->value.length);
		} else {
			put_key_string(line, "errno", errno_name(worker->problem));
			put_key_string(line, "call", worker->why);
		}
	}
	put(line, "}", 1);
	/* Without memory for an answer the end of the process is the answer. */
	if (line->failed)
		_exit(12);
	send_line(worker, FRAME_ANSWER, line);
	arena_release(&worker->arena);
	worker->value.failed = worker->bulk.failed = false;
}

/* The end of a worker, or its answer that it is as new. */
static void released(struct worker *worker)
{
	struct text empty = { 0 };
	if (!worker_recycle(worker))
		_exit(0);
	worker->id = -1;
	worker->begin = 0;
	send_line(worker, FRAME_AS_NEW, &empty);
}

static bool receive(int link, void *to, size_t length)
{
	char *at = to;
	while (length) {
		ssize_t got = read(link, at, length);
		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return false;
		at += got;
		length -= (size_t)got;
	}
	return true;
}

/*
 * The life of a worker: requests, each as its length and its bytes, of one actor after the other, until the supervisor
 * closes the link.
 */
static void __attribute__((noreturn)) worker_main(int link)
{
	static struct worker worker;
	uint32_t length;
	char *request = NULL;
	size_t room = 0;
	worker.link = link;
	worker.at_root = -1;
	umask(0);
	take_signals();
	while (receive(link, &length, sizeof length)) {
		if (length == RELEASED) {
			released(&worker);
			continue;
		}
		if (length > room) {
			free(request);
			request = malloc(length);
			room = request ? length : 0;
		}
		if (!request || !receive(link, request, length))
			break;
		serve_request(&worker, request, length);
	}
	_exit(0);
}

#endif

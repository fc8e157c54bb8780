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
} operations[] = {
	{ "stat", op_stat },
	{ "mkdir", op_mkdir },
	{ "rmdir", op_rmdir },
	{ "unlink", op_unlink },
	{ "rename", op_rename },
	{ "link", op_link },
	{ "symlink", op_symlink },
	{ "readlink", op_readlink },
	{ "read-links", op_read_links },
	{ "resolve", op_resolve },
	{ "truncate", op_truncate },
	{ "chmod", op_chmod },
	{ "chown", op_chown },
	{ "become", op_become },
	{ "utimens", op_utimens },
	{ "setxattr", op_setxattr },
	{ "getxattr", op_getxattr },
	{ "removexattr", op_removexattr },
	{ "listxattr", op_listxattr },
	{ "statfs", op_statfs },
	{ "chdir", op_chdir },
	{ "list", op_list },
	{ "entries", op_entries },
	{ "storm", op_storm },
	{ "remove-tree", op_remove_tree },
	{ "open", op_open },
	{ "close", op_close },
	{ "flags", op_flags },
	{ "set-flags", op_set_flags },
	{ "fstat", op_fstat },
	{ "read", op_read },
	{ "write", op_write },
	{ "copy", op_copy },
	{ "fill", op_fill },
	{ "fsync", op_fsync },
	{ "syncfs", op_syncfs },
	{ "ftruncate", op_ftruncate },
	{ "fallocate", op_fallocate },
	{ "seek", op_seek },
	{ "fchmod", op_fchmod },
	{ "advise", op_advise },
	{ "pages", op_pages },
	{ "evict", op_evict },
	{ "reads", op_reads },
	{ "extents", op_extents },
	{ "counters", op_counters },
	{ "syncs", op_syncs },
	{ "process-files", op_process_files },
	{ "borrow", op_borrow },
	{ "drop-caches", op_drop_caches },
	{ "attend", op_attend },
	{ "signal", op_signal },
	{ "hash", op_hash },
	{ "hash-ranges", op_hash_ranges },
	{ "walk", op_walk },
	{ "map", op_map },
	{ "load", op_load },
	{ "store", op_store },
	{ "msync", op_msync },
	{ "unmap", op_unmap },
	{ "lock", op_lock },
	{ "test-lock", op_test_lock },
	{ "watch", op_watch },
	{ "events", op_events },
	{ "unwatch", op_unwatch },
	{ "observe", op_observe },
	{ "many", op_many },
	{ "wait", op_wait },
	{ "clock", op_clock },
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
		if (strcmp(name->bytes, operations[i].name) == 0)
			return operations[i].run(&arguments);
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

/* The life of a worker: requests, each as its length and its bytes, until the supervisor closes the link. */
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

/* Operations that read a file from end to end. */
#ifndef VFS_PROBE_HASH_OPERATIONS_H
#define VFS_PROBE_HASH_OPERATIONS_H

#include "hash.h"
#include "pages.h"
#include "stat.h"
#include "tree-operations.h"
#include "worker.h"

#define HASH_MAX_RANGES 10000

/* Block digests on their way out: whole bulk items, so that few lines carry many digests. */
struct block_sender {
	struct worker *worker;
	int64_t from;
	size_t count;
	unsigned char digests[2048 * HASH_BLOCK_DIGEST];
};

static void send_blocks(struct block_sender *sender)
{
	struct text item = { 0 };
	if (!sender->count)
		return;
	put(&item, "{", 1);
	put_key_integer(&item, "from", sender->from);
	put_key(&item, "base64");
	put_base64(&item, sender->digests, sender->count * HASH_BLOCK_DIGEST);
	put(&item, "}", 1);
	if (!bulk_add(sender->worker, &item))
		sender->worker->bulk.failed = true;
	free(item.data);
	sender->from += (int64_t)sender->count;
	sender->count = 0;
}

static void hash_blocks(void *user, const unsigned char *digests, size_t count)
{
	struct block_sender *sender = user;
	for (size_t i = 0; i < count; i++) {
		memcpy(sender->digests + sender->count++ * HASH_BLOCK_DIGEST, digests + i * HASH_BLOCK_DIGEST, HASH_BLOCK_DIGEST);
		if (sender->count == 2048)
			send_blocks(sender);
	}
}

static void hash_progress(void *user, int64_t bytes)
{
	send_progress(((struct block_sender *)user)->worker, bytes, -1);
}

static enum ending hash_open_file(struct worker *worker, struct hash_job *job, int sync)
{
	static struct block_sender sender;
	struct statx before, after;
	struct page_state pages;
	sender.worker = worker;
	sender.from = 0;
	sender.count = 0;
	job->blocks = hash_blocks;
	job->progress = hash_progress;
	job->user = &sender;
	if (stat_of(job->fd, sync, &before) != 0)
		return refused(worker, "statx");
	if (S_ISDIR(before.stx_mode))
		return refused_with(worker, EISDIR, "open");
	if (!S_ISREG(before.stx_mode))
		return refused_with(worker, EINVAL, "hash: not a regular file");
	/* A mapping has an effect of its own on some FUSE mounts: no mincore here. */
	bool known = pages_look(job->fd, job->offset, job->length, false, true, &pages) == 0;
	int problem = hash_file(job);
	if (problem)
		return refused_with(worker, problem, problem == ENOMEM ? "malloc" : "pread");
	if (stat_of(job->fd, sync, &after) != 0)
		return refused(worker, "statx");
	worker->end = clock_now();
	send_blocks(&sender);
	put(&worker->value, "{", 1);
	put_key_hex(&worker->value, "digest", job->digest, job->digest_length);
	put_key_integer(&worker->value, "bytes", job->bytes);
	put_key(&worker->value, "before");
	put_stat(&worker->value, &before);
	put_key(&worker->value, "after");
	put_stat(&worker->value, &after);
	if (known) {
		put_key(&worker->value, "pages");
		put_pages(&worker->value, &pages, false);
	}
	if (job->note)
		put_key_string(&worker->value, "note", job->note);
	put(&worker->value, "}", 1);
	return ENDED_WELL;
}

static void argument_algorithm(struct arguments *arguments, enum algorithm *algorithm)
{
	const char *name = argument_string(arguments, "algorithm", true);
	if (name && !algorithm_named(name, algorithm))
		arguments->ending = wrong(arguments->worker, "unknown algorithm %.40s", name);
}

static enum ending op_hash(struct arguments *arguments)
{
	static const char *const block_algorithms[] = { "xxh64", "md5" };
	struct worker *worker = arguments->worker;
	bool by_path = json_get(arguments->op, "path") != NULL, direct = argument_bool(arguments, "direct");
	const char *path = by_path ? argument_path(arguments, "path") : NULL;
	struct hash_job job = { .fd = by_path ? -1 : argument_file(arguments) };
	int sync = stat_sync(arguments);
	struct range range = argument_range_of(arguments, "range");
	argument_algorithm(arguments, &job.algorithm);
	job.offset = range.offset;
	job.length = range.length;
	job.block = argument_integer(arguments, "block", HASH_MIN_BLOCK, JSON_SAFE_INTEGER, 0);
	job.block_algorithm =
		argument_word(arguments, "blockAlgorithm", block_algorithms, 2) ? ALGORITHM_MD5 : ALGORITHM_XXH64;
	if (!usable(arguments))
		return arguments->ending;
	if (job.block % HASH_MIN_BLOCK)
		return wrong(worker, "\"block\" is no multiple of %d", HASH_MIN_BLOCK);
	if (!by_path)
		return direct ? wrong(worker, "\"direct\" needs a path") : hash_open_file(worker, &job, sync);
	job.fd = open(path, OPEN_TO_READ | (direct ? O_DIRECT : 0));
	if (job.fd < 0)
		return refused(worker, "open");
	enum ending ending = hash_open_file(worker, &job, sync);
	close(job.fd);
	return ending;
}

static enum ending op_hash_ranges(struct arguments *arguments)
{
	struct worker *worker = arguments->worker;
	struct hash_job job = { .fd = argument_file(arguments) };
	const struct json *ranges = argument(arguments, arguments->op, "ranges", JSON_ARRAY, true);
	argument_algorithm(arguments, &job.algorithm);
	if (!usable(arguments))
		return arguments->ending;
	if (ranges->count > HASH_MAX_RANGES)
		return wrong(worker, "more than %d ranges", HASH_MAX_RANGES);
	int64_t bytes = 0;
	put(&worker->value, "[", 1);
	for (const struct json *each = ranges->first; each; each = each->next) {
		struct range range = argument_range(arguments, each);
		if (!usable(arguments))
			return arguments->ending;
		job.offset = range.offset;
		job.length = range.length;
		int problem = hash_file(&job);
		if (problem)
			return refused_with(worker, problem, problem == ENOMEM ? "malloc" : "pread");
		put_text(&worker->value, each == ranges->first ? "{" : ",{");
		put_key_hex(&worker->value, "digest", job.digest, job.digest_length);
		put_key_integer(&worker->value, "bytes", job.bytes);
		put(&worker->value, "}", 1);
		bytes += job.bytes;
		send_progress(worker, bytes, -1);
	}
	put(&worker->value, "]", 1);
	return ENDED_WELL;
}

#endif

/*
 * Digests of files in one pass, in bounded memory (4 buffers of 1 MiB).
 *
 * A second thread reads ahead and makes the block digests, while the caller's thread makes the digest of the
 * whole: reading through FUSE and hashing each cost about one CPU. A file is read, never mapped: one that
 * shrinks must not kill the reader. Nothing is said to the kernel about access patterns.
 */
#ifndef VFS_PROBE_HASH_H
#define VFS_PROBE_HASH_H

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define OPENSSL_SUPPRESS_DEPRECATED
#include <openssl/md5.h>
#include <openssl/sha.h>

/*
 * The plain form on purpose: an emulated CPU (TCG) runs the SSE2 form of XXH3 20 times slower than this one,
 * and on real hardware this one is still several times faster than MD5.
 */
#define XXH_VECTOR 0
#define XXH_INLINE_ALL
#include <xxhash.h>

#include "fresh-pages.h"

#define HASH_BUFFER (1024 * 1024)
#define HASH_BUFFERS 4
#define HASH_MIN_BLOCK 4096
#define HASH_BLOCK_DIGEST 16
/* O_DIRECT wants offsets and lengths that are multiples of the medium's sector; no sector is larger. */
#define HASH_ALIGN 4096

/* XXH64 is for block digests alone: they say where two files differ, never that they are the same. */
enum algorithm { ALGORITHM_MD5, ALGORITHM_SHA256, ALGORITHM_XXH3, ALGORITHM_XXH64 };

struct hasher {
	enum algorithm algorithm;
	union {
		MD5_CTX md5;
		SHA256_CTX sha256;
		XXH3_state_t xxh3;
		XXH64_state_t xxh64;
	} state;
};

static bool algorithm_named(const char *name, enum algorithm *algorithm)
{
	static const char *const names[] = { "md5", "sha256", "xxh3" };
	for (int i = 0; i < 3; i++)
		if (strcmp(name, names[i]) == 0) {
			*algorithm = (enum algorithm)i;
			return true;
		}
	return false;
}

static void hasher_begin(struct hasher *hasher, enum algorithm algorithm)
{
	hasher->algorithm = algorithm;
	switch (algorithm) {
	case ALGORITHM_MD5: MD5_Init(&hasher->state.md5); break;
	case ALGORITHM_SHA256: SHA256_Init(&hasher->state.sha256); break;
	case ALGORITHM_XXH3: XXH3_128bits_reset(&hasher->state.xxh3); break;
	case ALGORITHM_XXH64: XXH64_reset(&hasher->state.xxh64, 0); break;
	}
}

static void hasher_add(struct hasher *hasher, const void *bytes, size_t length)
{
	switch (hasher->algorithm) {
	case ALGORITHM_MD5: MD5_Update(&hasher->state.md5, bytes, length); break;
	case ALGORITHM_SHA256: SHA256_Update(&hasher->state.sha256, bytes, length); break;
	case ALGORITHM_XXH3: XXH3_128bits_update(&hasher->state.xxh3, bytes, length); break;
	case ALGORITHM_XXH64: XXH64_update(&hasher->state.xxh64, bytes, length); break;
	}
}

/* Writes the digest (at most 32 bytes) and returns its length. */
static unsigned hasher_end(struct hasher *hasher, unsigned char *digest)
{
	switch (hasher->algorithm) {
	case ALGORITHM_MD5: MD5_Final(digest, &hasher->state.md5); return 16;
	case ALGORITHM_SHA256: SHA256_Final(digest, &hasher->state.sha256); return 32;
	case ALGORITHM_XXH3: {
		XXH128_canonical_t canonical;
		XXH128_canonicalFromHash(&canonical, XXH3_128bits_digest(&hasher->state.xxh3));
		memcpy(digest, canonical.digest, 16);
		return 16;
	}
	case ALGORITHM_XXH64: {
		XXH64_canonical_t canonical;
		XXH64_canonicalFromHash(&canonical, XXH64_digest(&hasher->state.xxh64));
		memcpy(digest, canonical.digest, 8);
		return 8;
	}
	}
	return 0;
}

struct hash_job {
	int fd;
	/* First byte, and how many (-1: to the end of the file). */
	int64_t offset, length;
	enum algorithm algorithm;
	/* Bytes per block digest, a multiple of HASH_MIN_BLOCK; 0: none. */
	int64_t block;
	enum algorithm block_algorithm;
	/* Called by the thread that called hash_file; may be NULL. */
	void (*progress)(void *user, int64_t bytes);
	void (*blocks)(void *user, const unsigned char *digests, size_t count);
	void *user;
	/* Results. */
	int64_t bytes;
	unsigned char digest[32];
	unsigned digest_length;
	const char *note;
};

struct hash_slot {
	unsigned char *data;
	size_t length;
	size_t block_count;
	unsigned char blocks[(HASH_BUFFER / HASH_MIN_BLOCK + 1) * HASH_BLOCK_DIGEST];
};

/* One pass: what the reading side knows, and the ring between the two threads. */
struct hash_pass {
	struct hash_job *job;
	struct hash_slot *slots;
	int64_t at, left, block_filled;
	bool direct;
	struct hasher block_hasher;
	/* Below: under the lock. */
	pthread_mutex_t lock;
	pthread_cond_t changed;
	unsigned filled, drained;
	bool finished;
	int problem;
};

static unsigned char *hash_buffers;
static struct hash_slot *hash_slots;
/* Whether this process ever had a second thread. */
static bool hash_was_threaded;

/* Buffers are made once for an actor and kept. */
static bool hash_prepare(void)
{
	if (!hash_buffers)
		hash_buffers = fresh_pages(HASH_BUFFERS * HASH_BUFFER);
	if (!hash_slots)
		hash_slots = calloc(HASH_BUFFERS, sizeof *hash_slots);
	if (!hash_buffers || !hash_slots)
		return false;
	for (int i = 0; i < HASH_BUFFERS; i++)
		hash_slots[i].data = hash_buffers + (size_t)i * HASH_BUFFER;
	return true;
}

static void hash_forget(void)
{
	if (hash_buffers)
		munmap(hash_buffers, HASH_BUFFERS * HASH_BUFFER);
	free(hash_slots);
	hash_buffers = NULL;
	hash_slots = NULL;
}

/* Some file systems refuse O_DIRECT for a last piece that is no whole sector: that piece is read without. */
static bool hash_buffered_tail(struct hash_pass *pass)
{
	struct stat stat;
	int flags = fcntl(pass->job->fd, F_GETFL);
	if (flags < 0 || fstat(pass->job->fd, &stat) != 0 || pass->at + HASH_ALIGN <= stat.st_size ||
	    fcntl(pass->job->fd, F_SETFL, flags & ~O_DIRECT) != 0)
		return false;
	pass->direct = false;
	pass->job->note = "the unaligned end of the file was read without O_DIRECT";
	return true;
}

/* Reads once, at most `room` bytes; the count, 0 at the end of the range, or a negative errno. */
static ssize_t hash_read(struct hash_pass *pass, unsigned char *to, size_t room)
{
	for (;;) {
		/* O_DIRECT: whole aligned pieces that contain what is wanted. */
		size_t skip = pass->direct ? (size_t)(pass->at % HASH_ALIGN) : 0;
		size_t want = room - skip;
		if (pass->left >= 0 && (uint64_t)pass->left < want)
			want = (size_t)pass->left;
		if (!want)
			return 0;
		size_t ask = want + skip;
		if (pass->direct)
			ask = (ask + HASH_ALIGN - 1) & ~(size_t)(HASH_ALIGN - 1);
		ssize_t got = pread(pass->job->fd, to, ask, pass->at - (off_t)skip);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0) {
			int problem = errno;
			if (problem == EINVAL && pass->direct && hash_buffered_tail(pass))
				continue;
			return -problem;
		}
		if ((size_t)got <= skip)
			return 0;
		got -= (ssize_t)skip;
		if ((size_t)got > want)
			got = (ssize_t)want;
		if (skip)
			memmove(to, to + skip, (size_t)got);
		pass->at += got;
		if (pass->left >= 0)
			pass->left -= got;
		return got;
	}
}

/* Every block's digest has the same width: a shorter one is followed by zeros. */
static void hash_end_block(struct hash_pass *pass, struct hash_slot *slot)
{
	unsigned char *digest = slot->blocks + slot->block_count++ * HASH_BLOCK_DIGEST;
	unsigned length = hasher_end(&pass->block_hasher, digest);
	memset(digest + length, 0, HASH_BLOCK_DIGEST - length);
	pass->block_filled = 0;
}

static void hash_add_to_blocks(struct hash_pass *pass, struct hash_slot *slot, const unsigned char *bytes, size_t length)
{
	while (length) {
		int64_t room = pass->job->block - pass->block_filled;
		size_t take = (uint64_t)room < length ? (size_t)room : length;
		if (pass->block_filled == 0)
			hasher_begin(&pass->block_hasher, pass->job->block_algorithm);
		hasher_add(&pass->block_hasher, bytes, take);
		pass->block_filled += (int64_t)take;
		bytes += take;
		length -= take;
		if (pass->block_filled == pass->job->block)
			hash_end_block(pass, slot);
	}
}

/* Fills one slot; true while there is more to come. */
static bool hash_fill(struct hash_pass *pass, struct hash_slot *slot)
{
	ssize_t got = 1;
	slot->length = 0;
	slot->block_count = 0;
	while (slot->length < HASH_BUFFER) {
		/* An unaligned rest of the buffer is of no use to O_DIRECT. */
		if (pass->direct && slot->length % HASH_ALIGN)
			break;
		got = hash_read(pass, slot->data + slot->length, HASH_BUFFER - slot->length);
		if (got <= 0)
			break;
		slot->length += (size_t)got;
	}
	if (pass->job->block) {
		hash_add_to_blocks(pass, slot, slot->data, slot->length);
		if (got == 0 && pass->block_filled)
			hash_end_block(pass, slot);
	}
	if (got < 0)
		pass->problem = (int)-got;
	return got > 0;
}

static void *hash_reader(void *argument)
{
	struct hash_pass *pass = argument;
	bool more = true;
	while (more) {
		pthread_mutex_lock(&pass->lock);
		while (pass->filled - pass->drained == HASH_BUFFERS)
			pthread_cond_wait(&pass->changed, &pass->lock);
		struct hash_slot *slot = &pass->slots[pass->filled % HASH_BUFFERS];
		pthread_mutex_unlock(&pass->lock);
		more = hash_fill(pass, slot);
		pthread_mutex_lock(&pass->lock);
		pass->filled++;
		pass->finished = !more;
		pthread_cond_signal(&pass->changed);
		pthread_mutex_unlock(&pass->lock);
	}
	return NULL;
}

static void hash_drain(struct hash_pass *pass, struct hasher *whole, const struct hash_slot *slot)
{
	struct hash_job *job = pass->job;
	hasher_add(whole, slot->data, slot->length);
	job->bytes += (int64_t)slot->length;
	if (slot->block_count && job->blocks)
		job->blocks(job->user, slot->blocks, slot->block_count);
	if (job->progress)
		job->progress(job->user, job->bytes);
}

static void hash_two_threads(struct hash_pass *pass, struct hasher *whole, pthread_t reader)
{
	for (bool last = false; !last;) {
		pthread_mutex_lock(&pass->lock);
		while (pass->filled == pass->drained)
			pthread_cond_wait(&pass->changed, &pass->lock);
		struct hash_slot *slot = &pass->slots[pass->drained % HASH_BUFFERS];
		last = pass->finished && pass->filled - pass->drained == 1;
		pthread_mutex_unlock(&pass->lock);
		hash_drain(pass, whole, slot);
		pthread_mutex_lock(&pass->lock);
		pass->drained++;
		pthread_cond_signal(&pass->changed);
		pthread_mutex_unlock(&pass->lock);
	}
	pthread_join(reader, NULL);
}

/* Hashes an open file; 0 or an errno. The file position is neither used nor changed. */
static int hash_file(struct hash_job *job)
{
	struct hash_pass pass = { .job = job, .at = job->offset, .left = job->length };
	struct hasher whole;
	struct statx stat;
	pthread_t reader;
	int flags = fcntl(job->fd, F_GETFL);
	if (!hash_prepare())
		return ENOMEM;
	/* An estimate is enough, and a full stat may refresh attributes and drop the pages that are to be read. */
	if (flags < 0 || statx(job->fd, "", AT_EMPTY_PATH | AT_STATX_DONT_SYNC, STATX_SIZE, &stat) != 0)
		return errno;
	pass.direct = (flags & O_DIRECT) != 0;
	pass.slots = hash_slots;
	hasher_begin(&whole, job->algorithm);
	job->bytes = 0;
	int64_t expected = (int64_t)stat.stx_size - job->offset;
	if (job->length >= 0 && job->length < expected)
		expected = job->length;
	/* A thread costs more than it gives where one or two buffers hold everything. */
	bool threaded = expected > 2 * HASH_BUFFER;
	if (threaded) {
		hash_was_threaded = true;
		pthread_mutex_init(&pass.lock, NULL);
		pthread_cond_init(&pass.changed, NULL);
		threaded = pthread_create(&reader, NULL, hash_reader, &pass) == 0;
	}
	if (threaded) {
		hash_two_threads(&pass, &whole, reader);
	} else {
		for (bool more = true; more;) {
			more = hash_fill(&pass, &pass.slots[0]);
			hash_drain(&pass, &whole, &pass.slots[0]);
		}
	}
	job->digest_length = hasher_end(&whole, job->digest);
	/* Whoever opened it with O_DIRECT gets it back so. */
	if (job->note)
		fcntl(job->fd, F_SETFL, flags);
	return pass.problem;
}

#endif

/*
 * Page cache state of a range of an open file, without a side effect where the kernel allows it.
 *
 * cachestat(2) (Linux 6.5) needs no mapping and knows dirty and writeback pages. mincore(2) only knows
 * residency, and tells someone who neither owns nor may write the file that every page is resident: that is
 * a refusal and reported as one.
 *
 * A DAX file is asked after with mincore alone, through a mapping that nobody touches: cachestat takes the
 * entries of a DAX file for traces of evicted pages, and follows what it reads in them into nowhere, which takes
 * a processor of the kernel with it (docs/findings.md).
 */
#ifndef VFS_PROBE_PAGES_H
#define VFS_PROBE_PAGES_H

#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "json.h"
#include "names.h"

#ifndef STATX_ATTR_DAX
#define STATX_ATTR_DAX 0x00200000
#endif
#ifndef SYS_cachestat
#define SYS_cachestat 451
#endif
#define PAGES_MAX_RUNS 200000
/* Pages that one mincore call looks at: 1 GiB with 4 KiB pages, 256 KiB of answers. */
#define PAGES_WINDOW 262144

struct cache_range {
	uint64_t offset, length;
};

struct cache_counts {
	uint64_t cached, dirty, writeback, evicted, recently_evicted;
};

enum page_source { PAGES_BY_CACHESTAT, PAGES_BY_MINCORE, PAGES_REFUSED };

struct page_state {
	enum page_source by;
	/* In DAX state: loads and stores go to the file, and no page of the cache is of it. */
	bool dax;
	uint64_t pages, cached, dirty, writeback;
	int refusal;
	/* With a map: run lengths, absent pages first. */
	uint32_t *runs;
	size_t run_count, run_room;
	bool last_present;
};

static long page_size(void)
{
	static long size;
	if (!size)
		size = sysconf(_SC_PAGESIZE);
	return size;
}

static int cache_counts(int fd, uint64_t offset, uint64_t length, struct cache_counts *counts)
{
	struct cache_range range = { offset, length };
	memset(counts, 0, sizeof *counts);
	return syscall(SYS_cachestat, fd, &range, counts, 0) == 0 ? 0 : errno;
}

/* Appends pages to the run lengths; an errno. */
static int pages_run(struct page_state *state, bool present, uint64_t count)
{
	if (!count)
		return 0;
	bool same = state->run_count ? state->last_present == present : !present;
	size_t needed = state->run_count + (same ? !state->run_count : state->run_count ? 1u : 2u);
	if (needed > PAGES_MAX_RUNS || count > UINT32_MAX)
		return E2BIG;
	if (needed > state->run_room) {
		size_t room = state->run_room ? state->run_room * 2 : 64;
		uint32_t *runs = realloc(state->runs, room * sizeof *runs);
		if (!runs)
			return ENOMEM;
		state->runs = runs;
		state->run_room = room;
	}
	if (!same && !state->run_count)
		state->runs[state->run_count++] = 0;
	if (!same || !state->run_count)
		state->runs[state->run_count++] = 0;
	state->runs[state->run_count - 1] += (uint32_t)count;
	state->last_present = present;
	return 0;
}

/* Which pages are there, by halving ranges that are neither full nor empty. */
static int cachestat_map(int fd, uint64_t first, uint64_t count, struct page_state *state)
{
	struct cache_counts counts;
	if (!count)
		return 0;
	int problem = cache_counts(fd, first * (uint64_t)page_size(), count * (uint64_t)page_size(), &counts);
	if (problem)
		return problem;
	if (counts.cached == 0 || counts.cached >= count)
		return pages_run(state, counts.cached != 0, count);
	problem = cachestat_map(fd, first, count / 2, state);
	return problem ? problem : cachestat_map(fd, first + count / 2, count - count / 2, state);
}

/* The mount that was asked after last, by its number, which the kernel gives to another once it is unmounted. */
static long known_mount = -1;

/* Whether a descriptor's file is of 9p, told without a word to its server: the number of its mount is known. */
static bool is_on_9p(int fd)
{
	static bool known_answer;
	char name[32], line[4096];
	long mount = -1, number;
	snprintf(name, sizeof name, "/proc/self/fdinfo/%d", fd);
	FILE *info = fopen(name, "re");
	while (info && fgets(line, sizeof line, info))
		sscanf(line, "mnt_id: %ld", &mount);
	if (info)
		fclose(info);
	if (mount < 0 || mount == known_mount)
		return mount >= 0 && known_answer;
	known_mount = mount;
	known_answer = false;
	FILE *mounts = fopen("/proc/self/mountinfo", "re");
	while (mounts && fgets(line, sizeof line, mounts)) {
		if (sscanf(line, "%ld", &number) == 1 && number == mount)
			known_answer = strstr(line, " - 9p ") != NULL;
	}
	if (mounts)
		fclose(mounts);
	return known_answer;
}

/* Whether a file is in DAX state. 9p has no such state, and statx begins to write dirty pages back there. */
static bool is_dax(int fd)
{
	struct statx stat;
	return !is_on_9p(fd) && statx(fd, "", AT_EMPTY_PATH | AT_STATX_DONT_SYNC, 0, &stat) == 0 &&
	       stat.stx_attributes & STATX_ATTR_DAX;
}

/* The kernel's own rule for who mincore tells the truth. */
static bool mincore_tells(int fd, const struct statx *stat)
{
	char name[32];
	int flags = fcntl(fd, F_GETFL);
	if (geteuid() == 0 || geteuid() == stat->stx_uid || (flags >= 0 && (flags & O_ACCMODE) != O_RDONLY))
		return true;
	snprintf(name, sizeof name, "/proc/self/fd/%d", fd);
	return faccessat(AT_FDCWD, name, W_OK, AT_EACCESS) == 0;
}

static int mincore_count(int fd, uint64_t first, uint64_t count, bool map, struct page_state *state)
{
	unsigned char *present = malloc(count < PAGES_WINDOW ? count + 1 : PAGES_WINDOW);
	int problem = present ? 0 : ENOMEM;
	while (!problem && count) {
		size_t now = count < PAGES_WINDOW ? count : PAGES_WINDOW;
		size_t bytes = now * (size_t)page_size();
		void *at = mmap(NULL, bytes, PROT_READ, MAP_PRIVATE, fd, (off_t)(first * (uint64_t)page_size()));
		if (at == MAP_FAILED) {
			problem = errno;
			break;
		}
		if (mincore(at, bytes, present) != 0)
			problem = errno;
		munmap(at, bytes);
		for (size_t i = 0; i < now && !problem; i++) {
			state->cached += present[i] & 1;
			if (map)
				problem = pages_run(state, present[i] & 1, 1);
		}
		first += now;
		count -= now;
	}
	free(present);
	return problem;
}

static void pages_release(struct page_state *state)
{
	free(state->runs);
	state->runs = NULL;
}

/*
 * The state of the pages that a range touches (length < 0: to the end of the file). 0 or an errno: a refusal
 * by the kernel is an answer (PAGES_REFUSED), not an errno. `mapless`: never fall back to mincore.
 */
static int pages_look(int fd, int64_t offset, int64_t length, bool map, bool mapless, struct page_state *state)
{
	struct statx stat;
	struct cache_counts counts;
	memset(state, 0, sizeof *state);
	uint64_t size = (uint64_t)page_size(), first = (uint64_t)offset / size, bytes = 0;
	if (length >= 0 && length < INT64_MAX - offset - (int64_t)size)
		bytes = length ? ((uint64_t)(offset + length) + size - 1) / size * size - first * size : 1;
	/* Counted before the statx, which on 9p begins to write dirty pages back. 0 bytes: to the end. */
	state->dax = is_dax(fd);
	int problem = state->dax ? ENOSYS : cache_counts(fd, first * size, bytes, &counts);
	/* Looking must not refresh attributes: on FUSE that can drop the pages that are looked at. */
	if (statx(fd, "", AT_EMPTY_PATH | AT_STATX_DONT_SYNC, STATX_SIZE | STATX_UID, &stat) != 0)
		return errno;
	int64_t end = length < 0 || length > (int64_t)stat.stx_size - offset ? (int64_t)stat.stx_size : offset + length;
	state->pages = end > offset ? ((uint64_t)end + size - 1) / size - first : 0;
	if (problem == 0) {
		state->by = PAGES_BY_CACHESTAT;
		if (!state->pages)
			return 0;
		state->cached = counts.cached;
		state->dirty = counts.dirty;
		state->writeback = counts.writeback;
		return map ? cachestat_map(fd, first, state->pages, state) : 0;
	}
	/* `mapless` is for files that a mapping makes the kernel drop, as FOPEN_DIRECT_IO does: no DAX file is. */
	if (problem == ENOSYS && (state->dax || !mapless)) {
		state->by = PAGES_BY_MINCORE;
		problem = mincore_tells(fd, &stat) ? mincore_count(fd, first, state->pages, map, state) : EPERM;
		if (problem == 0 || problem == E2BIG || problem == ENOMEM)
			return problem;
	}
	state->by = PAGES_REFUSED;
	state->refusal = problem;
	state->cached = 0;
	pages_release(state);
	return 0;
}

/* Whether it is certain that the range has neither dirty pages nor pages under writeback. */
static bool pages_clean(const struct page_state *state)
{
	if (state->dax)
		return true;
	return state->by == PAGES_BY_CACHESTAT && state->dirty == 0 && state->writeback == 0;
}

static void put_pages(struct text *text, const struct page_state *state, bool map)
{
	static const char *const by[] = { "cachestat", "mincore", "refused" };
	put(text, "{", 1);
	put_key_string(text, "by", by[state->by]);
	put_key_integer(text, "pageSize", page_size());
	put_key_integer(text, "pages", (int64_t)state->pages);
	put_key_integer(text, "cached", (int64_t)state->cached);
	if (state->by == PAGES_BY_CACHESTAT) {
		put_key_integer(text, "dirty", (int64_t)state->dirty);
		put_key_integer(text, "writeback", (int64_t)state->writeback);
	}
	if (state->by == PAGES_REFUSED)
		put_key_string(text, "refusal", errno_name(state->refusal));
	if (map && state->by != PAGES_REFUSED) {
		put_key(text, "runs");
		put(text, "[", 1);
		for (size_t i = 0; i < state->run_count; i++) {
			if (i)
				put(text, ",", 1);
			put_integer(text, state->runs[i]);
		}
		put(text, "]", 1);
	}
	put(text, "}", 1);
}

#endif

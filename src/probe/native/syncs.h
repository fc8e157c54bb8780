/*
 * How often, and for how long, programs of this machine were in fsync of a FUSE or a 9p file. No counter of the kernel
 * says that, so that perf's kprobe events watch the one function of the file system that fsync, fdatasync, msync and
 * writes with O_SYNC end in: its entries and its returns. Nothing is added to other calls, so that a program which
 * never syncs pays nothing; and nothing stays behind when the worker ends, however it ends. It takes root.
 */
#ifndef VFS_PROBE_SYNCS_H
#define VFS_PROBE_SYNCS_H

#include <linux/perf_event.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#include "pages.h"
#include "reads.h"
#include "worker.h"

/* Each probe is registered for each CPU; with more of them than this it takes too long. */
#define SYNCS_MAX_CPUS 32
#define SYNCS_RING_PAGES 16
#define SYNCS_KNOWN 4096

struct sync_ring {
	int fd;
	struct perf_event_mmap_page *page;
};

static struct {
	/* Of each CPU that is there: entries, returns. */
	struct sync_ring rings[SYNCS_MAX_CPUS][2];
	int count;
	pid_t supervisor;
	/* Entries and returns: how many, and the sum of their times, of which the difference is the time within. */
	int64_t counts[2], sums[2], lost, others;
	/* Whose processes they were, told once: one that has ended cannot be asked again. */
	struct {
		pid_t pid;
		bool own;
	} known[SYNCS_KNOWN];
	int known_count;
} syncs;

static pid_t sync_parent(pid_t pid)
{
	char path[48], stat[512];
	snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
	const char *name_end = small_file(path, stat, sizeof stat) > 0 ? strrchr(stat, ')') : NULL;
	int parent = -1;
	return name_end && sscanf(name_end + 1, " %*c %d", &parent) == 1 ? (pid_t)parent : -1;
}

/* Whether it is of the tree below the supervisor. One that is gone already counts as being of it. */
static bool sync_is_own(pid_t pid)
{
	pid_t at = pid;
	for (int i = 0; i < syncs.known_count; i++)
		if (syncs.known[i].pid == pid)
			return syncs.known[i].own;
	while (at > 1 && at != syncs.supervisor)
		at = sync_parent(at);
	/* Kernel threads lead to 0, which is no supervisor. */
	bool own = at < 0 || (at > 0 && at == syncs.supervisor);
	if (syncs.known_count < SYNCS_KNOWN) {
		syncs.known[syncs.known_count].pid = pid;
		syncs.known[syncs.known_count++].own = own;
	}
	return own;
}

struct sync_record {
	struct perf_event_header header;
	/* PERF_SAMPLE_TID; of PERF_RECORD_LOST an id. */
	uint32_t process, thread;
	/* PERF_SAMPLE_TIME; of PERF_RECORD_LOST how many. */
	uint64_t time;
};

/* A record may go round the end of the ring. */
static struct sync_record sync_record_at(const struct sync_ring *ring, uint64_t at)
{
	const unsigned char *data = (const unsigned char *)ring->page + page_size();
	uint64_t size = SYNCS_RING_PAGES * (uint64_t)page_size();
	struct sync_record record;
	for (size_t i = 0; i < sizeof record; i++)
		((unsigned char *)&record)[i] = data[(at + i) % size];
	return record;
}

static void sync_drain(struct sync_ring *ring, int which)
{
	uint64_t head = __atomic_load_n(&ring->page->data_head, __ATOMIC_ACQUIRE), at = ring->page->data_tail;
	while (at < head) {
		struct sync_record record = sync_record_at(ring, at);
		if (record.header.type == PERF_RECORD_LOST) {
			syncs.lost += (int64_t)record.time;
		} else if (record.header.type == PERF_RECORD_SAMPLE && sync_is_own((pid_t)record.process)) {
			syncs.counts[which]++;
			syncs.sums[which] += (int64_t)record.time - clock_origin;
		} else if (record.header.type == PERF_RECORD_SAMPLE && which == 0) {
			syncs.others++;
		}
		at += record.header.size;
	}
	__atomic_store_n(&ring->page->data_tail, at, __ATOMIC_RELEASE);
}

static bool sync_watch_cpu(struct sync_ring *ring, int type, const char *function, bool at_return, int cpu)
{
	struct perf_event_attr attr = {
		.type = (uint32_t)type,
		.size = sizeof attr,
		.config = at_return,
		.kprobe_func = (uint64_t)(uintptr_t)function,
		.sample_period = 1,
		.sample_type = PERF_SAMPLE_TID | PERF_SAMPLE_TIME,
		.use_clockid = 1,
		.clockid = CLOCK_MONOTONIC,
	};
	ring->fd = (int)syscall(SYS_perf_event_open, &attr, -1, cpu, -1, PERF_FLAG_FD_CLOEXEC);
	if (ring->fd < 0)
		return false;
	size_t length = (1 + SYNCS_RING_PAGES) * (size_t)page_size();
	ring->page = mmap(NULL, length, PROT_READ | PROT_WRITE, MAP_SHARED, ring->fd, 0);
	return ring->page != MAP_FAILED;
}

/* Entries and returns of one CPU; errno stays. */
static void sync_leave_cpu(struct sync_ring *rings)
{
	int problem = errno;
	for (int which = 0; which < 2; which++) {
		struct sync_ring *ring = &rings[which];
		if (ring->page && ring->page != MAP_FAILED)
			munmap(ring->page, (1 + SYNCS_RING_PAGES) * (size_t)page_size());
		if (ring->fd > 0)
			close(ring->fd);
		*ring = (struct sync_ring){ 0 };
	}
	errno = problem;
}

/* Begins to watch; false with errno, and then nothing is watched. */
static bool sync_watch(const char *function)
{
	char text[32];
	long cpus = sysconf(_SC_NPROCESSORS_CONF);
	ssize_t length = small_file("/sys/bus/event_source/devices/kprobe/type", text, sizeof text);
	errno = length < 0 ? (int)-length : cpus > SYNCS_MAX_CPUS ? E2BIG : 0;
	if (errno)
		return false;
	for (int cpu = 0; cpu < cpus; cpu++) {
		struct sync_ring *rings = syncs.rings[syncs.count];
		bool watched = sync_watch_cpu(&rings[0], atoi(text), function, false, cpu) &&
			       sync_watch_cpu(&rings[1], atoi(text), function, true, cpu);
		if (!watched)
			sync_leave_cpu(rings);
		/* ENODEV: the CPU is off. */
		if (!watched && errno != ENODEV) {
			while (syncs.count > 0)
				sync_leave_cpu(syncs.rings[--syncs.count]);
			return false;
		}
		syncs.count += watched;
	}
	return true;
}

/* The first request begins to watch; each of them tells what was seen until then. */
static enum ending op_syncs(struct arguments *arguments)
{
	static const char *const words[] = { "fuse", "9p" };
	static const char *const functions[] = { "fuse_fsync", "v9fs_file_fsync_dotl" };
	struct worker *worker = arguments->worker;
	int of = argument_word(arguments, "of", words, COUNT(words));
	int64_t supervisor = argument_integer(arguments, "supervisor", 0, INT32_MAX, 0);
	if (!usable(arguments))
		return arguments->ending;
	if (!syncs.count && !sync_watch(functions[of])) {
		int problem = errno;
		char why[80];
		snprintf(why, sizeof why, "perf_event_open kprobe %s", functions[of]);
		return refused_with(worker, problem, why);
	}
	syncs.supervisor = (pid_t)supervisor;
	/* Returns first: the entry of each that is seen is there by then. */
	for (int which = 1; which >= 0; which--)
		for (int i = 0; i < syncs.count; i++)
			sync_drain(&syncs.rings[i][which], which);
	put(&worker->value, "{", 1);
	put_key_integer(&worker->value, "calls", syncs.counts[0]);
	put_key_integer(&worker->value, "ended", syncs.counts[1]);
	if (syncs.counts[0] == syncs.counts[1] && !syncs.lost)
		put_key_integer(&worker->value, "ns", syncs.sums[1] - syncs.sums[0]);
	put_key_integer(&worker->value, "lost", syncs.lost);
	put_key_integer(&worker->value, "others", syncs.others);
	put(&worker->value, "}", 1);
	return ENDED_WELL;
}

#endif

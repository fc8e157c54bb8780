/*
 * `vfs-probe run`: runs somebody else's program and counts what its whole tree of processes asks for.
 *
 * The program is left as it is: it is not traced, its standard streams are ours, its environment too. It gets a
 * session of its own. Counts are /proc/PID/io of every process of the tree: of a living one as it is, of one that
 * ended between its end and its being waited for. What a parent has waited for is in the parent's own counts; an
 * orphan becomes our child (PR_SET_CHILD_SUBREAPER). What remains unseen: a child whose parent ignores SIGCHLD.
 *
 * What was counted goes as JSON lines to an abstract socket on which a worker of a session listens (attend.h).
 * The exit status is the program's own, 128 + N where signal N ended it, 126 or 127 where it could not be
 * started, 125 where nobody attends.
 */
#ifndef VFS_PROBE_RUN_H
#define VFS_PROBE_RUN_H

#include <dirent.h>
#include <poll.h>
#include <signal.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>

#include "reads.h"
#include "stat.h"
#include "worker.h"

#define RUN_OWN_FAILURE 125
#define RUN_MOST_PROCESSES 4096
#define RUN_MOST_FILES 1024
#define RUN_MOST_UNDER 16
/* Looking at descriptors must stay cheap beside the program, however many it has. */
#define RUN_LOOK_NS 2000000LL
/* Mappings are longer to read than names of descriptors: the dearer, the rarer. */
#define RUN_CHEAP_NS 1000000LL
/*
 * Until the first file of the share is seen open, and for a while after each new process or file, looks are frequent:
 * as long as they have not cost more than a little and a fiftieth of the time.
 */
#define RUN_EAGER_LOOK_NS 100000000LL
#define RUN_EAGER_EVERY_NS 5000000LL
/*
 * A file of the share is held: what is timed has begun, and each look wakes a processor that the program, or the server
 * of its files, would have. What opens one file often opens the next at once, so that each pause is twice the last.
 */
#define RUN_SEEN_EVERY_NS 40000000LL
#define RUN_EAGER_CREDIT_NS 30000000LL
#define RUN_EAGER_PART 50
#define RUN_NEWS_NS 1000000000LL
/* After that, at every so many-th sample. */
#define RUN_RARE_LOOKS 5
#define RUN_SEND_NS 1000000000LL
#define RUN_CONNECT_NS 10000000000LL

struct run_counts {
	int64_t rchar, wchar, syscr, syscw, read_bytes, write_bytes, cancelled;
};

/* How a file was seen to be held, as bits. */
enum { HELD_READ = 1, HELD_WRITE = 2, HELD_DIRECT = 4, HELD_SYNC = 8, HELD_MAPPED = 16 };

struct run_file {
	char *path;
	unsigned held;
};

/* A process, and what it had asked for itself when a look found it without a file of the share. */
struct run_process {
	pid_t pid;
	struct run_counts without;
};

static struct {
	int link, signals;
	sigset_t old_signals;
	pid_t program;
	int64_t started, every;
	const char *under[RUN_MOST_UNDER];
	int under_count;
	struct run_counts reaped, seen, before_first;
	struct run_process known[RUN_MOST_PROCESSES];
	int known_count;
	bool first_seen, has_children, uring, aio, lost;
	struct run_file files[RUN_MOST_FILES];
	int file_count, process_count, look_from;
	struct text out;
	int64_t sent;
	/* What looking at all mappings cost the last time, and all looks together. */
	int64_t maps_ns, looks_ns;
	/* When a process or a file was last seen for the first time. */
	int64_t news;
	struct rusage usage;
} run;

static bool run_io_at(const char *path, struct run_counts *counts)
{
	char io[1024];
	if (small_file(path, io, sizeof io) <= 0)
		return false;
	counts->rchar = io_field(io, "rchar:");
	counts->wchar = io_field(io, "wchar:");
	counts->syscr = io_field(io, "syscr:");
	counts->syscw = io_field(io, "syscw:");
	counts->read_bytes = io_field(io, "\nread_bytes:");
	counts->write_bytes = io_field(io, "\nwrite_bytes:");
	counts->cancelled = io_field(io, "cancelled_write_bytes:");
	return true;
}

static bool run_io_of(pid_t pid, struct run_counts *counts)
{
	char path[48];
	snprintf(path, sizeof path, "/proc/%d/io", (int)pid);
	return run_io_at(path, counts);
}

static void run_add(struct run_counts *to, const struct run_counts *more)
{
	to->rchar += more->rchar;
	to->wchar += more->wchar;
	to->syscr += more->syscr;
	to->syscw += more->syscw;
	to->read_bytes += more->read_bytes;
	to->write_bytes += more->write_bytes;
	to->cancelled += more->cancelled;
}

/* A process that is waited for between two looks is for a moment in two places or in none: counts never go back. */
static void run_keep_greatest(struct run_counts *kept, const struct run_counts *now)
{
#define GREATEST(field)                         \
	if (now->field > kept->field)           \
	kept->field = now->field
	GREATEST(rchar);
	GREATEST(wchar);
	GREATEST(syscr);
	GREATEST(syscw);
	GREATEST(read_bytes);
	GREATEST(write_bytes);
	GREATEST(cancelled);
#undef GREATEST
}

static void run_put_counts(struct text *text, const struct run_counts *counts)
{
	put_key_integer(text, "rchar", counts->rchar);
	put_key_integer(text, "wchar", counts->wchar);
	put_key_integer(text, "syscr", counts->syscr);
	put_key_integer(text, "syscw", counts->syscw);
	put_key_integer(text, "readBytes", counts->read_bytes);
	put_key_integer(text, "writeBytes", counts->write_bytes);
	put_key_integer(text, "cancelledBytes", counts->cancelled);
}

/* ---- the tree ---- */

/* Adds the children of one thread; false where the kernel does not list them. */
static bool run_children_of(const char *path, pid_t *pids, int *count)
{
	char list[4096];
	ssize_t length = small_file(path, list, sizeof list);
	if (length < 0)
		return false;
	for (char *at = list, *end; *at && *count < RUN_MOST_PROCESSES; at = end) {
		long pid = strtol(at, &end, 10);
		if (end == at)
			break;
		pids[(*count)++] = (pid_t)pid;
		while (*end == ' ')
			end++;
	}
	return true;
}

static void run_children(pid_t pid, pid_t *pids, int *count)
{
	char path[300];
	snprintf(path, sizeof path, "/proc/%d/task", (int)pid);
	DIR *directory = opendir(path);
	if (!directory)
		return;
	for (struct dirent *entry; (entry = readdir(directory));) {
		if (entry->d_name[0] == '.')
			continue;
		snprintf(path, sizeof path, "/proc/%d/task/%.20s/children", (int)pid, entry->d_name);
		run_children_of(path, pids, count);
	}
	closedir(directory);
}

/* Every living process of the tree, and the zombies that nobody has waited for. */
static int run_tree(pid_t *pids)
{
	int count = 0;
	run.has_children = run_children_of("/proc/thread-self/children", pids, &count);
	if (!run.has_children && run.program > 0)
		pids[count++] = run.program;
	for (int i = 0; i < count && run.has_children; i++)
		run_children(pids[i], pids, &count);
	return count;
}

/* What its living threads asked for: without the children that it has waited for, which /proc/PID/io includes. */
static void run_own_counts(pid_t pid, struct run_counts *own)
{
	char path[300];
	memset(own, 0, sizeof *own);
	snprintf(path, sizeof path, "/proc/%d/task", (int)pid);
	DIR *directory = opendir(path);
	if (!directory)
		return;
	for (struct dirent *entry; (entry = readdir(directory));) {
		struct run_counts one;
		if (entry->d_name[0] == '.')
			continue;
		snprintf(path, sizeof path, "/proc/%d/task/%.20s/io", (int)pid, entry->d_name);
		if (run_io_at(path, &one))
			run_add(own, &one);
	}
	closedir(directory);
}

static struct run_process *run_known(pid_t pid)
{
	for (int i = 0; i < run.known_count; i++)
		if (run.known[i].pid == pid)
			return &run.known[i];
	return NULL;
}

/* True when one of them was not there before. */
static bool run_know(const pid_t *pids, int count)
{
	bool news = false;
	for (int i = 0; i < count; i++) {
		if (run.known_count == RUN_MOST_PROCESSES || run_known(pids[i]))
			continue;
		run.known[run.known_count++] = (struct run_process){ .pid = pids[i] };
		news = true;
	}
	return news;
}

static void run_count(const pid_t *pids, int count)
{
	struct run_counts now = run.reaped, one;
	int64_t until = clock_now() + RUN_LOOK_NS * 4;
	for (int i = 0; i < count; i++) {
		if (run_io_of(pids[i], &one))
			run_add(&now, &one);
		if (clock_now() > until)
			break;
	}
	run.process_count = count;
	run_keep_greatest(&run.seen, &now);
}

/* ---- the files of the share that it has open ---- */

static bool run_is_under(const char *path)
{
	for (int i = 0; i < run.under_count; i++) {
		size_t length = strlen(run.under[i]);
		if (strncmp(path, run.under[i], length) == 0 && (path[length] == '/' || length == 1))
			return true;
	}
	return false;
}

static void run_saw_file(const char *path, unsigned held)
{
	struct run_file *file = NULL;
	for (int i = 0; i < run.file_count && !file; i++)
		if (strcmp(run.files[i].path, path) == 0)
			file = &run.files[i];
	if (file && (file->held | held) == file->held)
		return;
	if (!file) {
		char *copy = run.file_count < RUN_MOST_FILES ? strdup(path) : NULL;
		if (!copy)
			return;
		file = &run.files[run.file_count++];
		*file = (struct run_file){ copy, 0 };
		run.news = clock_now();
	}
	file->held |= held;
	put_text(&run.out, "{\"file\":{");
	put_key_string(&run.out, "path", path);
	put_key_integer(&run.out, "atNs", clock_now() - run.started);
	put_key_bool(&run.out, "read", (file->held & HELD_READ) != 0);
	put_key_bool(&run.out, "write", (file->held & HELD_WRITE) != 0);
	put_key_bool(&run.out, "direct", (file->held & HELD_DIRECT) != 0);
	put_key_bool(&run.out, "sync", (file->held & HELD_SYNC) != 0);
	put_key_bool(&run.out, "mapped", (file->held & HELD_MAPPED) != 0);
	put_text(&run.out, "}}\n");
	run.first_seen = true;
}

/* The flags of an open file, as fdinfo has them, in bits of ours. */
static unsigned run_held(long flags)
{
	int access = (int)(flags & O_ACCMODE);
	return (access != O_WRONLY ? HELD_READ : 0) | (access != O_RDONLY ? HELD_WRITE : 0) |
	       (flags & O_DIRECT ? HELD_DIRECT : 0) | (flags & (O_SYNC | O_DSYNC) ? HELD_SYNC : 0);
}

static void run_look_at_descriptors(pid_t pid, int64_t until)
{
	char path[300], target[4097], info[512];
	snprintf(path, sizeof path, "/proc/%d/fd", (int)pid);
	DIR *directory = opendir(path);
	if (!directory)
		return;
	for (struct dirent *entry; clock_now() < until && (entry = readdir(directory));) {
		if (entry->d_name[0] == '.')
			continue;
		/* The name of the link only: nothing of the share is asked. */
		ssize_t length = readlinkat(dirfd(directory), entry->d_name, target, sizeof target - 1);
		if (length <= 0)
			continue;
		target[length] = 0;
		if (strcmp(target, "anon_inode:[io_uring]") == 0)
			run.uring = true;
		if (target[0] != '/' || !run_is_under(target))
			continue;
		snprintf(path, sizeof path, "/proc/%d/fdinfo/%.20s", (int)pid, entry->d_name);
		const char *flags = small_file(path, info, sizeof info) > 0 ? strstr(info, "flags:") : NULL;
		long bits = flags ? strtol(flags + 6, NULL, 8) : 0;
		if (!(bits & (O_PATH | O_DIRECTORY)))
			run_saw_file(target, run_held(bits));
	}
	closedir(directory);
}

static void run_look_at_maps(pid_t pid, int64_t until)
{
	char path[48], line[4608];
	snprintf(path, sizeof path, "/proc/%d/maps", (int)pid);
	FILE *maps = fopen(path, "re");
	if (!maps)
		return;
	while (clock_now() < until && fgets(line, sizeof line, maps)) {
		char *name = strchr(line, '/');
		if (!name)
			continue;
		name[strcspn(name, "\n")] = 0;
		if (strncmp(name, "/[aio]", 6) == 0)
			run.aio = true;
		else if (run_is_under(name))
			run_saw_file(name, HELD_MAPPED);
	}
	fclose(maps);
}

static bool run_has_executable(pid_t pid)
{
	char path[48], target[1];
	snprintf(path, sizeof path, "/proc/%d/exe", (int)pid);
	return readlink(path, target, sizeof target) >= 0;
}

/*
 * A look while no file of the share has been seen: what a process had asked for itself before it was found without one
 * was not asked of the share. What it asked between two looks may have been.
 */
static void run_first_look(const pid_t *pids, int count)
{
	int64_t until = clock_now() + RUN_EAGER_LOOK_NS;
	struct run_counts counts = run.seen;
	for (int i = 0; i < count && clock_now() < until && !run.first_seen; i++) {
		struct run_process *process = run_known(pids[i]);
		struct run_counts own;
		run_own_counts(pids[i], &own);
		run_look_at_descriptors(pids[i], until);
		run_look_at_maps(pids[i], until);
		/* One that is at its end has closed its files already; it has no executable any more either. */
		if (process && !run.first_seen && clock_now() < until && run_has_executable(pids[i]))
			process->without = own;
	}
	if (!run.first_seen && clock_now() < until)
		run.before_first = counts;
}

/* Bounded in time: where there is too much to look at, the next look goes on behind. */
static void run_look(const pid_t *pids, int count, bool at_maps, int64_t most_ns)
{
	int64_t until = clock_now() + most_ns;
	int i = 0;
	for (; i < count && clock_now() < until; i++)
		run_look_at_descriptors(pids[(run.look_from + i) % count], until);
	run.look_from = i < count ? (run.look_from + i) % count : 0;
	if (at_maps) {
		int64_t begun = clock_now();
		for (int j = 0; j < count && clock_now() < begun + most_ns; j++)
			run_look_at_maps(pids[(run.look_from + j) % count], begun + most_ns);
		run.maps_ns = clock_now() - begun;
	}
}

/* ---- what is told ---- */

static void run_put_sample(void)
{
	put_text(&run.out, "{\"sample\":{");
	put_key_integer(&run.out, "atNs", clock_now() - run.started);
	run_put_counts(&run.out, &run.seen);
	put_key_integer(&run.out, "processes", run.process_count);
	put_memory(&run.out);
	put_text(&run.out, "}}\n");
}

/* The program is more important than its account: what cannot be told is dropped. */
static void run_send(void)
{
	size_t sent = 0;
	while (run.link >= 0 && sent < run.out.length) {
		ssize_t took = send(run.link, run.out.data + sent, run.out.length - sent, MSG_NOSIGNAL);
		if (took < 0 && errno == EINTR)
			continue;
		if (took <= 0) {
			close(run.link);
			run.link = -1;
			run.lost = true;
		} else {
			sent += (size_t)took;
		}
	}
	run.out.length = 0;
	run.sent = clock_now();
}

static socklen_t run_address(const char *name, struct sockaddr_un *address)
{
	memset(address, 0, sizeof *address);
	address->sun_family = AF_UNIX;
	snprintf(address->sun_path + 1, sizeof address->sun_path - 1, "%s", name);
	return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + strlen(name));
}

static bool run_connect(const char *name)
{
	struct sockaddr_un address;
	socklen_t length = run_address(name, &address);
	int64_t until = clock_now() + RUN_CONNECT_NS;
	for (;;) {
		run.link = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
		if (run.link < 0)
			return false;
		if (connect(run.link, (struct sockaddr *)&address, length) == 0)
			return true;
		close(run.link);
		if (clock_now() > until)
			return false;
		pause_us(10000);
	}
}

/* ---- its life ---- */

/* Starts the program; the errno of a start that failed. */
static int run_start(char **command)
{
	int said[2], problem = 0;
	if (pipe2(said, O_CLOEXEC) != 0)
		return errno;
	run.started = clock_now();
	run.program = fork();
	if (run.program == 0) {
		setsid();
		sigprocmask(SIG_SETMASK, &run.old_signals, NULL);
		execvp(command[0], command);
		problem = errno;
		if (write(said[1], &problem, sizeof problem) != sizeof problem)
			_exit(RUN_OWN_FAILURE);
		_exit(problem == ENOENT ? 127 : 126);
	}
	close(said[1]);
	if (run.program < 0)
		problem = errno;
	else if (read(said[0], &problem, sizeof problem) != sizeof problem)
		problem = 0;
	close(said[0]);
	return problem;
}

/* Takes the counts of everything that has ended. True when the program itself was among it. */
static bool run_reap(int *status)
{
	bool ended = false;
	for (;;) {
		siginfo_t info = { 0 };
		struct run_counts counts;
		struct rusage usage;
		int how;
		if (waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) != 0 || info.si_pid == 0)
			return ended;
		if (run_io_of(info.si_pid, &counts))
			run_add(&run.reaped, &counts);
		if (wait4(info.si_pid, &how, 0, &usage) != info.si_pid)
			continue;
		run.usage.ru_minflt += usage.ru_minflt;
		run.usage.ru_majflt += usage.ru_majflt;
		timeradd(&run.usage.ru_utime, &usage.ru_utime, &run.usage.ru_utime);
		timeradd(&run.usage.ru_stime, &usage.ru_stime, &run.usage.ru_stime);
		if (info.si_pid == run.program) {
			*status = how;
			ended = true;
		}
	}
}

/* The signals that are handed on to the whole session of the program. */
static void run_pass_signals(void)
{
	struct signalfd_siginfo info;
	while (read(run.signals, &info, sizeof info) == (ssize_t)sizeof info)
		if (info.ssi_signo != SIGCHLD)
			kill(-run.program, (int)info.ssi_signo);
}

static void run_put_named(const char *name, const struct run_counts *counts)
{
	put_key(&run.out, name);
	put_text(&run.out, "{\"known\":true");
	run_put_counts(&run.out, counts);
	put_text(&run.out, "}");
}

static void run_put_ended(int64_t at, int status, int left)
{
	put_text(&run.out, "{\"ended\":{");
	put_key_integer(&run.out, "atNs", at - run.started);
	run_put_counts(&run.out, &run.seen);
	if (WIFSIGNALED(status))
		put_key_string(&run.out, "signal", signal_name(WTERMSIG(status)));
	else
		put_key_integer(&run.out, "status", WEXITSTATUS(status));
	put_key_integer(&run.out, "userUs", (int64_t)run.usage.ru_utime.tv_sec * 1000000 + run.usage.ru_utime.tv_usec);
	put_key_integer(&run.out, "systemUs", (int64_t)run.usage.ru_stime.tv_sec * 1000000 + run.usage.ru_stime.tv_usec);
	put_key_integer(&run.out, "minorFaults", run.usage.ru_minflt);
	put_key_integer(&run.out, "majorFaults", run.usage.ru_majflt);
	put_key_integer(&run.out, "left", left);
	put_key_bool(&run.out, "wholeTree", run.has_children);
	put_key_bool(&run.out, "uring", run.uring);
	put_key_bool(&run.out, "aio", run.aio);
	put_memory(&run.out);
	if (run.first_seen) {
		struct run_counts without = { 0 };
		for (int i = 0; i < run.known_count; i++)
			run_add(&without, &run.known[i].without);
		run_put_named("beforeFirst", &run.before_first);
		run_put_named("notOfShare", &without);
	}
	put_text(&run.out, "}}\n");
}

/* What this thread has used of a processor: a look costs the program no more than that, however long it waits itself. */
static int64_t clock_of_thread(void)
{
	struct timespec used;
	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &used);
	return (int64_t)used.tv_sec * 1000000000 + used.tv_nsec;
}

/* How long until the next of the looks that are frequent. */
static int64_t run_next_pause(int64_t pause, bool news)
{
	if (news || !run.first_seen)
		return RUN_EAGER_EVERY_NS;
	return 2 * pause < RUN_SEEN_EVERY_NS ? 2 * pause : RUN_SEEN_EVERY_NS;
}

static int run_watch(void)
{
	static pid_t pids[RUN_MOST_PROCESSES];
	int status = 0, ticks = 0, looks = 0, told = 0;
	int64_t next = clock_now(), sampled = 0, pause = RUN_EAGER_EVERY_NS;
	for (;;) {
		int64_t left = next - clock_now();
		struct pollfd polls[2] = { { run.signals, POLLIN, 0 }, { run.link, POLLIN, 0 } };
		poll(polls, 2, left <= 0 ? 0 : (int)(left / 1000000) + 1);
		if (polls[0].revents)
			run_pass_signals();
		if (polls[1].revents && run.link >= 0) {
			/* Whoever asked for this is gone: as when a terminal goes away. */
			close(run.link);
			run.link = -1;
			kill(-run.program, SIGHUP);
		}
		bool ended = run_reap(&status);
		int64_t now = clock_now();
		if (!ended && now < next)
			continue;
		int count = run_tree(pids);
		run_count(pids, count);
		if (ended) {
			run_put_ended(now, status, count);
			run_send();
			return status;
		}
		if (run_know(pids, count))
			run.news = now;
		bool fresh = !run.first_seen || now - run.news < RUN_NEWS_NS;
		if (fresh || ++ticks % RUN_RARE_LOOKS == 0) {
			int64_t begun = clock_of_thread();
			if (!run.first_seen)
				run_first_look(pids, count);
			else
				run_look(pids, count, looks++ % (1 + run.maps_ns / RUN_CHEAP_NS) == 0, RUN_LOOK_NS);
			run.looks_ns += clock_of_thread() - begun;
		}
		if (now - sampled >= run.every) {
			run_put_sample();
			sampled = now;
		}
		/* Who attends may want to take over a descriptor while it is held. */
		if (now - run.sent >= RUN_SEND_NS || run.file_count > told) {
			told = run.file_count;
			run_send();
		}
		bool affordable = run.looks_ns <= RUN_EAGER_CREDIT_NS + (now - run.started) / RUN_EAGER_PART;
		pause = run_next_pause(pause, run.news >= now);
		next = fresh && affordable ? clock_now() + pause : now + run.every;
	}
}

/* @param command ends with NULL. */
static int run_program(const char *name, int64_t every, const char *directory, char **command)
{
	sigset_t set;
	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGHUP);
	sigaddset(&set, SIGQUIT);
	sigaddset(&set, SIGUSR1);
	sigaddset(&set, SIGUSR2);
	sigprocmask(SIG_BLOCK, &set, &run.old_signals);
	run.signals = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
	run.every = every;
	if (directory && chdir(directory) != 0) {
		fprintf(stderr, "vfs-probe: %s: %s\n", directory, strerror(errno));
		return RUN_OWN_FAILURE;
	}
	if (!run_connect(name) || run.signals < 0 || prctl(PR_SET_CHILD_SUBREAPER, 1) != 0) {
		fprintf(stderr, "vfs-probe: nobody attends this run: %s\n", strerror(errno));
		return RUN_OWN_FAILURE;
	}
	int problem = run_start(command);
	if (problem) {
		put_text(&run.out, "{\"failed\":{");
		put_key_string(&run.out, "errno", errno_name(problem));
		put_text(&run.out, "}}\n");
		run_send();
		return problem == ENOENT ? 127 : 126;
	}
	put_text(&run.out, "{\"started\":{");
	put_key_integer(&run.out, "pid", run.program);
	put_key_integer(&run.out, "supervisor", getpid());
	put_key_decimal(&run.out, "monotonicNs", run.started + clock_origin, true);
	put_text(&run.out, "}}\n");
	run_send();
	int status = run_watch();
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

#endif

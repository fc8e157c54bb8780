/*
 * vfs-probe: carries out file operations for vfs-verify on one side (host or guest) of a shared directory.
 *
 * Build:  cc -O2 -static -pthread -o vfs-probe vfs-probe.c -lcrypto -lm (libssl-dev, libxxhash-dev; Linux)
 * Usage:  vfs-probe serve [--silence SECONDS] [--unlink PATH]
 *         vfs-probe privileged
 *         vfs-probe run --tell NAME [--every MS] [--under DIR]... [--in DIR] -- COMMAND...
 *         vfs-probe --version
 *
 * JSON lines on standard input and output; src/probe/protocol.md describes them. This process is the
 * supervisor: it never touches the share, because a read from a dead daemon never returns and cannot be
 * killed. Each actor has a worker process from its first request on, that does what touches the share; a
 * stuck one is abandoned and named. Descriptors, mappings, locks and watches stay open between requests. A worker
 * whose actor is released may be made as new (recycle.h) and given to another actor.
 *
 * `privileged` serves what takes root and opens no path: what sudo may let a user start (operations.h).
 * `run` starts somebody else's program and counts what it asks for; run.h says how.
 *
 * --unlink PATH removes PATH and its directory at once: nothing is left behind, however this ends.
 * It ends with its standard input, and after SECONDS (60) of silence; its workers end with it.
 *
 * Limits: lines of 2 MiB; 192 workers, of which 16 may be idle; 16 MiB of requests waiting for workers; 1 MiB for one
 * read or write.
 * Memory: about 5 MiB for each worker that hashes, the names of the directories that a walk is in, and
 * below 16 MiB here unless a client stops reading. A worker that has to wait for the client waits in write(2).
 * Not for: other systems than Linux (statx, cachestat, getdents64, signalfd), untrusted callers.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#define _FILE_OFFSET_BITS 64

#include <ctype.h>
#include <dirent.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/utsname.h>
#include <sys/wait.h>

#if defined(__x86_64__)
#include <cpuid.h>
#endif

#include "operations.h"

#ifndef VFS_PROBE_VERSION
#define VFS_PROBE_VERSION "unversioned"
#endif
#include "job.h"
#define PROTOCOL 1

#if defined(__x86_64__)
#define ARCHITECTURE "x86_64"
#elif defined(__aarch64__)
#define ARCHITECTURE "aarch64"
#else
#define ARCHITECTURE "other"
#endif

#define MAX_ACTORS 192
/* Workers that wait for an actor. */
#define MAX_IDLE 16
#define MAX_WAITING (16 * 1024 * 1024)
/* Above this much unsent output nothing more is read from workers; above the other, nothing from the client. */
#define OUTPUT_FULL (512 * 1024)
#define OUTPUT_OVERFULL (8 * 1024 * 1024)
#define READ_AT_ONCE (256 * 1024)
#define SECOND_NS 1000000000LL
#define LAST_WAIT_NS 200000000LL

/* Bytes that came in or go out, of which the first `start` are done with. */
struct stream {
	struct text text;
	size_t start;
};

struct pending {
	int64_t id;
	bool notify;
	struct pending *next;
};

struct actor {
	char *name;
	pid_t pid;
	/* -1 once the worker has closed its end. */
	int link;
	struct stream in, out;
	struct pending *first, **last;
	/* When the first of them was taken up; -1 before. */
	int64_t begun;
	bool reaped;
	int status;
	/* Ids of `abandon` and `release` requests to answer at its end; -1: none. */
	int64_t abandon_id, release_id;
	/* When its end is no longer waited for; 0: not limited. */
	int64_t deadline;
	/* No longer found by its name. */
	bool leaving;
	struct actor *next;
};

/* A worker that SIGKILL did not end. */
struct lost {
	char *name;
	pid_t pid;
	struct lost *next;
};

static struct {
	struct stream in, out;
	struct actor *actors;
	/* Workers without an actor, the last one first; each still has the name of the one that it served. */
	struct actor *idle;
	size_t idle_count;
	struct lost *lost;
	size_t waiting;
	int signals;
	int64_t heard, silence;
	bool input_ended, ending;
	int64_t end_id, end_deadline;
	int exit_status;
} self;

/* ---- streams ---- */

static size_t stream_length(const struct stream *stream)
{
	return stream->text.length - stream->start;
}

static char *stream_bytes(const struct stream *stream)
{
	return stream->text.data + stream->start;
}

static void stream_skip(struct stream *stream, size_t length)
{
	stream->start += length;
	if (stream->start == stream->text.length) {
		stream->start = stream->text.length = 0;
		/* A large line now and then must not hold its memory for ever. */
		if (stream->text.room > OUTPUT_FULL) {
			free(stream->text.data);
			memset(&stream->text, 0, sizeof stream->text);
		}
	} else if (stream->start > READ_AT_ONCE && stream->start > stream->text.length / 2) {
		memmove(stream->text.data, stream_bytes(stream), stream_length(stream));
		stream->text.length -= stream->start;
		stream->start = 0;
	}
}

/* Reads what is there; the count, 0 at the end, -1 where there is nothing now. */
static ssize_t stream_fill(struct stream *stream, int fd)
{
	if (!text_room(&stream->text, READ_AT_ONCE)) {
		errno = ENOMEM;
		return 0;
	}
	ssize_t got = read(fd, stream->text.data + stream->text.length, READ_AT_ONCE);
	if (got < 0)
		return errno == EINTR || errno == EAGAIN ? -1 : 0;
	stream->text.length += (size_t)got;
	return got;
}

/* Writes what the other end takes; false when that end is gone. */
static bool stream_drain(struct stream *stream, int fd)
{
	while (stream_length(stream)) {
		ssize_t sent = write(fd, stream_bytes(stream), stream_length(stream));
		if (sent < 0 && errno == EINTR)
			continue;
		if (sent < 0)
			return errno == EAGAIN;
		stream_skip(stream, (size_t)sent);
	}
	return true;
}

/* ---- answers of the supervisor itself ---- */

static struct text *answer_begin(int64_t id)
{
	struct text *out = &self.out.text;
	put(out, "{", 1);
	put_key_integer(out, "id", id);
	return out;
}

static void answer_end(struct text *out)
{
	put(out, "}\n", 2);
}

static void answer_text(int64_t id, int64_t begin, const char *key, const char *text)
{
	struct text *out = answer_begin(id);
	if (begin >= 0)
		put_key_integer(out, "begin", begin);
	put_key_string(out, key, text);
	answer_end(out);
}

static void stop(int status)
{
	if (!self.ending)
		self.exit_status = status;
	self.ending = true;
}

static void fatal(const char *why)
{
	if (self.ending)
		return;
	put(&self.out.text, "{", 1);
	put_key_string(&self.out.text, "fatal", why);
	put(&self.out.text, "}\n", 2);
	stop(2);
}

/* ---- what /proc says of a worker ---- */

struct process_state {
	char state[2];
	char wchan[64];
};

static size_t read_small_file(const char *path, char *to, size_t room)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t got = fd < 0 ? -1 : read(fd, to, room - 1);
	if (fd >= 0)
		close(fd);
	to[got > 0 ? got : 0] = 0;
	return got > 0 ? (size_t)got : 0;
}

/* The thread that is worst off speaks for the process: a killed leader is a zombie while its reader hangs. */
static bool process_look(pid_t pid, struct process_state *found)
{
	static const char worst_last[] = "XZITtSRD";
	char path[96], text[512];
	const char *rank = NULL;
	memset(found, 0, sizeof *found);
	snprintf(path, sizeof path, "/proc/%d/task", (int)pid);
	DIR *tasks = opendir(path);
	if (!tasks)
		return false;
	for (struct dirent *task; (task = readdir(tasks));) {
		if (!isdigit((unsigned char)task->d_name[0]))
			continue;
		snprintf(path, sizeof path, "/proc/%d/task/%.20s/stat", (int)pid, task->d_name);
		read_small_file(path, text, sizeof text);
		/* The name in parentheses may hold anything, a parenthesis too. */
		const char *after = strrchr(text, ')');
		if (!after || !after[1] || !after[2])
			continue;
		const char *here = strchr(worst_last, after[2]);
		if (rank && (!here || here <= rank))
			continue;
		rank = here ? here : worst_last;
		found->state[0] = after[2];
		snprintf(path, sizeof path, "/proc/%d/task/%.20s/wchan", (int)pid, task->d_name);
		read_small_file(path, found->wchan, sizeof found->wchan);
		if (strcmp(found->wchan, "0") == 0)
			found->wchan[0] = 0;
	}
	closedir(tasks);
	return rank != NULL;
}

static void put_process(struct text *out, pid_t pid)
{
	struct process_state process;
	if (!process_look(pid, &process))
		return;
	put_key_string(out, "state", process.state);
	if (process.wchan[0])
		put_key_string(out, "wchan", process.wchan);
}

/* ---- workers ---- */

static void set_signals(int how)
{
	sigset_t set;
	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGHUP);
	sigaddset(&set, SIGINT);
	sigprocmask(how, &set, NULL);
}

/* In the child: nothing of the supervisor's is kept, so that a stuck worker holds no channel open. */
static void __attribute__((noreturn)) become_worker(int link, pid_t supervisor)
{
	int null = open("/dev/null", O_RDWR);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != supervisor)
		_exit(0);
	prctl(PR_SET_NAME, "vfs-probe-work");
	signal(SIGPIPE, SIG_IGN);
	set_signals(SIG_UNBLOCK);
	for (int fd = 0; fd < 3; fd++)
		if (null < 0 || dup2(null, fd) < 0)
			close(fd);
	dup2(link, 3);
	if (syscall(SYS_close_range, 4, ~0u, 0) != 0) {
		struct rlimit limit;
		int top = getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < 65536 ? (int)limit.rlim_cur : 65536;
		for (int fd = 4; fd < top; fd++)
			close(fd);
	}
	fcntl(3, F_SETFD, FD_CLOEXEC);
	worker_main(3);
}

static struct actor *find_actor(const char *name)
{
	struct actor *actor = self.actors;
	while (actor && (actor->leaving || actor->link < 0 || actor->reaped || strcmp(actor->name, name) != 0))
		actor = actor->next;
	return actor;
}

/* The actor of that name, with a worker that has nothing to do yet. */
static struct actor *enlist(struct actor *actor, char *name)
{
	actor->name = name;
	actor->last = &actor->first;
	actor->begun = actor->abandon_id = actor->release_id = -1;
	actor->deadline = 0;
	actor->leaving = false;
	actor->next = self.actors;
	self.actors = actor;
	return actor;
}

/* An idle worker for another actor. */
static struct actor *take_idle(char *name)
{
	struct actor *actor = self.idle;
	self.idle = actor->next;
	self.idle_count--;
	free(actor->name);
	return enlist(actor, name);
}

/* Takes it off its list. */
static void delist(struct actor **list, const struct actor *actor)
{
	while (*list && *list != actor)
		list = &(*list)->next;
	if (*list)
		*list = actor->next;
}

static struct actor *start_actor(const char *name, const char **problem)
{
	int ends[2];
	size_t count = 0;
	for (struct actor *each = self.actors; each; each = each->next)
		count++;
	*problem = "more than 192 actors at once";
	if (count >= MAX_ACTORS)
		return NULL;
	char *copy = strdup(name);
	if (copy && self.idle)
		return take_idle(copy);
	struct actor *actor = calloc(1, sizeof *actor);
	*problem = "no worker could be started: out of memory, processes or descriptors";
	if (!actor || !copy || socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) {
		free(actor);
		free(copy);
		return NULL;
	}
	pid_t supervisor = getpid(), pid = fork();
	if (pid == 0)
		become_worker(ends[1], supervisor);
	close(ends[1]);
	if (pid < 0) {
		close(ends[0]);
		free(actor);
		free(copy);
		return NULL;
	}
	fcntl(ends[0], F_SETFL, O_NONBLOCK);
	actor->pid = pid;
	actor->link = ends[0];
	return enlist(actor, copy);
}

static void pending_done(struct actor *actor)
{
	struct pending *done = actor->first;
	actor->first = done->next;
	if (!actor->first)
		actor->last = &actor->first;
	actor->begun = -1;
	free(done);
}

/* Answers `abandon` or `release`; an id of -1: nobody asked. */
static void answer_end_of_actor(int64_t id, const struct actor *actor, bool left)
{
	if (id < 0)
		return;
	struct text *out = answer_begin(id);
	put_key(out, "value");
	put(out, "{", 1);
	put_key_integer(out, "pid", actor->pid);
	put_key_bool(out, "killed", !left);
	if (left)
		put_process(out, actor->pid);
	put(out, "}", 1);
	answer_end(out);
}

static void free_actor(struct actor *actor)
{
	if (actor->link >= 0)
		close(actor->link);
	free(actor->in.text.data);
	free(actor->out.text.data);
	free(actor);
}

/* Answers everything that the worker owed and forgets it. `left`: it could not be ended. */
static void finish_actor(struct actor *actor, bool left)
{
	bool killed = !left && WIFSIGNALED(actor->status) && actor->abandon_id < 0 && !self.ending;
	char why[96] = "the worker was abandoned";
	if (self.ending) {
		snprintf(why, sizeof why, "the probe was ended");
	} else if (!left && actor->abandon_id < 0) {
		if (WIFSIGNALED(actor->status))
			snprintf(why, sizeof why, "the worker was killed by %s before this", signal_name(WTERMSIG(actor->status)));
		else
			snprintf(why, sizeof why, "the worker ended with status %d", WEXITSTATUS(actor->status));
	}
	if (killed && actor->first) {
		answer_text(actor->first->id, actor->begun, "signal", signal_name(WTERMSIG(actor->status)));
		pending_done(actor);
	}
	while (actor->first) {
		answer_text(actor->first->id, actor->begun, "gone", why);
		pending_done(actor);
	}
	answer_end_of_actor(actor->abandon_id, actor, left);
	answer_end_of_actor(actor->release_id, actor, left);
	delist(&self.actors, actor);
	self.waiting -= stream_length(&actor->out);
	struct lost *lost = left ? calloc(1, sizeof *lost) : NULL;
	if (lost) {
		*lost = (struct lost){ actor->name, actor->pid, self.lost };
		self.lost = lost;
	} else {
		free(actor->name);
	}
	free_actor(actor);
}

/* A worker that is as new: its actor is gone, and it waits for another. */
static void actor_as_new(struct actor *actor)
{
	/* It was given up meanwhile, or it owes something (a defect of ours): it ends, as it would without this. */
	if (actor->release_id < 0 || actor->abandon_id >= 0 || actor->first || actor->reaped || self.ending ||
	    self.idle_count == MAX_IDLE) {
		shutdown(actor->link, SHUT_WR);
		return;
	}
	answer_end_of_actor(actor->release_id, actor, false);
	delist(&self.actors, actor);
	actor->release_id = -1;
	actor->next = self.idle;
	self.idle = actor;
	self.idle_count++;
}

/* An idle worker has ended: somebody killed it. */
static void idle_ended(pid_t pid)
{
	struct actor *actor = self.idle;
	while (actor && actor->pid != pid)
		actor = actor->next;
	if (!actor)
		return;
	delist(&self.idle, actor);
	self.idle_count--;
	free(actor->name);
	free_actor(actor);
}

static void reap(void)
{
	int status;
	for (pid_t pid; (pid = waitpid(-1, &status, WNOHANG)) > 0;) {
		for (struct actor *actor = self.actors; actor; actor = actor->next)
			if (actor->pid == pid) {
				actor->reaped = true;
				actor->status = status;
			}
		idle_ended(pid);
		for (struct lost **at = &self.lost; *at;) {
			struct lost *lost = *at;
			if (lost->pid != pid) {
				at = &lost->next;
				continue;
			}
			*at = lost->next;
			free(lost->name);
			free(lost);
		}
	}
}

static void kill_actor(struct actor *actor, int64_t now)
{
	if (!actor->reaped)
		kill(actor->pid, SIGKILL);
	actor->leaving = true;
	actor->deadline = now + LAST_WAIT_NS;
}

/* What a worker has sent: complete lines go out as they are. */
static void actor_frames(struct actor *actor)
{
	struct frame frame;
	while (stream_length(&actor->in) >= sizeof frame) {
		memcpy(&frame, stream_bytes(&actor->in), sizeof frame);
		if (stream_length(&actor->in) < sizeof frame + frame.length)
			return;
		struct text *out = &self.out.text;
		bool first = actor->first && actor->first->id == frame.id;
		if (frame.kind == FRAME_BEGUN) {
			actor->begun = frame.begin;
			if (first && actor->first->notify) {
				put_key_bool(answer_begin(frame.id), "begun", true);
				answer_end(out);
			}
		} else if (first) {
			put(out, stream_bytes(&actor->in) + sizeof frame, frame.length);
			put(out, "\n", 1);
			if (frame.kind == FRAME_ANSWER)
				pending_done(actor);
		}
		stream_skip(&actor->in, sizeof frame + frame.length);
		if (frame.kind == FRAME_AS_NEW)
			actor_as_new(actor);
	}
}

static void actor_readable(struct actor *actor)
{
	ssize_t got = stream_fill(&actor->in, actor->link);
	actor_frames(actor);
	if (got != 0)
		return;
	close(actor->link);
	actor->link = -1;
}

static void actor_writable(struct actor *actor)
{
	size_t before = stream_length(&actor->out);
	/* That a link broke is dealt with when it has been read to its end. */
	if (!stream_drain(&actor->out, actor->link))
		stream_skip(&actor->out, stream_length(&actor->out));
	self.waiting -= before - stream_length(&actor->out);
}

/* ---- requests ---- */

/* One item for a worker: its length, and as many bytes. */
static void send_to_worker(struct actor *actor, const char *bytes, size_t length)
{
	uint32_t size = (uint32_t)length;
	put(&actor->out.text, &size, sizeof size);
	put(&actor->out.text, bytes, length);
	if (actor->out.text.failed) {
		fatal("out of memory");
		return;
	}
	self.waiting += sizeof size + length;
	actor_writable(actor);
}

static void request_operation(int64_t id, const char *name, const char *line, size_t length, bool notify)
{
	const char *problem = "too many requests are waiting";
	if (self.waiting + length > MAX_WAITING) {
		answer_text(id, -1, "error", problem);
		return;
	}
	struct actor *actor = find_actor(name);
	if (!actor)
		actor = start_actor(name, &problem);
	struct pending *pending = actor ? calloc(1, sizeof *pending) : NULL;
	if (!pending) {
		answer_text(id, -1, "error", problem);
		return;
	}
	pending->id = id;
	pending->notify = notify;
	*actor->last = pending;
	actor->last = &pending->next;
	send_to_worker(actor, line, length);
}

static void request_inspect(int64_t id, const char *name)
{
	struct actor *actor = find_actor(name);
	struct text *out = answer_begin(id);
	put_key(out, "value");
	put(out, "{", 1);
	put_key_bool(out, "alive", actor && !actor->reaped);
	if (actor) {
		put_key_integer(out, "pid", actor->pid);
		put_process(out, actor->pid);
	}
	put(out, "}", 1);
	answer_end(out);
}

/* `abandon` and `release`: answered when the worker has ended or is as new, or is left behind. */
static void request_end_of_actor(int64_t id, const char *name, bool abandon, int64_t now)
{
	struct actor *actor = find_actor(name);
	if (!actor) {
		struct text *out = answer_begin(id);
		put_text(out, ",\"value\":{\"killed\":false}");
		answer_end(out);
		return;
	}
	actor->leaving = true;
	if (abandon) {
		actor->abandon_id = id;
		kill_actor(actor, now);
		return;
	}
	actor->release_id = id;
	actor->deadline = now + SECOND_NS;
	send_to_worker(actor, "", RELEASED);
}

static void request_clock(int64_t id, bool both)
{
	struct timespec real;
	struct text *out = answer_begin(id);
	put_key(out, "value");
	put(out, "{", 1);
	put_key_integer(out, "nowNs", clock_now());
	if (both) {
		clock_gettime(CLOCK_REALTIME, &real);
		put_key_decimal(out, "realtimeNs", (int64_t)real.tv_sec * SECOND_NS + real.tv_nsec, true);
	}
	put(out, "}", 1);
	answer_end(out);
}

static const char *string_of(const struct json *value)
{
	return value && value->type == JSON_STRING && strlen(value->bytes) == value->length ? value->bytes : NULL;
}

static void request(const char *line, size_t length, int64_t now)
{
	struct arena arena = { 0 };
	const char *problem;
	const struct json *whole = json_parse(&arena, line, length, &problem), *id = json_get(whole, "id");
	if (!whole || whole->type != JSON_OBJECT) {
		char why[128];
		snprintf(why, sizeof why, "a request is no JSON object: %s", whole ? "another type" : problem);
		fatal(why);
	} else if (!id || id->type != JSON_INTEGER || id->integer < 0 || id->integer > JSON_SAFE_INTEGER) {
		fatal("a request has no id");
	} else {
		const struct json *op = json_get(whole, "op"), *notify = json_get(whole, "notify");
		const char *verb = string_of(json_get(whole, "do")), *name = string_of(json_get(whole, "actor"));
		int64_t n = id->integer;
		if (op && op->type == JSON_OBJECT && name && !verb)
			request_operation(n, name, line, length, notify && notify->type == JSON_TRUE);
		else if (verb && strcmp(verb, "ping") == 0)
			request_clock(n, false);
		else if (verb && strcmp(verb, "clock") == 0)
			request_clock(n, true);
		else if (verb && name && strcmp(verb, "inspect") == 0)
			request_inspect(n, name);
		else if (verb && name && (strcmp(verb, "abandon") == 0 || strcmp(verb, "release") == 0))
			request_end_of_actor(n, name, verb[0] == 'a', now);
		else if (verb && strcmp(verb, "end") == 0) {
			self.end_id = n;
			stop(0);
		} else
			answer_text(n, -1, "error", "neither an operation of an actor nor a known verb");
	}
	arena_release(&arena);
}

/* Takes complete lines from the input. `scanned` bytes are known to hold no line's end. */
static void requests(int64_t now)
{
	static size_t scanned;
	while (!self.ending) {
		char *bytes = stream_bytes(&self.in), *end;
		size_t length = stream_length(&self.in);
		end = length > scanned ? memchr(bytes + scanned, '\n', length - scanned) : NULL;
		if ((end ? (size_t)(end - bytes) : length) > LINE_MAX_BYTES) {
			fatal("a request is longer than 2 MiB");
			return;
		}
		scanned = end ? 0 : length;
		if (!end)
			return;
		if (end > bytes)
			request(bytes, (size_t)(end - bytes), now);
		stream_skip(&self.in, (size_t)(end - bytes) + 1);
	}
}

/* ---- the loop ---- */

static void signals_readable(void)
{
	struct signalfd_siginfo info;
	while (read(self.signals, &info, sizeof info) == (ssize_t)sizeof info) {
		if (info.ssi_signo == SIGCHLD)
			reap();
		else
			stop(0);
	}
}

static void actors_ended(int64_t now)
{
	for (struct actor *actor = self.actors, *next; actor; actor = next) {
		next = actor->next;
		if (actor->link < 0 && actor->reaped)
			finish_actor(actor, false);
		else if (actor->deadline && now >= actor->deadline) {
			if (actor->release_id >= 0 && actor->abandon_id < 0 && actor->deadline && !actor->reaped) {
				/* It had its time to end in good order. */
				actor->abandon_id = actor->release_id;
				actor->release_id = -1;
				kill_actor(actor, now);
			} else {
				finish_actor(actor, !actor->reaped);
			}
		}
	}
}

/* Milliseconds until something is due; -1: nothing is. */
static int time_left(int64_t now)
{
	int64_t due = self.ending ? self.end_deadline : self.heard + self.silence;
	for (struct actor *actor = self.actors; actor; actor = actor->next)
		if (actor->deadline && actor->deadline < due)
			due = actor->deadline;
	int64_t left = due - now;
	return left <= 0 ? 0 : left > 3600 * SECOND_NS ? 3600 * 1000 : (int)(left / 1000000) + 1;
}

/* One wait and what came of it. */
static void turn(void)
{
	struct pollfd polls[3 + MAX_ACTORS];
	struct actor *who[3 + MAX_ACTORS];
	nfds_t count = 3;
	size_t unsent = stream_length(&self.out);
	polls[0] = (struct pollfd){ self.input_ended || self.ending || unsent > OUTPUT_OVERFULL ? -1 : STDIN_FILENO, POLLIN, 0 };
	polls[1] = (struct pollfd){ self.signals, POLLIN, 0 };
	polls[2] = (struct pollfd){ STDOUT_FILENO, unsent ? POLLOUT : 0, 0 };
	for (struct actor *actor = self.actors; actor && count < 3 + MAX_ACTORS; actor = actor->next) {
		short events = (short)((unsent < OUTPUT_FULL ? POLLIN : 0) | (stream_length(&actor->out) ? POLLOUT : 0));
		/* A negative descriptor is passed over: without this, a closed link would wake us for ever. */
		polls[count] = (struct pollfd){ events ? actor->link : -1, events, 0 };
		who[count++] = actor;
	}
	if (poll(polls, count, time_left(clock_now())) < 0 && errno != EINTR) {
		fatal("poll failed");
		return;
	}
	int64_t now = clock_now();
	if (polls[1].revents)
		signals_readable();
	for (nfds_t i = 3; i < count; i++) {
		if (polls[i].revents & POLLOUT)
			actor_writable(who[i]);
		if (polls[i].revents & (POLLIN | POLLHUP | POLLERR) && polls[i].events & POLLIN)
			actor_readable(who[i]);
	}
	if (polls[0].revents) {
		ssize_t got = stream_fill(&self.in, STDIN_FILENO);
		if (got > 0)
			self.heard = now;
		if (got == 0)
			stop(0);
		requests(now);
	}
	if (now - self.heard > self.silence)
		stop(0);
	if (polls[2].revents & (POLLERR | POLLNVAL))
		stop(0);
	actors_ended(now);
	if (stream_length(&self.out) && !stream_drain(&self.out, STDOUT_FILENO)) {
		self.out.start = self.out.text.length = 0;
		stop(0);
	}
	if (self.out.text.failed)
		_exit(12);
}

/* Ends all workers, bounded, and names those that remain. */
static void finish(void)
{
	int64_t now = clock_now();
	bool told = false;
	while (self.idle) {
		struct actor *actor = self.idle;
		delist(&self.idle, actor);
		actor->next = self.actors;
		self.actors = actor;
	}
	for (struct actor *actor = self.actors; actor; actor = actor->next)
		kill_actor(actor, now);
	self.end_deadline = now + SECOND_NS;
	while (clock_now() < self.end_deadline) {
		if (!self.actors && !told) {
			told = true;
			if (self.end_id >= 0) {
				struct text *out = answer_begin(self.end_id);
				put_text(out, ",\"value\":{\"left\":[");
				for (struct lost *lost = self.lost; lost; lost = lost->next) {
					put_text(out, lost == self.lost ? "{" : ",{");
					put_key_string(out, "actor", lost->name);
					put_key_integer(out, "pid", lost->pid);
					put(out, "}", 1);
				}
				put_text(out, "]}");
				answer_end(out);
			}
			if (!stream_drain(&self.out, STDOUT_FILENO))
				return;
		}
		if (told && !stream_length(&self.out))
			return;
		turn();
	}
}

static bool has_cachestat(void)
{
	struct cache_counts counts;
	/* Asked with no file: a refusal is a kernel that knows the call. */
	return cache_counts(-1, 0, 1, &counts) != ENOSYS;
}

static void hello(void)
{
	struct utsname uname_;
	struct text *out = &self.out.text;
	memset(&uname_, 0, sizeof uname_);
	uname(&uname_);
	put_text(out, "{\"hello\":{");
	put_key_integer(out, "protocol", PROTOCOL);
	put_key_string(out, "version", VFS_PROBE_VERSION);
	put_key_string(out, "arch", strcmp(ARCHITECTURE, "other") == 0 ? uname_.machine : ARCHITECTURE);
	put_key_string(out, "kernel", uname_.release);
	put_key_integer(out, "uid", geteuid());
	put_key_integer(out, "pid", getpid());
	put_key_integer(out, "pageSize", page_size());
	put_key(out, "features");
	put_text(out, "[\"md5\",\"sha256\",\"xxh3\",\"statx-dax\",\"o-direct\",\"mincore\"");
	if (has_cachestat())
		put_text(out, ",\"cachestat\"");
	put_text(out, "]");
	put_key_string(out, "clock", "monotonic");
	put_text(out, "}}\n");
}

/* Removes the program's own file and the private directory that was made for it. */
static void remove_own_file(const char *path)
{
	char directory[4096];
	unlink(path);
	const char *slash = strrchr(path, '/');
	if (!slash || slash == path || (size_t)(slash - path) >= sizeof directory)
		return;
	memcpy(directory, path, (size_t)(slash - path));
	directory[slash - path] = 0;
	rmdir(directory);
}

/*
 * An emulated CPU (TCG) may offer AVX2 without the SHA extensions, and then runs libcrypto's form for it three
 * times slower than the plain one. libcrypto chooses before main, by an environment variable of its own.
 */
static void plain_digests_when_emulated(char **argv)
{
#if defined(__x86_64__)
	unsigned eax, name[3], features = 0, ecx, edx;
	__cpuid(0x40000000, eax, name[0], name[1], name[2]);
	if (memcmp(name, "TCGTCGTCGTCG", sizeof name) != 0 || getenv("OPENSSL_ia32cap"))
		return;
	if (__get_cpuid_count(7, 0, &eax, &features, &ecx, &edx) && features & 1u << 29)
		return;
	/* Not: SSSE3, AVX; BMI1, AVX2, BMI2. */
	setenv("OPENSSL_ia32cap", "~0x1000020000000000:~0x128", 1);
	execv("/proc/self/exe", argv);
#else
	(void)argv;
#endif
}

static int serve(int silence_seconds, const char *own_file)
{
	sigset_t set;
	struct rlimit limit;
	clock_origin = 0;
	clock_origin = clock_now();
	if (own_file)
		remove_own_file(own_file);
	/* The terminal's ^C is the client's to handle; and no directory of the share is kept busy from here. */
	setsid();
	if (chdir("/") != 0)
		return 2;
	if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
		limit.rlim_cur = limit.rlim_max < 4096 ? limit.rlim_max : 4096;
		setrlimit(RLIMIT_NOFILE, &limit);
	}
	signal(SIGPIPE, SIG_IGN);
	set_signals(SIG_BLOCK);
	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGHUP);
	sigaddset(&set, SIGINT);
	self.signals = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
	self.end_id = -1;
	self.silence = silence_seconds * SECOND_NS;
	self.heard = clock_now();
	int flags = fcntl(STDOUT_FILENO, F_GETFL);
	fcntl(STDOUT_FILENO, F_SETFL, flags | O_NONBLOCK);
	hello();
	while (!self.ending)
		turn();
	finish();
	fcntl(STDOUT_FILENO, F_SETFL, flags);
	return self.exit_status;
}

static int usage(void)
{
	fprintf(stderr, "usage: vfs-probe serve [--silence SECONDS] [--unlink PATH]\n"
			"       vfs-probe privileged\n"
			"       vfs-probe run --tell NAME [--every MS] [--under DIR]... [--in DIR] -- COMMAND...\n"
			"       vfs-probe job NAME=VALUE... -- FILE...\n"
			"       vfs-probe --version\n");
	return 2;
}

static int main_run(int argc, char **argv)
{
	const char *name = NULL, *directory = NULL;
	int every = 100, i = 2;
	for (; i + 1 < argc && strcmp(argv[i], "--") != 0; i += 2) {
		if (strcmp(argv[i], "--tell") == 0)
			name = argv[i + 1];
		else if (strcmp(argv[i], "--every") == 0)
			every = atoi(argv[i + 1]);
		else if (strcmp(argv[i], "--in") == 0)
			directory = argv[i + 1];
		else if (strcmp(argv[i], "--under") == 0 && run.under_count < RUN_MOST_UNDER)
			run.under[run.under_count++] = argv[i + 1];
		else
			return usage();
	}
	if (!name || strlen(name) > 90 || every < 1 || i + 1 >= argc || strcmp(argv[i], "--") != 0)
		return usage();
	return run_program(name, every * 1000000LL, directory, argv + i + 1);
}

int main(int argc, char **argv)
{
	int silence = 60;
	const char *own_file = NULL;
	if (argc == 2 && strcmp(argv[1], "--version") == 0) {
		printf("vfs-probe %s (%s, protocol %d)\n", VFS_PROBE_VERSION, ARCHITECTURE, PROTOCOL);
		return 0;
	}
	/* Before anything that changes the environment: it is the program's. */
	if (argc >= 2 && strcmp(argv[1], "run") == 0)
		return main_run(argc, argv);
	if (argc >= 2 && strcmp(argv[1], "job") == 0) {
		int status = job_main(argc - 2, argv + 2);
		return status == 2 ? usage() : status;
	}
	if (argc == 2 && strcmp(argv[1], "privileged") == 0) {
		only_privileged = true;
		return serve(silence, NULL);
	}
	bool good = argc >= 2 && strcmp(argv[1], "serve") == 0 && argc % 2 == 0;
	for (int i = 2; good && i < argc; i += 2) {
		if (strcmp(argv[i], "--silence") == 0)
			good = (silence = atoi(argv[i + 1])) > 0;
		else if (strcmp(argv[i], "--unlink") == 0)
			own_file = argv[i + 1];
		else
			good = false;
	}
	if (!good)
		return usage();
	plain_digests_when_emulated(argv);
	return serve(silence, own_file);
}

/* Locks: flock, POSIX (of a process, which an actor is) and open file description. */
#ifndef VFS_PROBE_LOCKS_H
#define VFS_PROBE_LOCKS_H

#include <sys/file.h>

#include "interrupt.h"
#include "worker.h"

enum lock_family { LOCK_BY_FLOCK, LOCK_BY_POSIX, LOCK_BY_OFD };
enum lock_mode { LOCK_SHARED, LOCK_EXCLUSIVE, LOCK_NONE };

/* How often a wait that has lasted long enough is interrupted: the first signal may have come before the call. */
#define LOCK_AGAIN_US 10000

struct lock {
	int fd;
	enum lock_family family;
	enum lock_mode mode;
	struct range range;
};

static void argument_lock(struct arguments *arguments, struct lock *lock)
{
	static const char *const families[] = { "flock", "posix", "ofd" }, *const modes[] = { "shared", "exclusive", "unlock" };
	lock->fd = argument_file(arguments);
	argument_string(arguments, "family", true);
	argument_string(arguments, "mode", true);
	lock->family = (enum lock_family)argument_word(arguments, "family", families, 3);
	lock->mode = (enum lock_mode)argument_word(arguments, "mode", modes, 3);
	lock->range = argument_range_of(arguments, "range");
	if (usable(arguments) && lock->family == LOCK_BY_FLOCK && json_get(arguments->op, "range"))
		arguments->ending = wrong(arguments->worker, "flock has no \"range\"");
}

static struct flock lock_record(const struct lock *lock)
{
	static const short types[] = { F_RDLCK, F_WRLCK, F_UNLCK };
	return (struct flock){ .l_type = types[lock->mode],
			       .l_whence = SEEK_SET,
			       .l_start = lock->range.offset,
			       /* The kernel's word for "to the end" is 0. */
			       .l_len = lock->range.length < 0 ? 0 : lock->range.length };
}

static const char *lock_call(const struct lock *lock)
{
	return lock->family == LOCK_BY_FLOCK ? "flock" : "fcntl";
}

/* One attempt: 0 or -1. */
static int lock_take(const struct lock *lock, bool wait)
{
	static const int bits[] = { LOCK_SH, LOCK_EX, LOCK_UN };
	struct flock record = lock_record(lock);
	if (lock->family == LOCK_BY_FLOCK)
		return flock(lock->fd, bits[lock->mode] | (wait ? 0 : LOCK_NB));
	if (lock->family == LOCK_BY_POSIX)
		return fcntl(lock->fd, wait ? F_SETLKW : F_SETLK, &record);
	return fcntl(lock->fd, wait ? F_OFD_SETLKW : F_OFD_SETLK, &record);
}

static enum ending op_lock(struct arguments *arguments)
{
	struct worker *worker = arguments->worker;
	struct lock lock;
	argument_lock(arguments, &lock);
	int64_t wait_ms = argument_integer(arguments, "waitMs", 1, 24 * 3600 * 1000, 0);
	if (!usable(arguments))
		return arguments->ending;
	if (!wait_ms)
		return ended(worker, lock_take(&lock, false), lock_call(&lock));
	int64_t limit = clock_now() + wait_ms * 1000000;
	int result;
	timer_start(wait_ms * 1000, LOCK_AGAIN_US);
	do
		result = lock_take(&lock, true);
	while (result != 0 && errno == EINTR && clock_now() < limit);
	int problem = errno == EINTR ? ETIMEDOUT : errno;
	timer_stop();
	errno = problem;
	return ended(worker, result, lock_call(&lock));
}

static enum ending op_test_lock(struct arguments *arguments)
{
	struct worker *worker = arguments->worker;
	struct lock lock;
	argument_lock(arguments, &lock);
	if (!usable(arguments))
		return arguments->ending;
	if (lock.family == LOCK_BY_FLOCK || lock.mode == LOCK_NONE)
		return wrong(worker, "there is no test for this lock");
	struct flock record = lock_record(&lock);
	if (fcntl(lock.fd, lock.family == LOCK_BY_POSIX ? F_GETLK : F_OFD_GETLK, &record) != 0)
		return refused(worker, "fcntl");
	worker->end = clock_now();
	put(&worker->value, "{", 1);
	put_key_bool(&worker->value, "free", record.l_type == F_UNLCK);
	if (record.l_type != F_UNLCK) {
		put_key_string(&worker->value, "mode", record.l_type == F_RDLCK ? "shared" : "exclusive");
		put_key_integer(&worker->value, "pid", record.l_pid);
		put_key(&worker->value, "range");
		put(&worker->value, "{", 1);
		put_key_integer(&worker->value, "offset", record.l_start);
		if (record.l_len)
			put_key_integer(&worker->value, "length", record.l_len);
		put(&worker->value, "}", 1);
	}
	put(&worker->value, "}", 1);
	return ENDED_WELL;
}

#endif

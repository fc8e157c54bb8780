/* An ordinary user in place of root, for what the kernel lets root alone do, or keeps from everybody else. */
#ifndef VFS_PROBE_BECOME_H
#define VFS_PROBE_BECOME_H

#include <grp.h>
#include <signal.h>
#include <sys/prctl.h>

#include "worker.h"

/* Each step is one call for the worker's only thread; with the last one all capabilities are gone (capabilities(7)). */
static enum ending op_become(struct arguments *arguments)
{
	struct worker *worker = arguments->worker;
	int64_t uid = argument_integer(arguments, "uid", 1, USER_MAX, NEEDED), gid = argument_integer(arguments, "gid", 1, USER_MAX, NEEDED);
	/* The root's parents may be closed to that user; the root itself, once it is entered, is the case's to open. */
	if (!usable(arguments) || !enter_root(arguments))
		return arguments->ending;
	if (setgroups(0, NULL) != 0)
		return refused(worker, "setgroups");
	if (setresgid((gid_t)gid, (gid_t)gid, (gid_t)gid) != 0)
		return refused(worker, "setresgid");
	if (setresuid((uid_t)uid, (uid_t)uid, (uid_t)uid) != 0)
		return refused(worker, "setresuid");
	/* The kernel forgets it when credentials change: a worker must not outlive its supervisor. */
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	return ended(worker, 0, "become");
}

#endif

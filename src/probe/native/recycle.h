/*
 * A worker made as new when its actor is released, so that it can serve another one: a fork, its copies of pages and
 * its end are the greatest part of what an actor costs in an emulated machine.
 *
 * Only where all that it ever did leaves nothing in a process but what is undone here (operations.h says so of each
 * operation), and where no signal and no second thread was in it. In the order of a process' end: mappings, then
 * descriptors, all of them flushed before the first is released, then the working directory.
 */
#ifndef VFS_PROBE_RECYCLE_H
#define VFS_PROBE_RECYCLE_H

#include <sys/mman.h>
#include <sys/syscall.h>

#include "hash.h"
#include "interrupt.h"
#include "pages.h"
#include "watch.h"
#include "worker.h"

static bool unmap_all(struct worker *worker)
{
	bool done = true;
	while (worker->maps) {
		done = munmap(worker->maps->at, worker->maps->length) == 0 && done;
		let_go(&worker->maps, worker->maps);
	}
	return done;
}

static void forget_text(struct text *text)
{
	free(text->data);
	*text = (struct text){ 0 };
}

/* False: it has to end, which does the rest. */
static bool worker_recycle(struct worker *worker)
{
	if (worker->spent || signals_taken || hash_was_threaded || !unmap_all(worker))
		return false;
	while (worker->watches) {
		watch_release(worker->watches);
		let_go(&worker->watches, worker->watches);
	}
	/* Whatever is open but the link, held or forgotten: what locks there were go with it. Linux 5.9. */
	if (syscall(SYS_close_range, worker->link + 1, ~0u, 0) != 0 || chdir("/") != 0)
		return false;
	while (worker->files)
		let_go(&worker->files, worker->files);
	while (worker->root_count)
		free(worker->roots[--worker->root_count].path);
	worker->at_root = -1;
	worker->moved = false;
	if (worker->io)
		munmap(worker->io, IO_ROOM);
	worker->io = NULL;
	hash_forget();
	known_mount = -1;
	forget_text(&worker->value);
	forget_text(&worker->bulk);
	forget_text(&worker->line);
	return true;
}

#endif

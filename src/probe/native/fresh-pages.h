/* Memory for what is read from a file. */
#ifndef VFS_PROBE_FRESH_PAGES_H
#define VFS_PROBE_FRESH_PAGES_H

#include <stddef.h>
#include <sys/mman.h>

/*
 * Pages of zeros, or NULL with errno. Not malloc's, which may hold what an actor before this one read: a call that
 * says that it read and did not would then be taken for one that did.
 */
static void *fresh_pages(size_t length)
{
	void *pages = mmap(NULL, length, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	return pages == MAP_FAILED ? NULL : pages;
}

#endif

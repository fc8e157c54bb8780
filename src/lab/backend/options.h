/* The command line: virtiofsd's words, as far as the lab's modes need them, and the backend's own. */
#ifndef BACKEND_OPTIONS_H
#define BACKEND_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

enum cache { CACHE_NEVER, CACHE_METADATA, CACHE_AUTO, CACHE_ALWAYS };

struct options {
	const char *socket_path, *shared_dir;
	enum cache cache;
	bool writeback, allow_direct_io, allow_mmap, xattr, kill_privileges;
	/* The backend's own. */
	bool locks;             /* locks are the host's, not the guest's own affair */
	const char *tag;        /* for a generic vhost-user device, which asks its backend for it */
	uint64_t window_size;   /* of the DAX window in bytes; 0: none */
	bool map_past_end;      /* qemu/past-end.c is in the QEMU, so that files of any length can be mapped */
};

/* Reads the command line; ends the program after --version, --list-faults and mistakes. */
struct options parse_options(int count, char **words);

#endif

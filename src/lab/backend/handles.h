/* What the guest has open: its number for FUSE is the place in a table. */
#ifndef BACKEND_HANDLES_H
#define BACKEND_HANDLES_H

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>

struct handle {
	bool used;
	int fd;
	uint64_t inode;
	int other_fd; /* for the fault read-other-file; -1: none */
	/* For the fault create-lost: what to remove when it is closed. */
	uint64_t lost_parent;
	char *lost_name;
};

struct handles {
	size_t size;
	struct handle *all;
};

/* A new handle with this descriptor, which it takes. NULL: no memory; the descriptor is closed. */
struct handle *handle_add(struct handles *handles, uint64_t inode, int fd, uint64_t *number);
struct handle *handle_of_number(struct handles *handles, uint64_t number);
bool handle_is_open(const struct handles *handles, uint64_t inode);
void handle_close(struct handle *handle);
void handles_close_all(struct handles *handles);

#endif

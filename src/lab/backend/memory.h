/* The guest's memory as the front-end shares it: regions, each mapped from a descriptor.
 * vhost-user protocol, "Memory access" and "Single memory region description". */
#ifndef BACKEND_MEMORY_H
#define BACKEND_MEMORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* QEMU has no more slots than this, and a DAX window takes one for each range that is mapped. */
#define MEMORY_MAX_REGIONS 509

struct region {
	uint64_t guest, user, size; /* where the guest and the front-end have it */
	char *base;                 /* where we have it */
	void *map;
	size_t map_size;
};

struct memory {
	int count;
	unsigned generation; /* changes with every change, so that others know when to look again */
	struct region regions[MEMORY_MAX_REGIONS];
};

/* Maps a region; the descriptor stays the caller's. False: no room, or it cannot be mapped. */
bool memory_add(struct memory *memory, uint64_t guest, uint64_t user, uint64_t size, uint64_t offset, int fd);
bool memory_remove(struct memory *memory, uint64_t guest, uint64_t user, uint64_t size);
void memory_clear(struct memory *memory);

/* Our address of a guest's one; *length is cut to what lies in the same region. NULL: it is in none. */
void *memory_of_guest(const struct memory *memory, uint64_t address, size_t *length);
/* Our address of `length` bytes at the front-end's address. NULL: they are not in one region. */
void *memory_of_user(const struct memory *memory, uint64_t address, size_t length);

#endif

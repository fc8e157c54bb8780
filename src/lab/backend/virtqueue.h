/* One split virtqueue, the device's side of it. VIRTIO 1.2, section 2.7. */
#ifndef BACKEND_VIRTQUEUE_H
#define BACKEND_VIRTQUEUE_H

#include <linux/virtio_ring.h>
#include <sys/uio.h>

#include "memory.h"

#define CHAIN_MAX_BUFFERS 1024

struct virtqueue {
	unsigned size;
	uint64_t descriptors_at, available_at, used_at; /* the front-end's addresses */
	uint16_t next_available;
	bool started, enabled;
	int kick_fd, call_fd; /* -1: none */
	/* Ours of those addresses, valid for one generation of the memory. */
	unsigned generation;
	struct vring_desc *descriptors;
	struct vring_avail *available;
	struct vring_used *used;
};

/* The buffers that the driver made available in one go: first those to read, then those to write. */
struct chain {
	uint16_t head;
	int readable_count, writable_count;
	struct iovec readable[CHAIN_MAX_BUFFERS], writable[CHAIN_MAX_BUFFERS];
};

void virtqueue_reset(struct virtqueue *queue);
/* The next chain, if there is one. A chain that makes no sense is given back empty and passed over. */
bool virtqueue_pop(struct virtqueue *queue, const struct memory *memory, struct chain *chain);
/* Gives a chain back, `written` bytes of it written, and tells the driver. */
void virtqueue_push(struct virtqueue *queue, const struct memory *memory, uint16_t head, uint32_t written);

#endif

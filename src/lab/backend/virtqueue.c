#include "virtqueue.h"

#include <unistd.h>

void virtqueue_reset(struct virtqueue *queue)
{
	if (queue->kick_fd >= 0)
		close(queue->kick_fd);
	if (queue->call_fd >= 0)
		close(queue->call_fd);
	*queue = (struct virtqueue){ .kick_fd = -1, .call_fd = -1 };
}

/* Finds the three areas in our address space again, after the memory table has changed. */
static bool resolve(struct virtqueue *queue, const struct memory *memory)
{
	if (queue->descriptors && queue->generation == memory->generation)
		return true;
	size_t size = queue->size;
	queue->descriptors = memory_of_user(memory, queue->descriptors_at, size * sizeof(struct vring_desc));
	queue->available = memory_of_user(memory, queue->available_at,
	                                  sizeof(struct vring_avail) + size * sizeof(uint16_t));
	queue->used = memory_of_user(memory, queue->used_at,
	                             sizeof(struct vring_used) + size * sizeof(struct vring_used_elem));
	queue->generation = memory->generation;
	if (!queue->available || !queue->used)
		queue->descriptors = NULL;
	return queue->descriptors != NULL;
}

/* Adds a descriptor's bytes to the chain; they may lie in several regions. */
static bool add_buffer(struct chain *chain, const struct memory *memory, const struct vring_desc *descriptor)
{
	bool writable = descriptor->flags & VRING_DESC_F_WRITE;
	uint64_t address = descriptor->addr;
	size_t left = descriptor->len;
	/* 2.7.4.2: all readable buffers come before the writable ones. */
	if (!writable && chain->writable_count > 0)
		return false;
	while (left > 0) {
		int *count = writable ? &chain->writable_count : &chain->readable_count;
		struct iovec *buffers = writable ? chain->writable : chain->readable;
		size_t length = left;
		void *at = memory_of_guest(memory, address, &length);
		if (!at || *count == CHAIN_MAX_BUFFERS)
			return false;
		buffers[(*count)++] = (struct iovec){ at, length };
		address += length;
		left -= length;
	}
	return true;
}

static bool collect(struct virtqueue *queue, const struct memory *memory, struct chain *chain)
{
	const struct vring_desc *table = queue->descriptors;
	unsigned count = queue->size, index = chain->head;
	bool indirect = false;
	/* No chain is longer than its table: a longer one is a loop. */
	for (unsigned steps = 0; steps < count; steps++) {
		if (index >= count)
			return false;
		struct vring_desc descriptor = table[index];
		if (descriptor.flags & VRING_DESC_F_INDIRECT) {
			/* 2.7.5.3: the table of an indirect descriptor has the rest of the chain. */
			size_t length = descriptor.len;
			if (indirect)
				return false;
			table = memory_of_guest(memory, descriptor.addr, &length);
			if (!table || length != descriptor.len)
				return false;
			indirect = true;
			count = length / sizeof *table;
			index = 0;
			steps = (unsigned)-1;
			continue;
		}
		if (!add_buffer(chain, memory, &descriptor))
			return false;
		if (!(descriptor.flags & VRING_DESC_F_NEXT))
			return true;
		index = descriptor.next;
	}
	return false;
}

bool virtqueue_pop(struct virtqueue *queue, const struct memory *memory, struct chain *chain)
{
	while (queue->started && queue->enabled && resolve(queue, memory)) {
		if (__atomic_load_n(&queue->available->idx, __ATOMIC_ACQUIRE) == queue->next_available)
			return false;
		chain->head = queue->available->ring[queue->next_available++ % queue->size];
		chain->readable_count = chain->writable_count = 0;
		if (collect(queue, memory, chain))
			return true;
		virtqueue_push(queue, memory, chain->head, 0);
	}
	return false;
}

void virtqueue_push(struct virtqueue *queue, const struct memory *memory, uint16_t head, uint32_t written)
{
	/* While the request was served the front-end may have stopped the queue, or moved the memory. */
	if (!queue->started || !resolve(queue, memory))
		return;
	struct vring_used *used = queue->used;
	used->ring[used->idx % queue->size] = (struct vring_used_elem){ .id = head, .len = written };
	__atomic_store_n(&used->idx, (uint16_t)(used->idx + 1), __ATOMIC_SEQ_CST);
	if (queue->call_fd >= 0 &&
	    !(__atomic_load_n(&queue->available->flags, __ATOMIC_SEQ_CST) & VRING_AVAIL_F_NO_INTERRUPT)) {
		uint64_t one = 1;
		if (write(queue->call_fd, &one, sizeof one) < 0)
			return; /* its counter is full, so the driver has been told */
	}
}

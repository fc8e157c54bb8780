/* The vhost-user protocol, a back-end's side of it: docs/interop/vhost-user.rst of QEMU 11.1. What is cited
 * in vhost-user.c is a section or a message of that document. */
#ifndef BACKEND_VHOST_USER_H
#define BACKEND_VHOST_USER_H

#include "virtqueue.h"

/* VIRTIO 1.2, 5.11.2: a high priority queue, and at least one for requests. */
#define DEVICE_QUEUES 2

struct device {
	int connection;           /* the front-end's messages to us */
	int requests;             /* ours to the front-end; -1: none */
	uint64_t protocol;        /* the protocol features that were acknowledged */
	const char *tag;          /* told when the front-end asks for the configuration; NULL: it does not */
	uint64_t window_size;     /* of shared memory region 0; 0: there is none */
	struct memory memory;
	struct virtqueue queues[DEVICE_QUEUES];
};

void device_open(struct device *device, int connection);
/* Takes and answers one message. False: the front-end is gone, or what it says makes no sense. */
bool device_serve_message(struct device *device);

/* Puts `length` bytes of a file into the window, or takes them out. They come back when the change is in
 * force, and serve the front-end's messages meanwhile, since it sends some before it answers.
 * 0 or an errno. */
int device_map(struct device *device, int fd, uint64_t file_offset, uint64_t window_offset, uint64_t length);
int device_unmap(struct device *device, uint64_t window_offset, uint64_t length);

#endif

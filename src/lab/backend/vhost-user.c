#include "vhost-user.h"

#include <errno.h>
#include <linux/vhost_types.h>
#include <linux/virtio_config.h>
#include <linux/virtio_fs.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* "Header" */
#define VERSION 1u
#define FLAG_REPLY (1u << 2)
#define FLAG_NEED_REPLY (1u << 3)
/* "Feature bits" */
#define F_PROTOCOL_FEATURES 30
/* "Memory region description": a table has at most 8 of them. */
#define MAX_FDS 8
#define MAX_TABLE 8
/* VHOST_USER_SET_VRING_KICK: the payload's lower byte is the queue, and this says that no descriptor came. */
#define NO_DESCRIPTOR (1u << 8)
#define MAX_CONFIG 256
#define MAX_SHARED_REGIONS 256
/* How long the front-end may take to answer us. */
#define ANSWER_LIMIT_MS 20000

enum protocol_feature {
	PROTOCOL_MQ = 0,
	PROTOCOL_REPLY_ACK = 3,
	PROTOCOL_BACKEND_REQ = 5,
	PROTOCOL_CONFIG = 9,
	PROTOCOL_BACKEND_SEND_FD = 10,
	PROTOCOL_CONFIGURE_MEM_SLOTS = 15,
	PROTOCOL_SHMEM_MAP = 22,
};

enum front_end_message {
	GET_FEATURES = 1,
	SET_FEATURES = 2,
	SET_OWNER = 3,
	RESET_OWNER = 4,
	SET_MEM_TABLE = 5,
	SET_VRING_NUM = 8,
	SET_VRING_ADDR = 9,
	SET_VRING_BASE = 10,
	GET_VRING_BASE = 11,
	SET_VRING_KICK = 12,
	SET_VRING_CALL = 13,
	SET_VRING_ERR = 14,
	GET_PROTOCOL_FEATURES = 15,
	SET_PROTOCOL_FEATURES = 16,
	GET_QUEUE_NUM = 17,
	SET_VRING_ENABLE = 18,
	SET_BACKEND_REQ_FD = 21,
	GET_CONFIG = 24,
	SET_CONFIG = 25,
	GET_MAX_MEM_SLOTS = 36,
	ADD_MEM_REG = 37,
	REM_MEM_REG = 38,
	GET_SHMEM_CONFIG = 44,
};

enum back_end_message {
	BACKEND_CONFIG_CHANGE = 2,
	BACKEND_SHMEM_MAP = 9,
	BACKEND_SHMEM_UNMAP = 10,
};

struct region_description {
	uint64_t guest, size, user, offset;
};

/* "MMAP request" */
struct mapping {
	uint8_t region;
	uint8_t padding[7];
	uint64_t file_offset, window_offset, length, flags;
};
#define MAPPED_READ_WRITE 1

struct message {
	uint32_t request, flags, size;
	union {
		uint64_t u64;
		struct vhost_vring_state state;
		struct vhost_vring_addr address;
		struct {
			uint32_t count, padding;
			struct region_description regions[MAX_TABLE];
		} table;
		struct {
			uint64_t padding;
			struct region_description region;
		} slot;
		struct {
			uint32_t offset, size, flags;
			uint8_t bytes[MAX_CONFIG];
		} config;
		struct mapping mapping;
		struct {
			uint32_t count, padding;
			uint64_t sizes[MAX_SHARED_REGIONS];
		} shared;
	};
} __attribute__((packed));
#define HEADER_SIZE (3 * sizeof(uint32_t))

struct descriptors {
	int count;
	int fds[MAX_FDS];
};

static bool receive(int socket, struct message *message, struct descriptors *got)
{
	char control[CMSG_SPACE(sizeof got->fds)];
	struct iovec header = { message, HEADER_SIZE };
	struct msghdr how = {
		.msg_iov = &header,
		.msg_iovlen = 1,
		.msg_control = control,
		.msg_controllen = sizeof control,
	};
	*got = (struct descriptors){ 0 };
	if (recvmsg(socket, &how, MSG_WAITALL | MSG_CMSG_CLOEXEC) != (ssize_t)HEADER_SIZE)
		return false;
	for (struct cmsghdr *each = CMSG_FIRSTHDR(&how); each; each = CMSG_NXTHDR(&how, each)) {
		if (each->cmsg_level != SOL_SOCKET || each->cmsg_type != SCM_RIGHTS)
			continue;
		size_t bytes = each->cmsg_len - CMSG_LEN(0);
		memcpy(got->fds, CMSG_DATA(each), bytes);
		got->count = (int)(bytes / sizeof(int));
	}
	size_t size = message->size;
	if (size > sizeof *message - HEADER_SIZE)
		return false;
	return size == 0 || recv(socket, &message->u64, size, MSG_WAITALL) == (ssize_t)size;
}

static bool send_message(int socket, const struct message *message, int fd)
{
	char control[CMSG_SPACE(sizeof fd)] = { 0 };
	struct iovec bytes = { (void *)message, HEADER_SIZE + message->size };
	struct msghdr how = { .msg_iov = &bytes, .msg_iovlen = 1 };
	if (fd >= 0) {
		how.msg_control = control;
		how.msg_controllen = sizeof control;
		struct cmsghdr *rights = CMSG_FIRSTHDR(&how);
		rights->cmsg_level = SOL_SOCKET;
		rights->cmsg_type = SCM_RIGHTS;
		rights->cmsg_len = CMSG_LEN(sizeof fd);
		memcpy(CMSG_DATA(rights), &fd, sizeof fd);
	}
	return sendmsg(socket, &how, MSG_NOSIGNAL) == (ssize_t)bytes.iov_len;
}

void device_open(struct device *device, int connection)
{
	device->connection = connection;
	device->requests = -1;
	for (int i = 0; i < DEVICE_QUEUES; i++) {
		device->queues[i].kick_fd = device->queues[i].call_fd = -1;
		virtqueue_reset(&device->queues[i]);
	}
}

static uint64_t offered_protocol(const struct device *device)
{
	uint64_t offered = 1ull << PROTOCOL_MQ | 1ull << PROTOCOL_REPLY_ACK | 1ull << PROTOCOL_CONFIGURE_MEM_SLOTS;
	if (device->tag)
		offered |= 1ull << PROTOCOL_CONFIG;
	if (device->window_size > 0)
		offered |= 1ull << PROTOCOL_BACKEND_REQ | 1ull << PROTOCOL_BACKEND_SEND_FD | 1ull << PROTOCOL_SHMEM_MAP;
	return offered;
}

static bool add_region(struct device *device, struct region_description region, int fd)
{
	return memory_add(&device->memory, region.guest, region.user, region.size, region.offset, fd);
}

static bool set_memory_table(struct device *device, const struct message *message, const struct descriptors *got)
{
	if (message->table.count > MAX_TABLE || (int)message->table.count != got->count)
		return false;
	memory_clear(&device->memory);
	for (int i = 0; i < got->count; i++)
		if (!add_region(device, message->table.regions[i], got->fds[i]))
			return false;
	return true;
}

/* The first descriptor, now the caller's, which takes it out of those that are closed; -1: none came. */
static int take_descriptor(struct descriptors *got)
{
	int fd = got->count > 0 ? got->fds[0] : -1;
	if (got->count > 0)
		got->fds[0] = -1;
	return fd;
}

static void replace(int *held, int fd)
{
	if (*held >= 0)
		close(*held);
	*held = fd;
}

/* VIRTIO 1.2, 5.11.4 */
static void describe(const struct device *device, struct message *message)
{
	struct virtio_fs_config config = { .num_request_queues = DEVICE_QUEUES - 1 };
	memcpy(config.tag, device->tag, strnlen(device->tag, sizeof config.tag));
	uint32_t offset = message->config.offset, size = message->config.size;
	memset(message->config.bytes, 0, sizeof message->config.bytes);
	if (offset <= sizeof config && size <= sizeof config - offset)
		memcpy(message->config.bytes, (char *)&config + offset, size);
}

/* The queue that a message is about; NULL for one that we do not have. */
static struct virtqueue *queue_of(struct device *device, const struct message *message)
{
	unsigned index = message->request == SET_VRING_KICK || message->request == SET_VRING_CALL ||
	                         message->request == SET_VRING_ERR
	                     ? message->u64 & 0xff
	                     : message->state.index;
	return index < DEVICE_QUEUES ? &device->queues[index] : NULL;
}

enum result { DONE, REFUSED, ANSWERED };

static enum result carry_out_on_queue(struct device *device, struct message *message, struct descriptors *got)
{
	struct virtqueue *queue = queue_of(device, message);
	if (!queue)
		return REFUSED;
	switch (message->request) {
	case SET_VRING_NUM:
		queue->size = message->state.num;
		return queue->size > 0 && queue->size <= 32768 ? DONE : REFUSED;
	case SET_VRING_ADDR:
		queue->descriptors_at = message->address.desc_user_addr;
		queue->available_at = message->address.avail_user_addr;
		queue->used_at = message->address.used_user_addr;
		queue->descriptors = NULL;
		return DONE;
	case SET_VRING_BASE:
		queue->next_available = (uint16_t)message->state.num;
		return DONE;
	case GET_VRING_BASE:
		/* "Ring states": this stops the ring. */
		queue->started = false;
		replace(&queue->kick_fd, -1);
		message->state.num = queue->next_available;
		message->size = sizeof message->state;
		return ANSWERED;
	case SET_VRING_KICK:
		replace(&queue->kick_fd, message->u64 & NO_DESCRIPTOR ? -1 : take_descriptor(got));
		queue->started = queue->size > 0;
		return DONE;
	case SET_VRING_CALL:
		replace(&queue->call_fd, message->u64 & NO_DESCRIPTOR ? -1 : take_descriptor(got));
		return DONE;
	case SET_VRING_ENABLE:
		queue->enabled = message->state.num != 0;
		return DONE;
	default: /* SET_VRING_ERR: we have no errors to tell */
		return DONE;
	}
}

static enum result answer(struct message *message, uint64_t value)
{
	message->u64 = value;
	message->size = sizeof value;
	return ANSWERED;
}

static enum result carry_out(struct device *device, struct message *message, struct descriptors *got)
{
	switch (message->request) {
	case GET_FEATURES:
		return answer(message, 1ull << VIRTIO_F_VERSION_1 | 1ull << VIRTIO_RING_F_INDIRECT_DESC |
		                           1ull << F_PROTOCOL_FEATURES);
	case SET_FEATURES:
		/* "Ring states": without the protocol features all rings are enabled at once. */
		if (!(message->u64 & 1ull << F_PROTOCOL_FEATURES))
			for (int i = 0; i < DEVICE_QUEUES; i++)
				device->queues[i].enabled = true;
		return DONE;
	case GET_PROTOCOL_FEATURES:
		return answer(message, offered_protocol(device));
	case SET_PROTOCOL_FEATURES:
		device->protocol = message->u64;
		return DONE;
	case GET_QUEUE_NUM:
		return answer(message, DEVICE_QUEUES);
	case GET_MAX_MEM_SLOTS:
		return answer(message, MEMORY_MAX_REGIONS);
	case SET_OWNER:
	case RESET_OWNER:
	case SET_CONFIG:
		return DONE;
	case SET_MEM_TABLE:
		return set_memory_table(device, message, got) ? DONE : REFUSED;
	case ADD_MEM_REG:
		return got->count == 1 && add_region(device, message->slot.region, got->fds[0]) ? DONE : REFUSED;
	case REM_MEM_REG:
		return memory_remove(&device->memory, message->slot.region.guest, message->slot.region.user,
		                     message->slot.region.size)
		           ? DONE
		           : REFUSED;
	case SET_VRING_NUM:
	case SET_VRING_ADDR:
	case SET_VRING_BASE:
	case GET_VRING_BASE:
	case SET_VRING_KICK:
	case SET_VRING_CALL:
	case SET_VRING_ERR:
	case SET_VRING_ENABLE:
		return carry_out_on_queue(device, message, got);
	case SET_BACKEND_REQ_FD:
		replace(&device->requests, take_descriptor(got));
		return DONE;
	case GET_CONFIG:
		if (!device->tag)
			return REFUSED;
		describe(device, message);
		return ANSWERED;
	case GET_SHMEM_CONFIG:
		memset(&message->shared, 0, sizeof message->shared);
		message->shared.count = device->window_size > 0;
		message->shared.sizes[VIRTIO_FS_SHMCAP_ID_CACHE] = device->window_size;
		message->size = sizeof message->shared;
		return ANSWERED;
	default:
		return REFUSED;
	}
}

bool device_serve_message(struct device *device)
{
	struct message message;
	struct descriptors got;
	if (!receive(device->connection, &message, &got))
		return false;
	enum result result = carry_out(device, &message, &got);
	for (int i = 0; i < got.count; i++)
		if (got.fds[i] >= 0)
			close(got.fds[i]);
	bool wants_reply = message.flags & FLAG_NEED_REPLY && device->protocol & 1ull << PROTOCOL_REPLY_ACK;
	if (result == REFUSED)
		fprintf(stderr, "vhost-user message %u cannot be carried out\n", message.request);
	if (result != ANSWERED && !wants_reply)
		return result == DONE;
	/* "REPLY_ACK": zero is success. */
	if (result != ANSWERED)
		answer(&message, result == REFUSED);
	message.flags = VERSION | FLAG_REPLY;
	return send_message(device->connection, &message, -1);
}

/* Sends a request of ours and waits for its answer: 0 or an errno. */
static int ask(struct device *device, struct message *request, int fd)
{
	if (device->requests < 0)
		return ENODEV;
	request->flags = VERSION | FLAG_NEED_REPLY;
	if (!send_message(device->requests, request, fd))
		return EIO;
	for (;;) {
		struct pollfd waiting[] = { { device->requests, POLLIN, 0 }, { device->connection, POLLIN, 0 } };
		if (poll(waiting, 2, ANSWER_LIMIT_MS) <= 0)
			return ETIMEDOUT;
		if (waiting[1].revents && !device_serve_message(device))
			return ENOTCONN;
		if (!waiting[0].revents)
			continue;
		struct message reply;
		struct descriptors got;
		if (!receive(device->requests, &reply, &got))
			return ENOTCONN;
		return reply.u64 == 0 ? 0 : EIO;
	}
}

/* QEMU answers a change of the window just before it puts it in force, so the answer to a further request
 * says that it is. This one has no effect on a guest whose driver does not look at the configuration. */
static int settle(struct device *device)
{
	struct message request = { .request = BACKEND_CONFIG_CHANGE };
	return ask(device, &request, -1);
}

int device_map(struct device *device, int fd, uint64_t file_offset, uint64_t window_offset, uint64_t length)
{
	struct message request = {
		.request = BACKEND_SHMEM_MAP,
		.size = sizeof request.mapping,
		.mapping = {
			.region = VIRTIO_FS_SHMCAP_ID_CACHE,
			.file_offset = file_offset,
			.window_offset = window_offset,
			.length = length,
			.flags = MAPPED_READ_WRITE,
		},
	};
	int error = ask(device, &request, fd);
	return error ? error : settle(device);
}

int device_unmap(struct device *device, uint64_t window_offset, uint64_t length)
{
	struct message request = {
		.request = BACKEND_SHMEM_UNMAP,
		.size = sizeof request.mapping,
		.mapping = { .region = VIRTIO_FS_SHMCAP_ID_CACHE, .window_offset = window_offset, .length = length },
	};
	int error = ask(device, &request, -1);
	return error ? error : settle(device);
}

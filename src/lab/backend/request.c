#include "request.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "counters.h"
#include "faults.h"
#include "operations.h"

/* A SETXATTR has the longest ones: a name of 255 bytes and a value of 64 KiB. */
#define ARGUMENTS_MAX (128 * 1024)

static const struct {
	const char *name;
	int (*serve)(struct request *);
	bool without_inode; /* header.nodeid means nothing, or may be unknown */
} operations[COUNTERS_MAX_OPCODE] = {
	[FUSE_LOOKUP] = { "LOOKUP", op_lookup, false },
	[FUSE_FORGET] = { "FORGET", op_forget, true },
	[FUSE_GETATTR] = { "GETATTR", op_getattr, false },
	[FUSE_SETATTR] = { "SETATTR", op_setattr, false },
	[FUSE_READLINK] = { "READLINK", op_readlink, false },
	[FUSE_SYMLINK] = { "SYMLINK", op_symlink, false },
	[FUSE_MKNOD] = { "MKNOD", op_mknod, false },
	[FUSE_MKDIR] = { "MKDIR", op_mkdir, false },
	[FUSE_UNLINK] = { "UNLINK", op_unlink, false },
	[FUSE_RMDIR] = { "RMDIR", op_rmdir, false },
	[FUSE_RENAME] = { "RENAME", op_rename, false },
	[FUSE_LINK] = { "LINK", op_link, false },
	[FUSE_OPEN] = { "OPEN", op_open, false },
	[FUSE_READ] = { "READ", op_read, false },
	[FUSE_WRITE] = { "WRITE", op_write, false },
	[FUSE_STATFS] = { "STATFS", op_statfs, false },
	[FUSE_RELEASE] = { "RELEASE", op_release, true },
	[FUSE_FSYNC] = { "FSYNC", op_fsync, false },
	[FUSE_SETXATTR] = { "SETXATTR", op_setxattr, false },
	[FUSE_GETXATTR] = { "GETXATTR", op_getxattr, false },
	[FUSE_LISTXATTR] = { "LISTXATTR", op_listxattr, false },
	[FUSE_REMOVEXATTR] = { "REMOVEXATTR", op_removexattr, false },
	[FUSE_FLUSH] = { "FLUSH", op_flush, false },
	[FUSE_INIT] = { "INIT", op_init, true },
	[FUSE_OPENDIR] = { "OPENDIR", op_opendir, false },
	[FUSE_READDIR] = { "READDIR", op_readdir, false },
	[FUSE_RELEASEDIR] = { "RELEASEDIR", op_releasedir, true },
	[FUSE_FSYNCDIR] = { "FSYNCDIR", op_fsyncdir, false },
	[FUSE_GETLK] = { "GETLK", op_getlk, false },
	[FUSE_SETLK] = { "SETLK", op_setlk, false },
	[FUSE_SETLKW] = { "SETLKW", op_setlkw, false },
	[FUSE_ACCESS] = { "ACCESS", op_access, false },
	[FUSE_CREATE] = { "CREATE", op_create, false },
	[FUSE_INTERRUPT] = { "INTERRUPT", op_interrupt, true },
	[FUSE_DESTROY] = { "DESTROY", op_destroy, true },
	[FUSE_BATCH_FORGET] = { "BATCH_FORGET", op_batch_forget, true },
	[FUSE_FALLOCATE] = { "FALLOCATE", op_fallocate, false },
	[FUSE_READDIRPLUS] = { "READDIRPLUS", op_readdirplus, false },
	[FUSE_RENAME2] = { "RENAME2", op_rename2, false },
	[FUSE_LSEEK] = { "LSEEK", op_lseek, false },
	[FUSE_COPY_FILE_RANGE] = { "COPY_FILE_RANGE", op_copy_file_range, false },
	[FUSE_SETUPMAPPING] = { "SETUPMAPPING", op_setupmapping, false },
	[FUSE_REMOVEMAPPING] = { "REMOVEMAPPING", op_removemapping, true },
	[FUSE_SYNCFS] = { "SYNCFS", op_syncfs, false },
};

const char *operation_name(uint32_t opcode)
{
	return opcode < COUNTERS_MAX_OPCODE ? operations[opcode].name : NULL;
}

static size_t size_of(const struct iovec *buffers, int count)
{
	size_t size = 0;
	for (int i = 0; i < count; i++)
		size += buffers[i].iov_len;
	return size;
}

/* Moves the beginning of the buffers on by so many bytes; where `to` is given they go there. */
static bool advance(struct iovec **buffers, int *count, void *to, size_t size)
{
	while (size > 0 && *count > 0) {
		struct iovec *first = *buffers;
		size_t part = size < first->iov_len ? size : first->iov_len;
		if (to) {
			memcpy(to, first->iov_base, part);
			to = (char *)to + part;
		}
		first->iov_base = (char *)first->iov_base + part;
		first->iov_len -= part;
		size -= part;
		if (first->iov_len == 0) {
			++*buffers;
			--*count;
		}
	}
	return size == 0;
}

/* Copies into the buffers, from an offset in them on. */
static void put(const struct iovec *buffers, size_t offset, const void *bytes, size_t size)
{
	for (; size > 0; buffers++) {
		if (offset >= buffers->iov_len) {
			offset -= buffers->iov_len;
			continue;
		}
		size_t part = buffers->iov_len - offset;
		if (part > size)
			part = size;
		memcpy((char *)buffers->iov_base + offset, bytes, part);
		bytes = (const char *)bytes + part;
		size -= part;
		offset = 0;
	}
}

bool answer_append(struct request *request, const void *bytes, size_t size)
{
	if (size > request->answer_room - request->answer_size)
		return false;
	put(request->data_out, request->answer_size, bytes, size);
	request->answer_size += size;
	return true;
}

int answer(struct request *request, const void *bytes, size_t size)
{
	return answer_append(request, bytes, size) ? 0 : EIO;
}

static const char *string_at(struct request *request, size_t offset)
{
	return offset < request->arguments_size ? request->arguments + offset : NULL;
}

static const char *checked_name(const char *name)
{
	bool bad = !name || !*name || strchr(name, '/') || strcmp(name, ".") == 0 || strcmp(name, "..") == 0;
	return bad ? NULL : name;
}

const char *name_at(struct request *request, size_t offset)
{
	return checked_name(string_at(request, offset));
}

const char *string_after(struct request *request, const char *name)
{
	return string_at(request, (size_t)(name - request->arguments) + strlen(name) + 1);
}

const char *name_after(struct request *request, const char *name)
{
	return checked_name(string_after(request, name));
}

/* Reads header and arguments out of the chain: 0 or an errno. */
static int read_arguments(struct request *request, struct chain *chain)
{
	static char arguments[ARGUMENTS_MAX + 1];
	request->data_in = chain->readable;
	request->data_in_count = chain->readable_count;
	if (!advance(&request->data_in, &request->data_in_count, &request->header, sizeof request->header))
		return EIO;
	size_t size = size_of(request->data_in, request->data_in_count);
	if (request->header.opcode == FUSE_WRITE && size > sizeof(struct fuse_write_in))
		size = sizeof(struct fuse_write_in);
	if (size > ARGUMENTS_MAX)
		return E2BIG;
	advance(&request->data_in, &request->data_in_count, arguments, size);
	arguments[size] = '\0';
	request->arguments = arguments;
	request->arguments_size = size;
	return 0;
}

static int serve(struct request *request)
{
	uint32_t opcode = request->header.opcode;
	count_request(opcode);
	if (opcode >= COUNTERS_MAX_OPCODE || !operations[opcode].serve)
		return ENOSYS;
	request->inode = inode_of_id(&request->fs->inodes, request->header.nodeid);
	if (!operations[opcode].without_inode && !request->inode)
		return request->fs->begun ? ESTALE : EIO;
	return operations[opcode].serve(request);
}

/* Whether a fault lets the request go unanswered, or us. */
static bool is_the_end(void)
{
	static unsigned generation;
	static uint64_t served;
	if (generation != faults_generation())
		served = 0;
	generation = faults_generation();
	served++;
	if (fault_is_on(FAULT_DIE_AFTER) && served > fault_argument(FAULT_DIE_AFTER))
		_exit(1);
	if (fault_is_on(FAULT_DELAY))
		usleep((useconds_t)(fault_argument(FAULT_DELAY) * 1000));
	return fault_is_on(FAULT_HANG_AFTER) && served > fault_argument(FAULT_HANG_AFTER);
}

ssize_t request_serve(struct filesystem *fs, struct chain *chain)
{
	/* A copy that an operation may cut to size, since the chain's own still takes the header. */
	static struct iovec data_out[CHAIN_MAX_BUFFERS];
	struct request request = { .fs = fs, .data_out = data_out, .data_out_count = chain->writable_count };
	memcpy(data_out, chain->writable, (size_t)chain->writable_count * sizeof *data_out);
	bool can_answer =
	    advance(&request.data_out, &request.data_out_count, NULL, sizeof(struct fuse_out_header));
	request.answer_room = size_of(request.data_out, request.data_out_count);

	int error = read_arguments(&request, chain);
	if (is_the_end())
		return -1;
	if (!error)
		error = serve(&request);
	if (error == NEVER_ANSWERED)
		return -1;
	if (error == NO_ANSWER || !can_answer)
		return 0;
	struct fuse_out_header header = {
		.len = (uint32_t)(sizeof header + (error ? 0 : request.answer_size)),
		.error = -error,
		.unique = request.header.unique,
	};
	put(chain->writable, 0, &header, sizeof header);
	return header.len;
}

#include "xattrs.h"

#include <errno.h>
#include <linux/limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/xattr.h>

#include "faults.h"
#include "operations.h"

struct xattr_look {
	struct xattr_look *next;
	char *name;
	ssize_t size; /* -1: `error` was the answer */
	int error;
	char value[];
};

void xattr_looks_free(struct xattr_look *looks)
{
	while (looks) {
		struct xattr_look *next = looks->next;
		free(looks->name);
		free(looks);
		looks = next;
	}
}

/* The system call needs a path, and none leads to a link itself. */
static int refusal(const struct request *request)
{
	if (!request->fs->options.xattr)
		return ENOSYS;
	return request->inode->type == S_IFREG || request->inode->type == S_IFDIR ? 0 : EOPNOTSUPP;
}

static struct xattr_look *first_look(struct inode *inode, const char *name, ssize_t size, const void *value)
{
	inode_memory(inode);
	for (struct xattr_look *each = inode->xattrs; each; each = each->next)
		if (strcmp(each->name, name) == 0)
			return each;
	struct xattr_look *look = malloc(sizeof *look + (size > 0 ? (size_t)size : 0));
	if (!look)
		return NULL;
	*look = (struct xattr_look){ .next = inode->xattrs, .name = strdup(name), .size = size, .error = errno };
	if (size > 0)
		memcpy(look->value, value, (size_t)size);
	inode->xattrs = look;
	return look;
}

/* A value or a list: its size where nothing more was asked for, else itself. */
static int answer_value(struct request *request, uint32_t asked, const void *value, size_t size)
{
	struct fuse_getxattr_out out = { .size = (uint32_t)size };
	if (asked == 0)
		return answer(request, &out, sizeof out);
	return size > asked ? ERANGE : answer(request, value, size);
}

int op_getxattr(struct request *request)
{
	static char value[XATTR_SIZE_MAX];
	const struct fuse_getxattr_in *in = ARGUMENTS(struct fuse_getxattr_in, request);
	const char *name = in ? name_at(request, sizeof *in) : NULL;
	int refused = refusal(request);
	if (refused || !name)
		return refused ? refused : EINVAL;
	ssize_t size = getxattr(fd_path(request->inode->fd).text, name, value, sizeof value);
	if (fault_is_on(FAULT_XATTR_STALE)) {
		struct xattr_look *look = first_look(request->inode, name, size, value);
		if (look && look->size < 0)
			return look->error;
		if (look)
			return answer_value(request, in->size, look->value, (size_t)look->size);
	}
	return size < 0 ? errno : answer_value(request, in->size, value, (size_t)size);
}

int op_listxattr(struct request *request)
{
	static char list[XATTR_LIST_MAX];
	const struct fuse_getxattr_in *in = ARGUMENTS(struct fuse_getxattr_in, request);
	int refused = refusal(request);
	if (refused || !in)
		return refused ? refused : EINVAL;
	ssize_t size = listxattr(fd_path(request->inode->fd).text, list, sizeof list);
	return size < 0 ? errno : answer_value(request, in->size, list, (size_t)size);
}

int op_setxattr(struct request *request)
{
	/* The structure's second half came with FUSE_SETXATTR_EXT. */
	size_t head = request->fs->long_setxattr ? sizeof(struct fuse_setxattr_in) : FUSE_COMPAT_SETXATTR_IN_SIZE;
	const struct fuse_setxattr_in *in = (const void *)request->arguments;
	int refused = refusal(request);
	if (refused || request->arguments_size < head)
		return refused ? refused : EINVAL;
	const char *name = name_at(request, head);
	size_t before = name ? head + strlen(name) + 1 : 0;
	if (!name || before > request->arguments_size || in->size > request->arguments_size - before)
		return EINVAL;
	if (fault_is_on(FAULT_XATTR_LOST))
		return 0;
	const char *value = request->arguments + before;
	return setxattr(fd_path(request->inode->fd).text, name, value, in->size, (int)in->flags) < 0 ? errno : 0;
}

int op_removexattr(struct request *request)
{
	const char *name = name_at(request, 0);
	int refused = refusal(request);
	if (refused || !name)
		return refused ? refused : EINVAL;
	return removexattr(fd_path(request->inode->fd).text, name) < 0 ? errno : 0;
}

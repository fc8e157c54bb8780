#include "handles.h"

#include <unistd.h>

struct handle *handle_add(struct handles *handles, uint64_t inode, int fd, uint64_t *number)
{
	size_t at = 0;
	while (at < handles->size && handles->all[at].used)
		at++;
	if (at == handles->size) {
		size_t size = handles->size ? handles->size * 2 : 64;
		struct handle *all = reallocarray(handles->all, size, sizeof *all);
		if (!all) {
			close(fd);
			return NULL;
		}
		for (size_t i = handles->size; i < size; i++)
			all[i].used = false;
		handles->all = all;
		handles->size = size;
	}
	handles->all[at] = (struct handle){ .used = true, .fd = fd, .inode = inode, .other_fd = -1 };
	*number = at;
	return &handles->all[at];
}

struct handle *handle_of_number(struct handles *handles, uint64_t number)
{
	return number < handles->size && handles->all[number].used ? &handles->all[number] : NULL;
}

bool handle_is_open(const struct handles *handles, uint64_t inode)
{
	for (size_t i = 0; i < handles->size; i++)
		if (handles->all[i].used && handles->all[i].inode == inode)
			return true;
	return false;
}

void handle_close(struct handle *handle)
{
	close(handle->fd);
	if (handle->other_fd >= 0)
		close(handle->other_fd);
	free(handle->lost_name);
	handle->used = false;
}

void handles_close_all(struct handles *handles)
{
	for (size_t i = 0; i < handles->size; i++)
		if (handles->all[i].used)
			handle_close(&handles->all[i]);
	free(handles->all);
	*handles = (struct handles){ 0 };
}

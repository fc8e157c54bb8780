#include "memory.h"

#include <string.h>
#include <sys/mman.h>

bool memory_add(struct memory *memory, uint64_t guest, uint64_t user, uint64_t size, uint64_t offset, int fd)
{
	if (memory->count == MEMORY_MAX_REGIONS || size + offset < size)
		return false;
	/* From the file's beginning: an offset need not be a multiple of the page. */
	void *map = mmap(NULL, size + offset, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_NORESERVE, fd, 0);
	if (map == MAP_FAILED)
		return false;
	memory->regions[memory->count++] = (struct region){
		.guest = guest,
		.user = user,
		.size = size,
		.base = (char *)map + offset,
		.map = map,
		.map_size = size + offset,
	};
	memory->generation++;
	return true;
}

bool memory_remove(struct memory *memory, uint64_t guest, uint64_t user, uint64_t size)
{
	for (int i = 0; i < memory->count; i++) {
		struct region *region = &memory->regions[i];
		if (region->guest != guest || region->user != user || region->size != size)
			continue;
		munmap(region->map, region->map_size);
		memmove(region, region + 1, (size_t)(memory->count - i - 1) * sizeof *region);
		memory->count--;
		memory->generation++;
		return true;
	}
	return false;
}

void memory_clear(struct memory *memory)
{
	for (int i = 0; i < memory->count; i++)
		munmap(memory->regions[i].map, memory->regions[i].map_size);
	memory->count = 0;
	memory->generation++;
}

void *memory_of_guest(const struct memory *memory, uint64_t address, size_t *length)
{
	for (int i = 0; i < memory->count; i++) {
		const struct region *region = &memory->regions[i];
		uint64_t offset = address - region->guest;
		if (address < region->guest || offset >= region->size)
			continue;
		if (*length > region->size - offset)
			*length = region->size - offset;
		return region->base + offset;
	}
	return NULL;
}

void *memory_of_user(const struct memory *memory, uint64_t address, size_t length)
{
	for (int i = 0; i < memory->count; i++) {
		const struct region *region = &memory->regions[i];
		uint64_t offset = address - region->user;
		if (address >= region->user && offset < region->size && length <= region->size - offset)
			return region->base + offset;
	}
	return NULL;
}

/* Self-describing bytes: the same generator as src/model/pattern.ts, which explains the layout. */
#ifndef VFS_PROBE_PATTERN_H
#define VFS_PROBE_PATTERN_H

#include <stdint.h>
#include <string.h>

#define PATTERN_CELL 64

struct pattern {
	uint32_t seed, file_id;
	uint16_t writer, generation;
};

static uint32_t pattern_mix(uint32_t h)
{
	h = (h ^ h >> 16) * 0x85ebca6bu;
	h = (h ^ h >> 13) * 0xc2b2ae35u;
	return h ^ h >> 16;
}

static void pattern_put32(unsigned char *to, uint32_t value)
{
	to[0] = (unsigned char)value;
	to[1] = (unsigned char)(value >> 8);
	to[2] = (unsigned char)(value >> 16);
	to[3] = (unsigned char)(value >> 24);
}

/* One cell; `offset` is a multiple of PATTERN_CELL. */
static void pattern_cell(const struct pattern *key, uint64_t offset, unsigned char *to)
{
	uint32_t who = (uint32_t)key->generation << 16 | key->writer;
	uint32_t state = key->seed ^ key->file_id ^ who ^ (uint32_t)(offset / PATTERN_CELL);
	uint32_t checksum = 0x811c9dc5u;
	pattern_put32(to, 0x31566656u);
	pattern_put32(to + 8, key->file_id);
	pattern_put32(to + 12, who);
	pattern_put32(to + 16, (uint32_t)offset);
	pattern_put32(to + 20, (uint32_t)(offset >> 32));
	pattern_put32(to + 24, key->seed);
	for (int i = 0; i < 9; i++, state += 0x9e3779b9u)
		pattern_put32(to + 28 + 4 * i, pattern_mix(state));
	for (int i = 8; i < PATTERN_CELL; i++)
		checksum = (checksum ^ to[i]) * 0x01000193u;
	pattern_put32(to + 4, checksum);
}

/* The bytes of a range, whose ends need not fall on cells. */
static void pattern_bytes(const struct pattern *key, uint64_t offset, size_t length, unsigned char *to)
{
	while (length) {
		size_t skip = offset % PATTERN_CELL, take = PATTERN_CELL - skip;
		if (skip == 0 && length >= PATTERN_CELL) {
			pattern_cell(key, offset, to);
		} else {
			unsigned char cell[PATTERN_CELL];
			pattern_cell(key, offset - skip, cell);
			take = take < length ? take : length;
			memcpy(to, cell + skip, take);
		}
		offset += take;
		to += take;
		length -= take;
	}
}

#endif

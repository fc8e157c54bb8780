#include "counters.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#define NAME_WIDTH 20
#define DIGITS 20
#define LINE (NAME_WIDTH + DIGITS + 1)

/* After the opcodes. */
enum { BYTES_READ = COUNTERS_MAX_OPCODE, BYTES_WRITTEN, BYTES_MAPPED, FAULTS, COUNTERS };

static char *lines[COUNTERS];
static uint64_t values[COUNTERS];

bool counters_open(const char *file, const char *name_of(uint32_t opcode))
{
	const char *all[COUNTERS] = {
		[BYTES_READ] = "bytes-read",
		[BYTES_WRITTEN] = "bytes-written",
		[BYTES_MAPPED] = "bytes-mapped",
		[FAULTS] = "faults",
	};
	for (uint32_t opcode = 0; opcode < COUNTERS_MAX_OPCODE; opcode++)
		all[opcode] = name_of(opcode);
	char text[COUNTERS * LINE + 1];
	int offsets[COUNTERS], length = 0;
	for (int i = 0; i < COUNTERS; i++) {
		offsets[i] = length;
		if (all[i])
			length += snprintf(text + length, sizeof text - (size_t)length, "%-*s%0*d\n", NAME_WIDTH,
			                   all[i], DIGITS, 0);
	}
	int fd = open(file, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (fd < 0)
		return false;
	bool written = write(fd, text, (size_t)length) == length;
	char *map = written ? mmap(NULL, (size_t)length, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0) : MAP_FAILED;
	close(fd);
	if (map == MAP_FAILED)
		return false;
	for (int i = 0; i < COUNTERS; i++)
		lines[i] = all[i] ? map + offsets[i] + NAME_WIDTH : NULL;
	return true;
}

static void add(int counter, uint64_t amount)
{
	if (!lines[counter])
		return;
	uint64_t rest = values[counter] += amount;
	for (int place = DIGITS - 1; place >= 0; place--, rest /= 10)
		lines[counter][place] = (char)('0' + rest % 10);
}

void count_request(uint32_t opcode)
{
	if (opcode < COUNTERS_MAX_OPCODE)
		add((int)opcode, 1);
}

void count_read(uint64_t bytes)
{
	add(BYTES_READ, bytes);
}

void count_written(uint64_t bytes)
{
	add(BYTES_WRITTEN, bytes);
}

void count_mapped(uint64_t bytes)
{
	add(BYTES_MAPPED, bytes);
}

void count_fault(void)
{
	add(FAULTS, 1);
}

/* What was served, as text in a file that is always up to date: an oracle for tests, which read it whenever
 * they like and disturb nobody. One line for each kind of request, a name and a number of fixed width. */
#ifndef BACKEND_COUNTERS_H
#define BACKEND_COUNTERS_H

#include <stdbool.h>
#include <stdint.h>

#define COUNTERS_MAX_OPCODE 64

/* Makes the file, with a line for each opcode that has a name. False: it cannot be made. */
bool counters_open(const char *file, const char *name_of(uint32_t opcode));
void count_request(uint32_t opcode);
void count_read(uint64_t bytes);
void count_written(uint64_t bytes);
void count_mapped(uint64_t bytes);
/* A fault made a difference, or could have. */
void count_fault(void);

#endif

/* Writes that were acknowledged and are done later, for the fault write-delay. */
#ifndef BACKEND_DELAYED_H
#define BACKEND_DELAYED_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
#include <sys/uio.h>

/* Takes a copy of the bytes, and a descriptor of its own. False: no memory. */
bool delay_write(int fd, const struct iovec *data, int count, off_t offset, uint64_t ms);
/* Does those that are due, or all. The milliseconds until the next one is; -1: there is none. */
int delayed_writes_do(bool all);

#endif

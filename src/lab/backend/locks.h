/* The ends of locks that a guest's own requests do not name. */
#ifndef BACKEND_LOCKS_H
#define BACKEND_LOCKS_H

#include <stdint.h>

/* A close in the guest ends all POSIX locks of its owner. */
void locks_release(uint64_t inode, uint64_t owner);
/* Nobody has the file open any more. */
void locks_release_file(uint64_t inode);
void locks_release_all(void);

#endif

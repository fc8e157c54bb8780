/* What the backend and qemu/past-end.c agree on. */
#ifndef BACKEND_PAST_END_H
#define BACKEND_PAST_END_H

/* The position of a descriptor that QEMU is to map whatever its file's length. */
#define PAST_END_MARK 0xda0000daLL
/* More than any file has. */
#define PAST_END_LENGTH (1LL << 60)

#endif

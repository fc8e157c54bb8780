/* The inodes that the guest knows: a number for FUSE, and an O_PATH descriptor that holds the file whatever
 * becomes of its name. */
#ifndef BACKEND_INODES_H
#define BACKEND_INODES_H

#include <stdbool.h>
#include <stdint.h>
#include <stddef.h>
#include <sys/stat.h>

#define ROOT_ID 1 /* FUSE_ROOT_ID */

struct xattr_look;

struct inode {
	uint64_t id;
	dev_t dev;
	ino_t ino;
	mode_t type; /* S_IFMT */
	int fd;
	uint64_t lookups; /* how many times the guest must forget it */
	/* What faults remember of a first look at it, for one set of faults. */
	unsigned look_generation;
	bool looked, size_looked;
	struct stat look;
	int snapshot; /* a copy of its bytes, -1: none */
	char *listing; /* of a directory, as getdents64 gave it */
	size_t listing_size;
	struct xattr_look *xattrs;
	struct inode *next_by_id, *next_by_file;
};

struct inodes {
	uint64_t last_id;
	struct inode *by_id[1 << 14], *by_file[1 << 14];
};

/* Begins with the root alone, for which no lookup is counted. Takes the descriptor. */
void inodes_begin(struct inodes *inodes, int root);
/* Forgets all, the root too. */
void inodes_end(struct inodes *inodes);
struct inode *inode_of_id(struct inodes *inodes, uint64_t id);
/* The inode of an open O_PATH descriptor, which it takes: a known one or a new one, with one more lookup.
 * NULL: the file cannot be looked at; errno says why. */
struct inode *inode_of_file(struct inodes *inodes, int fd);
void inode_forget(struct inodes *inodes, struct inode *inode, uint64_t lookups);

/* Drops those that are forgotten and were kept for the sake of faults. */
void inodes_sweep(struct inodes *inodes);
/* What faults remember of an inode, emptied when the set of faults is another. */
struct inode *inode_memory(struct inode *inode);

#endif

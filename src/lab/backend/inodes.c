#include "inodes.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "faults.h"
#include "xattrs.h"

#define BUCKETS (1 << 14)

static struct inode **bucket_of_id(struct inodes *inodes, uint64_t id)
{
	return &inodes->by_id[id % BUCKETS];
}

static struct inode **bucket_of_file(struct inodes *inodes, dev_t dev, ino_t ino)
{
	return &inodes->by_file[(dev * 31 + ino) % BUCKETS];
}

static void forget_look(struct inode *inode)
{
	if (inode->snapshot >= 0)
		close(inode->snapshot);
	inode->snapshot = -1;
	free(inode->listing);
	inode->listing = NULL;
	xattr_looks_free(inode->xattrs);
	inode->xattrs = NULL;
	inode->looked = inode->size_looked = false;
}

struct inode *inode_memory(struct inode *inode)
{
	if (inode->look_generation != faults_generation()) {
		forget_look(inode);
		inode->look_generation = faults_generation();
	}
	return inode;
}

static struct inode *add(struct inodes *inodes, int fd, const struct stat *stat)
{
	struct inode *inode = calloc(1, sizeof *inode);
	if (!inode)
		return NULL;
	inode->id = ++inodes->last_id;
	inode->dev = stat->st_dev;
	inode->ino = stat->st_ino;
	inode->type = stat->st_mode & S_IFMT;
	inode->fd = fd;
	inode->snapshot = -1;
	struct inode **by_id = bucket_of_id(inodes, inode->id);
	struct inode **by_file = bucket_of_file(inodes, inode->dev, inode->ino);
	inode->next_by_id = *by_id;
	inode->next_by_file = *by_file;
	*by_id = *by_file = inode;
	return inode;
}

static void drop(struct inodes *inodes, struct inode *inode)
{
	struct inode **at = bucket_of_id(inodes, inode->id);
	while (*at != inode)
		at = &(*at)->next_by_id;
	*at = inode->next_by_id;
	at = bucket_of_file(inodes, inode->dev, inode->ino);
	while (*at != inode)
		at = &(*at)->next_by_file;
	*at = inode->next_by_file;
	forget_look(inode);
	close(inode->fd);
	free(inode);
}

void inodes_begin(struct inodes *inodes, int root)
{
	struct stat stat;
	inodes->last_id = ROOT_ID - 1;
	if (fstat(root, &stat) < 0 || !add(inodes, root, &stat))
		abort(); /* it was opened a moment ago */
}

void inodes_end(struct inodes *inodes)
{
	for (int i = 0; i < BUCKETS; i++)
		while (inodes->by_id[i])
			drop(inodes, inodes->by_id[i]);
}

struct inode *inode_of_id(struct inodes *inodes, uint64_t id)
{
	struct inode *inode = *bucket_of_id(inodes, id);
	while (inode && inode->id != id)
		inode = inode->next_by_id;
	return inode;
}

struct inode *inode_of_file(struct inodes *inodes, int fd)
{
	struct stat stat;
	if (fstat(fd, &stat) < 0) {
		close(fd);
		return NULL;
	}
	struct inode *inode = *bucket_of_file(inodes, stat.st_dev, stat.st_ino);
	while (inode && (inode->dev != stat.st_dev || inode->ino != stat.st_ino))
		inode = inode->next_by_file;
	if (inode)
		close(fd);
	else
		inode = add(inodes, fd, &stat);
	if (inode && inode->id != ROOT_ID)
		inode->lookups++;
	return inode;
}

void inode_forget(struct inodes *inodes, struct inode *inode, uint64_t lookups)
{
	if (inode->id == ROOT_ID)
		return;
	inode->lookups -= lookups < inode->lookups ? lookups : inode->lookups;
	/* With a timeout of 0 the guest forgets at once, but what a fault remembers of it shall last. */
	if (inode->lookups == 0 && !faults_any())
		drop(inodes, inode);
}

void inodes_sweep(struct inodes *inodes)
{
	for (int i = 0; i < BUCKETS; i++)
		for (struct inode *each = inodes->by_id[i], *next; each; each = next) {
			next = each->next_by_id;
			if (each->lookups == 0 && each->id != ROOT_ID)
				drop(inodes, each);
		}
}

/* The operations of linux/fuse.h that are served. Each returns 0 or an errno, and appends its answer. */
#ifndef BACKEND_OPERATIONS_H
#define BACKEND_OPERATIONS_H

#include "request.h"

/* A request that asks for none. */
#define NO_ANSWER (-1)
/* One that waits for ever, for a fault. */
#define NEVER_ANSWERED (-2)

/* session.c */
int op_init(struct request *);
int op_destroy(struct request *);
int op_statfs(struct request *);
int op_syncfs(struct request *);
int op_interrupt(struct request *);

/* names.c */
int op_lookup(struct request *);
int op_forget(struct request *);
int op_batch_forget(struct request *);
int op_mknod(struct request *);
int op_mkdir(struct request *);
int op_symlink(struct request *);
int op_readlink(struct request *);
int op_link(struct request *);
int op_unlink(struct request *);
int op_rmdir(struct request *);
int op_rename(struct request *);
int op_rename2(struct request *);

/* attributes.c */
int op_getattr(struct request *);
int op_setattr(struct request *);
int op_access(struct request *);

/* xattrs.c */
int op_getxattr(struct request *);
int op_setxattr(struct request *);
int op_listxattr(struct request *);
int op_removexattr(struct request *);

/* directories.c */
int op_opendir(struct request *);
int op_readdir(struct request *);
int op_readdirplus(struct request *);
int op_releasedir(struct request *);
int op_fsyncdir(struct request *);

/* files.c */
int op_open(struct request *);
int op_create(struct request *);
int op_release(struct request *);
int op_flush(struct request *);
int op_fsync(struct request *);

/* data.c */
int op_read(struct request *);
int op_write(struct request *);
int op_fallocate(struct request *);
int op_lseek(struct request *);
int op_copy_file_range(struct request *);

/* locks.c */
int op_getlk(struct request *);
int op_setlk(struct request *);
int op_setlkw(struct request *);

/* window.c */
int op_setupmapping(struct request *);
int op_removemapping(struct request *);

/* ---- what they share ---- */

/* The arguments as their structure; NULL when they are shorter. */
#define ARGUMENTS(type, request) \
	((request)->arguments_size >= sizeof(type) ? (const type *)(const void *)(request)->arguments : NULL)

/* attributes.c: an inode's attributes as the guest is told them. 0 or an errno. */
int attributes_of(struct request *request, struct inode *inode, struct fuse_attr *attr);
uint64_t attribute_seconds(const struct options *options);
/* After the guest itself changed a file's size: the old one is no longer anybody's first look. */
void size_changed(struct inode *inode);

/* window.c: takes everything out of the window. */
void window_clear(struct filesystem *fs);
/* Without options.map_past_end no part of a page can be mapped, and a range at the end of a file holds only
 * the pages that there were. Lets it follow the file to this size; returns the size that the guest can be
 * told: what is beyond would be read as zeros there. */
uint64_t window_follow(struct request *request, struct inode *inode, uint64_t size);
/* Whether the guest can let the file grow to this size: not to a part of a page while its end is mapped. */
bool window_lets_grow(struct request *request, struct inode *inode, uint64_t size);

/* names.c: looks a name up, and counts the lookup. 0 or an errno. */
int look_up(struct request *request, struct inode *parent, const char *name, struct fuse_entry_out *entry);
/* For the fault name-cut: what is taken of a name; NULL of NULL. Good until the next call. */
const char *taken_name(const char *name);
/* For the faults append-late and append-split: does what a handle, or its file, still has to append. */
void append_late(int fd, uint64_t handle, uint64_t inode);

/* files.c: the guest's flags as those with which the host's file is opened. */
int host_flags(const struct request *request, uint32_t flags);

#endif

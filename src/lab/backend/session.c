/* The mount as a whole: FUSE_INIT to FUSE_DESTROY. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "faults.h"
#include "locks.h"
#include "operations.h"

/* Newer than the linux/fuse.h of some distributions. */
#define CREATE_SUPP_GROUP (1ull << 34)
#define DIRECT_IO_ALLOW_MMAP (1ull << 36)

#define MAX_WRITE (1u << 20)
#define PAGE 4096

/* What the Rust virtiofsd offers in this mode. */
static uint64_t offered(const struct options *options)
{
	uint64_t flags = FUSE_ASYNC_READ | FUSE_PARALLEL_DIROPS | FUSE_BIG_WRITES | FUSE_AUTO_INVAL_DATA |
	                 FUSE_ASYNC_DIO | FUSE_HAS_IOCTL_DIR | FUSE_ATOMIC_O_TRUNC | FUSE_MAX_PAGES |
	                 FUSE_SETXATTR_EXT | FUSE_INIT_EXT | CREATE_SUPP_GROUP;
	if (options->cache != CACHE_NEVER)
		flags |= FUSE_DO_READDIRPLUS | FUSE_READDIRPLUS_AUTO;
	if (options->writeback)
		flags |= FUSE_WRITEBACK_CACHE;
	if (options->allow_mmap)
		flags |= DIRECT_IO_ALLOW_MMAP;
	if (options->kill_privileges)
		flags |= FUSE_HANDLE_KILLPRIV_V2;
	if (options->locks)
		flags |= FUSE_POSIX_LOCKS | FUSE_FLOCK_LOCKS;
	if (options->window_size > 0)
		flags |= FUSE_MAP_ALIGNMENT | FUSE_HAS_INODE_DAX;
	if (fault_is_on(FAULT_NO_AUTO_INVAL))
		flags &= ~(uint64_t)FUSE_AUTO_INVAL_DATA;
	return flags;
}

static void end(struct filesystem *fs)
{
	handles_close_all(&fs->handles);
	locks_release_all();
	inodes_end(&fs->inodes);
	fs->begun = false;
}

int op_init(struct request *request)
{
	struct filesystem *fs = request->fs;
	/* Before 7.36 the structure ends with `flags`. */
	struct fuse_init_in in = { 0 };
	if (request->arguments_size < offsetof(struct fuse_init_in, flags2))
		return EINVAL;
	memcpy(&in, request->arguments, request->arguments_size < sizeof in ? request->arguments_size : sizeof in);
	struct fuse_init_out out = { .major = FUSE_KERNEL_VERSION, .minor = FUSE_KERNEL_MINOR_VERSION };
	if (in.major != FUSE_KERNEL_VERSION) /* newer: it asks again with ours */
		return in.major > FUSE_KERNEL_VERSION ? answer(request, &out, sizeof out) : EPROTO;
	if (in.minor < 27) /* Linux 4.18; virtiofs came with 5.4 */
		return EPROTO;

	int root = open(fs->options.shared_dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (root < 0)
		return errno;
	end(fs);
	/* A reset of the device has emptied the window; after an orderly end it is empty anyway. */
	memset(fs->ranges, 0, sizeof fs->ranges);
	inodes_begin(&fs->inodes, root);
	fs->begun = true;

	uint64_t theirs = in.flags | (in.flags & FUSE_INIT_EXT ? (uint64_t)in.flags2 << 32 : 0);
	uint64_t flags = theirs & offered(&fs->options);
	fs->writeback = flags & FUSE_WRITEBACK_CACHE;
	fs->long_setxattr = flags & FUSE_SETXATTR_EXT;
	fs->kill_privileges = flags & FUSE_HANDLE_KILLPRIV_V2;
	fs->supplementary = flags & CREATE_SUPP_GROUP;
	out.max_readahead = in.max_readahead;
	out.flags = (uint32_t)flags;
	out.flags2 = (uint32_t)(flags >> 32);
	out.max_background = UINT16_MAX;
	out.congestion_threshold = UINT16_MAX / 4 * 3;
	out.max_write = MAX_WRITE;
	out.time_gran = 1;
	out.max_pages = MAX_WRITE / PAGE;
	out.map_alignment = fs->options.window_size > 0 ? 12 : 0; /* a page, as a power of two */
	return answer(request, &out, sizeof out);
}

int op_destroy(struct request *request)
{
	window_clear(request->fs);
	end(request->fs);
	return 0;
}

int op_statfs(struct request *request)
{
	struct statvfs stat;
	if (fstatvfs(request->inode->fd, &stat) < 0)
		return errno;
	struct fuse_statfs_out out = { .st = {
		.blocks = stat.f_blocks,
		.bfree = stat.f_bfree,
		.bavail = stat.f_bavail,
		.files = stat.f_files,
		.ffree = stat.f_ffree,
		.bsize = (uint32_t)stat.f_bsize,
		.namelen = (uint32_t)stat.f_namemax,
		.frsize = (uint32_t)stat.f_frsize,
	} };
	return answer(request, &out, sizeof out);
}

int op_syncfs(struct request *request)
{
	if (fault_is_on(FAULT_SYNCFS_IGNORED))
		return 0;
	/* syncfs refuses an O_PATH descriptor. */
	int fd = open(fd_path(request->inode->fd).text, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return errno;
	int error = syncfs(fd) < 0 ? errno : 0;
	close(fd);
	return error;
}

/* A request is served whole before the next one is looked at, so there is never one to interrupt. */
int op_interrupt(struct request *request)
{
	(void)request;
	return NO_ANSWER;
}

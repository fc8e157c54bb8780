/* statx and statfs, and their answers. */
#ifndef VFS_PROBE_STAT_H
#define VFS_PROBE_STAT_H

#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>

#include "worker.h"

#ifndef STATX_ATTR_DAX
#define STATX_ATTR_DAX 0x00200000
#endif

static const char *type_name(unsigned mode)
{
	switch (mode & S_IFMT) {
	case S_IFREG: return "file";
	case S_IFDIR: return "directory";
	case S_IFLNK: return "link";
	case S_IFIFO: return "fifo";
	case S_IFSOCK: return "socket";
	case S_IFBLK: return "block";
	case S_IFCHR: return "character";
	default: return "other";
	}
}

/* A decimal string: JSON numbers lose 64-bit values. */
static void put_key_decimal(struct text *text, const char *key, int64_t value, bool is_signed)
{
	char digits[24];
	snprintf(digits, sizeof digits, is_signed ? "%lld" : "%llu", (long long)value);
	put_key_string(text, key, digits);
}

static int64_t time_ns(struct statx_timestamp time)
{
	return (int64_t)time.tv_sec * 1000000000 + time.tv_nsec;
}

/* Members of Stat, in the order of stat_words. */
static const char *const stat_words[] = { "type", "size", "blocks512", "mode",	  "nlink",   "uid",
					  "gid",  "ino",  "dev",       "mtimeNs", "ctimeNs", "atimeNs" };
#define STAT_WORDS 12
#define STAT_ALL ((1u << STAT_WORDS) - 1)

/* The chosen members, bit by bit, after what is already in the object. */
static void put_stat_members(struct text *text, const struct statx *stat, unsigned members)
{
	/* The number that stat(2) gives, so that it can be compared with other programs' answers. */
	uint64_t device = makedev(stat->stx_dev_major, stat->stx_dev_minor);
	for (int i = 0; i < STAT_WORDS; i++) {
		const char *key = stat_words[i];
		if (!(members & 1u << i))
			continue;
		switch (i) {
		case 0: put_key_string(text, key, type_name(stat->stx_mode)); break;
		case 1: put_key_integer(text, key, (int64_t)stat->stx_size); break;
		case 2: put_key_integer(text, key, (int64_t)stat->stx_blocks); break;
		case 3: put_key_integer(text, key, stat->stx_mode & 07777); break;
		case 4: put_key_integer(text, key, stat->stx_nlink); break;
		case 5: put_key_integer(text, key, stat->stx_uid); break;
		case 6: put_key_integer(text, key, stat->stx_gid); break;
		case 7: put_key_decimal(text, key, (int64_t)stat->stx_ino, false); break;
		case 8: put_key_decimal(text, key, (int64_t)device, false); break;
		case 9: put_key_decimal(text, key, time_ns(stat->stx_mtime), true); break;
		case 10: put_key_decimal(text, key, time_ns(stat->stx_ctime), true); break;
		case 11: put_key_decimal(text, key, time_ns(stat->stx_atime), true); break;
		}
	}
}

static void put_stat(struct text *text, const struct statx *stat)
{
	put(text, "{", 1);
	put_stat_members(text, stat, STAT_ALL);
	if (stat->stx_attributes_mask & STATX_ATTR_DAX)
		put_key_bool(text, "dax", (stat->stx_attributes & STATX_ATTR_DAX) != 0);
	put(text, "}", 1);
}

static int stat_sync(struct arguments *arguments)
{
	static const char *const words[] = { "as-is", "force", "dont" };
	static const int flags[] = { AT_STATX_SYNC_AS_STAT, AT_STATX_FORCE_SYNC, AT_STATX_DONT_SYNC };
	return flags[argument_word(arguments, "sync", words, 3)];
}

static enum ending op_stat(struct arguments *arguments)
{
	struct statx stat;
	const char *path = argument_path(arguments, "path");
	int flags = stat_sync(arguments) | AT_NO_AUTOMOUNT;
	if (!argument_bool(arguments, "follow"))
		flags |= AT_SYMLINK_NOFOLLOW;
	if (!usable(arguments))
		return arguments->ending;
	if (statx(AT_FDCWD, path, flags, STATX_BASIC_STATS, &stat) != 0)
		return refused(arguments->worker, "statx");
	arguments->worker->end = clock_now();
	put_stat(&arguments->worker->value, &stat);
	return ENDED_WELL;
}

static int stat_of(int fd, int flags, struct statx *stat)
{
	return statx(fd, "", AT_EMPTY_PATH | flags, STATX_BASIC_STATS, stat);
}

static enum ending op_fstat(struct arguments *arguments)
{
	struct statx stat;
	int fd = argument_file(arguments), flags = stat_sync(arguments);
	if (!usable(arguments))
		return arguments->ending;
	if (stat_of(fd, flags, &stat) != 0)
		return refused(arguments->worker, "statx");
	arguments->worker->end = clock_now();
	put_stat(&arguments->worker->value, &stat);
	return ENDED_WELL;
}

static enum ending op_statfs(struct arguments *arguments)
{
	struct text *value = &arguments->worker->value;
	struct statfs stat;
	const char *path = argument_path(arguments, "path");
	uint64_t id;
	char hex[17];
	if (!usable(arguments))
		return arguments->ending;
	if (statfs(path, &stat) != 0)
		return refused(arguments->worker, "statfs");
	arguments->worker->end = clock_now();
	memcpy(&id, &stat.f_fsid, sizeof id);
	snprintf(hex, sizeof hex, "%016llx", (unsigned long long)id);
	put(value, "{", 1);
	put_key_integer(value, "magic", (int64_t)(uint32_t)stat.f_type);
	put_key_integer(value, "blockSize", stat.f_bsize);
	put_key_integer(value, "blocks", (int64_t)stat.f_blocks);
	put_key_integer(value, "free", (int64_t)stat.f_bfree);
	put_key_integer(value, "available", (int64_t)stat.f_bavail);
	put_key_integer(value, "files", (int64_t)stat.f_files);
	put_key_integer(value, "filesFree", (int64_t)stat.f_ffree);
	put_key_integer(value, "nameMax", stat.f_namelen);
	put_key_string(value, "fsid", hex);
	put_key_integer(value, "flags", stat.f_flags);
	put(value, "}", 1);
	return ENDED_WELL;
}

#endif

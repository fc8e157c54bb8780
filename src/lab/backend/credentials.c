#include "credentials.h"

#include <errno.h>
#include <linux/capability.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "faults.h"

/* Newer than the linux/fuse.h of some distributions: behind the arguments, in units of 8 bytes; each part has its own
 * size and its kind. */
#define EXTENSION_UNIT 8
#define EXTENSION_GROUPS 32

/* A group of the caller's beside their own, by which they may write to the directory. False: the guest names none. */
static bool supplementary_group(const struct request *request, gid_t *group)
{
	/* Its last four bytes, which were padding before. */
	const struct fuse_in_header *header = &request->header;
	uint16_t units;
	uint32_t part[4]; /* size, kind, number of groups, the first of them */
	memcpy(&units, (const char *)(header + 1) - 4, sizeof units);
	size_t length = (size_t)units * EXTENSION_UNIT, at = request->arguments_size - length;
	if (length > request->arguments_size)
		return false;
	for (; at + sizeof part <= request->arguments_size; at += part[0]) {
		memcpy(part, request->arguments + at, sizeof part);
		if (part[1] == EXTENSION_GROUPS && part[2] > 0) {
			*group = part[3];
			return true;
		}
		if (part[0] < sizeof part)
			return false;
	}
	return false;
}

/* The thread's own credentials, by the system calls themselves: the C library would change them for all. */
void become_user(const struct request *request)
{
	gid_t group;
	if (geteuid() != 0)
		return;
	if (request->fs->supplementary && supplementary_group(request, &group))
		syscall(SYS_setgroups, 1, &group);
	syscall(SYS_setresgid, -1, request->header.gid, -1);
	syscall(SYS_setresuid, -1, request->header.uid, -1);
}

void become_ourselves(const struct request *request)
{
	if (getuid() != 0)
		return;
	syscall(SYS_setresuid, -1, 0, -1);
	syscall(SYS_setresgid, -1, 0, -1);
	if (request->fs->supplementary)
		syscall(SYS_setgroups, 0, NULL);
}

static void set_fsetid(bool has)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct sets[_LINUX_CAPABILITY_U32S_3];
	uint32_t bit = CAP_TO_MASK(CAP_FSETID);
	if (syscall(SYS_capget, &header, sets) != 0)
		return;
	uint32_t *effective = &sets[CAP_TO_INDEX(CAP_FSETID)].effective;
	*effective = has ? *effective | bit : *effective & ~bit;
	syscall(SYS_capset, &header, sets);
}

bool fsetid_give_up(const struct request *request, bool asked)
{
	bool gives_up = (request->fs->kill_privileges && asked && !fault_is_on(FAULT_SET_ID_KEPT)) || fault_is_on(FAULT_SET_ID_LOST);
	if (gives_up && geteuid() == 0)
		set_fsetid(false);
	return gives_up;
}

void fsetid_take_back(bool gave_up)
{
	int error = errno;
	if (gave_up && geteuid() == 0)
		set_fsetid(true);
	errno = error;
}

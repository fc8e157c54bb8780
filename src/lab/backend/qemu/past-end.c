/* Preloaded into QEMU, so that it maps a file of any length into a DAX window.
 *
 * QEMU refuses to map more of a file than there is, and asks with lseek how much that is. mmap(2) itself has
 * no such limit: what is mapped past the end is there as soon as the file has grown, and the last, partial
 * page ends in zeros, so a range of 2 MiB can be mapped once for all lengths that the file will have. A guest
 * touches nothing past the length that it knows; after the host has cut a file that the guest still has
 * mapped, it may, and that ends QEMU (SIGBUS), as it would with any other back-end.
 *
 * The backend marks the files that this is for by their position, where no image of a disk is when its length
 * is asked for.
 *
 * cc -D_GNU_SOURCE -O2 -shared -fPIC -o qemu-past-end.so past-end.c */
#include <dlfcn.h>
#include <stddef.h>
#include <unistd.h>

#include "../past-end.h"

off64_t lseek64(int fd, off64_t offset, int whence)
{
	static off64_t (*host_lseek64)(int, off64_t, int);
	if (!host_lseek64)
		host_lseek64 = dlsym(RTLD_NEXT, "lseek64");
	if (whence == SEEK_END && offset == 0 && host_lseek64(fd, 0, SEEK_CUR) == PAST_END_MARK)
		return PAST_END_LENGTH;
	return host_lseek64(fd, offset, whence);
}

// Every fault that the backend can have, and nothing else: FAULT(name in code, name in words, what its
// argument counts, the argument where none is given, what it does). Included by faults.h and faults.c, each
// with a FAULT of its own. README.md has the same table for readers; a test compares the two.
//
// EVERY: every so manieth time, 1 is each time. NAMES: of so many names one, always the same, by a hash of the
// name. TIMES: only so many times. ERRNO: an error's number.

// What the guest remembers, and for how long.
FAULT(ENTRY_TIMEOUT, "entry-timeout", SECONDS, 86400, "names stay valid that long")
FAULT(ATTR_TIMEOUT, "attr-timeout", SECONDS, 86400, "attributes stay valid that long")
FAULT(NEGATIVE_TIMEOUT, "negative-timeout", SECONDS, 86400, "a name that was not found is remembered as absent that long")
FAULT(KEEP_CACHE, "keep-cache", NOTHING, 0, "open says FOPEN_KEEP_CACHE in every mode")
FAULT(NO_KEEP_CACHE, "no-keep-cache", NOTHING, 0, "open says FOPEN_KEEP_CACHE in no mode")
FAULT(DIRECT_IO, "direct-io", NOTHING, 0, "open says FOPEN_DIRECT_IO in every mode")
FAULT(NO_DIRECT_IO, "no-direct-io", NOTHING, 0, "open says FOPEN_DIRECT_IO in no mode")
FAULT(CACHE_DIR, "cache-dir", NOTHING, 0, "opendir says FOPEN_CACHE_DIR and FOPEN_KEEP_CACHE in every mode")
FAULT(NO_AUTO_INVAL, "no-auto-inval", NOTHING, 0, "FUSE_AUTO_INVAL_DATA is not offered (from the next mount)")

// Attributes.
FAULT(STALE_SIZE, "stale-size", NOTHING, 0, "the size is that of the first look, or of the guest's own last change")
FAULT(SIZE_SHORT, "size-short", BYTES, 1, "the size is that many bytes too small")
FAULT(BLOCKS_ZERO, "blocks-zero", NOTHING, 0, "st_blocks is 0")
FAULT(MTIME_FROZEN, "mtime-frozen", NOTHING, 0, "mtime is that of the first look")
FAULT(MTIME_COARSE, "mtime-coarse", SECONDS, 1, "mtime and ctime are cut to multiples of that many seconds")
FAULT(MODE_STALE, "mode-stale", NOTHING, 0, "permissions, owner and group are those of the first look")
FAULT(NLINK_ONE, "nlink-one", NOTHING, 0, "the link count is 1")
FAULT(INO_CHANGES, "ino-changes", NOTHING, 0, "st_ino is another one in every reply")
FAULT(TRUNCATE_IGNORED, "truncate-ignored", NOTHING, 0, "setting the size is acknowledged and not done")
FAULT(CHMOD_IGNORED, "chmod-ignored", NOTHING, 0, "setting permissions or owner is acknowledged and not done")
FAULT(UTIMENS_IGNORED, "utimens-ignored", NOTHING, 0, "setting times is acknowledged and not done")
FAULT(XATTR_STALE, "xattr-stale", NOTHING, 0, "an extended attribute's value is that of the first look (--xattr)")
FAULT(XATTR_LOST, "xattr-lost", NOTHING, 0, "setting an extended attribute is acknowledged and not done (--xattr)")

// Names.
FAULT(LOOKUP_GONE, "lookup-gone", TIMES, 1, "so many lookups of each name find nothing")
FAULT(LOOKUP_WRONG_INODE, "lookup-wrong-inode", EVERY, 1, "a lookup of a file finds one that was looked up earlier")
FAULT(CREATE_LOST, "create-lost", EVERY, 1, "a created file is gone once it is closed")
FAULT(MKDIR_ERROR, "mkdir-error", ERRNO, ENOENT, "the directory is made, and the error answered")
FAULT(LINK_ERROR, "link-error", ERRNO, ENOENT, "the link is made, and the error answered")
FAULT(LINK_NEW_INODE, "link-new-inode", NOTHING, 0, "a hard link is a copy")
FAULT(RENAME_LOST, "rename-lost", EVERY, 1, "a rename is acknowledged and not done")
FAULT(RENAME_COPIES, "rename-copies", EVERY, 1, "a renamed file keeps its old name too")
FAULT(UNLINK_SILENT, "unlink-silent", EVERY, 1, "an unlink is acknowledged and not done")
FAULT(RMDIR_SILENT, "rmdir-silent", EVERY, 1, "a rmdir is acknowledged and not done")
FAULT(SYMLINK_OTHER_TARGET, "symlink-other-target", EVERY, 1, "readlink answers the target of the link that was read before it")
FAULT(READDIR_DROP, "readdir-drop", NAMES, 7, "a name is left out of listings")
FAULT(READDIR_DUPLICATE, "readdir-duplicate", NAMES, 7, "a name is twice in listings")
FAULT(READDIR_STALE, "readdir-stale", NOTHING, 0, "a directory lists what it held when it was first opened")
FAULT(READDIR_ERROR, "readdir-error", ERRNO, ENOENT, "a listing ends in the error")

// Data.
FAULT(OPEN_ERROR, "open-error", ERRNO, ESTALE, "open fails")
FAULT(O_TRUNC_IGNORED, "o-trunc-ignored", NOTHING, 0, "O_TRUNC truncates nothing")
FAULT(O_EXCL_IGNORED, "o-excl-ignored", NOTHING, 0, "O_EXCL opens what is there; the guest asks for it only where its lookup found nothing (lookup-gone)")
FAULT(DIRECT_IGNORED, "direct-ignored", NOTHING, 0, "O_DIRECT is taken off although --allow-direct-io was given")
FAULT(READ_ERROR, "read-error", ERRNO, EIO, "a read fails")
FAULT(READ_ZEROS, "read-zeros", EVERY, 1, "a read answers zeros")
FAULT(READ_FLIP, "read-flip", EVERY, 1, "a read answers with one bit flipped in its middle")
FAULT(READ_SHIFT, "read-shift", BYTES, 4096, "a read answers the bytes from so much further on")
FAULT(READ_SHORT, "read-short", EVERY, 1, "a read answers the first half of what there is")
FAULT(READ_OLD, "read-old", NOTHING, 0, "a read answers the bytes that the file held when it was first opened")
FAULT(READ_OTHER_FILE, "read-other-file", EVERY, 1, "a read answers the bytes of the file that was opened before")
FAULT(WRITE_ERROR, "write-error", ERRNO, EIO, "a write fails")
FAULT(WRITE_DROP, "write-drop", EVERY, 1, "a write is acknowledged and not done")
FAULT(WRITE_SHORT_SILENTLY, "write-short-silently", EVERY, 1, "a write's first half is written, all of it acknowledged")
FAULT(WRITE_FLIP, "write-flip", EVERY, 1, "a write goes down with one bit flipped in its middle")
FAULT(WRITE_SHIFT, "write-shift", BYTES, 4096, "a write goes so much further on")
FAULT(WRITE_PAGES, "write-pages", NOTHING, 0, "a write is filled up with zeros to the end of its page")
FAULT(WRITE_DELAY, "write-delay", MILLISECONDS, 2000, "a write is acknowledged at once and done so much later, whatever is asked meanwhile")
FAULT(APPEND_AT_ZERO, "append-at-zero", NOTHING, 0, "an append goes to offset 0")
FAULT(APPEND_RACES, "append-races", NOTHING, 0, "an append goes where the guest believes the end is")
FAULT(APPEND_MAPPED, "append-mapped", NOTHING, 0, "pages that the guest writes back by an O_APPEND descriptor are appended")
FAULT(ENOSPC_SWALLOWED, "enospc-swallowed", NOTHING, 0, "a write that fails for space or quota, or for an error below, is acknowledged")
FAULT(FSYNC_IGNORED, "fsync-ignored", NOTHING, 0, "fsync and fdatasync are acknowledged and not done")
FAULT(FSYNC_ERROR, "fsync-error", ERRNO, EIO, "fsync is done, and the error answered")
FAULT(FSYNCDIR_IGNORED, "fsyncdir-ignored", NOTHING, 0, "fsync of a directory is acknowledged and not done")
FAULT(FSYNCDIR_ERROR, "fsyncdir-error", ERRNO, EBADF, "fsync of a directory fails")
FAULT(FALLOCATE_IGNORED, "fallocate-ignored", NOTHING, 0, "fallocate that would allocate or grow is acknowledged and not done")
FAULT(PUNCH_IGNORED, "punch-ignored", NOTHING, 0, "punching a hole is acknowledged and not done")
FAULT(ZERO_RANGE_IGNORED, "zero-range-ignored", NOTHING, 0, "zeroing a range is acknowledged and not done")
FAULT(SEEK_DATA_EOF, "seek-data-eof", NOTHING, 0, "SEEK_DATA finds none")
FAULT(SEEK_HOLE_EARLY, "seek-hole-early", NOTHING, 0, "SEEK_HOLE finds a hole where it is asked")
FAULT(COPY_RANGE_LOST, "copy-range-lost", EVERY, 1, "copy_file_range is acknowledged and not done")

// Locks, where they are not the guest's own affair (--locks).
FAULT(LOCK_GRANTS_ALL, "lock-grants-all", NOTHING, 0, "every lock is granted")
FAULT(LOCK_REFUSES, "lock-refuses", NOTHING, 0, "every lock is refused, as if another held it")

// The daemon as a process.
FAULT(DELAY, "delay", MILLISECONDS, 100, "every reply takes so much longer")
FAULT(HANG_AFTER, "hang-after", TIMES, 0, "so many more requests are answered, then none")
FAULT(DIE_AFTER, "die-after", TIMES, 0, "so many more requests are answered, then it dies")

// The DAX window (--window).
FAULT(DAX_OFFSET, "dax-offset", BYTES, 4096, "a range of the window shows the bytes from so much further on")
FAULT(DAX_COPY, "dax-copy", NOTHING, 0, "a range of the window shows a copy of the file, which stores of neither side reach")
FAULT(DAX_LAST_RANGE, "dax-last-range", NOTHING, 0, "the last range of a file that has several shows the file's first bytes, when it is partial")
FAULT(DAX_SHARED_BASE, "dax-shared-base", NOTHING, 0, "every range shows the file that was mapped first")

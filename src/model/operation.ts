import type { BenchOperation } from './bench-verb.ts';
import type { LockFamily, ObserveOperation } from './observation.ts';
import type { RunSignal } from './program-run.ts';
import type { ReadPlan } from './read-plan.ts';
import type { StormPlan } from './storm.ts';

/**
 * Everything that a step can ask a worker process to do. An operation is plain JSON: this file is the
 * probe's wire vocabulary (src/probe/protocol.md says how it travels) and what a saved bundle contains.
 *
 * Paths are relative to the view's root unless they begin with "/". A path is a string in which a byte
 * that is not valid UTF-8 stands as the lone surrogate U+DC80..U+DCFF (0xDC00 + byte), so that every file
 * name a kernel allows survives JSON in both directions.
 *
 * Files, mappings and watches that stay open between steps are named by the check (`as`), per actor.
 */
export type Operation =
  | NameOperation
  | FileOperation
  | BulkOperation
  | MappingOperation
  | LockOperation
  | EventOperation
  | ObserveOperation
  | LedgerOperation
  | BenchOperation
  | OtherOperation;

/** md5 and sha256 are whole-file digests in lower-case hex; xxh3 is XXH3-128 in its canonical hex form. */
export type Algorithm = 'md5' | 'sha256' | 'xxh3';

/** open(2) flags without their O_ prefix; one of rdonly, wronly, rdwr is given. */
export type OpenFlag =
  | 'rdonly'
  | 'wronly'
  | 'rdwr'
  | 'creat'
  | 'excl'
  | 'trunc'
  | 'append'
  | 'direct'
  | 'dsync'
  | 'sync'
  | 'nofollow'
  | 'directory'
  | 'noatime'
  | 'path'
  | 'cloexec'
  | 'tmpfile'
  | 'nonblock';

/** statx: AT_STATX_SYNC_AS_STAT (the default), AT_STATX_FORCE_SYNC, AT_STATX_DONT_SYNC. */
export type StatSync = 'as-is' | 'force' | 'dont';

/**
 * The system call that a read goes through.
 * - `read`: read or pread. `vectored`: preadv2 (readv without an offset) into `pieces`.
 * - `sendfile`: into a memory file. `splice`: through a pipe. Both go on until the length or the end.
 * - `mmap`: a private mapping of its own (a FUSE file with FOPEN_DIRECT_IO refuses a shared one), made for this
 *   read and unmade after it; ends where the size that the kernel has cached ends. Needs an offset.
 * - `copy-file-range`: into the open file `through` at its offset 0, which is then read back. Needs an offset.
 */
export type ReadHow = 'read' | 'vectored' | 'sendfile' | 'splice' | 'mmap' | 'copy-file-range';

/**
 * The system call that a write goes through.
 * - `write`: write or pwrite. `vectored`: pwritev2 (writev without an offset) from `pieces`.
 * - `splice`: through a pipe; goes on until all is written.
 * - `mmap`: a shared mapping of its own, made for this store and unmade after it (which flushes it on FUSE).
 *   Needs an offset; does not grow the file: beyond its end it is SIGBUS.
 * - `copy-file-range`: written to the open file `through` at its offset 0 and copied from there. Needs an offset.
 */
export type WriteHow = 'write' | 'vectored' | 'splice' | 'mmap' | 'copy-file-range';

/** A half-open range of bytes; without a length, to the end of the file. */
export interface ByteRange {
  readonly offset: number;
  readonly length?: number;
}

type NameOperation =
  /** statx. */
  | {
      readonly do: 'stat';
      readonly path: string;
      readonly follow?: boolean;
      readonly sync?: StatSync;
    }
  | { readonly do: 'mkdir'; readonly path: string; readonly mode?: number }
  | { readonly do: 'rmdir'; readonly path: string }
  | { readonly do: 'unlink'; readonly path: string }
  | {
      readonly do: 'rename';
      readonly path: string;
      readonly to: string;
      readonly flags?: readonly ('noreplace' | 'exchange')[];
    }
  | { readonly do: 'link'; readonly path: string; readonly to: string }
  | { readonly do: 'symlink'; readonly target: string; readonly path: string }
  | { readonly do: 'readlink'; readonly path: string }
  | { readonly do: 'truncate'; readonly path: string; readonly length: number }
  | { readonly do: 'chmod'; readonly path: string; readonly mode: number }
  /** What is absent stays as it is (-1), which still clears the set-user-ID bit of an executable file. */
  | { readonly do: 'chown'; readonly path: string; readonly uid?: number; readonly gid?: number }
  /**
   * From here on the actor is this user, with this group alone and no capability (setgroups, setresgid, setresuid):
   * what it opened before stays open, and there is no way back. EPERM where the probe is not root. Put it into one
   * `many` with what must not be done as root: a worker that takes the place of a lost one is root again.
   */
  | { readonly do: 'become'; readonly uid: number; readonly gid: number }
  /** Nanoseconds since the epoch as decimal strings; absent: UTIME_OMIT. */
  | { readonly do: 'utimens'; readonly path: string; readonly atimeNs?: string; readonly mtimeNs?: string }
  | { readonly do: 'setxattr'; readonly path: string; readonly name: string; readonly base64: string }
  | { readonly do: 'getxattr'; readonly path: string; readonly name: string }
  | { readonly do: 'removexattr'; readonly path: string; readonly name: string }
  /** Names of all extended attributes, sorted: { names }. */
  | { readonly do: 'listxattr'; readonly path: string }
  /** Answers StatfsResult. */
  | { readonly do: 'statfs'; readonly path: string }
  /**
   * Reads links again and again, each in turn, while a timer's signal (without SA_RESTART) interrupts the
   * calls: a request that is interrupted must not leave its answer to another. Answers ReadLinksResult.
   */
  | {
      readonly do: 'read-links';
      readonly links: readonly { readonly path: string; readonly target: string }[];
      /** Rounds over all links, at most 100,000. */
      readonly rounds: number;
      /** Between two signals; 0: none. */
      readonly signalEveryUs: number;
      /** No further round is begun after that time. Default: none. */
      readonly limitMs?: number;
    }
  /** The canonical path ({ path }): O_PATH|O_CLOEXEC open, then readlink of /proc/self/fd/N. No file is opened for reading. */
  | { readonly do: 'resolve'; readonly path: string }
  /** Later relative paths of this actor start there instead of at the root. */
  | { readonly do: 'chdir'; readonly path: string }
  /** One directory's names, sorted by their bytes. `raw` keeps the kernel's order. */
  | { readonly do: 'list'; readonly path: string; readonly raw?: boolean }
  /**
   * getdents64 on an open directory, from where its position is, in the kernel's order: { entries: DirectoryEntry[] },
   * "." and ".." among them. `calls`: stop after so many calls (default: at the end). `seek` to 0 to begin again,
   * or to an entry's `next`.
   */
  | {
      readonly do: 'entries';
      readonly file: string;
      readonly calls?: number;
      /** Bytes for one call: 256 to 65,536; default 32,768. */
      readonly buffer?: number;
      /** Each name is asked for its attributes before the next call, as `ls -l` does: FUSE then asks for both at once. */
      readonly stat?: boolean;
    }
  /** Thousands of names made, renamed, linked and removed in one request (model/storm.ts). Answers StormResult. */
  | ({ readonly do: 'storm' } & StormPlan)
  /** Removes a directory and all below it on the same file system; never follows a link. */
  | { readonly do: 'remove-tree'; readonly path: string };

type FileOperation =
  | {
      readonly do: 'open';
      readonly path: string;
      readonly flags: readonly OpenFlag[];
      readonly mode?: number;
      readonly as: string;
    }
  | { readonly do: 'close'; readonly file: string }
  | { readonly do: 'fstat'; readonly file: string; readonly sync?: StatSync }
  /** The flags that a descriptor has now, by F_GETFL: { flags: OpenFlag[] }. */
  | { readonly do: 'flags'; readonly file: string }
  /** F_SETFL: of append, direct, nonblock, noatime those that are given are set, the others cleared. */
  | {
      readonly do: 'set-flags';
      readonly file: string;
      readonly flags: readonly ('append' | 'direct' | 'nonblock' | 'noatime')[];
    }
  /**
   * At most 1 MiB at once. Without an offset: at the file position. The buffer is aligned to 4096 bytes, as
   * O_DIRECT wants it. `pieces`: for vectored, at most 64 lengths; the rest of the bytes goes into one more.
   * They lie one behind the other in memory, so that odd lengths make odd addresses. Default 1, 511, 4093, 64.
   */
  | {
      readonly do: 'read';
      readonly file: string;
      readonly offset?: number;
      readonly length: number;
      readonly how?: ReadHow;
      readonly pieces?: readonly number[];
      /** For copy-file-range: an open file that may be written. */
      readonly through?: string;
      /** RWF_NOWAIT, RWF_HIPRI: only with read and vectored. */
      readonly flags?: readonly ('nowait' | 'hipri')[];
    }
  /** As for `read`. `flags`: RWF_APPEND, RWF_DSYNC and so on, by pwritev2: only with write and vectored. */
  | {
      readonly do: 'write';
      readonly file: string;
      readonly offset?: number;
      readonly base64: string;
      readonly how?: WriteHow;
      readonly pieces?: readonly number[];
      readonly through?: string;
      readonly flags?: readonly ('append' | 'dsync' | 'sync' | 'nowait' | 'hipri')[];
    }
  /**
   * Copies between two open files until the length or the end: { bytes }. Without an offset: at that file's
   * position. sendfile always writes at the position of `to`.
   */
  | {
      readonly do: 'copy';
      readonly file: string;
      readonly offset?: number;
      readonly to: string;
      readonly toOffset?: number;
      readonly length: number;
      readonly how?: 'copy-file-range' | 'sendfile' | 'splice';
    }
  /**
   * Writes self-describing bytes (model/pattern.ts) over a range, `chunk` bytes (default 1 MiB) by one pwrite
   * each, with a pause between two of them. On a file opened with O_APPEND a pwrite appends, so each chunk is
   * a record whose cells say its place in the order of this writer.
   */
  | ({
      readonly do: 'fill';
      readonly file: string;
      readonly range: Required<ByteRange>;
      readonly chunk?: number;
      readonly pauseUs?: number;
    } & FillPattern)
  | { readonly do: 'fsync'; readonly file: string; readonly data?: boolean }
  /** The whole file system that holds the file, never all of them. */
  | { readonly do: 'syncfs'; readonly file: string }
  | { readonly do: 'ftruncate'; readonly file: string; readonly length: number }
  | {
      readonly do: 'fallocate';
      readonly file: string;
      readonly offset: number;
      readonly length: number;
      readonly flags?: readonly (
        | 'keep-size'
        | 'punch-hole'
        | 'zero-range'
        | 'collapse-range'
        | 'insert-range'
      )[];
    }
  | {
      readonly do: 'seek';
      readonly file: string;
      readonly offset: number;
      readonly whence: 'set' | 'cur' | 'end' | 'data' | 'hole';
    }
  | { readonly do: 'fchmod'; readonly file: string; readonly mode: number }
  | {
      readonly do: 'advise';
      readonly file: string;
      readonly advice: 'normal' | 'random' | 'sequential' | 'willneed' | 'dontneed';
      readonly range?: ByteRange;
    }
  /** Page state without a side effect: cachestat, else mincore; says which, and when it was refused. */
  | { readonly do: 'pages'; readonly file: string; readonly range?: ByteRange; readonly map?: boolean }
  /** posix_fadvise(DONTNEED) on the range, then the page state again. Refuses a file with dirty pages unless `evenDirty`. */
  | { readonly do: 'evict'; readonly file: string; readonly range?: ByteRange; readonly evenDirty?: boolean };

/** What `fill` writes and `model/pattern.ts` regenerates; see there for the layout. */
export interface FillPattern {
  /** 32-bit numbers. */
  readonly seed: number;
  readonly fileId: number;
  /** 16-bit numbers. */
  readonly writer: number;
  readonly generation: number;
}

type BulkOperation =
  /**
   * One pass over a file: the digest of the whole, and one 16-byte digest for every block of `block` bytes,
   * streamed as bulk items. A path is opened read-only for it (links are followed) and closed again; a file
   * is one that the actor holds open, whose position stays where it was.
   */
  | {
      readonly do: 'hash';
      readonly path?: string;
      readonly file?: string;
      readonly algorithm: Algorithm;
      /** Bytes per block digest (a multiple of 4096); absent: no block digests. */
      readonly block?: number;
      /**
       * Default xxh64 (XXH64 and 8 bytes of zeros): block digests say where two files differ, never that they
       * are the same, and must cost little beside the digest of the whole. md5 where one of two sides
       * cannot do that (the probe in plain node).
       */
      readonly blockAlgorithm?: 'xxh64' | 'md5';
      readonly range?: ByteRange;
      /**
       * For the two stats around the reading. On FUSE a plain fstat after a page miss asks the daemon, and
       * a changed mtime then drops the pages: `dont` looks without that effect.
       */
      readonly sync?: StatSync;
      /** O_DIRECT: only with `path`. */
      readonly direct?: boolean;
    }
  /** Digests of many ranges (at most 10,000) of one open file, in one request: triage's re-reads. */
  | {
      readonly do: 'hash-ranges';
      readonly file: string;
      readonly algorithm: Algorithm;
      readonly ranges: readonly Required<ByteRange>[];
    }
  /**
   * A whole tree, sorted by the bytes of each name, directory by directory (a directory's own entry comes
   * before what is in it). One bulk item per entry; with `algorithm` each regular file's digest. Never
   * follows a link; stays on the file system.
   */
  | {
      readonly do: 'walk';
      readonly path: string;
      readonly algorithm?: Algorithm;
      /** As for `hash`, for every stat of the walk. */
      readonly sync?: StatSync;
    };

type MappingOperation =
  | {
      readonly do: 'map';
      readonly file: string;
      readonly as: string;
      readonly offset: number;
      readonly length: number;
      readonly protection: 'read' | 'read-write';
      readonly share: 'shared' | 'private';
    }
  | { readonly do: 'load'; readonly map: string; readonly offset: number; readonly length: number }
  | { readonly do: 'store'; readonly map: string; readonly offset: number; readonly base64: string }
  | { readonly do: 'msync'; readonly map: string; readonly how?: 'sync' | 'async' | 'invalidate' }
  | { readonly do: 'unmap'; readonly map: string };

type LockOperation =
  /**
   * Takes, changes or gives back a lock: flock(2), POSIX (F_SETLK, per process: an actor is one) or open file
   * description locks (F_OFD_SETLK). `range` is for posix and ofd; default: the whole file. Without `waitMs` a
   * lock that is held is refused (EAGAIN; the kernel's EACCES for posix); with it the blocking form is used, and
   * ETIMEDOUT is the answer when it was not granted in that time. Answers {}.
   */
  | {
      readonly do: 'lock';
      readonly file: string;
      readonly family: LockFamily;
      readonly mode: 'shared' | 'exclusive' | 'unlock';
      readonly range?: ByteRange;
      readonly waitMs?: number;
    }
  /** F_GETLK, F_OFD_GETLK: whether this lock could be had, and who keeps it away. Answers LockHolder. */
  | {
      readonly do: 'test-lock';
      readonly file: string;
      readonly family: 'posix' | 'ofd';
      readonly mode: 'shared' | 'exclusive';
      readonly range?: ByteRange;
    };

type EventOperation =
  /** inotify on one or more paths (at most 64), by one instance: the order of their events is kept. */
  | {
      readonly do: 'watch';
      readonly paths: readonly string[];
      readonly as: string;
      /** Default: all of them. */
      readonly events?: readonly WatchEvent[];
    }
  /**
   * Reads events until none came for `quietMs` (counted from the last one, or from the beginning), or `limitMs`
   * have passed, or at least `count` have come. Answers EventsResult.
   */
  | {
      readonly do: 'events';
      readonly watch: string;
      readonly quietMs: number;
      readonly limitMs: number;
      readonly count?: number;
    }
  | { readonly do: 'unwatch'; readonly watch: string };

/** inotify(7)'s names without IN_, in lower case, with a hyphen where a word ends. */
export type WatchEvent =
  | 'access'
  | 'modify'
  | 'attrib'
  | 'close-write'
  | 'close-nowrite'
  | 'open'
  | 'moved-from'
  | 'moved-to'
  | 'create'
  | 'delete'
  | 'delete-self'
  | 'move-self';

/** A run of timed reads and the samples around it: what an account is made of (src/ledger). */
type LedgerOperation =
  /**
   * A run of reads (model/read-plan.ts) from an open file, or loads from a mapping that begins at offset 0 of
   * its file. Bulk items: ReadBatch, sent when the run is over. Answers ReadsResult.
   */
  | ({ readonly do: 'reads'; readonly file?: string; readonly map?: string } & ReadPlan)
  /** Where nothing is stored, by FIEMAP (which writes nothing back), else by SEEK_HOLE. Answers ExtentsResult. */
  | { readonly do: 'extents'; readonly file: string; readonly range?: ByteRange }
  /**
   * /proc/PID/io of processes, what the block device below a file did, and with `memory` the machine's page cache.
   * Answers CountersResult.
   */
  | {
      readonly do: 'counters';
      readonly processes: readonly number[];
      readonly file?: string;
      readonly memory?: boolean;
    }
  /**
   * Calls of fsync and its kin on files of a kind of file system, whoever makes them: the first request begins to
   * count, and each tells what was counted until then. @param supervisor of an attended program: calls of living
   * processes that are not below it are told apart. EACCES or EPERM without root. Answers SyncsResult.
   */
  | { readonly do: 'syncs'; readonly of: 'fuse' | '9p'; readonly supervisor?: number }
  /**
   * Waits for a program that `vfs-probe run --tell NAME` starts, and hands its account on until it has ended. Bulk
   * items: RunLine. Answers { lines }; ETIMEDOUT where nobody came in `waitMs`.
   */
  | { readonly do: 'attend'; readonly name: string; readonly waitMs: number }
  /** kill(2): for the supervisor of an attended program, which hands it on. */
  | { readonly do: 'signal'; readonly pid: number; readonly signal: RunSignal }
  /** How another process holds the file open that `file` is. Answers ProcessFilesResult. */
  | { readonly do: 'process-files'; readonly pid: number; readonly file: string }
  /**
   * Completed messages of each queue of the share's device, mod 65,536, from the machine's monitor: nothing
   * in the guest is touched. Carried out by the bench, not by a probe. Answers a list of numbers.
   */
  | { readonly do: 'used-index' }
  /**
   * Takes over a descriptor of a file that some process of that side has open, without opening the file,
   * since that may drop its pages. Refused with ENOENT where there is none. Answers BorrowResult.
   */
  | { readonly do: 'borrow'; readonly path: string; readonly as: string }
  /** System-wide: 1 pages, 2 names and inodes, 3 both. */
  | { readonly do: 'drop-caches'; readonly what: 1 | 2 | 3 };

type OtherOperation =
  /**
   * Several operations in one request; stops at the first that does not give a value. `anyway`: goes on, and a
   * Refusal stands in the place of that value.
   */
  | { readonly do: 'many'; readonly list: readonly Operation[]; readonly anyway?: boolean }
  | { readonly do: 'wait'; readonly ms: number }
  /** The side's clocks, read between the outcome's begin and end. Answers ClockResult. */
  | { readonly do: 'clock' };

/** statx, in JSON. Times are decimal nanoseconds since the epoch; sizes in bytes. */
export interface Stat {
  readonly type: 'file' | 'directory' | 'link' | 'fifo' | 'socket' | 'block' | 'character' | 'other';
  readonly size: number;
  readonly blocks512: number;
  readonly mode: number;
  readonly nlink: number;
  readonly uid: number;
  readonly gid: number;
  /** Decimal strings: 64-bit numbers do not fit a JavaScript number. */
  readonly ino: string;
  readonly dev: string;
  readonly mtimeNs: string;
  readonly ctimeNs: string;
  readonly atimeNs: string;
  /** STATX_ATTR_DAX; undefined where the kernel does not say. */
  readonly dax?: boolean;
}

/** What `hash` answers, after its bulk items. */
export interface HashResult {
  /** Lower-case hex. */
  readonly digest: string;
  /** Bytes that were really read to the end of the file or of the range. */
  readonly bytes: number;
  /** fstat on the descriptor that read, right after opening and right after the last byte. */
  readonly before: Stat;
  readonly after: Stat;
  /** Page state of the descriptor, taken before the first byte was read. */
  readonly pages?: PageState;
  /** Anything about this reading that was not as asked, such as an O_DIRECT tail that had to be read buffered. */
  readonly note?: string;
}

/** What `hash-ranges` answers: an array of these, one for each range. `bytes` is less where the file ends. */
export interface RangeDigest {
  readonly digest: string;
  readonly bytes: number;
}

/** What `walk` answers, after its bulk items: how many there were, and the bytes that were hashed. */
export interface WalkResult {
  readonly entries: number;
  readonly bytes: number;
}

/** An operation of `many` that gave no value. A signal is one that its worker survived (SIGBUS, SIGSEGV). */
export type Refusal = { readonly errno: string; readonly call: string } | { readonly signal: string };

/** What `many` answers. `stopped` is the operation after the last value: it was refused, and ended the list. */
export interface ManyResult {
  readonly values: readonly unknown[];
  /** Begin and end of each, `stopped` included, in nanoseconds of the side's monotonic clock. */
  readonly timesNs: readonly (readonly [number, number])[];
  readonly stopped?: { readonly errno: string; readonly call: string };
}

/**
 * Bulk items of `hash`: digests of consecutive blocks from block number `from`, 16 bytes each, base64.
 * Blocks are counted from the beginning of the file, or of the range where one was given.
 */
export interface BlockDigests {
  readonly from: number;
  readonly base64: string;
}

/** Bulk items of `walk`. */
export interface TreeEntry {
  /** Relative to the walk's path; "" is the root itself. */
  readonly path: string;
  readonly type: Stat['type'];
  readonly size: number;
  /** Link target of a link. */
  readonly target?: string;
  readonly digest?: string;
  /** Why this entry could not be read: an errno's name. */
  readonly error?: string;
  /** The file changed while it was hashed (size, mtime or ctime before and after differ). */
  readonly changed?: boolean;
}

/** Page cache state of a range of a file, in pages of the side's page size. */
export interface PageState {
  /** cachestat knows dirty and writeback; mincore only residency. `refused`: neither may answer here. */
  readonly by: 'cachestat' | 'mincore' | 'refused';
  readonly pageSize: number;
  /** Pages in the range. */
  readonly pages: number;
  readonly cached: number;
  readonly dirty?: number;
  readonly writeback?: number;
  /** Why it was refused (an errno's name). */
  readonly refusal?: string;
  /** With `map`: run lengths, beginning with the number of absent pages: absent, present, absent …
   * A map of more than 200,000 runs is refused as a whole (E2BIG): ask for smaller ranges. */
  readonly runs?: readonly number[];
}

/** What `reads` answers, after its bulk items. */
export interface ReadsResult {
  readonly reads: number;
  readonly bytes: number;
  /** The sum of all reads' times. */
  readonly ns: number;
  /** By the reading process's own counters (/proc/self/io), where it has them. */
  readonly rchar?: number;
  readonly syscr?: number;
}

/** What `extents` answers. */
export interface ExtentsResult {
  readonly by: 'fiemap' | 'seek' | 'refused';
  /** statfs(2)'s f_type. */
  readonly fsMagic: number;
  readonly empty?: readonly {
    readonly offset: number;
    readonly length: number;
    readonly kind: 'hole' | 'unwritten';
  }[];
  /** An errno's name; E2BIG: more than 50,000 empty ranges. */
  readonly refusal?: string;
}

/** What `counters` answers: everything since the process or the machine began. */
export interface CountersResult {
  readonly processes: readonly ProcessCounters[];
  /** Sectors of 512 bytes read, and requests. */
  readonly deviceSectors?: number;
  readonly deviceReads?: number;
  readonly deviceWriteSectors?: number;
  readonly deviceWrites?: number;
  /** Flushes of the disk's own cache, of the whole disk where the file lies on a part of it. */
  readonly deviceFlushes?: number;
  readonly deviceFlushMs?: number;
  /** Of the whole machine, in bytes. */
  readonly cachedBytes?: number;
  readonly dirtyBytes?: number;
  readonly writebackBytes?: number;
  readonly memoryBytes?: number;
}

/** /proc/PID/io of one process. */
export interface ProcessCounters {
  readonly pid: number;
  readonly rchar?: number;
  readonly wchar?: number;
  readonly syscr?: number;
  readonly syscw?: number;
  readonly readBytes?: number;
  /** Pages that it made dirty, and writes past the cache; of the first, those that were dropped before they were written. */
  readonly writeBytes?: number;
  readonly cancelledBytes?: number;
  /** Why its counters cannot be read: an errno's name. */
  readonly error?: string;
}

/** What `syncs` answers: fsync, fdatasync, msync and writes with O_SYNC, as their callers waited for them. */
export interface SyncsResult {
  readonly calls: number;
  /** Of them, those that have returned. */
  readonly ended: number;
  /** How long all of them took together; absent while one goes on, and where some were missed. */
  readonly ns?: number;
  /** Records, of beginnings or of ends, that found no room. */
  readonly lost: number;
  /** Calls of living processes outside the supervisor's tree: not among the rest. */
  readonly others: number;
}

/** What `process-files` answers: descriptors for reading or writing, and how many of them have O_DIRECT. */
export interface ProcessFilesResult {
  readonly opened: number;
  readonly direct: number;
}

/** What `borrow` answers: whose descriptor it is. */
export interface BorrowResult {
  readonly pid: number;
}

/** What `statfs` answers. Numbers of blocks and files are those of statfs(2). */
export interface StatfsResult {
  /** f_type. */
  readonly magic: number;
  readonly blockSize: number;
  readonly blocks: number;
  readonly free: number;
  readonly available: number;
  readonly files: number;
  readonly filesFree: number;
  readonly nameMax: number;
  /** f_fsid, 16 hex digits. */
  readonly fsid: string;
  /** f_flags (ST_RDONLY is 1). */
  readonly flags: number;
}

/** What `read-links` answers. */
export interface ReadLinksResult {
  readonly rounds: number;
  /** Calls, those that were interrupted included. */
  readonly reads: number;
  /** Calls that ended with EINTR; each was made again. */
  readonly interrupted: number;
  readonly signals: number;
  /** Links that showed something else than their target; at most 100. */
  readonly wrong: readonly {
    readonly path: string;
    readonly target: string;
    readonly expected: string;
    readonly round: number;
  }[];
  /** Links that could not be read; at most 100. */
  readonly errors: readonly { readonly path: string; readonly errno: string; readonly round: number }[];
  /** All of them, those that were not kept included. */
  readonly wrongInAll: number;
  readonly errorsInAll: number;
}

/** One record of getdents64. `next` is d_off as a decimal string: where a `seek` continues behind it. */
export interface DirectoryEntry {
  readonly name: string;
  readonly ino: string;
  readonly type: Stat['type'];
  readonly next: string;
}

/** What `test-lock` answers. `pid` is −1 for a holder that is no process (OFD), 0 for one elsewhere. */
export type LockHolder =
  | { readonly free: true }
  | {
      readonly free: false;
      readonly mode: 'shared' | 'exclusive';
      readonly pid: number;
      /** Without a length: to the end of the file. */
      readonly range: ByteRange;
    };

/** What `events` answers, in the order in which the kernel queued them; after some 10,000 there is more to ask for. */
export interface EventsResult {
  readonly events: readonly {
    /** The path of the watch, as it was given. */
    readonly path: string;
    /** More than one only with `directory`, `ignored` or `unmount`. */
    readonly mask: readonly (WatchEvent | 'directory' | 'ignored' | 'unmount')[];
    /** The entry's name, where a directory is watched. */
    readonly name?: string;
    /** The same number in a moved-from and its moved-to. */
    readonly cookie?: number;
    /** When it was read from the queue, in nanoseconds of the side's clock. */
    readonly atNs: number;
  }[];
  /** The kernel's queue ran over: some are missing. */
  readonly overflow?: boolean;
}

/** What `clock` answers: `nowNs` counts as `beginNs` does; the others are the kernel's own, decimal. */
export interface ClockResult {
  readonly nowNs: number;
  readonly monotonicNs: string;
  readonly realtimeNs: string;
}

/** What `evict` answers: the page state before and after, and whether it went ahead. */
export interface EvictResult {
  readonly before: PageState;
  readonly after: PageState;
  /** False: the range had dirty pages (or nobody can tell) and was left alone. */
  readonly evicted: boolean;
}

import type { Mode } from '../model/mode.ts';

/**
 * Daemon options that somebody has read, and what they do to the promises. Any other one makes the contract silent.
 * `columns` and `rows`: the mode's own columns, or rows with a condition, say what differs; otherwise the words say why
 * nothing does.
 */
export interface Flag {
  readonly changes: 'columns' | 'rows' | 'nothing';
  readonly words: string;
}

export const flags: Readonly<Record<Mode['server'], Readonly<Record<string, Flag>>>> = {
  rust: {
    'allow-direct-io': {
      changes: 'rows',
      words: 'O_DIRECT reaches the host’s open: its disk answers, and its alignment counts',
    },
    'allow-mmap': { changes: 'rows', words: 'files of never and metadata can be mapped shared after all' },
    'announce-submounts': {
      changes: 'nothing',
      words:
        'what is mounted below the shared directory becomes a mount of its own in the guest; within one file system nothing differs',
    },
    'inode-file-handles': {
      changes: 'rows',
      words:
        'whether the daemon holds a file that nobody has open by a descriptor (never) or by a handle, which dies with it (prefer, mandatory)',
    },
    'killpriv-v2': {
      changes: 'nothing',
      words:
        'set-user-ID and set-group-ID bits are to be cleared by the daemon, when the guest asks it to; they are to be cleared all the same',
    },
    'no-announce-submounts': { changes: 'nothing', words: 'as announce-submounts, the other way round' },
    'no-readdirplus': {
      changes: 'nothing',
      words: 'a listing refreshes no attributes; bounds count from the last refresh, whatever it was',
    },
    'posix-acl': {
      changes: 'rows',
      words: 'implies xattr; who may open what is the guest’s kernel’s to decide, of which no promise speaks',
    },
    'preserve-noatime': { changes: 'nothing', words: 'no promise speaks of the atime' },
    'security-label': { changes: 'rows', words: 'implies xattr; a new file has its label from the start' },
    'thread-pool-size': {
      changes: 'nothing',
      words:
        'requests are served by several threads: one that is answered has been done all the same, and of two that are under way at once no order is promised without it',
    },
    writeback: { changes: 'columns', words: 'what the guest writes waits in its cache' },
    xattr: { changes: 'rows', words: 'extended attributes are passed on' },
  },
  c: {
    allow_direct_io: { changes: 'rows', words: 'as allow-direct-io' },
    flock: { changes: 'rows', words: 'flock() is taken on the host’s file' },
    killpriv_v2: { changes: 'nothing', words: 'as killpriv-v2' },
    'thread-pool-size': { changes: 'nothing', words: 'as of virtiofsd' },
    posix_lock: { changes: 'rows', words: 'fcntl() locks are taken on the host’s file' },
    writeback: { changes: 'columns', words: 'as of virtiofsd' },
    xattr: { changes: 'rows', words: 'extended attributes are passed on' },
  },
  '9p': {
    'security_model=mapped-xattr': {
      changes: 'rows',
      words:
        'owners, permissions, links and special files of the guest are kept in extended attributes of the host’s plain files',
    },
  },
  local: {},
};

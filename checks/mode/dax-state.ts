import type { Stat } from '../../src/model/operation.ts';
import { type Finding, inTurn, many, type Question, refusalIn, valuesOf } from '../repeat/question.ts';

/**
 * Whether files are in DAX state as the mount's `dax=` has it. A share without a window refuses `dax=always`; but a
 * tag that is mounted already is mounted a second time without a word, and with the options of the first.
 */
export const daxState: Question = {
  name: 'dax-state',
  scenarios: [],
  isolation: 'shared',
  needs: ['writable'],
  actors: { guest: 'guest', host: 'host' },
  sources: [
    'Linux 6.12 fs/fuse/dax.c fuse_should_enable_dax, fs/fuse/virtio_fs.c virtio_fs_get_tree',
    'Linux 6.12 fs/stat.c vfs_getattr_nosec (STATX_ATTR_DAX)',
  ],
  promised: ({ mode }) =>
    mode?.dax === 'inode'
      ? 'dax=inode: in DAX state are the files that the server marks'
      : `mode ${mode?.name}: ${mode?.dax === 'always' ? 'every file is' : 'no file is'} in DAX state`,
  attempt: (n) =>
    inTurn(n, [
      [
        'host',
        'make',
        many(
          { do: 'open', path: `dax-${n}`, flags: ['creat', 'excl', 'rdwr'], mode: 0o666, as: 'f' },
          { do: 'ftruncate', file: 'f', length: 4096 },
          { do: 'close', file: 'f' },
        ),
      ],
      [
        'guest',
        'look',
        many(
          { do: 'open', path: `dax-${n}`, flags: ['rdonly'], as: 'f' },
          { do: 'fstat', file: 'f', sync: 'dont' },
        ),
      ],
    ]),
  look(observed, n): Finding {
    const refused = refusalIn(observed, n, ['make', 'look']);
    if (refused !== undefined) return { kind: 'unclear', words: refused };
    const { dax } = valuesOf(observed, n, 'look').values[1] as Stat;
    const { mode } = observed.setting;
    if (dax === undefined) return { kind: 'unclear', words: 'the guest’s kernel does not say it (statx)' };
    const words = `a file is ${dax ? '' : 'not '}in DAX state`;
    if (mode?.dax === 'inode' || dax === (mode?.dax === 'always')) return { kind: 'holds', words };
    const why = dax
      ? ''
      : ': the share has no window, or the tag was mounted before with other options, which a second mount takes over';
    return {
      kind: 'broken',
      code: 'dax-not-as-declared',
      words: `declared is ${mode?.name}, but ${words}${why}`,
      certain: true,
    };
  },
};

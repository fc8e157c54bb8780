import type { ManyResult, PageState, Stat } from '../../src/model/operation.ts';
import { type Finding, inTurn, many, type Question, refusalIn, valuesOf } from '../repeat/question.ts';
import { unmarked } from './ground.ts';

const length = 1024 * 1024;
const sources = [
  'Linux 6.12 fs/stat.c vfs_getattr_nosec (STATX_ATTR_DAX)',
  'Linux 6.12 fs/fuse/dax.c fuse_dax_inode_init',
];

/** The look that both do: opened, stated, read whole, and then asked what the cache holds of it. */
function looked(file: string) {
  return many(
    { do: 'open', path: file, flags: ['rdonly'], as: file },
    { do: 'fstat', file, sync: 'dont' },
    { do: 'hash', file, algorithm: 'md5', sync: 'dont' },
    { do: 'pages', file },
  );
}

/**
 * The same file read through both mounts: the window leaves nothing in the guest's cache, and the control, which
 * shows that this can be seen, all of it.
 */
export const control: Question = {
  name: 'control',
  scenarios: ['dax/path'],
  isolation: 'shared',
  needs: ['writable', 'dax-control'],
  actors: { guest: 'guest', host: 'host', control: 'guest-without-dax' },
  sources,
  promised: () =>
    'by the window: in DAX state, and nothing in the guest’s page cache; with dax=never: not in DAX state',
  attempt: (n) =>
    inTurn(n, [
      ['host', 'make', made(`control-${n}`, n, length)],
      ['guest', 'window', looked(`control-${n}`)],
      ['control', 'without', looked(`control-${n}`)],
    ]),
  look(observed, n): Finding {
    const refused = refusalIn(observed, n, ['make', 'window', 'without']);
    if (refused !== undefined) return { kind: 'unclear', words: refused };
    const [, inDax, hash, pages] = valuesOf(observed, n, 'window').values as Looked;
    const [, plain, plainHash, plainPages] = valuesOf(observed, n, 'without').values as Looked;
    const other = unmarked(inDax);
    if (other !== undefined) return other;
    if (pages.cached > 0 && pages.by !== 'refused')
      return {
        kind: 'broken',
        code: 'cached-in-guest',
        words: `${pages.cached} pages of a file in DAX state are in the guest’s page cache`,
        certain: true,
      };
    if (plain.dax === true)
      return {
        kind: 'unclear',
        words: 'the control is in DAX state too, though it is mounted with dax=never',
      };
    if (hash.digest !== plainHash.digest)
      return {
        kind: 'broken',
        code: 'other-bytes',
        words: 'the window shows other bytes of the same file than the mount without one',
      };
    if (plainPages.by === 'refused' || plainPages.cached === 0)
      return {
        kind: 'unclear',
        words:
          'the control left nothing in the guest’s page cache either: nothing shows that it could be seen',
      };
    return {
      kind: 'holds',
      words: `in DAX state, 0 of ${pages.pages} pages cached in the guest; with dax=never ${plainPages.cached} of ${plainPages.pages}`,
    };
  },
};

type Looked = readonly [unknown, Stat, { readonly digest: string }, PageState];

function made(file: string, fileId: number, bytes: number) {
  return many(
    { do: 'open', path: file, flags: ['creat', 'excl', 'rdwr'], mode: 0o666, as: file },
    ...(bytes === 0
      ? []
      : [
          {
            do: 'fill',
            file,
            range: { offset: 0, length: bytes },
            seed: 1,
            fileId,
            writer: 1,
            generation: 1,
          } as const,
        ]),
    { do: 'close', file },
  );
}

/** Lengths that a server may treat differently: it chooses file by file which are in DAX state. */
const lengths = [0, 4096, 5000, 2 * 1024 * 1024, 2 * 1024 * 1024 + 1] as const;

/** Under dax=inode the flag of each file says how it is read: those without it are cached as without a window. */
export const perFile: Question = {
  name: 'per-file',
  scenarios: ['dax/path'],
  isolation: 'shared',
  needs: ['writable'],
  actors: { guest: 'guest', host: 'host' },
  sources,
  promised: () =>
    'of a file in DAX state no page is in the guest’s page cache, and every file reads as it is',
  attempt: (n) =>
    inTurn(
      n,
      lengths.flatMap((bytes, index) => {
        const file = `length-${bytes}-${n}`;
        return [
          ['host', `make-${index}`, made(file, index, bytes)] as const,
          ['guest', `window-${index}`, looked(file)] as const,
          [
            'host',
            `host-${index}`,
            many(
              { do: 'open', path: file, flags: ['rdonly'], as: file },
              { do: 'hash', file, algorithm: 'md5' },
            ),
          ] as const,
        ];
      }),
    ),
  look(observed, n): Finding {
    const said: string[] = [];
    for (const [index, bytes] of lengths.entries()) {
      const refused = refusalIn(observed, n, [`make-${index}`, `window-${index}`, `host-${index}`]);
      if (refused !== undefined) return { kind: 'unclear', words: refused };
      const [, stat, hash, pages] = valuesOf(observed, n, `window-${index}`).values as Looked;
      const [, own] = (valuesOf(observed, n, `host-${index}`) as ManyResult).values as Looked;
      if (hash.digest !== (own as unknown as { digest: string }).digest)
        return {
          kind: 'broken',
          code: 'other-bytes',
          words: `the guest reads other bytes of a file of ${bytes} bytes than the host (${stat.dax === true ? 'in' : 'not in'} DAX state)`,
          certain: true,
        };
      if (stat.dax === true && pages.by !== 'refused' && pages.cached > 0)
        return {
          kind: 'broken',
          code: 'cached-in-guest',
          words: `${pages.cached} pages of a file in DAX state are in the guest’s page cache`,
          certain: true,
        };
      said.push(`${bytes} bytes: ${stat.dax === true ? 'DAX' : `FUSE_READ, ${pages.cached} pages cached`}`);
    }
    return { kind: 'holds', words: `each file as its flag says: ${said.join('; ')}` };
  },
};

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { contentOf } from '../../checks/drop/files.ts';
import dropCaches from '../../checks/drop-caches.ts';
import { digestOfBytes } from '../../src/model/digest.ts';
import { parseMode } from '../../src/model/mode.ts';
import type { EvictResult, PageState } from '../../src/model/operation.ts';
import type { Verdict } from '../../src/model/verdict.ts';
import { runCell } from '../../src/run/cell.ts';
import { scriptedBench } from '../run/sessions.ts';
import { type Bend, CacheSide } from './cache-side.ts';

let dir = '';
let runs = 0;
beforeAll(async () => {
  dir = await mkdtemp(path.join(tmpdir(), 'vfs-verify-test-'));
});
afterAll(() => rm(dir, { recursive: true, force: true }));

interface Options {
  readonly guest?: Bend;
  readonly host?: Bend;
  readonly refusesMappings?: string;
  readonly keepsNames?: boolean;
  readonly lab?: string | undefined;
  readonly mode?: string;
}

const digestOf = (file: string) =>
  digestOfBytes('md5', contentOf(file, /^(dirty|stored)/.test(file) ? 'gaps' : 'whole'));

/** Each case's verdict on two sides that drop as they should, but for what is bent. */
async function verdicts(options: Options = {}): Promise<Record<string, Verdict>> {
  const { guest: bendGuest, host: bendHost, refusesMappings, keepsNames = true, mode } = options;
  const common = { names: new Map<string, number>(), digestOf, writesLater: true };
  const guest = new CacheSide({
    ...common,
    keepsNames,
    ...(bendGuest === undefined ? {} : { bend: bendGuest }),
    ...(refusesMappings === undefined ? {} : { refusesMappings }),
  });
  const host = new CacheSide({
    ...common,
    keepsNames: false,
    ...(bendHost === undefined ? {} : { bend: bendHost }),
  });
  const bench = scriptedBench(guest.session, host.session);
  runs += 1;
  const workplace = {
    name: 'w',
    keepsNames: true,
    makeCaseDir: async (name: string) => name,
    remove: async () => undefined,
  };
  const share = { ...bench.share, mode: parseMode(mode ?? 'always+writeback') };
  const { cases } = await runCell(
    dropCaches,
    { ...bench, share, lab: 'lab' in options ? options.lab : 'lab' },
    { bundleDir: path.join(dir, `${runs}`), seed: 1, workplace },
  );
  return Object.fromEntries(cases.map(({ name, verdict }) => [name, verdict]));
}

const systemWide = ['guest-system-wide', 'guest-system-wide-names'];

/** Nothing is dropped by this eviction. */
const keptAll: Bend = (op, value) =>
  op.do === 'evict' ? { ...(value as EvictResult), after: (value as EvictResult).before } : undefined;

/** A number of pages instead of what is there. */
function cached(value: unknown, count: number): PageState {
  return { ...(value as PageState), cached: count };
}

const wrongDigest = { digest: '00000000000000000000000000000000' };

describe('drops that remove what they should', () => {
  it('pass in every case', async () => {
    const found = await verdicts();
    expect(Object.keys(found)).toHaveLength(9);
    for (const [name, verdict] of Object.entries(found)) expect(verdict.kind, name).toBe('pass');
    expect(found['guest-mapped']?.reason).toContain('16 of 16 pages stayed while somebody had them mapped');
    expect(found['guest-dirty']?.reason).toContain('16 dirty pages were refused');
  });

  it('are system-wide only in a lab', async () => {
    expect(
      Object.keys(await verdicts({ lab: undefined })).filter((name) => systemWide.includes(name)),
    ).toEqual([]);
    expect(Object.keys(await verdicts())).toEqual(expect.arrayContaining(systemWide));
  });

  it('are not asked for in the guest on a DAX mount', async () => {
    const names = Object.keys(await verdicts({ mode: 'auto+dax=always' }));
    expect(names).toEqual(['host-mapped', 'host-dirty']);
  });
});

const broken: readonly (Options & { title: string; case: string; code: string })[] = [
  {
    title: 'an eviction in the guest that leaves the pages',
    case: 'guest-file',
    code: 'not-dropped',
    guest: keptAll,
  },
  {
    title: 'an eviction on the host that leaves the pages',
    case: 'host-file',
    code: 'not-dropped',
    host: keptAll,
  },
  {
    title: 'pages that stay when their mapping is gone',
    case: 'guest-mapped',
    code: 'not-dropped',
    guest: keptAll,
  },
  {
    title: 'mapped pages that go',
    case: 'guest-mapped',
    code: 'dropped-too-much',
    guest: (op, value) =>
      op.do === 'evict' && (value as EvictResult).after.cached > 0
        ? { ...(value as EvictResult), after: cached((value as EvictResult).after, 3) }
        : undefined,
  },
  {
    title: 'an eviction that takes another file along',
    case: 'guest-file',
    code: 'dropped-too-much',
    guest: secondLook('stays', 15),
  },
  {
    title: "an eviction in the guest that takes the host's pages along",
    case: 'guest-file',
    code: 'dropped-too-much',
    host: secondLook('dropped', 0),
  },
  {
    title: 'other bytes after an eviction',
    case: 'guest-file',
    code: 'data-changed',
    guest: (op) => (op.do === 'hash' && op.file?.startsWith('dropped') === true ? wrongDigest : undefined),
  },
  {
    title: 'dirty bytes that never reach the host',
    case: 'guest-dirty',
    code: 'dirty-lost',
    host: (op) => (op.do === 'hash' && op.path?.startsWith('dirty') === true ? wrongDigest : undefined),
  },
  {
    title: 'bytes of a mapping that never reach the host',
    case: 'guest-dirty-mapped',
    code: 'dirty-lost',
    host: (op) => (op.do === 'hash' && op.path?.startsWith('stored') === true ? wrongDigest : undefined),
  },
  {
    title: 'dirty bytes of the host that the guest does not read',
    case: 'host-dirty',
    code: 'dirty-lost',
    guest: (op) => (op.do === 'hash' && op.path?.startsWith('dirty') === true ? wrongDigest : undefined),
  },
  {
    title: 'drop_caches that leaves clean pages',
    case: 'guest-system-wide',
    code: 'not-dropped',
    guest: (op, value) => (op.do === 'pages' && op.file.startsWith('clean') ? cached(value, 16) : undefined),
  },
  {
    title: 'drop_caches that takes mapped pages',
    case: 'guest-system-wide',
    code: 'dropped-too-much',
    guest: secondLook('held', 0),
  },
  {
    title: 'drop_caches in the guest that empties the host',
    case: 'guest-system-wide',
    code: 'dropped-too-much',
    host: secondLook('clean', 0),
  },
  {
    title: 'drop_caches that loses dirty bytes',
    case: 'guest-system-wide',
    code: 'dirty-lost',
    guest: (op) => (op.do === 'hash' && op.file?.startsWith('dirty') === true ? wrongDigest : undefined),
  },
  {
    title: 'drop_caches that leaves an unused name',
    case: 'guest-system-wide-names',
    code: 'not-dropped',
    guest: (op) => (op.do === 'stat' ? { mode: 0o644 } : undefined),
  },
  {
    title: 'drop_caches that takes a name in use',
    case: 'guest-system-wide-names',
    code: 'dropped-too-much',
    guest: secondFstat(),
  },
];

describe('each code is found:', () => {
  it.each(broken)('$title', async ({ case: name, code, ...options }) => {
    const found = await verdicts(options);
    expect(found[name], found[name]?.reason).toMatchObject({ kind: 'fail', code });
    expect(found[name]?.promised).toBeDefined();
    expect(found[name]?.observed).toBeDefined();
  });

  it('all of them', () => {
    const fails = ['not-dropped', 'dropped-too-much', 'dirty-lost', 'data-changed'];
    expect(new Set(broken.map(({ code }) => code))).toEqual(new Set(fails));
  });
});

/** From the second look at a file on, so many of its pages are left. Each attempt has files of its own. */
function secondLook(prefix: string, left: number): Bend {
  const seen = new Set<string>();
  return (op, value) => {
    if (op.do !== 'pages' || !op.file.startsWith(prefix)) return undefined;
    if (seen.has(op.file)) return cached(value, left);
    seen.add(op.file);
    return undefined;
  };
}

/** The third fstat of the case: after the drop. */
function secondFstat(): Bend {
  const counts = new Map<string, number>();
  return (op) => {
    if (op.do !== 'fstat') return undefined;
    counts.set(op.file, (counts.get(op.file) ?? 0) + 1);
    return counts.get(op.file) === 3 ? { mode: 0o600 } : undefined;
  };
}

describe('nobody is accused', () => {
  it('by a loss that happens once: asked again, it does not repeat', async () => {
    const once: Bend = (op, value, actor) =>
      op.do === 'evict' && op.file === 'dropped-1' ? keptAll(op, value, actor) : undefined;
    expect((await verdicts({ guest: once }))['guest-file']).toMatchObject({
      kind: 'unknown',
      code: 'not-the-same-twice',
    });
  });

  it('by pages that were lost before the drop', async () => {
    const lost: Bend = (op, value) =>
      op.do === 'evict'
        ? { ...(value as EvictResult), before: cached((value as EvictResult).before, 0) }
        : undefined;
    expect((await verdicts({ guest: lost }))['guest-file']).toMatchObject({
      kind: 'unknown',
      code: 'could-not-tell',
    });
  });

  it('by a side that does not show its cache', async () => {
    const refused: Bend = (op, value) => {
      if (op.do !== 'evict') return undefined;
      const state = { ...cached((value as EvictResult).before, 0), by: 'refused', refusal: 'EPERM' };
      return { before: state, after: state, evicted: false };
    };
    expect((await verdicts({ guest: refused }))['guest-file']).toMatchObject({
      kind: 'unknown',
      code: 'could-not-tell',
    });
  });

  it('by a share in memory, whose pages have nowhere to go', async () => {
    const tmpfs: Bend = (op, value, actor) =>
      op.do === 'extents' ? { by: 'seek', fsMagic: 0x01021994, empty: [] } : keptAll(op, value, actor);
    const found = await verdicts({ host: tmpfs });
    expect(found['host-file']).toMatchObject({ kind: 'skip', code: 'not-here' });
    expect(found['guest-file']?.kind).toBe('pass');
  });

  it('where the question does not arise', async () => {
    const found = await verdicts({ refusesMappings: 'ENODEV', keepsNames: false });
    expect(found['guest-dirty-mapped']).toMatchObject({ kind: 'skip', code: 'not-here' });
    expect(found['guest-system-wide-names']).toMatchObject({ kind: 'skip', code: 'not-here' });
  });

  it('by a step that was refused', async () => {
    const full: Bend = (op) => (op.do === 'fill' ? 'ENOSPC' : undefined);
    const found = await verdicts({ host: full });
    expect(found['host-file']).toMatchObject({ kind: 'unknown', code: 'could-not-tell' });
    expect(found['host-file']?.reason).toContain('ENOSPC');
  });
});

import { createHash } from 'node:crypto';
import type { EvictResult, HashResult, PageState, Stat } from '../../src/model/operation.ts';
import type { Outcome } from '../../src/model/outcome.ts';
import type { ProbeSession } from '../../src/probe/session.ts';
import { type Asked, scriptedSession } from '../run/sessions.ts';

/** A side whose one file is in memory: what it reads through its cache, and what lies below. */
export interface MemoryFile {
  /** What is read through the page cache. */
  cached: Uint8Array;
  /** What is read after eviction, or past the cache; default: `cached`. */
  below?: Uint8Array;
  dirty?: number;
  ino?: string;
  mtimeNs?: string;
  type?: Stat['type'];
  /** Instead of the answer of an operation. */
  instead?: Partial<Record<string, Outcome>>;
  /** Called before each answer: to change the file meanwhile. */
  before?: (asked: Asked) => void;
}

/** A session that answers what a comparison asks. */
export function memorySide(file: MemoryFile): ProbeSession & { readonly asked: Asked[] } {
  let evicted = false;
  return scriptedSession(async (asked) => {
    file.before?.(asked);
    const { op, options } = asked;
    const replaced = file.instead?.[op.do];
    if (replaced !== undefined) return replaced;
    const value = (answer: unknown): Outcome => ({ kind: 'value', value: answer, beginNs: 0, endNs: 1e9 });
    if (op.do === 'stat') return value(statOf(file));
    if (op.do === 'open') return value({});
    if (op.do === 'pages') return value(pagesOf(file));
    if (op.do === 'evict') {
      evicted = (file.dirty ?? 0) === 0;
      return value({ before: pagesOf(file), after: pagesOf(file), evicted } satisfies EvictResult);
    }
    if (op.do !== 'hash') return { kind: 'errno', errno: 'ENOSYS', call: op.do };
    const whole = evicted || op.direct === true ? (file.below ?? file.cached) : file.cached;
    const from = op.range?.offset ?? 0;
    const bytes = whole.subarray(
      from,
      op.range?.length === undefined ? whole.length : from + op.range.length,
    );
    if (op.block !== undefined) {
      const digests: Buffer[] = [];
      for (let at = 0; at < bytes.length; at += op.block)
        digests.push(digest(bytes.subarray(at, at + op.block)).subarray(0, 16));
      await options.onBulk?.([{ from: 0, base64: Buffer.concat(digests).toString('base64') }]);
    }
    const stat = statOf(file);
    return value({
      digest: digest(bytes).toString('hex').slice(0, 32),
      bytes: bytes.length,
      before: stat,
      after: stat,
      pages: pagesOf(file),
    } satisfies HashResult);
  });
}

function digest(bytes: Uint8Array): Buffer {
  return createHash('sha256').update(bytes).digest();
}

function statOf(file: MemoryFile): Stat {
  return {
    type: file.type ?? 'file',
    size: file.cached.length,
    blocks512: 0,
    mode: 0o644,
    nlink: 1,
    uid: 0,
    gid: 0,
    ino: file.ino ?? '7',
    dev: '1',
    mtimeNs: file.mtimeNs ?? '1',
    ctimeNs: '1',
    atimeNs: '1',
  };
}

function pagesOf(file: MemoryFile): PageState {
  const pages = Math.ceil(file.cached.length / 4096);
  return { by: 'cachestat', pageSize: 4096, pages, cached: pages, dirty: file.dirty ?? 0, writeback: 0 };
}

import type { ManyResult, Operation, PageState } from '../../src/model/operation.ts';
import type { ProbeSession } from '../../src/probe/session.ts';
import { scriptedSession } from '../run/sessions.ts';

/** Changes what a side answers: the honest value in, what it says instead out. */
export type Bend = (op: Operation, value: unknown, actor: string) => unknown;

export interface CacheSideOptions {
  /** write() leaves dirty pages. */
  readonly writesLater: boolean;
  /** Shared mappings are refused with this errno. */
  readonly refusesMappings?: string;
  /** Mode bits of the names, which both sides share; a guest keeps what it saw until it drops names. */
  readonly names: Map<string, number>;
  readonly keepsNames: boolean;
  readonly digestOf: (file: string) => string;
  readonly bend?: Bend;
}

interface CachedFile {
  cached: number;
  dirty: number;
  maps: number;
}

const pages = 16;

/** A side with a page cache that drops as it should. */
export class CacheSide {
  readonly session: ProbeSession;
  readonly #options: CacheSideOptions;
  readonly #files = new Map<string, CachedFile>();
  readonly #kept = new Map<string, number>();
  readonly #held = new Set<string>();

  constructor(options: CacheSideOptions) {
    this.#options = options;
    this.session = scriptedSession(({ op, actor }) => {
      if (op.do !== 'many') throw new Error(`not asked for: ${op.do}`);
      const values: unknown[] = [];
      for (const each of op.list) {
        const honest = this.#answer(each);
        const value = options.bend?.(each, honest, actor) ?? honest;
        if (typeof value === 'string') {
          const stopped = { errno: value, call: each.do === 'map' ? 'mmap' : each.do };
          return { kind: 'value', value: { values, timesNs: [], stopped } satisfies ManyResult };
        }
        values.push(value);
      }
      return { kind: 'value', value: { values, timesNs: [] } satisfies ManyResult };
    });
  }

  #file(name: string): CachedFile {
    const file = this.#files.get(name) ?? { cached: 0, dirty: 0, maps: 0 };
    this.#files.set(name, file);
    return file;
  }

  #state(name: string): PageState {
    const { cached, dirty } = this.#file(name);
    return { by: 'cachestat', pageSize: 4096, pages, cached, dirty, writeback: 0 };
  }

  #drop(file: CachedFile): void {
    if (file.maps === 0 && file.dirty === 0) file.cached = 0;
  }

  #answer(op: Operation): unknown {
    switch (op.do) {
      case 'open':
        if (op.flags.includes('creat')) this.#options.names.set(op.path, op.mode ?? 0o644);
        if (op.flags.includes('path')) this.#held.add(op.path);
        return {};
      case 'fill':
        Object.assign(this.#file(op.file), {
          cached: pages,
          dirty: this.#options.writesLater ? pages : 0,
        });
        return {};
      case 'store':
        Object.assign(this.#file(op.map), { cached: pages, dirty: pages });
        return {};
      case 'map':
        if (op.share === 'shared' && this.#options.refusesMappings !== undefined)
          return this.#options.refusesMappings;
        this.#file(op.file).maps = 1;
        return {};
      case 'load':
        this.#file(op.map).cached = pages;
        return {};
      case 'unmap':
        this.#file(op.map).maps = 0;
        return {};
      case 'fsync':
        this.#file(op.file).dirty = 0;
        return {};
      case 'pages':
        return this.#state(op.file);
      case 'evict': {
        const before = this.#state(op.file);
        this.#drop(this.#file(op.file));
        return { before, after: this.#state(op.file), evicted: before.dirty === 0 };
      }
      case 'drop-caches':
        if (op.what === 1) for (const file of this.#files.values()) this.#drop(file);
        else for (const name of this.#kept.keys()) if (!this.#held.has(name)) this.#kept.delete(name);
        return {};
      case 'hash':
        return { digest: this.#options.digestOf(op.file ?? op.path ?? '') };
      case 'extents':
        return { by: 'fiemap', fsMagic: 0xef53, empty: [] };
      case 'chmod':
        this.#options.names.set(op.path, op.mode);
        return {};
      case 'stat':
        return { mode: this.#modeOf(op.path) };
      case 'fstat':
        return { mode: this.#modeOf(op.file) };
      default:
        return {};
    }
  }

  #modeOf(name: string): number {
    const mode = this.#kept.get(name) ?? this.#options.names.get(name) ?? 0;
    if (this.#options.keepsNames) this.#kept.set(name, mode);
    return mode;
  }
}

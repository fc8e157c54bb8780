import type { Traits } from '../../checks/mode/traits.ts';
import type { ManyResult, Operation, PageState, Stat } from '../../src/model/operation.ts';
import type { Outcome } from '../../src/model/outcome.ts';
import type { ProbeSession } from '../../src/probe/session.ts';
import { scriptedSession } from '../run/sessions.ts';

/** What goes on besides: the machine's load, and a kernel that drops pages early. */
export interface Troubles {
  /** Every request of the guest begins so much later. */
  readonly lateMs?: number;
  /** Pages are gone when the guest looks, in these attempts (by the number in the file's name). */
  readonly pagesLostIn?: readonly number[];
  /** The host's cache does not show (overlayfs). */
  readonly hostCacheHidden?: boolean;
}

interface HostFile {
  mode: number;
  ino: number;
  mtimeNs: string;
  size: number;
  cached: number;
}

interface Kept {
  stat: HostFile;
  atMs: number;
}

const pageSize = 4096;

/** A guest and its host with one share between them, as the traits of a mode make them behave. */
export class FuseWorld {
  readonly guest: ProbeSession;
  readonly host: ProbeSession;
  readonly #traits: Traits;
  readonly #troubles: Troubles;
  readonly #files = new Map<string, HostFile>();
  /** Paths of descriptors, and what a descriptor without FUSE_OPEN refers to; names are unique in the checks. */
  readonly #opened = new Map<string, string>();
  readonly #attributes = new Map<HostFile, Kept>();
  readonly #names = new Map<string, { file: HostFile; atMs: number }>();
  readonly #pages = new Map<string, { cached: number; dirty: number }>();
  #nowMs = 0;
  #inodes = 100;

  constructor(traits: Traits, troubles: Troubles = {}) {
    this.#traits = traits;
    this.#troubles = troubles;
    this.guest = scriptedSession(({ op }) => {
      this.#nowMs += this.#troubles.lateMs ?? 5;
      return this.#answer(op, (each) => this.#inGuest(each));
    });
    this.host = scriptedSession(({ op }) => this.#answer(op, (each) => this.#onHost(each)));
  }

  #answer(op: Operation, one: (op: Operation) => unknown): Outcome {
    if (op.do !== 'many') throw new Error(`not asked for: ${op.do}`);
    const values: unknown[] = [];
    const timesNs: [number, number][] = [];
    for (const each of op.list) {
      const begin = this.#nowMs * 1e6;
      if (each.do === 'wait') this.#nowMs += each.ms;
      const value = one(each);
      timesNs.push([begin, this.#nowMs * 1e6 + 1000]);
      if (typeof value === 'string') {
        const stopped = { errno: value, call: each.do === 'map' ? 'mmap' : each.do };
        return { kind: 'value', value: { values, timesNs, stopped } satisfies ManyResult };
      }
      values.push(value);
    }
    return { kind: 'value', value: { values, timesNs } satisfies ManyResult };
  }

  #file(path: string): HostFile {
    const file = this.#files.get(this.#opened.get(path) ?? path);
    if (file === undefined) throw new Error(`no file ${path}`);
    return file;
  }

  #create(path: string, mode: number): void {
    this.#inodes += 1;
    this.#files.set(path, { mode, ino: this.#inodes, mtimeNs: '1', size: 0, cached: 0 });
  }

  #onHost(op: Operation): unknown {
    switch (op.do) {
      case 'open':
        this.#create(op.path, op.mode ?? 0o644);
        return {};
      case 'chmod':
        this.#file(op.path).mode = op.mode;
        return {};
      case 'utimens':
        this.#file(op.path).mtimeNs = op.mtimeNs ?? '';
        return {};
      case 'rename':
        this.#files.set(op.to, this.#file(op.path));
        return {};
      case 'fill':
        this.#file(op.file).size = op.range.length;
        return {};
      case 'evict': {
        const state = this.#hostPages(op.file, 0);
        return { before: state, after: state, evicted: true };
      }
      case 'pages':
        return this.#hostPages(
          op.file,
          this.#troubles.hostCacheHidden === true ? 0 : this.#file(op.file).cached,
        );
      case 'stat':
        return statOf(this.#file(op.path));
      default:
        return {};
    }
  }

  #hostPages(file: string, cached: number): PageState {
    const pages = this.#file(file).size / pageSize;
    return { by: 'cachestat', pageSize, pages, cached, dirty: 0, writeback: 0 };
  }

  #inGuest(op: Operation): unknown {
    switch (op.do) {
      case 'open':
        return this.#open(op);
      case 'fstat':
        return statOf(this.#attributesOf(this.#held(op.file), op.sync === 'force'));
      case 'stat':
        return statOf(this.#lookup(op.path));
      case 'read':
        return this.#read(op.file, op.length);
      case 'fill':
        return this.#write(op.file, op.range.length);
      case 'pages':
        return this.#guestPages(op.file);
      case 'map':
        return this.#traits.sharedMappings ? {} : 'ENODEV';
      default:
        return {};
    }
  }

  readonly #descriptors = new Map<string, { file: HostFile; path: string; direct: boolean }>();

  #held(name: string): HostFile {
    const held = this.#descriptors.get(name);
    if (held === undefined) throw new Error(`not open: ${name}`);
    return held.file;
  }

  #open({ path, as, flags }: Operation & { do: 'open' }): unknown {
    if (flags.includes('creat')) this.#create(path, 0o644);
    const file = this.#lookup(path);
    this.#descriptors.set(as, { file, path, direct: flags.includes('direct') });
    this.#attributesOf(file, false);
    if (!flags.includes('path') && this.#traits.data !== 'over an open') this.#pages.delete(path);
    return {};
  }

  #lookup(path: string): HostFile {
    const kept = this.#names.get(path);
    if (kept !== undefined && this.#isValid(kept.atMs)) return kept.file;
    const file = this.#file(path);
    this.#names.set(path, { file, atMs: this.#nowMs });
    return file;
  }

  #isValid(atMs: number): boolean {
    return this.#traits.timeoutMs > 0 && this.#nowMs <= atMs + this.#traits.timeoutMs;
  }

  #attributesOf(file: HostFile, force: boolean): HostFile {
    const kept = this.#attributes.get(file);
    if (kept !== undefined && !force && this.#isValid(kept.atMs)) return kept.stat;
    const mtimeNs = this.#traits.writeback && kept !== undefined ? kept.stat.mtimeNs : file.mtimeNs;
    const stat = { ...file, mtimeNs };
    this.#attributes.set(file, { stat, atMs: this.#nowMs });
    return stat;
  }

  #read(name: string, length: number): unknown {
    const held = this.#descriptors.get(name);
    if (held === undefined) throw new Error(`not open: ${name}`);
    if (!(held.direct && this.#traits.directIo)) held.file.cached = length / pageSize;
    if (this.#traits.data !== 'not at all' && !held.direct)
      this.#pages.set(held.path, { cached: length / pageSize, dirty: 0 });
    return {};
  }

  #write(name: string, length: number): unknown {
    const held = this.#descriptors.get(name);
    if (held === undefined) throw new Error(`not open: ${name}`);
    const later = this.#traits.writeback && this.#traits.data !== 'not at all';
    if (!later) held.file.size = length;
    if (this.#traits.data !== 'not at all')
      this.#pages.set(held.path, { cached: length / pageSize, dirty: later ? length / pageSize : 0 });
    return {};
  }

  #guestPages(name: string): PageState {
    const path = this.#descriptors.get(name)?.path ?? '';
    const lost = this.#troubles.pagesLostIn?.some((n) => path.endsWith(`-${n}`)) === true;
    const { cached, dirty } = (lost ? undefined : this.#pages.get(path)) ?? { cached: 0, dirty: 0 };
    return { by: 'cachestat', pageSize, pages: 16, cached, dirty, writeback: 0 };
  }
}

function statOf(file: HostFile): Stat {
  const { mode, ino, mtimeNs, size } = file;
  const zero = { blocks512: 0, nlink: 1, uid: 0, gid: 0, dev: '1', ctimeNs: '1', atimeNs: '1' };
  return { type: 'file', mode: mode | 0o100000, ino: `${ino}`, mtimeNs, size, ...zero };
}

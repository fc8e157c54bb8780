import path from 'node:path';
import type { FileMoment, FileSamples } from '../../ledger/program-samples.ts';
import type { PageMap } from '../../ledger/samples.ts';
import type { BorrowResult, ExtentsResult, PageState, Stat } from '../../model/operation.ts';
import type { RunFile } from '../../model/program-run.ts';
import { mapParts } from '../../model/read-steps.ts';
import { locatePath, type Share } from '../../share/share.ts';
import type { Asker } from './asker.ts';

/** More files than this are not looked at one by one. */
const mostFiles = 64;
/** How far down a share is looked for files that the program may turn out to use. */
const mostDirectories = 64;

interface OnHost {
  readonly path: string;
  isOpen: boolean;
  before: FileMoment;
  extents?: ExtentsResult | undefined;
}

interface InGuest {
  readonly path: string;
  readonly share: Share;
  readonly onHost: OnHost;
  isOpen: boolean;
  before?: PageMap | undefined;
}

/**
 * The states of files on both sides, before and after a run.
 *
 * Looking on the host has no effect, so that every file of a small share is looked at before, named or not. In the
 * guest an open drops clean pages in most modes, as the program's own open will: only files that were named are
 * opened there. One that turns up while the program holds it is looked at through its own descriptor.
 */
export class FileStates {
  readonly #shares: readonly Share[];
  readonly #host: Asker;
  readonly #guest: Asker;
  readonly #onHost = new Map<string, OnHost>();
  readonly #inGuest = new Map<string, InGuest>();
  readonly #taking: Promise<unknown>[] = [];
  readonly #opened: string[] = [];
  #atEnd: Promise<ReadonlyMap<OnHost, FileMoment>> | undefined;
  #fsMagic: number | undefined;
  /** Whether all files were looked at: one that is not among them was not there. */
  #isWhole = false;

  /** @param shares those that may be meant. */
  constructor(shares: readonly Share[], host: Asker, guest: Asker) {
    this.#shares = shares;
    this.#host = host;
    this.#guest = guest;
  }

  /** statfs(2)'s f_type of the files on the host. */
  get fsMagic(): number | undefined {
    return this.#fsMagic;
  }

  /** Files that were opened in the guest to be looked at. */
  get opened(): readonly string[] {
    return this.#opened;
  }

  /** @param named files that are meant, as the guest calls them. */
  async before(named: readonly string[]): Promise<void> {
    const found: string[] = [];
    this.#isWhole = true;
    for (const directory of new Set(this.#shares.map(({ hostDir }) => hostDir)))
      found.push(...(await this.#hostFiles(directory)));
    if (found.length > mostFiles) this.#isWhole = false;
    for (const each of found.slice(0, mostFiles)) this.#knowOnHost(each);
    for (const each of named) await this.#openInGuest(this.#knowInGuest(each));
    for (const file of this.#onHost.values()) {
      await this.#openOnHost(file);
      file.before = await this.#hostMoment(file);
      if (file.isOpen)
        file.extents = await this.#host.value<ExtentsResult>({ do: 'extents', file: file.path });
      this.#fsMagic ??= file.extents?.fsMagic;
    }
    for (const file of this.#inGuest.values()) file.before = await this.#guestMap(file);
  }

  /** A file that the program was seen to hold: its descriptor is taken over while it is there. */
  noticed({ path: guestPath }: Pick<RunFile, 'path'>): void {
    if (this.#inGuest.size >= mostFiles) return;
    const file = this.#knowInGuest(guestPath);
    if (file.isOpen) return;
    const take = async () => {
      const borrowed = await this.#guest.value<BorrowResult>({
        do: 'borrow',
        path: guestPath,
        as: guestPath,
      });
      file.isOpen = borrowed !== undefined;
    };
    this.#taking.push(take());
  }

  /** The program has ended: what is dirty on the host is looked at now, since it becomes less by itself. */
  ended(): void {
    this.#atEnd ??= (async () => {
      await Promise.all(this.#taking);
      const moments = new Map<OnHost, FileMoment>();
      for (const { onHost } of this.#inGuest.values()) {
        if (!onHost.isOpen) await this.#openOnHost(onHost);
        moments.set(onHost, await this.#hostMoment(onHost));
      }
      return moments;
    })();
  }

  /** The files that were named or held, with their share. */
  async after(held: readonly RunFile[]): Promise<readonly (FileSamples & { readonly share: Share })[]> {
    this.ended();
    const moments = await this.#atEnd;
    const told: (FileSamples & { readonly share: Share })[] = [];
    for (const file of this.#inGuest.values()) {
      const { onHost, share } = file;
      const guest = await this.#guestMap(file);
      const how = held.find((each) => each.path === file.path);
      const dax = file.isOpen
        ? (await this.#guest.value<Stat>({ do: 'fstat', file: file.path, sync: 'dont' }))?.dax
        : undefined;
      // Of a file that was not there, the guest had nothing either.
      const before = file.before ?? (onHost.before.size === 0 && guest !== undefined ? empty : undefined);
      told.push({
        share,
        path: file.path,
        hostPath: onHost.path,
        ...(how === undefined ? {} : { held: heldWords(how) }),
        before: { ...onHost.before, ...(before === undefined ? {} : { guest: before }) },
        after: { ...moments?.get(onHost), ...(guest === undefined ? {} : { guest }) },
        ...(dax === undefined ? {} : { dax }),
        ...(onHost.extents?.empty === undefined ? {} : { empty: onHost.extents.empty }),
      });
    }
    return told;
  }

  #knowOnHost(hostPath: string): OnHost {
    const known = this.#onHost.get(hostPath) ?? {
      path: hostPath,
      isOpen: false,
      // A share that was looked through, and it was not there.
      before: this.#isWhole ? { size: 0 } : {},
    };
    this.#onHost.set(hostPath, known);
    return known;
  }

  #knowInGuest(guestPath: string): InGuest {
    const known = this.#inGuest.get(guestPath);
    if (known !== undefined) return known;
    const { share, hostPath } = locatePath(guestPath, this.#shares);
    const file: InGuest = { path: guestPath, share, onHost: this.#knowOnHost(hostPath), isOpen: false };
    this.#inGuest.set(guestPath, file);
    return file;
  }

  /** Regular files of the share on the host, nearest first. */
  async #hostFiles(top: string): Promise<string[]> {
    const found: string[] = [];
    const directories = [top];
    let isWhole = true;
    for (let at = 0; at < directories.length; at += 1) {
      const directory = directories[at] ?? '';
      if (at >= mostDirectories || found.length > mostFiles) {
        isWhole = false;
        break;
      }
      const listed = await this.#host.value<{ names: readonly string[] }>({ do: 'list', path: directory });
      if (listed === undefined) isWhole = false;
      for (const name of (listed?.names ?? []).slice(0, 4 * mostFiles)) {
        const each = path.posix.join(directory, name);
        const stat = await this.#host.value<Stat>({ do: 'stat', path: each });
        if (stat?.type === 'directory') directories.push(each);
        else if (stat?.type === 'file') found.push(each);
      }
      if ((listed?.names.length ?? 0) > 4 * mostFiles) isWhole = false;
    }
    if (!isWhole) this.#isWhole = false;
    return found;
  }

  async #openOnHost(file: OnHost): Promise<void> {
    const opened = await this.#host.value({
      do: 'open',
      path: file.path,
      flags: ['rdonly', 'nonblock'],
      as: file.path,
    });
    file.isOpen = opened !== undefined;
  }

  async #openInGuest(file: InGuest): Promise<void> {
    const opened = await this.#guest.value({
      do: 'open',
      path: file.path,
      flags: ['rdonly', 'nonblock'],
      as: file.path,
    });
    file.isOpen = opened !== undefined;
    if (file.isOpen) this.#opened.push(file.path);
  }

  async #hostMoment(file: OnHost): Promise<FileMoment> {
    if (!file.isOpen) return file.before.size === 0 ? { size: 0 } : {};
    const size = (await this.#host.value<Stat>({ do: 'fstat', file: file.path }))?.size;
    if (size === undefined) return {};
    const host = await this.#map(this.#host, file.path, size, 'host-pages');
    return { size, ...(host === undefined ? {} : { host }) };
  }

  async #guestMap(file: InGuest): Promise<PageMap | undefined> {
    if (!file.isOpen) return undefined;
    const stat = await this.#guest.value<Stat>({ do: 'fstat', file: file.path, sync: 'dont' });
    return stat === undefined ? undefined : this.#map(this.#guest, file.path, stat.size, 'guest-pages');
  }

  async #map(asker: Asker, file: string, size: number, what: string): Promise<PageMap | undefined> {
    const chunks: { first: number; runs: readonly number[] }[] = [];
    let dirty: number | undefined = 0;
    let by: PageMap['by'] = 'cachestat';
    let pageSize = 4096;
    for (const range of mapParts(0, size)) {
      const state = await asker.value<PageState>({ do: 'pages', file, range, map: true }, what);
      if (state === undefined) return undefined;
      if (state.by === 'refused' || state.runs === undefined) {
        asker.unseen.push({ what, why: `refused: ${state.refusal ?? 'no map'}` });
        return undefined;
      }
      ({ by, pageSize } = state as { by: PageMap['by']; pageSize: number });
      dirty =
        dirty === undefined || state.dirty === undefined
          ? undefined
          : dirty + state.dirty + (state.writeback ?? 0);
      chunks.push({ first: Math.floor(range.offset / pageSize), runs: state.runs });
    }
    return { by, pageSize, chunks, ...(dirty === undefined ? {} : { dirty }) };
  }
}

const empty: PageMap = { by: 'cachestat', pageSize: 4096, chunks: [], dirty: 0 };

function heldWords({ read, write, direct, sync, mapped }: RunFile): NonNullable<FileSamples['held']> {
  return { read, write, direct, sync, mapped };
}

import type { Observed } from '../model/check.ts';
import { filesystems } from '../model/filesystems.ts';
import type {
  CountersResult,
  ExtentsResult,
  PageState,
  ProcessFilesResult,
  ReadsResult,
  Stat,
} from '../model/operation.ts';
import { describeOutcome, type Outcome } from '../model/outcome.ts';
import type { ReadPlan } from '../model/read-plan.ts';
import { mapParts } from '../model/read-steps.ts';
import type { Counters, FileState, PageMap, ReadSamples, Unseen } from './samples.ts';

/** The part of a bundle that an account is made from. */
export type Seen = Pick<Observed, 'setting' | 'steps' | 'outcome' | 'value'>;

/**
 * The samples of one accounted run, from the outcomes of its steps (model/read-steps.ts); undefined where the
 * reads themselves did not end.
 */
export function assembleSamples(seen: Seen, name: string): ReadSamples | undefined {
  const step = seen.steps.find(({ id }) => id === `${name}.reads`);
  const result = seen.value<ReadsResult>(`${name}.reads`);
  if (step === undefined || step.op.do !== 'reads' || result === undefined) return undefined;
  const { do: _, file, map, ...plan } = step.op;
  return new Assembly(seen, name, plan, file ?? map ?? name, map !== undefined, result).samples();
}

/** The kernel's rule for cachestat and mincore, where that is why. */
function refusalWords(refusal: string | undefined): string {
  return refusal === 'EPERM'
    ? 'refused with EPERM: only root, the owner, and who may write the file are told'
    : `refused: ${refusal ?? 'no map'}`;
}

class Assembly {
  readonly #seen: Seen;
  readonly #name: string;
  readonly #plan: ReadPlan;
  readonly #file: string;
  readonly #mapped: boolean;
  readonly #result: ReadsResult;
  readonly #unseen: Unseen[] = [];

  constructor(seen: Seen, name: string, plan: ReadPlan, file: string, mapped: boolean, result: ReadsResult) {
    this.#seen = seen;
    this.#name = name;
    this.#plan = plan;
    this.#file = file;
    this.#mapped = mapped;
    this.#result = result;
  }

  samples(): ReadSamples {
    const before = this.#state('before');
    const after = this.#state('after');
    const extents = this.#value<ExtentsResult>('extents', 'extents');
    if (extents?.by === 'refused') this.#unseen.push({ what: 'extents', why: extents.refusal ?? 'refused' });
    const storage = filesystems.get(extents?.fsMagic ?? 0);
    // An overlay's own mapping holds nothing: what cachestat says of it is no answer.
    const hostBefore = storage?.opaque === undefined ? before.host : undefined;
    if (storage?.opaque !== undefined)
      this.#unseen.push({
        what: 'host-pages',
        why: `${storage.name} has it in ${storage.opaque}, which cannot be asked through this file`,
      });
    const { host: _b, ...beforeRest } = before;
    const { host: _a, ...afterRest } = after;
    const dax = this.#value<Stat>('guest-stat', 'dax')?.dax;
    const direct = this.#opened().includes('direct');
    return {
      plan: this.#plan,
      direct,
      mapped: this.#mapped,
      transport: this.#seen.setting.mode?.server === '9p' ? '9p' : 'fuse',
      before: {
        ...beforeRest,
        ...(hostBefore === undefined ? {} : { host: hostBefore }),
        ...(dax === undefined ? {} : { dax }),
        ...(extents?.empty === undefined ? {} : { empty: extents.empty }),
        ...this.#daemonDirect(direct),
      },
      after: {
        ...afterRest,
        ...(hostBefore === undefined || after.host === undefined ? {} : { host: after.host }),
      },
      counters: { before: this.#counters('before'), after: this.#counters('after') },
      host: {
        storage: storage?.storage ?? 'not-known',
        ...(storage === undefined ? {} : { fsType: storage.name }),
      },
      unseen: this.#unseen,
    };
  }

  #value<T>(step: string, what: Unseen['what']): T | undefined {
    const id = `${this.#name}.${step}`;
    const outcome = this.#seen.outcome(id);
    if (outcome.kind === 'value') return outcome.value as T;
    if (!this.#unseen.some((each) => each.what === what))
      this.#unseen.push({ what, why: this.#why(outcome) });
    return undefined;
  }

  /** What is not open could not be opened: that is the reason then. */
  #why(outcome: Outcome): string {
    const opened = this.#seen.outcome(`${this.#name}.host-open`);
    return outcome.kind === 'errno' && outcome.errno === 'EBADF' && opened.kind === 'errno'
      ? `the file cannot be opened on the host: ${opened.errno}`
      : describeOutcome(outcome);
  }

  #state(when: 'before' | 'after'): FileState {
    const suffix = when === 'before' ? '' : '-after';
    const guestStat = this.#value<Stat>(`guest-stat${suffix}`, when === 'before' ? 'dax' : 'after');
    const hostStat = this.#value<Stat>(`host-stat${suffix}`, 'host-pages');
    const end = this.#plan.range.offset + this.#plan.range.length;
    const guest = this.#map(`guest-${when}`, 'guest-pages');
    const host = this.#map(`host-${when}`, 'host-pages');
    return {
      guestSize: guestStat?.size ?? end,
      ...(hostStat === undefined ? {} : { hostSize: hostStat.size }),
      ...(guest === undefined ? {} : { guest }),
      ...(host === undefined ? {} : { host }),
    };
  }

  /** The parts of a page map as one; undefined where any of them was refused. */
  #map(prefix: string, what: Unseen['what']): PageMap | undefined {
    const ids = this.#seen.steps.filter(({ id }) => id.startsWith(`${this.#name}.${prefix}-`));
    const chunks: { first: number; runs: readonly number[] }[] = [];
    let dirty: number | undefined = 0;
    let by: PageMap['by'] = 'cachestat';
    let pageSize = 4096;
    for (const step of ids) {
      const state = this.#value<PageState>(step.id.slice(this.#name.length + 1), what);
      if (state === undefined || step.op.do !== 'pages') return undefined;
      if (state.by === 'refused' || state.runs === undefined) {
        this.#unseen.push({ what, why: refusalWords(state.refusal) });
        return undefined;
      }
      by = state.by;
      pageSize = state.pageSize;
      dirty =
        dirty === undefined || state.dirty === undefined
          ? undefined
          : dirty + state.dirty + (state.writeback ?? 0);
      chunks.push({ first: Math.floor((step.op.range?.offset ?? 0) / pageSize), runs: state.runs });
    }
    if (ids.length === 0) {
      // An empty file has no parts, and nothing in them.
      if (mapParts(this.#plan.range.offset, this.#plan.range.length).length > 0) {
        this.#unseen.push({ what, why: 'nobody looked' });
        return undefined;
      }
    }
    return { by, pageSize, chunks, ...(dirty === undefined ? {} : { dirty }) };
  }

  /** The flags that the reading descriptor was opened with, by whichever step did. */
  #opened(): readonly string[] {
    const found = this.#seen.steps.findLast(({ op }) => op.do === 'open' && op.as === this.#file);
    return found?.op.do === 'open' ? found.op.flags : [];
  }

  #daemonDirect(direct: boolean): Pick<FileState, 'daemonDirect'> {
    // Only the guest's own O_DIRECT can make the daemon open a file so.
    if (!direct) return { daemonDirect: false };
    const files = this.#value<ProcessFilesResult>('daemon-file', 'daemon-flags');
    if (files === undefined) return {};
    if (files.opened === 0) {
      this.#unseen.push({ what: 'daemon-flags', why: 'the daemon holds no descriptor of this file' });
      return {};
    }
    if (files.direct > 0 && files.direct < files.opened) {
      this.#unseen.push({ what: 'daemon-flags', why: 'the daemon holds it with and without O_DIRECT' });
      return {};
    }
    return { daemonDirect: files.direct > 0 };
  }

  #counters(when: 'before' | 'after'): Counters {
    const { daemonPid, vmmPid, mode } = this.#seen.setting;
    const counted = this.#value<CountersResult>(`count-${when}`, 'daemon-io');
    const ioOf = (pid: number | undefined) => {
      const found = counted?.processes.find((each) => each.pid === pid);
      if (found?.rchar === undefined || found.syscr === undefined || found.readBytes === undefined) {
        const known = this.#unseen.some(({ what }) => what === 'daemon-io');
        if (!known && pid === server)
          this.#unseen.push({
            what: 'daemon-io',
            why:
              pid === undefined
                ? "the daemon's process is not known"
                : `/proc/${pid}/io: ${found?.error ?? 'not read'}`,
          });
        return undefined;
      }
      return { rchar: found.rchar, syscr: found.syscr, readBytes: found.readBytes };
    };
    const server = mode?.server === '9p' ? vmmPid : daemonPid;
    const daemon = ioOf(server);
    const vmm = vmmPid === undefined ? undefined : ioOf(vmmPid);
    const used = this.#value<readonly number[]>(`used-${when}`, 'used-index');
    const { rchar, syscr } = this.#result;
    return {
      ...(daemon === undefined ? {} : { daemon }),
      ...(vmm === undefined ? {} : { vmm: { readBytes: vmm.readBytes } }),
      ...(used === undefined ? {} : { usedIndex: used }),
      ...(counted?.deviceSectors === undefined ? {} : { deviceSectors: counted.deviceSectors }),
      // The probe has subtracted already.
      ...(rchar === undefined || syscr === undefined || this.#mapped
        ? {}
        : { reader: when === 'before' ? { rchar: 0, syscr: 0 } : { rchar, syscr } }),
    };
  }
}

import type { Mode } from '../model/mode.ts';
import type { Commitment, Promise as Promised } from '../model/promise.ts';
import { type Cells, columnsOf } from './columns.ts';
import { flags } from './flags.ts';
import type { Condition, Row } from './row.ts';
import { bySize } from './rows/families.ts';
import { oneSuperblock } from './rows/one-superblock.ts';
import { rows } from './rows.ts';
import { isWithin } from './versions.ts';
import { weaker } from './weaker.ts';

/** Program versions by name, as a Setting has them: virtiofsd, qemu, guest-kernel, host-kernel. */
export type Versions = Readonly<Record<string, string>>;

/** The oldest versions whose sources were read. An older one has no rows here. */
const oldest: Versions = { 'guest-kernel': '5.4', virtiofsd: '1.10' };

/**
 * What a scenario promises in a mode; undefined where the contract does not know: a scenario, a flag, a server
 * or a version that nobody has read, or a version that is not known and would make a difference.
 */
export function promiseFor(
  scenario: string,
  mode: Mode | undefined,
  versions: Versions = {},
): Promised | undefined {
  const row = rows.find((each) => each.scenario === scenario);
  if (row === undefined || mode === undefined || !isCovered(mode, versions)) return undefined;
  if (mode.dax === 'inode') {
    // Which files are in DAX state is the server's choice, file by file.
    const [with_, without] = [
      promiseIn(row, { ...mode, dax: 'always' }, versions),
      promiseIn(row, { ...mode, dax: 'never' }, versions),
    ];
    // A row that speaks of nothing but files in DAX state.
    if (Object.keys(row.cells).join() === 'dax') return with_;
    const either =
      with_ === undefined || without === undefined ? undefined : weaker(with_.freshness, without.freshness);
    return either === undefined || with_ === undefined || without === undefined
      ? undefined
      : {
          ...without,
          freshness: either,
          sources: [...new Set([...without.sources, ...with_.sources])],
        };
  }
  return promiseIn(row, mode, versions);
}

function promiseIn(row: Row, mode: Mode, versions: Versions): Promised | undefined {
  const { scenario } = row;
  const { because, sources } =
    mode.server === 'local'
      ? oneSuperblock
      : { because: row.because, sources: sourcesFor(row.sources, mode.server) };
  const own = cellIn(row.cells, row.cells, mode);
  const usual = own === undefined ? undefined : { scenario, freshness: own, because, sources };
  let undecided = false;
  for (const variant of row.variants ?? []) {
    const freshness = cellIn(variant.cells, row.cells, mode);
    const holds = freshness === undefined ? false : isMet(variant.when, mode, versions);
    if (freshness === undefined || holds === false) continue;
    if (holds === undefined) {
      if (usual === undefined || !isSame(freshness, usual.freshness)) undecided = true;
      continue;
    }
    return undecided
      ? undefined
      : {
          scenario,
          freshness,
          because: variant.because ?? because,
          sources: [...sources, ...sourcesFor(variant.sources ?? [], mode.server)],
        };
  }
  return undecided ? undefined : usual;
}

/** The cell of a mode; in the window's column the row itself may refer to the policy. */
function cellIn(cells: Cells, all: Cells, mode: Mode): Commitment | undefined {
  if (mode.dax === 'always') {
    const window =
      cells.dax ?? (cells === all ? undefined : all.dax === 'by-policy' ? 'by-policy' : undefined);
    if (window === 'by-attributes') return cellIn(bySize, bySize, mode);
    if (window !== 'by-policy') return window;
  }
  for (const column of columnsOf(mode)) {
    const cell = cells[column];
    if (cell !== undefined) return cell;
  }
  return undefined;
}

/** Programs that serve one kind of mode: of any other their version says nothing, though it may be known. */
const serves: Readonly<Record<string, Mode['server']>> = { virtiofsd: 'rust', 'c-virtiofsd': 'c' };

/** Whether a condition holds; undefined where a version that it names is not known. */
function isMet(when: Condition, mode: Mode, versions: Versions): boolean | undefined {
  if (when.flag !== undefined && !mode.flags.includes(when.flag)) return false;
  if (when.without !== undefined && mode.flags.includes(when.without)) return false;
  let met: boolean | undefined = true;
  for (const [program, range] of Object.entries(when.versions ?? {})) {
    if ((serves[program] ?? mode.server) !== mode.server) return false;
    const within = isWithin(versions[program], range);
    if (within === false) return false;
    if (within === undefined) met = undefined;
  }
  return met;
}

function isCovered(mode: Mode, versions: Versions): boolean {
  const known = flags[mode.server];
  if (mode.flags.some((flag) => !(flag in known || (flag.split('=')[0] as string) in known))) return false;
  // Only virtiofs has a window.
  if ((mode.server === '9p' || mode.server === 'local') && mode.dax !== undefined) return false;
  if (isWithin(versions['guest-kernel'], { before: oldest['guest-kernel'] as string }) === true) return false;
  // A build that calls itself 0.x is somebody's own: the rows that name no version are what it is held to.
  return !(
    mode.server === 'rust' &&
    isWithin(versions.virtiofsd, { from: '1.0', before: oldest.virtiofsd as string }) === true
  );
}

const speakOf: readonly (readonly [prefix: string, servers: readonly Mode['server'][]])[] = [
  ['virtiofsd ', ['rust']],
  ['QEMU 7.2 tools/virtiofsd', ['c']],
  ['QEMU 10.0 hw/9pfs', ['9p']],
  ['Linux 6.12 fs/fuse', ['rust', 'c']],
  ['Linux 6.12 fs/9p', ['9p']],
  ['Linux 6.12 fs/netfs', ['9p']],
  ['Linux 7.2 fs/9p', ['9p']],
  ['Linux 6.1 fs/9p', ['9p']],
];

/** Those sources of a row that speak of a server. */
function sourcesFor(sources: readonly string[], server: Mode['server']): readonly string[] {
  return sources.filter((source) => {
    const servers = speakOf.find(([prefix]) => source.startsWith(prefix))?.[1];
    return servers === undefined || servers.includes(server);
  });
}

function isSame(a: Commitment, b: Commitment): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}

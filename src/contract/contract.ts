import type { Mode } from '../model/mode.ts';
import type { Promise as Promised } from '../model/promise.ts';
import { type Column, type Row, rows } from './rows.ts';

/** Flags that change no promise of the rows here. Any other flag makes the contract silent. */
const neutralFlags = new Set(['allow-direct-io', 'writeback']);

/**
 * The column of the table that a mode falls into; undefined where the table has none (another server,
 * a flag or a DAX setting that the rows do not cover).
 */
function columnOf(mode: Mode): Column | undefined {
  if (mode.server !== 'rust' || (mode.dax !== undefined && mode.dax !== 'never')) return undefined;
  if (mode.flags.some((flag) => !neutralFlags.has(flag))) return undefined;
  const name = mode.flags.includes('writeback') ? `${mode.cache}+writeback` : mode.cache;
  return isColumn(name) ? name : undefined;
}

const columns: Readonly<Record<Column, true>> = {
  never: true,
  metadata: true,
  auto: true,
  'auto+writeback': true,
  always: true,
  'always+writeback': true,
};

function isColumn(name: string): name is Column {
  return Object.hasOwn(columns, name);
}

/** What a scenario promises in a mode; undefined where the contract does not know. */
export function promiseFor(scenario: string, mode: Mode | undefined): Promised | undefined {
  const row: Row | undefined = rows.find((each) => each.scenario === scenario);
  const column = mode === undefined ? undefined : columnOf(mode);
  const freshness = row === undefined || column === undefined ? undefined : row.cells[column];
  if (row === undefined || freshness === undefined) return undefined;
  return { scenario, freshness, because: row.because, sources: row.sources };
}

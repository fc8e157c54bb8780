/** The rows in words: what the terminal and the generated page both print. */
import { describePromise } from '../model/promise.ts';
import type { Cells, Column } from './columns.ts';
import type { Condition, Row } from './row.ts';
import { describeRange } from './versions.ts';

/** Columns in the order in which tables print them. */
const order: readonly Column[] = [
  'never',
  'never+writeback',
  'metadata',
  'metadata+writeback',
  'auto',
  'auto+writeback',
  'always',
  'always+writeback',
  'c:none',
  'c:none+writeback',
  'c:auto',
  'c:auto+writeback',
  'c:always',
  'c:always+writeback',
  'dax',
  '9p:none',
  '9p:readahead',
  '9p:mmap',
  '9p:loose',
  'local:bind',
];

const named: Readonly<Partial<Record<Column, string>>> = { dax: 'dax=always' };

/** Columns that share a promise, and the promise. */
export interface Line {
  /** `never`, `auto+writeback`, `dax=always`, `9p:mmap`. */
  readonly columns: readonly string[];
  /** `with allow-mmap, guest-kernel from 6.6`; undefined for the row's own cells. */
  readonly condition?: string;
  readonly promise: string;
}

/** A row as lines: its own cells first, then what differs with a flag or a version. */
export function linesOf(row: Row): readonly Line[] {
  return [
    ...grouped(row.cells),
    ...(row.variants ?? []).flatMap(({ when, cells }) => {
      const condition = describeCondition(when);
      return grouped(cells).map((line) => ({ ...line, condition }));
    }),
  ];
}

function grouped(cells: Cells): Line[] {
  const lines = new Map<string, string[]>();
  for (const column of order) {
    const cell = cells[column];
    if (cell === undefined) continue;
    const promise =
      cell === 'by-policy'
        ? 'as the policy without a window'
        : cell === 'by-attributes'
          ? 'as the policy for attributes (host-append/size)'
          : describePromise({ freshness: cell });
    lines.set(promise, [...(lines.get(promise) ?? []), named[column] ?? column]);
  }
  return [...lines].map(([promise, columns]) => ({ columns, promise }));
}

/** A condition in words. */
export function describeCondition({ flag, without, versions }: Condition): string {
  return [
    ...(flag === undefined ? [] : [`with ${flag}`]),
    ...(without === undefined ? [] : [`without ${without}`]),
    ...Object.entries(versions ?? {}).map(([program, range]) => `${program} ${describeRange(range)}`),
  ].join(', ');
}

import { printable } from '../printable.ts';
import { formatBytes } from '../quantities.ts';
import { isLedger, LedgerBlock } from './ledger.tsx';
import { Mark } from './mark.tsx';
import type { Look } from './words.ts';

const maxItems = 60;
const maxText = 2000;
const maxDepth = 6;

/**
 * Evidence in a shape of the check's own: lists of like things as tables, ranges in hexadecimal, the rest by
 * name. Bounded: the JSON holds all of it.
 */
export function Anything({ value, depth = 0 }: { value: unknown; depth?: number }) {
  if (isLedger(value)) return <LedgerBlock ledger={value} />;
  if (Array.isArray(value)) return <Items items={value} depth={depth} />;
  if (typeof value === 'object' && value !== null) return <Members value={value} depth={depth} />;
  return (
    <span class={typeof value === 'number' ? 'number' : undefined}>
      {isLook(value) ? <Mark look={value} /> : null} {scalarText(value)}
    </span>
  );
}

/** A verdict's word among a check's own evidence. */
function isLook(value: unknown): value is Look {
  return value === 'pass' || value === 'fail' || value === 'unknown' || value === 'skip';
}

function scalarText(value: unknown): string {
  if (typeof value === 'number')
    return Number.isInteger(value) ? value.toLocaleString('en-US') : String(value);
  const text = printable(String(value));
  return text.length > maxText ? `${text.slice(0, maxText)}…` : text;
}

function Members({ value, depth }: { value: object; depth: number }) {
  if (depth > maxDepth) return <span>…</span>;
  const members = membersOf(value);
  return (
    <dl class="told own">
      {members.slice(0, maxItems).map(([name, each]) => (
        <div>
          <dt>{memberName(name)}</dt>
          <dd>
            <Anything value={each} depth={depth + 1} />
          </dd>
        </div>
      ))}
      <More shown={maxItems} all={members.length} />
    </dl>
  );
}

/** A range's two ends are one member. */
function membersOf(value: object): [string, unknown][] {
  const members = Object.entries(value).filter(([, each]) => each !== undefined);
  if (!isRange(value)) return members;
  const rest = members.filter(([name]) => name !== 'offset' && name !== 'length');
  return [['range', `${rangeText(value)} (${formatBytes(value.length)})`], ...rest];
}

function isRange(value: object): value is { offset: number; length: number } {
  const { offset, length } = value as Flat;
  return typeof offset === 'number' && typeof length === 'number';
}

/** `boundMs` → `bound ms`. */
function memberName(name: string): string {
  return printable(
    name.replaceAll(/([a-z\d])([A-Z])/g, (_, end: string, start: string) => `${end} ${start.toLowerCase()}`),
  );
}

function Items({ items, depth }: { items: readonly unknown[]; depth: number }) {
  if (items.length === 0) return <span>none</span>;
  if (depth > maxDepth) return <span>…</span>;
  const shown = items.slice(0, maxItems);
  if (shown.every((item) => isFlat(item))) return <Rows rows={shown} all={items.length} depth={depth} />;
  if (shown.every((item) => typeof item !== 'object' || item === null))
    return (
      <>
        {shown.map(scalarText).join(', ')}
        <More shown={shown.length} all={items.length} />
      </>
    );
  return (
    <ol class="items">
      {shown.map((item) => (
        <li>
          <Anything value={item} depth={depth + 1} />
        </li>
      ))}
      <More shown={shown.length} all={items.length} />
    </ol>
  );
}

type Flat = Readonly<Record<string, unknown>>;

/** An object of few members, none of which is an object with members of its own. */
function isFlat(item: unknown): item is Flat {
  if (typeof item !== 'object' || item === null || Array.isArray(item) || isLedger(item)) return false;
  const values = Object.values(item);
  return values.length <= 8 && values.every((value) => typeof value !== 'object' || value === null);
}

function Rows({ rows, all, depth }: { rows: readonly Flat[]; all: number; depth: number }) {
  const isRanges = rows.every(isRange);
  const columns = [...new Set(rows.flatMap((row) => Object.keys(row)))].filter(
    (name) => !isRanges || (name !== 'offset' && name !== 'length'),
  );
  return (
    <div class="scrolls">
      <table class="rows">
        <thead>
          <tr>
            {isRanges ? <th scope="col">range</th> : null}
            {isRanges ? <th scope="col">length</th> : null}
            {columns.map((name) => (
              <th scope="col">{memberName(name)}</th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <tr>
              {isRanges ? <td class="name">{isRange(row) ? rangeText(row) : ''}</td> : null}
              {isRanges ? <td class="number">{formatBytes(Number(row.length))}</td> : null}
              {columns.map((name) => (
                <td>{row[name] === undefined ? '' : <Anything value={row[name]} depth={depth + 1} />}</td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
      <More shown={rows.length} all={all} />
    </div>
  );
}

/** Both ends included. */
function rangeText({ offset, length }: { offset: number; length: number }): string {
  const hex = (at: number) => `0x${at.toString(16)}`;
  return length > 1 ? `${hex(offset)}–${hex(offset + length - 1)}` : hex(offset);
}

function More({ shown, all }: { shown: number; all: number }) {
  if (all <= shown) return null;
  return <span class="note"> … and {(all - shown).toLocaleString('en-US')} more, in the JSON.</span>;
}

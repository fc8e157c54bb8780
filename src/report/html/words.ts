import type { GuestRow, Report, Result } from '../../model/report.ts';
import type { Verdict, VerdictKind } from '../../model/verdict.ts';
import { printable } from '../printable.ts';
import { count } from '../quantities.ts';

/** What a mark or a cell looks like: a verdict's kind, with the two passes and the two fails told apart. */
export type Look = VerdictKind | 'stale' | 'known';

export function lookOf({ kind, stale }: Pick<Verdict, 'kind' | 'stale'>, known = false): Look {
  if (kind === 'pass') return stale === true ? 'stale' : 'pass';
  return kind === 'fail' && known ? 'known' : kind;
}

/** A cell's or a case's own word: never colour or a symbol alone. */
export const lookWords: Readonly<Record<Look, string>> = {
  pass: 'pass',
  stale: 'pass · stale',
  fail: 'FAIL',
  known: 'FAIL · known',
  unknown: 'unknown',
  skip: 'skip',
};

export const lookMeanings: Readonly<Record<Look, string>> = {
  pass: 'the promise was kept',
  stale: 'kept; staleness that the mode permits was seen',
  fail: 'a promise was broken',
  known: 'broken, and a known defect',
  unknown: 'it applies, and could not be told',
  skip: 'does not apply here',
};

/** Behind a number of cases. */
export const tallyWords: Readonly<Record<Look, string>> = {
  pass: 'kept',
  stale: 'kept, with staleness that the mode permits',
  fail: 'broken',
  known: 'broken as known',
  unknown: 'could not be told',
  skip: 'not applicable',
};

/** From the worst to the best. */
export const looks: readonly Look[] = ['fail', 'known', 'unknown', 'stale', 'pass', 'skip'];

/** What each result is called in an address: `#host-append.auto`; of several guests `#web.host-append.auto`. */
export function anchorsOf({ results }: Report): ReadonlyMap<Result, string> {
  return addressed(results, ({ guest, check, mode }) =>
    [...(guest === undefined ? [] : [guest]), check, mode].join('.'),
  );
}

/** What each guest is called in an address: `#guest.web`. */
export function guestAnchorsOf({ guests = [] }: Report): ReadonlyMap<GuestRow, string> {
  return addressed(guests, ({ guest }) => `guest.${guest}`);
}

/** What addresses may hold, with a number behind it where it is taken. */
function addressed<T>(all: readonly T[], nameOf: (each: T) => string): ReadonlyMap<T, string> {
  const taken = new Set<string>();
  return new Map(
    all.map((each) => {
      const plain = nameOf(each).replaceAll(/[^\w.:+=-]/g, '_');
      let anchor = plain;
      for (let number = 2; taken.has(anchor); number += 1) anchor = `${plain}-${number}`;
      taken.add(anchor);
      return [each, anchor];
    }),
  );
}

/** Several results of a check are told together: `holes in auto, always; md5`, without modes where it is all of them. */
export function placesOf(results: readonly Result[], all: readonly Result[]): string {
  const checks = [...new Set(results.map(({ check }) => check))];
  const told = checks.slice(0, maxChecksTold).map((check) => {
    const modesIn = (some: readonly Result[]) =>
      some.flatMap((each) => (each.check === check && each.mode !== 'unknown' ? [each.mode] : []));
    const modes = modesIn(results);
    const isAll = modes.length > 2 && modes.length === modesIn(all).length;
    return modes.length === 0 ? check : `${check} in ${isAll ? 'every mode' : modes.join(', ')}`;
  });
  const more = checks.length - told.length;
  return printable(told.join('; ')) + (more > 0 ? ` and ${count(more, 'more check')}` : '');
}

const maxChecksTold = 5;

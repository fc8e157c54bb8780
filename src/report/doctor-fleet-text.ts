import type { Ability, GroundFact, GroundOfMany, GuestGround } from '../model/ground.ts';
import type { VerdictKind } from '../model/verdict.ts';
import { padTo, type Style, wrapped } from './layout.ts';
import { paintFor } from './paint.ts';
import { printable } from './printable.ts';
import { count } from './quantities.ts';

/** In the order in which they are shown: where the least can be done first. */
const kinds: Readonly<Record<Ability['can'], VerdictKind>> = {
  no: 'fail',
  'in part': 'unknown',
  yes: 'pass',
};
const cans = Object.keys(kinds) as Ability['can'][];

/** A row for each guest: what can be verified there, why not more, and what would help most. */
export function renderDoctorOfMany({ guests }: GroundOfMany, style: Style): string {
  const paint = paintFor(style.color);
  const sorted = cans.flatMap((can) => guests.filter((each) => canOf(each) === can));
  const first = ' '.repeat(11);
  const lines = sorted.flatMap((each) => {
    const can = canOf(each);
    return [
      `  ${paint.verdict(kinds[can], padTo(can, 7))}  ${printable(each.guest)}`,
      ...reasons(each).flatMap((line) => wrapped(printable(line), { width: style.width, first })),
      ...cures(each).flatMap((line) => wrapped(printable(line), { width: style.width, first: `${first}→ ` })),
    ];
  });
  const [worst] = sorted;
  const next =
    worst === undefined || canOf(worst) === 'yes'
      ? []
      : ['', ...wrapped(nextWords(worst), { width: style.width, first: 'next: ' })];
  return `${[...wrapped(answer(guests), { width: style.width }), '', ...lines, ...next].join('\n')}\n`;
}

function nextWords({ guest }: GuestGround): string {
  return `vfs-verify doctor with --guest ${printable(guest)} alone tells all that was seen`;
}

/** What one guest can do, over all commands. */
function canOf({ abilities }: GuestGround): Ability['can'] {
  if (abilities.every(({ can }) => can === 'no')) return 'no';
  return abilities.every(({ can }) => can === 'yes') ? 'yes' : 'in part';
}

const words: Readonly<Record<Ability['can'], string>> = {
  no: 'nothing can be verified',
  'in part': 'something cannot',
  yes: 'everything can be verified',
};

function answer(guests: readonly GuestGround[]): string {
  const told = [...cans].reverse().flatMap((can) => {
    const number = guests.filter((each) => canOf(each) === can).length;
    return number === 0 ? [] : [`in ${number} ${words[can]}`];
  });
  return `Of ${count(guests.length, 'guest')}: ${told.join(', ')}.`;
}

/** Each reason once, with the commands that it is of. */
function reasons({ trouble, abilities, places }: GuestGround): readonly string[] {
  if (trouble !== undefined) return [trouble.reason];
  const lesser = abilities.filter(({ can }) => can !== 'yes');
  // Where all is missing for one reason, the fact behind it says more than each command's words.
  const [missing] = factsOf(places, 'missing');
  if (lesser.length === abilities.length && missing !== undefined) return [missing.said];
  return [...new Set(lesser.map(({ why }) => why ?? ''))].map((why) => {
    const own = lesser.filter((each) => (each.why ?? '') === why);
    return `${own.map(({ command }) => command).join(', ')}: ${why}`;
  });
}

/** What helps most: what is missing comes before what is less. */
function cures(guest: GuestGround): readonly string[] {
  if (guest.trouble !== undefined) return [guest.trouble.next];
  if (canOf(guest) === 'yes') return [];
  const facts = [...factsOf(guest.places, 'missing'), ...factsOf(guest.places, 'limited')];
  return facts.flatMap(({ cure }) => cure ?? []).slice(0, 1);
}

function factsOf(places: GuestGround['places'], state: GroundFact['state']): readonly GroundFact[] {
  return places.flatMap(({ facts }) => facts.filter((fact) => fact.state === state));
}

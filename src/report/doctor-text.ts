import type { Ability, Ground, GroundFact, GroundPlace } from '../model/ground.ts';
import type { VerdictKind } from '../model/verdict.ts';
import { padTo, type Style, wrapped } from './layout.ts';
import { paintFor } from './paint.ts';
import { printable } from './printable.ts';

/** What can be verified here, then what was seen of each place, then, where something cannot, the first thing to do. */
export function renderDoctor({ abilities, places }: Ground, style: Style): string {
  const lines = [
    ...wrapped(answer(abilities), { width: style.width }),
    ...(abilities.every(({ can }) => can === 'no')
      ? []
      : ['', ...abilities.flatMap((each) => abilityLines(each, style))]),
    ...places.flatMap((each) => ['', ...placeLines(each, style)]),
    ...(abilities.every(({ can }) => can === 'yes') ? [] : nextLines(places, style)),
  ];
  return `${lines.join('\n')}\n`;
}

function answer(abilities: readonly Ability[]): string {
  const of = (can: Ability['can']) =>
    abilities.filter((each) => each.can === can).map(({ command }) => command);
  const [yes, part, no] = [of('yes'), of('in part'), of('no')];
  if (yes.length === abilities.length) return 'Everything can be verified here.';
  if (no.length === abilities.length)
    return `Nothing can be verified here: ${abilities[0]?.why ?? 'see below'}.`;
  const parts = [
    ...(yes.length === 0 ? [] : [`can be done here: ${yes.join(', ')}`]),
    ...(part.length === 0 ? [] : [`in part: ${part.join(', ')}`]),
    ...(no.length === 0 ? [] : [`not: ${no.join(', ')}`]),
  ];
  const text = parts.join('; ');
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;
}

function abilityLines({ command, can, why }: Ability, { width }: Style): string[] {
  const first = `  ${padTo(command, 20)}${padTo(can, 9)}`;
  return why === undefined ? [first.trimEnd()] : wrapped(printable(why), { width, first });
}

const kinds: Readonly<Record<GroundFact['state'], VerdictKind>> = {
  ok: 'pass',
  limited: 'unknown',
  missing: 'fail',
};

function placeLines({ where, name, facts }: GroundPlace, style: Style): string[] {
  const paint = paintFor(style.color);
  return [
    `${where.padEnd(6)} ${printable(name)}`,
    ...facts.flatMap(({ about, state, said, cure }) => {
      const [head = '', ...more] = wrapped(printable(said), {
        width: style.width,
        first: `  ${padTo(about, 13)}${padTo(state, 9)}`,
      });
      return [
        state === 'ok' ? head : head.replace(` ${state} `, ` ${paint.verdict(kinds[state], state)} `),
        ...more,
        ...(cure === undefined
          ? []
          : wrapped(printable(cure), { width: style.width, first: `${' '.repeat(24)}→ ` })),
      ];
    }),
  ];
}

/** What is missing comes before what is less. */
function nextLines(places: readonly GroundPlace[], { width }: Style): string[] {
  const facts = places.flatMap((each) => each.facts).filter(({ cure }) => cure !== undefined);
  const first =
    facts.find(({ state }) => state === 'missing') ?? facts.find(({ state }) => state === 'limited');
  if (first?.cure === undefined) return [];
  return ['', ...wrapped(printable(first.cure), { width, first: 'next: ' })];
}

import { allModes, labModes } from '../model/mode.ts';
import { padTo, wrapped } from '../report/layout.ts';
import { printable } from '../report/printable.ts';
import { count } from '../report/quantities.ts';
import { type CheckFacts, describeCheck } from '../run/describe.ts';
import { loadAll } from './load-all.ts';
import { styleOf } from './print.ts';

/** `vfs-verify list`: the checks, how many cases they have, in which modes, and what they need. */
export async function list(flags: { readonly checks?: string; readonly json?: boolean }): Promise<void> {
  const loaded = await loadAll(flags.checks);
  const told = loaded.map(({ check, file }) => ({ ...describeCheck(check), file }));
  if (flags.json === true) {
    process.stdout.write(`${JSON.stringify(told, undefined, 2)}\n`);
    return;
  }
  const { width } = styleOf(process.stdout);
  const name = Math.max(...told.map((each) => each.name.length)) + 2;
  const lines = told.flatMap((each) => [
    ...wrapped(printable(each.title), { width, first: padTo(each.name, name) }),
    ...wrapped(printable(detailsOf(each)), { width, first: ' '.repeat(name) }),
  ]);
  const others = allModes.filter((mode) => !labModes.includes(mode));
  const cases = told.reduce((sum, each) => sum + each.cases.length, 0);
  process.stdout.write(
    `${lines.join('\n')}\n\n${count(told.length, 'check')}, ${count(cases, 'case')} in a mode that has all; modes of a lab: ${labModes.join(', ')}; with --modes all also ${others.join(', ')}\n`,
  );
}

/** `9 cases; modes: all; needs: writable, host-root; 2 alone` */
function detailsOf({ cases, modes }: CheckFacts): string {
  const needs = [...new Set(cases.flatMap((each) => each.needs))];
  const of = (...isolations: string[]) => cases.filter((each) => isolations.includes(each.isolation)).length;
  const [alone, own] = [of('exclusive', 'exclusive-share'), of('own-share', 'own-vm')];
  return [
    count(cases.length, 'case'),
    `modes: ${modes.length === labModes.length ? 'all' : modes.join(', ')}`,
    ...(needs.length === 0 ? [] : [`needs: ${needs.join(', ')}`]),
    ...(alone === 0 ? [] : [`${alone} run alone`]),
    ...(own === 0 ? [] : [`${own} on a machine of their own`]),
  ].join('; ');
}

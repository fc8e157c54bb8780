import { rows } from '../contract/rows.ts';
import { KnownError } from '../model/error.ts';
import { describePromise } from '../model/promise.ts';
import { padTo, wrapped } from '../report/layout.ts';
import { styleOf } from './print.ts';

/** `vfs-verify contract [SCENARIO]`: what each mode promises, and where that is written. */
export async function contract(
  scenario: string | undefined,
  flags: { readonly json?: boolean },
): Promise<void> {
  const chosen =
    scenario === undefined
      ? rows
      : rows.filter((row) => row.scenario === scenario || row.scenario.startsWith(`${scenario}/`));
  if (chosen.length === 0)
    throw new KnownError(
      'no-such-scenario',
      `the contract has no scenario "${scenario}"`,
      'vfs-verify contract shows all of them.',
    );
  if (flags.json === true) {
    process.stdout.write(`${JSON.stringify(chosen, undefined, 2)}\n`);
    return;
  }
  const { width } = styleOf(process.stdout);
  const blocks = chosen.map((row) => {
    const promises = Object.entries(row.cells).map(
      ([mode, freshness]) =>
        `  ${padTo(mode, 18)}${freshness === 'by-policy' ? 'as the policy' : describePromise({ freshness })}`,
    );
    const why = [
      ...wrapped(row.because, { width, first: '  why     ' }),
      ...wrapped(row.sources.join('; '), { width, first: '  source  ' }),
    ];
    return [row.scenario, ...wrapped(row.title, { width, first: '  ' }), ...promises, ...why].join('\n');
  });
  process.stdout.write(`${blocks.join('\n\n')}\n`);
}

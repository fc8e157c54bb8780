import { KnownError } from '../model/error.ts';
import { judgeBundle } from '../run/judge.ts';
import { type Reproducible, reproScript } from '../run/repro/script.ts';
import { bundlesAt } from './bundles.ts';
import { loadAll } from './load-all.ts';

/** `vfs-verify repro BUNDLE`: the failing case as a script for a bug report, without vfs-verify. */
export async function repro(
  given: string,
  flags: { readonly case?: string; readonly checks?: string },
): Promise<void> {
  const loaded = await loadAll(flags.checks);
  for (const { directory, bundle } of await bundlesAt(given)) {
    const check = loaded.find((each) => each.check.name === bundle.check)?.check;
    if (check === undefined) continue;
    const { cases } = await judgeBundle(directory, bundle, check);
    const index = cases.findIndex(({ name, verdict }) =>
      flags.case === undefined ? verdict.kind === 'fail' : isNamed(flags.case, bundle.check, name),
    );
    const [record, found] = [bundle.cases[index], cases[index]];
    if (record === undefined || found === undefined) continue;
    const what: Reproducible = {
      check: bundle.check,
      setting: bundle.setting,
      record,
      verdict: found.verdict,
    };
    process.stdout.write(reproScript(what));
    return;
  }
  throw new KnownError(
    'no-such-case',
    flags.case === undefined ? `nothing failed in ${given}` : `${given} holds no case "${flags.case}"`,
    'Name a case of that evidence: --case NAME or --case CHECK/NAME.',
  );
}

/** By its own name, or with its check's. */
function isNamed(asked: string, check: string, name: string): boolean {
  return asked === name || asked === `${check}/${name}`;
}

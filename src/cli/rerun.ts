import { shellWord } from '../model/shell-word.ts';
import type { CheckFlags } from './check-flags.ts';
import { programWords } from './run-lab.ts';

/** The one command that runs one case again, with its seed. */
export function rerunCommand(
  what: { readonly check: string; readonly case: string; readonly mode: string | undefined },
  where: { readonly lab: string | undefined; readonly seed: number },
  flags: CheckFlags,
): string {
  const { lab, seed } = where;
  const sides =
    flags.guest === undefined
      ? [lab === 'default' || flags.ownLab === true ? '--lab' : `--lab=${lab}`, ...programWords(flags)]
      : [
          '--guest',
          flags.guest,
          ...(flags.host === 'local' ? [] : ['--host', flags.host]),
          ...(flags.map ?? []).flatMap((each) => ['--map', each]),
          ...(flags.mode === undefined ? [] : ['--mode', flags.mode]),
        ];
  return [
    'vfs-verify',
    'check',
    `${what.check}/${what.case}`,
    ...sides,
    ...((flags.guest === undefined || flags.via !== undefined) && what.mode !== undefined
      ? ['--modes', what.mode]
      : []),
    ...(flags.via === undefined ? [] : ['--via', flags.via]),
    ...(flags.restartGuest === true ? ['--restart-guest'] : []),
    ...(flags.checks === undefined ? [] : ['--checks', flags.checks]),
    ...(flags.systemWide === true ? ['--system-wide'] : []),
    '--seed',
    seed.toString(16),
  ]
    .map(shellWord)
    .join(' ');
}

import { writeFile } from 'node:fs/promises';
import type { LabInfo } from '../../src/lab/info.ts';
import { parseMode } from '../../src/model/mode.ts';

/**
 * A virtiofsd that serves another mode than it was told to: a script that replaces the words of the mode in
 * its arguments, given as `--virtiofsd` as a build under test would be.
 * @param file where the script goes.
 * @param honest a lab that was up, for the daemon's own command line.
 * @param served the mode it is told → the mode that it serves; every other mode is served as told.
 */
export async function writeRewritingDaemon(
  file: string,
  honest: LabInfo,
  served: Readonly<Record<string, string>>,
): Promise<void> {
  const daemon = (honest.programs.virtiofsd?.argv ?? []).map((word) => `'${word}'`).join(' ');
  const branches = Object.entries(served).map(
    ([told, name]) => `  ${told}) exec ${daemon} "$@" ${optionsOf(name)} ;;`,
  );
  const script = `#!/bin/sh
told=
words=
for word do
  shift
  case $word in
    --cache=*) told="\${word#--cache=}$told"; words="$words $word" ;;
    --writeback | --allow-direct-io | --allow-mmap) told="$told+\${word#--}"; words="$words $word" ;;
    *) set -- "$@" "$word" ;;
  esac
done
case $told in
${branches.join('\n')}
  *) exec ${daemon} "$@" $words ;;
esac
`;
  await writeFile(file, script, { mode: 0o755 });
}

function optionsOf(name: string): string {
  const { cache, flags } = parseMode(name);
  return [`--cache=${cache}`, ...flags.map((flag) => `--${flag}`)].join(' ');
}

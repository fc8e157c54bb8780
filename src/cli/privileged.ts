import { privilegedDeeds } from '../ground/privileged.ts';
import { wrapped } from '../report/layout.ts';
import { styleOf } from './print.ts';

/** `--print-privileged`: what a command would do as root, and on which side; nothing is done. */
export function printPrivileged(command: string, flags: Readonly<Record<string, unknown>>): void {
  const { width } = styleOf(process.stdout);
  const deeds = privilegedDeeds(command, flags);
  const lines = deeds.flatMap(({ sides, does, why, without, bySudo }) => [
    `${sides.join(' and ')}   ${does}`,
    ...wrapped(why, { width, first: '  for       ' }),
    ...wrapped(without, { width, first: '  without   ' }),
    ...(bySudo
      ? []
      : wrapped('--sudo does not do it: log in there as root', { width, first: '  how       ' })),
  ]);
  process.stdout.write(
    lines.length === 0 ? `vfs-verify ${command} does nothing as root.\n` : `${lines.join('\n')}\n`,
  );
}

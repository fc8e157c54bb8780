import { userInfo } from 'node:os';
import { type PrivilegedDeed, privilegedDeeds } from '../ground/privileged.ts';
import { shellWord } from '../model/shell-word.ts';
import { builtProbes, localArch } from '../probe/binaries.ts';
import { installedPath, privilegedCommand } from '../probe/by-sudo.ts';
import { wrapped } from '../report/layout.ts';
import { styleOf } from './print.ts';

/** `--print-privileged`: what a command would do as root, and on which side; nothing is done. */
export async function printPrivileged(
  command: string,
  flags: Readonly<Record<string, unknown>>,
): Promise<void> {
  const { width } = styleOf(process.stdout);
  const deeds = privilegedDeeds(command, flags);
  const lines = deeds.flatMap(({ sides, does, why, without, by }) => [
    `${sides.join(' and ')}   ${does}`,
    ...wrapped(why, { width, first: '  for       ' }),
    ...wrapped(without, { width, first: '  without   ' }),
    ...hows[by].flatMap((how) => wrapped(how, { width, first: '  how       ' })),
  ]);
  const rules = await ruleLines(deeds, flags);
  process.stdout.write(
    lines.length === 0
      ? `vfs-verify ${command} does nothing as root.\n`
      : `${[...lines, ...rules].join('\n')}\n`,
  );
}

const hows: Readonly<Record<PrivilegedDeed['by'], readonly string[]>> = {
  probe: [],
  shell: ['by a shell: the rule below does not do for it'],
  login: ['--sudo does not do it: log in there as root'],
};

/** What sudo is told so that it does no more than that: as it is, a file of /etc/sudoers.d. */
async function ruleLines(
  deeds: readonly PrivilegedDeed[],
  flags: Readonly<Record<string, unknown>>,
): Promise<readonly string[]> {
  const sides = new Set(deeds.flatMap((deed) => (deed.by === 'probe' ? deed.sides : [])));
  // What a machine elsewhere is, is known once it is reached.
  const isHere = [...sides].every((side) => flags[side] === 'local');
  const probes = [...(await builtProbes())].filter(([arch]) => !isHere || arch === localArch);
  if (sides.size === 0 || probes.length === 0) return [];
  const rules = await Promise.all(
    probes.map(async ([arch, built]) => {
      const installed = await installedPath(built);
      return [
        `# ${arch}: sudo install -D -m 755 ${shellWord(built)} ${installed}`,
        `${ruleUser()} ALL=(root) NOPASSWD: ${privilegedCommand(installed).join(' ')}`,
      ];
    }),
  );
  const head = `# For sudoers(5), on: ${[...sides].join(', ')}. The program is put where only root can change it, once.`;
  return ['', head, ...rules.flat()];
}

/** Who asks here, as sudoers calls him; root asks for somebody else. */
function ruleUser(): string {
  const uid = process.getuid?.();
  if (uid === 0) return 'USER';
  try {
    return userInfo().username;
  } catch {
    return `#${uid}`;
  }
}

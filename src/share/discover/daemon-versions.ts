import type { Endpoint } from '../../endpoint/endpoint.ts';
import { type DaemonKind, kindOfDaemon, programOfWords, serverOfKind } from '../daemon-kind.ts';
import { modeOfWords } from '../daemon-words.ts';
import type { Machine, MachineShare } from './machines.ts';

/**
 * Asks the daemons of these machines which implementation and version they are (`--version`): the Rust one takes
 * the C one's words too, so that only then the mode is sure. A program is asked only where root or we ourselves
 * started it, since asking is running it.
 */
export async function withVersions(
  machines: readonly Machine[],
  host: Endpoint,
  ownUid: number | undefined,
): Promise<readonly Machine[]> {
  const kinds = new Map<string, Promise<DaemonKind | undefined>>();
  const kindOf = (argv: readonly string[]) => {
    const program = programOfWords(argv);
    const key = program.join('\0');
    const kind = kinds.get(key) ?? kindOfDaemon(host, program);
    kinds.set(key, kind);
    return kind;
  };
  const named = async (share: MachineShare): Promise<MachineShare> => {
    const { started } = share;
    if (started === undefined || (started.uid !== 0 && started.uid !== ownUid)) return share;
    const kind = await kindOf(started.argv);
    return { ...share, ...serverOfKind(kind), mode: modeOfWords(started.argv, kind?.server) };
  };
  return Promise.all(
    machines.map(async (each) => ({ ...each, shares: await Promise.all(each.shares.map(named)) })),
  );
}

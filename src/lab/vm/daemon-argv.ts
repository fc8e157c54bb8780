import { backendProgram } from './backend.ts';
import { cVirtiofsdOptions, type DaemonShare, virtiofsdOptions, windowOptions } from './shares.ts';

/** What the daemons of a lab are run from, and what they serve. */
export interface DaemonGround {
  readonly virtiofsd: readonly string[];
  /** Undefined where there is none: then no share is in one of its modes. */
  readonly cVirtiofsd: readonly string[] | undefined;
  readonly hostDir: string;
  /** QEMU runs with the library that lets it map files of any length. */
  readonly mapsPastEnd: boolean;
}

/**
 * The command line of a share's daemon.
 * @throws KnownError `program-missing`.
 */
export function daemonArgv(share: DaemonShare, ground: DaemonGround): string[] {
  const { mode, socket } = share;
  const { virtiofsd, cVirtiofsd = [], hostDir, mapsPastEnd } = ground;
  if (mode.server === 'c') return [...cVirtiofsd, ...cVirtiofsdOptions(mode, socket, hostDir)];
  return [
    ...(mode.dax === undefined ? virtiofsd : [backendProgram()]),
    ...virtiofsdOptions(mode, socket, hostDir),
    ...windowOptions(share, mapsPastEnd),
  ];
}

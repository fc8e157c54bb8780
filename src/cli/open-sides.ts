import type { Endpoint } from '../endpoint/endpoint.ts';
import { localEndpoint } from '../endpoint/local.ts';
import { openEndpoint } from '../endpoint/open.ts';
import { connectSsh } from '../endpoint/ssh.ts';
import type { LabInfo } from '../lab/info.ts';
import { KnownError } from '../model/error.ts';
import type { SideFlags } from './sides.ts';

/** Connects to the guest. */
export async function openGuest(flags: SideFlags, lab: LabInfo | undefined): Promise<Endpoint> {
  return lab === undefined
    ? openEndpoint(flags.guest ?? '', options(flags))
    : connectSsh({ ...lab.ssh, strict: true });
}

/** Connects to the host. */
export async function openHost(flags: SideFlags): Promise<Endpoint> {
  return flags.host === 'local' ? localEndpoint() : openEndpoint(flags.host, options(flags));
}

function options(flags: SideFlags): { acceptNewHostKey?: boolean } {
  return flags.acceptNewHostKey === undefined ? {} : { acceptNewHostKey: flags.acceptNewHostKey };
}

/**
 * Whether `--sudo` is for this side.
 * @throws KnownError `bad-flag`
 */
export function hasSudo({ sudo }: SideFlags, side: 'host' | 'guest'): boolean {
  if (sudo === undefined || sudo === 'both' || sudo === side) return sudo !== undefined;
  if (sudo === 'host' || sudo === 'guest') return false;
  throw new KnownError('bad-flag', `--sudo ${sudo} is not known`, 'Use host, guest or both.');
}

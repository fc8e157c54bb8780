import type { Endpoint } from '../../endpoint/endpoint.ts';
import { KnownError } from '../../model/error.ts';
import { addressesOf } from '../libvirt/shares.ts';
import type { Machine } from './machines.ts';

/**
 * How ssh may reach a machine's guest, as `--guest` takes it: by a port of this host that QEMU forwards, else by
 * the addresses that libvirt knows. None is tried. A port of another host's own loopback leads nowhere from here.
 */
export async function waysInto(machine: Machine, host: Endpoint): Promise<readonly string[]> {
  const forwarded =
    host.kind === 'local'
      ? machine.sshForwards.map(({ host: at, port }) => `ssh://${bracketed(at)}:${port}`)
      : [];
  if (forwarded.length > 0 || !machine.ofLibvirt || machine.name === undefined) return forwarded;
  try {
    const addresses = await addressesOf({ host, uri: undefined }, machine.name);
    return addresses.map((each) => `ssh://${bracketed(each)}`);
  } catch (error) {
    if (error instanceof KnownError) return [];
    throw error;
  }
}

function bracketed(address: string): string {
  return address.includes(':') ? `[${address}]` : address;
}

import type { DomainShareFound } from '../libvirt/shares.ts';
import type { Machine } from './machines.ts';

/**
 * What the processes do not show, libvirt may: it gives its daemons a descriptor in place of an address, and only
 * root sees whose that is. What was seen of a process stands.
 */
export function withDomains(
  machines: readonly Machine[],
  domains: readonly DomainShareFound[],
): readonly Machine[] {
  return machines.map((machine) => ({
    ...machine,
    shares: machine.shares.map((share) => {
      const described = domains.find(
        ({ uuid, tag, type }) =>
          uuid.toLowerCase() === machine.uuid && tag === share.tag && type === share.type,
      );
      if (described === undefined || share.hostDir !== undefined) return share;
      const { domain: _, uuid: __, ...served } = described;
      return { ...share, ...served };
    }),
  }));
}

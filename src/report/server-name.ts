/** Who answers the guest, where it is no daemon of its own. */
export type Server = 'qemu' | undefined;

/** As sentences have it. */
export function serverName(server: Server): string {
  return server === 'qemu' ? 'QEMU' : 'the daemon';
}

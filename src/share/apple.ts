import type { Endpoint } from '../endpoint/endpoint.ts';

/** With what the shell itself has: a guest need not have more. */
const script = 'read -r name </sys/class/dmi/id/product_name && printf "%s\\n" "$name"';

/**
 * Whether a guest is a machine of Apple's Virtualization.framework (Lima's and Colima's vz, podman machine's
 * applehv), by what its firmware says. Its file system device is served by the framework itself: there is no
 * virtiofsd, no option of one, and nothing outside the guest that says what is cached there.
 */
export async function isAppleMachine(guest: Endpoint): Promise<boolean> {
  const { stdout } = await guest.exec(['sh', '-c', script]);
  return /^Apple Virtualization/.test(stdout.trim());
}

/** Why the mode of such a machine's virtiofs is not known. */
export const appleModeHow =
  "not known: Apple's Virtualization.framework serves it, which does not say what it lets the guest cache";

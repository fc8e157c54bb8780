import type { Endpoint } from '../../endpoint/endpoint.ts';

/**
 * The machine's UUID as the guest has it from its firmware, in lower case; one before SMBIOS 2.6 has the first
 * three parts turned round, so that both are given. None where the guest does not tell: it takes root there.
 */
export async function uuidsOfGuest(guest: Endpoint): Promise<readonly string[]> {
  const { status, stdout } = await guest.exec(['cat', '/sys/class/dmi/id/product_uuid']);
  const uuid = stdout.trim().toLowerCase();
  if (status !== 0 || !/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(uuid)) return [];
  const [a = '', b = '', c = '', ...rest] = uuid.split('-');
  return [uuid, [turned(a), turned(b), turned(c), ...rest].join('-')];
}

function turned(hex: string): string {
  return (hex.match(/../g) ?? []).reverse().join('');
}

import type { Row } from './row.ts';
import { attributeRows } from './rows/attributes.ts';
import { daxRows } from './rows/dax.ts';
import { durability } from './rows/durability.ts';
import { guestWrites } from './rows/guest-writes.ts';
import { hostWrites } from './rows/host-writes.ts';
import { inOneGuest } from './rows/in-one-guest.ts';
import { locks } from './rows/locks.ts';
import { names } from './rows/names.ts';
import { withLocal } from './rows/one-superblock.ts';
import { setUserIdRows } from './rows/set-user-id.ts';

/** What the contract knows. Every judge asks for a scenario by its name; a name that is not here is unknown. */
export const rows: readonly Row[] = [
  ...guestWrites,
  ...hostWrites,
  ...inOneGuest,
  ...attributeRows,
  ...setUserIdRows,
  ...names,
  ...locks,
  ...durability,
  ...daxRows,
].map(withLocal);

import { KnownError } from '../model/error.ts';
import type { LabGuest, LabInfo } from './info.ts';
import { ownerOf } from './places.ts';
import { type LabStatus, labList, labStatus, missingParts } from './status.ts';

/**
 * The lab to use. By name: that one, if its guest runs. Without: the only one that is up, or of several the
 * one called `default`; undefined if none is up.
 * @throws KnownError `no-lab` (the named one is not up), `lab-broken`, `several-labs`.
 */
export async function labInUse(name?: string): Promise<LabInfo | undefined> {
  if (name !== undefined) return requireGuest(await labStatus(name));
  const up = (await labList()).filter(isUp).filter((each) => ownerOf(each.name) === undefined);
  if (up.length <= 1) return up[0];
  const standard = up.find((each) => each.name === 'default');
  if (standard !== undefined) return standard;
  throw new KnownError(
    'several-labs',
    `several labs are up: ${up.map((each) => each.name).join(', ')}`,
    'Say which one: --lab=NAME, or --name NAME after vfs-verify lab.',
  );
}

/**
 * A lab whose guest runs. One of its daemons may be gone: the other shares go on working, and whoever looks
 * into such a lab wants to reach it.
 * @throws KnownError `no-lab`, `lab-broken`.
 */
export function requireGuest(status: LabStatus): LabInfo {
  if (isUp(status)) return status;
  const flag = status.name === 'default' ? '' : ` --name ${status.name}`;
  if (status.state === 'down') {
    throw new KnownError('no-lab', `the lab "${status.name}" is not up`, `vfs-verify lab up${flag}`);
  }
  const missing = missingParts(status.directory);
  if (isWhole(status) && !missing.includes('qemu')) return status;
  throw new KnownError(
    'lab-broken',
    `the lab "${status.name}" is broken: ${missing.length === 0 ? 'it never came up' : `gone: ${missing.join(', ')}`}`,
    `vfs-verify lab logs${flag} shows what it said; vfs-verify lab up${flag} makes it anew.`,
  );
}

/**
 * One guest of a lab; 1 is the first.
 * @throws KnownError `no-such-guest`.
 */
export function guestOf(lab: LabInfo, number: number): LabGuest {
  const guest = number === 1 ? lab : lab.otherGuests[number - 2];
  if (guest !== undefined) return guest;
  throw new KnownError(
    'no-such-guest',
    `the lab "${lab.name}" has no guest ${number}`,
    `It has ${1 + lab.otherGuests.length}. A lab with two is made by: vfs-verify lab up --guests 2.`,
  );
}

/** It came up once: all that is known of a lab is written last. */
function isWhole(status: LabStatus): status is LabInfo {
  return 'ssh' in status;
}

function isUp(status: LabStatus): status is LabInfo {
  return status.state === 'up';
}

import { KnownError } from '../model/error.ts';
import type { LabInfo } from './info.ts';
import { type LabStatus, labList, labStatus } from './status.ts';

/**
 * The lab to use. By name: that one. Without: the only one that is up, or of several the one called
 * `default`; undefined if none is up.
 * @throws KnownError `no-lab` (the named one is not up), `lab-broken`, `several-labs`.
 */
export async function labInUse(name?: string): Promise<LabInfo | undefined> {
  if (name !== undefined) return requireUp(await labStatus(name));
  const up = (await labList()).filter(isUp);
  if (up.length <= 1) return up[0];
  const standard = up.find((each) => each.name === 'default');
  if (standard !== undefined) return standard;
  throw new KnownError(
    'several-labs',
    `several labs are up: ${up.map((each) => each.name).join(', ')}`,
    'Say which one: --lab=NAME, or --name NAME after vfs-verify lab.',
  );
}

/** @throws KnownError `no-lab`, `lab-broken`. */
export function requireUp(status: LabStatus): LabInfo {
  if (isUp(status)) return status;
  const flag = status.name === 'default' ? '' : ` --name ${status.name}`;
  if (status.state === 'down') {
    throw new KnownError('no-lab', `the lab "${status.name}" is not up`, `vfs-verify lab up${flag}`);
  }
  throw new KnownError(
    'lab-broken',
    `the lab "${status.name}" is broken: a part of it has ended`,
    `vfs-verify lab logs${flag} shows what it said; vfs-verify lab up${flag} makes it anew.`,
  );
}

function isUp(status: LabStatus): status is LabInfo {
  return status.state === 'up';
}

import type { LabInfo } from '../lab/info.ts';
import { labToggle } from '../lab/toggle.ts';
import { KnownError } from '../model/error.ts';
import { hookToggle } from '../share/toggle/hook.ts';
import { libvirtToggle } from '../share/toggle/libvirt.ts';
import { qmpToggle } from '../share/toggle/qmp.ts';
import { remountToggle } from '../share/toggle/remount.ts';
import type { ToggleForm } from '../share/toggle/toggle.ts';

/** Every way to change a share's mode that needs no lab. A new one is a line here. */
const forms: readonly ToggleForm[] = [qmpToggle, libvirtToggle, remountToggle, hookToggle];

/**
 * Reads `--via FORM[:ARGUMENT]`.
 * @throws KnownError `bad-flag`
 */
export function parseVia(
  via: string | undefined,
  lab: LabInfo | undefined,
): { readonly form: ToggleForm; readonly argument: string | undefined } {
  const here = lab === undefined ? forms : [labToggle(lab), ...forms];
  // A lab has its own way.
  const [name, argument] = split(via ?? (lab === undefined ? '' : 'lab'));
  const form = here.find((each) => each.name === name);
  if (form !== undefined) return { form, argument };
  const known = here.map(({ usage: [written, what] }) => `${written} (${what})`).join('; ');
  throw new KnownError(
    'bad-flag',
    via === undefined ? 'nothing says how the mode is to be changed' : `--via ${via} is not known`,
    `Write --via with one of: ${known}.`,
  );
}

function split(via: string): [string, string | undefined] {
  const at = via.indexOf(':');
  return at < 0 ? [via, undefined] : [via.slice(0, at), via.slice(at + 1)];
}

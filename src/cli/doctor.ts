import { renderDoctor } from '../report/doctor-text.ts';
import { doctorOfMany } from './doctor-fleet.ts';
import type { FleetFlags } from './each-guest.ts';
import { groundOf } from './look-around.ts';
import { styleOf } from './print.ts';
import type { SideFlags } from './sides.ts';

/** `vfs-verify doctor`: what can be verified here and what cannot, and the cure of each. Nothing is changed by it. */
export async function doctor(flags: SideFlags & FleetFlags): Promise<void> {
  if (flags.targets !== undefined) return doctorOfMany(flags, flags.targets);
  const ground = await groundOf(flags);
  process.stdout.write(
    flags.json === true
      ? `${JSON.stringify(ground, undefined, 2)}\n`
      : renderDoctor(ground, styleOf(process.stdout)),
  );
  // md5 is the least that there is: where it cannot be done, nothing can.
  process.exitCode = ground.abilities[0]?.can === 'no' ? 2 : 0;
}

import { KnownError } from '../model/error.ts';
import type { Ground, GroundOfMany, GuestGround } from '../model/ground.ts';
import { renderDoctorOfMany } from '../report/doctor-fleet-text.ts';
import { eachGuest, type FleetFlags, type GuestTurn } from './each-guest.ts';
import { troubleOf } from './fleet.ts';
import { interruption } from './interruption.ts';
import { groundOf } from './look-around.ts';
import { styleOf } from './print.ts';
import type { SideFlags } from './sides.ts';
import type { Target } from './targets.ts';
import { packageVersion } from './version.ts';

/** `vfs-verify doctor --guests FILE`: the same for each guest, and a row for each. */
export async function doctorOfMany(flags: SideFlags & FleetFlags, targets: readonly Target[]): Promise<void> {
  const interrupted = interruption();
  try {
    const { turns, abandoned } = await eachGuest(
      targets,
      flags,
      interrupted.signal,
      ({ guest, host, map, modeOf }) => groundOf({ ...flags, guest, host, map, modeOf }),
    );
    const all: GroundOfMany = {
      schema: 'vfs-verify/doctor/1',
      tool: { name: 'vfs-verify', version: packageVersion() },
      guests: turns.map(rowOf),
    };
    process.stdout.write(
      flags.json === true
        ? `${JSON.stringify(all, undefined, 2)}\n`
        : renderDoctorOfMany(all, styleOf(process.stdout)),
    );
    const defect = turns.some((turn) => 'error' in turn && !(turn.error instanceof KnownError));
    const nothing = all.guests.some(
      ({ abilities }) => abilities[0]?.can !== 'yes' && abilities[0]?.can !== 'in part',
    );
    process.exitCode = defect ? 3 : nothing ? 2 : 0;
    // What hangs would keep the program for as long as its own limits.
    if (abandoned) process.exit();
  } finally {
    interrupted.stop();
  }
}

function rowOf(turn: GuestTurn<Ground>): GuestGround {
  const row = { guest: turn.target.name, durationMs: turn.durationMs };
  if ('error' in turn) return { ...row, trouble: troubleOf(turn.error), abilities: [], places: [] };
  const { abilities, places } = turn.value;
  return { ...row, abilities, places };
}

import { readFileSync } from 'node:fs';
import { hostname } from 'node:os';

/**
 * Who made a directory, as part of its name: machine, boot, process id and the moment that process started. A
 * number alone comes again, after a reboot and while the machine runs.
 */
export interface Owner {
  readonly machine: string;
  readonly boot: string;
  readonly pid: number;
  /** Clock ticks from boot to the process's start; absent where it cannot be told. */
  readonly start?: string;
}

/** This process. */
export function thisOwner(): Owner {
  const start = startOf(process.pid);
  return {
    machine:
      hostname()
        .replaceAll(/[^A-Za-z0-9]/g, '')
        .slice(0, 20) || 'host',
    boot: readText('/proc/sys/kernel/random/boot_id')?.trim().slice(0, 8) ?? 'noboot',
    pid: process.pid,
    ...(start === undefined ? {} : { start }),
  };
}

/** `MACHINE-BOOT-PID-START`: letters, digits and `-`. */
export function ownerWord({ machine, boot, pid, start }: Owner): string {
  return [machine, boot, String(pid), start ?? '0'].join('-');
}

/** Whether the text is the word of an owner of this machine whose process has ended. */
export function isDead(word: string, here: Owner): boolean {
  const [machine, boot, pid, start, ...more] = word.split('-');
  if (start === undefined || more.length > 0 || machine !== here.machine || !/^\d+$/.test(pid ?? ''))
    return false;
  if (boot !== here.boot) return true;
  const running = startOf(Number(pid));
  // Somebody else's process of that number may hide its files: then it is taken for alive.
  if (running === undefined) return !isAlive(Number(pid));
  return start !== '0' && running !== start;
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/** Field 22 of /proc/PID/stat; the command's name before it, in parentheses, may hold anything. */
function startOf(pid: number): string | undefined {
  const text = readText(`/proc/${pid}/stat`);
  return text?.slice(text.lastIndexOf(')') + 2).split(' ')[19];
}

function readText(file: string): string | undefined {
  try {
    return readFileSync(file, 'latin1');
  } catch {
    return undefined;
  }
}

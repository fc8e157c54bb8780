import { Command, InvalidArgumentError, Option } from 'commander';
import { labExec, labLogs, labSsh } from '../lab/access.ts';
import { labDown } from '../lab/down.ts';
import { guestOf, requireGuest } from '../lab/find.ts';
import type { LabGuest, LabInfo } from '../lab/info.ts';
import { type DiskKind, diskKinds } from '../lab/loop-disk.ts';
import type { Progress } from '../lab/progress.ts';
import { type LabStatus, labList, labStatus } from '../lab/status.ts';
import { labUp, prepareLab } from '../lab/up.ts';
import type { LabOptions } from '../lab/wish.ts';
import { KnownError } from '../model/error.ts';
import { labModes } from '../model/mode.ts';
import { interruption } from './interruption.ts';

interface UpFlags {
  readonly name: string;
  readonly modes?: readonly string[];
  readonly skipImpossible?: boolean;
  readonly qemu?: string;
  readonly virtiofsd?: string;
  readonly cVirtiofsd?: string;
  readonly kernel?: string;
  readonly guests?: number;
  readonly secondTag?: boolean;
  readonly disk?: DiskKind;
  readonly diskSize?: number;
  readonly dir?: string;
  readonly memory?: number;
  readonly cpus?: number;
  readonly bootTimeout?: number;
  readonly accel?: 'auto' | 'tcg' | 'kvm';
  readonly sshPort?: number;
  readonly json?: boolean;
}

/** `vfs-verify lab …`: a real guest as a disposable bench. */
export function labCommand(): Command {
  // Before the commands below, which inherit it: a usage error is the caller's to report.
  const lab = new Command('vfs-verify lab')
    .description('a real guest with every cache mode over one directory, to try things on')
    .exitOverride()
    .enablePositionalOptions();

  withLabFlags(named(lab.command('up').argument('[name]', 'the same as --name')))
    .description('bring a lab up, or find it up already')
    .option('--json', 'print what there is as JSON')
    .action(async (name: string | undefined, flags: UpFlags) => up({ ...flags, name: name ?? flags.name }));

  withLabFlags(lab.command('prepare'))
    .description('make what the first lab needs, without starting one')
    .action(async (flags: UpFlags) => {
      await interruptible(async (signal) => void (await prepareLab(optionsOf(flags, signal), say)));
    });

  named(lab.command('down').argument('[name]', 'the same as --name'))
    .description('end a lab and remove what it made (for the guest, a power cut)')
    .action(async (name: string | undefined, flags: { name: string }) => down(name ?? flags.name));

  named(lab.command('status').argument('[name]', 'the same as --name'))
    .description('say how a lab is')
    .option('--all', 'every lab of this user')
    .option('--json', 'print what there is as JSON')
    .action(async (name: string | undefined, flags: { name: string; all?: boolean; json?: boolean }) =>
      status(name ?? flags.name, flags),
    );

  ofGuest(lab.command('ssh').argument('[words...]', 'a command for the guest, and options of ssh before it'))
    .description("log into the guest with this machine's ssh client")
    .passThroughOptions()
    .allowUnknownOption()
    .action(async (words: string[], flags: GuestFlags) => {
      process.exitCode = await labSsh(await chosenGuest(flags), words);
    });

  ofGuest(lab.command('exec').argument('<argv...>', 'a program and its arguments, taken literally'))
    .description('run a program in the guest; its exit status is ours')
    .passThroughOptions()
    .action(async (argv: string[], flags: GuestFlags) => {
      process.exitCode = await labExec(await chosenGuest(flags), argv, process);
      // A terminal or a pipe that we no longer read must not keep us here.
      process.stdin.destroy();
    });

  named(lab.command('logs').argument('[log]', 'console, qemu or virtiofsd-MODE; without it: all'))
    .description('show what the guest, QEMU and the daemons said')
    .action((log: string | undefined, flags: { name: string }) => logs(flags.name, log));
  return lab;
}

function named(command: Command): Command {
  return command.option('--name <name>', 'which lab', 'default');
}

interface GuestFlags {
  readonly name: string;
  readonly guest: number;
}

function ofGuest(command: Command): Command {
  return named(command).option('--guest <number>', 'which guest of a lab that has two', number(1, 2), 1);
}

async function chosenGuest({ name, guest }: GuestFlags): Promise<LabGuest> {
  return guestOf(requireGuest(await labStatus(name)), guest);
}

function withLabFlags(command: Command): Command {
  return command
    .option('--modes <list>', `modes, joined by commas, or all (default: ${labModes.join(',')})`, list)
    .option('--skip-impossible', 'leave out modes that cannot be had here and say why, as --modes all does')
    .option('--qemu <program>', 'a QEMU to be used in place of the lab’s own: a build, a script')
    .option('--virtiofsd <program>', 'a virtiofsd, likewise')
    .option('--c-virtiofsd <program>', 'a virtiofsd of QEMU’s own, written in C, for the modes c:…')
    .option(
      '--kernel <file>',
      'a kernel: vmlinuz, linux-image-*.deb, a directory with boot/ and lib/modules/, or a suite of Debian (bookworm, backports, sid)',
    )
    .option('--guests <count>', 'guests that share the directory (default: 1)', number(1, 2))
    .option('--second-tag', 'each mode under a second tag too, with a daemon and a mount of its own')
    .addOption(
      new Option('--disk <filesystem>', 'put the share on a small disk of its own (needs root)').choices(
        diskKinds,
      ),
    )
    .option(
      '--disk-size <MiB>',
      'size of that disk, which lies in memory (default: 512)',
      number(320, 65_536),
    )
    .option('--dir <directory>', 'share this directory in place of one of the lab’s own')
    .option('--memory <MiB>', 'memory of the guest (default: 1024)', number(128, 1_048_576))
    .option('--cpus <count>', 'processors of the guest (default: 2)', number(1, 64))
    .option(
      '--boot-timeout <seconds>',
      'give up on a guest that is not up by then (default: 60)',
      number(1, 3600),
    )
    .option(
      '--ssh-port <port>',
      'where its ssh answers on 127.0.0.1 (default: a free one)',
      number(1, 65_535),
    )
    .addOption(
      new Option('--accel <how>', 'auto: KVM where a guest has been seen to boot with it').choices([
        'auto',
        'tcg',
        'kvm',
      ]),
    );
}

function list(value: string): readonly string[] {
  return value.split(',').map((each) => each.trim());
}

function number(least: number, most: number): (value: string) => number {
  return (value) => {
    const parsed = Number(value);
    if (Number.isInteger(parsed) && parsed >= least && parsed <= most) return parsed;
    throw new InvalidArgumentError(`Give a whole number from ${least} to ${most}.`);
  };
}

function optionsOf(flags: UpFlags, signal: AbortSignal): LabOptions {
  return {
    name: flags.name,
    modes: flags.modes,
    skipImpossible: flags.skipImpossible,
    qemu: flags.qemu,
    virtiofsd: flags.virtiofsd,
    cVirtiofsd: flags.cVirtiofsd,
    kernel: flags.kernel,
    guests: flags.guests,
    secondTag: flags.secondTag,
    disk: flags.disk,
    diskMiB: flags.diskSize,
    dir: flags.dir,
    memoryMiB: flags.memory,
    cpus: flags.cpus,
    bootTimeoutMs: flags.bootTimeout === undefined ? undefined : flags.bootTimeout * 1000,
    accelerator: flags.accel,
    sshPort: flags.sshPort,
    signal,
  };
}

async function up(flags: UpFlags): Promise<void> {
  await interruptible(async (signal) => {
    const info = await labUp(optionsOf(flags, signal), say);
    process.stdout.write(flags.json === true ? json(info) : inWords(info));
  });
}

async function down(name: string): Promise<void> {
  const waiting = () => say({ text: `waiting for another run that is at work on the lab "${name}"` });
  const was = await labDown(name, waiting);
  process.stdout.write(was ? `the lab "${name}" is down\n` : `there is no lab "${name}"; nothing to do\n`);
}

async function status(name: string, flags: { all?: boolean; json?: boolean }): Promise<void> {
  if (flags.all === true) {
    const all = await labList();
    const words = all.length === 0 ? 'no lab is up\n' : all.map(inWords).join('\n');
    process.stdout.write(flags.json === true ? json(all) : words);
    return;
  }
  const found = await labStatus(name);
  process.stdout.write(flags.json === true ? json(found) : inWords(found));
}

function logs(name: string, which: string | undefined): void {
  const all = labLogs(name);
  const chosen = all.filter((log) => which === undefined || log.name === which);
  if (chosen.length === 0) {
    const known = all.map((log) => log.name).join(', ');
    throw new KnownError(
      'no-log',
      which === undefined ? `the lab "${name}" has no logs` : `the lab "${name}" has no log "${which}"`,
      known === '' ? 'Logs are there from vfs-verify lab up until lab down.' : `There are: ${known}.`,
    );
  }
  for (const [index, log] of chosen.entries()) {
    if (which === undefined) process.stdout.write(`${index === 0 ? '' : '\n'}==> ${log.file}\n`);
    process.stdout.write(log.text);
  }
}

/** Ctrl-C stops the work in good order; the exit status then says so. */
async function interruptible(work: (signal: AbortSignal) => Promise<void>): Promise<void> {
  const { signal, stop } = interruption();
  try {
    await work(signal);
  } catch (error) {
    if (!signal.aborted) throw error;
    process.exitCode = 130;
  } finally {
    stop();
  }
}

function say({ text, tookMs }: Progress): void {
  const took = tookMs === undefined ? '' : ` (${(tookMs / 1000).toFixed(1)} s)`;
  process.stderr.write(`lab: ${text}${took}\n`);
}

function json(value: unknown): string {
  return `${JSON.stringify(value, null, 2)}\n`;
}

function inWords(lab: LabStatus): string {
  const flag = lab.name === 'default' ? '' : ` --name ${lab.name}`;
  if (lab.state === 'down') return `The lab "${lab.name}" is not up. Bring it up: vfs-verify lab up${flag}\n`;
  if (lab.state === 'broken') {
    return [
      `The lab "${lab.name}" is broken: a part of it has ended, or it is not up yet.`,
      `  what was said     vfs-verify lab logs${flag}`,
      `  make it anew      vfs-verify lab up${flag}`,
      `  remove it         vfs-verify lab down${flag}`,
      '',
    ].join('\n');
  }
  const { hostDir, mounts, leftOut, otherTags, otherGuests, programs, accelerator } = lab as LabInfo;
  const versions = Object.entries(programs).map(([name, { version }]) => `${name} ${version}`);
  const [first = '', ...others] = [...Object.values(mounts), ...Object.values(otherTags)];
  return [
    `The lab "${lab.name}" is up.`,
    `  on the host       ${hostDir}`,
    `  in the guest      ${first}`,
    ...others.map((path) => `                    ${path}`),
    ...leftOut.map(
      ({ mode, why }, index) => `  ${index === 0 ? 'left out' : '        '}          ${mode}: ${why}`,
    ),
    `  programs          ${versions.join(', ')} (${accelerator === 'kvm' ? 'KVM' : 'emulated'})`,
    `  log in            vfs-verify lab ssh${flag}`,
    ...otherGuests.map(
      (_, index) => `  log in to guest ${index + 2} vfs-verify lab ssh${flag} --guest ${index + 2}`,
    ),
    `  take it down      vfs-verify lab down${flag}`,
    '',
  ].join('\n');
}

import type * as commander from 'commander';
import { Argument, Command, CommanderError, Option } from './commander.ts';
import type { shells } from './completion/scripts.ts';
import { packageVersion } from './version.ts';

type Shell = (typeof shells)[number];

/**
 * Puts the program together. Each command's own module is imported when the command runs, so that `--help`
 * is quick.
 * @param lab the commands of `lab`, where the program is described and not run.
 */
export function program(lab = labToBeLoaded()): commander.Command {
  const root = new Command('vfs-verify')
    .description(
      'Verifies that a directory shared between a host and its guests is coherent, and says where reads come from.',
    )
    .version(packageVersion(), '-V, --version', 'the versions of vfs-verify, of its probe and of its schemas')
    .showHelpAfterError('(vfs-verify COMMAND --help shows the flags)')
    .exitOverride()
    .enablePositionalOptions()
    .hook('preAction', async (_, command) => {
      if (command.options.some((option) => option.attributeName() === 'guest'))
        await (await import('./settings.ts')).applySettings(command);
      if (command.opts().printPrivileged !== true) return;
      await (await import('./privileged.ts')).printPrivileged(command.name(), command.opts());
      throw new CommanderError(0, 'vfs-verify.printed', '');
    });

  fleet(sides(root.command('md5')))
    .description('read files on both sides at once and compare them')
    .argument('<path...>', 'paths as the guest sees them')
    .option('--algo <name>', 'md5, sha256 or xxh3', 'md5')
    .option('--expect <digest>', 'the digest that the file should have: one more vote')
    .option('-r, --recursive', 'compare directories: names, types, sizes, link targets, digests')
    .addOption(timeout('give up after this long without progress', '30'))
    .option('--bundle <dir>', 'keep the evidence there')
    .option('--json', 'print the report as JSON')
    .action(async (paths: string[], flags) => (await import('./md5.ts')).md5(paths, flags));

  sides(root.command('reads'))
    .description('read a file in the guest, and say where every byte came from')
    .argument('<path>', 'the path as the guest sees it')
    .option('--bs <size>', 'bytes of each read', '4k')
    .option('--order <how>', 'seq or random', 'seq')
    .option('--count <n>', 'reads in one pass (default: the whole file once)')
    .option('--seed <hex>', 'of the random order')
    .option('--direct', 'O_DIRECT in the guest')
    .option('--mmap', 'load from a shared mapping')
    .option('--times <n>', 'the same reads again, through the same descriptor', '1')
    .option('--reopen', 'with --times: open the file again for each pass')
    .option('--no-readahead', "without the guest's readahead")
    .option('--drop <side>', 'drop this file from the cache of: none, guest, host, both', 'none')
    .option('--system-wide', 'with --drop: by drop_caches, which drops everything of everybody')
    .option('--calibrate', 'without root: evict the file on the host afterwards, to time the disk')
    .addOption(timeout('give up after this long without progress', '30'))
    .option('--bundle <dir>', 'keep the evidence there')
    .option('--json', 'print the report as JSON')
    .action(async (given: string, flags) => (await import('./reads.ts')).reads(given, flags));

  sides(root.command('residency'))
    .description("show how much of a file each side's page cache holds, without disturbing it")
    .argument('<path...>', 'paths as the guest sees them')
    .option('--side <side>', 'guest, host or both', 'both')
    .addOption(timeout('give up after this long', '30'))
    .option('--bundle <dir>', 'keep the evidence there')
    .option('--json', 'print the report as JSON')
    .action(async (paths: string[], flags) => (await import('./caches.ts')).residency(paths, flags));

  sides(root.command('drop'))
    .description('drop files from the page caches, and say what was really dropped')
    .argument('[path...]', 'paths as the guest sees them')
    .option('--system-wide', 'everything of everybody, by drop_caches')
    .option('--side <side>', 'guest, host or both', 'both')
    .addOption(timeout('give up after this long', '30'))
    .option('--bundle <dir>', 'keep the evidence there')
    .option('--json', 'print the report as JSON')
    .action(async (paths: string[], flags) => (await import('./caches.ts')).drop(paths, flags));

  toggling(sides(root.command('mode')))
    .description('show the mode in force and how it is known; change it on a running guest, and put it back')
    .argument('<path>', 'a path of the share as the guest sees it')
    .option('--set <mode>', 'put the share into this mode: always+writeback, 9p:loose')
    .option('--restore', 'put it back to what it was before it was changed, also after a crash')
    .option('--no-prove', 'do not prove the mode by what guest and host see')
    .option('--bundle <dir>', 'keep the evidence there')
    .option('--json', 'print as JSON')
    .action(async (given: string, flags) => (await import('./mode.ts')).mode(given, flags));

  sides(root.command('explain'))
    .description('run a program in the guest, and say what its numbers measured')
    .usage('[options] -- COMMAND...')
    .argument('<command...>', 'the program and its arguments, left as they are')
    .option('--file <path>', 'a file that it uses, as the guest sees it (may be repeated)', collect)
    .option('--states <list>', 'run it from each: cold, host-warm, guest-warm (joined by commas)')
    .option('--on-host', "run it on the host's view of the same files as well, for comparison")
    .option('--with-probe', "the probe's own runner does fio's job: for a guest without fio")
    .option('--in <dir>', "the program's working directory in the guest")
    .option('-o, --output <file>', 'write the answer there instead of to standard error')
    .option('--report <format=file>', 'write text, json, html or csv as well (may be repeated)', collect)
    .option('--metrics <file>', 'keep OpenMetrics there while it runs, rewritten each second')
    .addOption(timeout('for looking at the files before and after', '60'))
    .option('--bundle <dir>', 'keep the evidence there, with what was counted each 100 ms')
    .option('--json', 'the answer as JSON')
    .passThroughOptions()
    .action(async (argv: string[], flags) => (await import('./explain.ts')).explain(argv, flags));

  fleet(toggling(sides(root.command('check'))))
    .description('run checks and judge them by what the mode promises')
    .argument('[name...]', 'checks, or NAME/CASE; without one: all')
    .addOption(modes('modes, joined by commas: those that are up in a lab, or, with --via, any'))
    .option('--virtiofsd <program>', 'with --lab: a lab for this run alone, with this virtiofsd')
    .option('--c-virtiofsd <program>', 'likewise, one written in C')
    .option('--qemu <program>', 'likewise, a QEMU')
    .option('--kernel <file>', 'likewise, a kernel, as for lab up')
    .option('--seed <hex>', 'repeat a run: payloads and choices follow from it')
    .option('--repeat <n>', 'so many rounds, each with a seed of its own')
    .option('--fail-fast', 'stop at the first fail that is not known')
    .option('--system-wide', 'checks may drop the caches of everything and everybody')
    .option('--checks <dir>', 'load checks from this folder as well')
    .option('--report <format=file>', 'write text, json, junit or html (may be repeated)', collect)
    .option('--bundle <dir>', 'keep the evidence there')
    .addOption(new Option('--judge-limit <seconds>').hideHelp())
    .option('--continue <dir>', 'go on with a run that was ended, from its evidence')
    .option('--known <path>', 'findings: fails that are known do not end in 1 (may be repeated)', collect)
    .option('--baseline <report.json>', 'compare with an earlier run: only what is new ends in 1')
    .option('--json', 'print the report as JSON')
    .action(async (names: string[], flags) => (await import('./check.ts')).check(names, flags));

  fleet(sides(root.command('doctor')))
    .description('show what can be verified here and what cannot, and the cure of each; changes nothing')
    .option('--json', 'print as JSON')
    .action(async (flags) => (await import('./doctor.ts')).doctor(flags));

  root
    .command('diagnose')
    .description('judge saved output of fio or dd: what did this number measure')
    .argument('<file...>', "fio's output (text or JSON) or dd's; - is standard input")
    .option(
      '--host-run <file>',
      "output of the same job on the host: FILE is the guest's (may be repeated)",
      collect,
    )
    .option('--device <kind>', 'what the data lies on: hdd, ssd (SATA or SAS) or nvme')
    .option('--device-iops <n>', 'random reads a second that the device is known to do')
    .option('--host-memory <size>', "the host's memory: 32g")
    .option('--guest-memory <size>', "the guest's memory")
    .option('--share <type>', 'FILE is of a guest, from a share of this type: virtiofs or 9p')
    .option('--json', 'print the report as JSON')
    .action(async (files: string[], flags) => (await import('./diagnose.ts')).diagnose(files, flags));

  root
    .command('list')
    .description('show the checks, their cases and what they need')
    .option('--checks <dir>', 'load checks from this folder as well')
    .option('--json', 'print as JSON')
    .action(async (flags) => (await import('./list.ts')).list(flags));

  root
    .command('judge')
    .description('judge saved evidence again, without a guest')
    .argument('<dir>', 'what --bundle wrote')
    .option('--checks <dir>', 'load checks from this folder as well')
    .option('--report <format=file>', 'write text, json, junit or html (may be repeated)', collect)
    .option('--known <path>', 'findings: fails that are known do not end in 1 (may be repeated)', collect)
    .option('--baseline <report.json>', 'compare with an earlier run: only what is new ends in 1')
    .option('--json', 'print the report as JSON')
    .action(async (directory: string, flags) => (await import('./judge.ts')).judge(directory, flags));

  root
    .command('repro')
    .description('print a failing case as a script for a bug report, without vfs-verify')
    .argument('<dir>', 'what --bundle wrote')
    .option('--case <name>', 'this case, failing or not (default: the first that failed)')
    .option('--checks <dir>', 'load checks from this folder as well')
    .action(async (directory: string, flags) => (await import('./repro.ts')).repro(directory, flags));

  fleet(sides(root.command('config')))
    .description('show the settings in force, and where each comes from: flag, environment, file, default')
    .addOption(modes('as for check'))
    .addOption(timeout('as for md5', '30'))
    .option('--json', 'print as JSON')
    .action(async (_flags, command: commander.Command) => (await import('./config.ts')).config(command));

  root
    .command('bundle')
    .description('pack evidence for a bug report, without your names, contents and addresses')
    .argument('<dir...>', 'what --bundle wrote')
    .requiredOption('--redact', 'replace what is yours; nothing is packed without it')
    .requiredOption('-o, --output <file>', 'the archive: FILE.tar.gz')
    .option('--kernel-log <file>', "a kernel's messages, as dmesg prints them (may be repeated)", collect)
    .option('--checks <dir>', 'load checks from this folder as well')
    .action(async (directories: string[], flags) => (await import('./bundle.ts')).bundle(directories, flags));

  root
    .command('contract')
    .description('show what each mode promises')
    .argument('[scenario]', 'one scenario (host-append/read), or a topic (locks)')
    .option('--mode <mode>', 'only what this mode promises')
    .option('--versions <list>', 'of these versions, such as guest-kernel=6.1,virtiofsd=1.10.0')
    .option('--markdown', 'print docs/contract.md')
    .option('--json', 'print as JSON')
    .action(async (scenario: string | undefined, flags) =>
      (await import('./contract.ts')).contract(scenario, flags),
    );

  root.addCommand(lab);

  root
    .command('completion')
    .description('print what makes a shell complete commands, flags and names')
    .addArgument(new Argument('<shell>').choices(['bash', 'zsh', 'fish'] satisfies Shell[]))
    .action(async (shell: Shell) => (await import('./completion.ts')).completion(shell));

  root
    .command('complete', { hidden: true })
    .description('what those scripts ask')
    .argument('[word...]')
    .action(async (words: string[]) => (await import('./completion.ts')).complete(words));
  return root;
}

/** `lab`, with its commands known only when it runs. */
function labToBeLoaded(): commander.Command {
  return new Command('lab')
    .description('a real guest with every cache mode, to try things on (lab --help)')
    .helpOption(false)
    .allowUnknownOption()
    .passThroughOptions()
    .argument('[args...]')
    .action(async (args: string[]) => {
      const { labCommand } = await import('./lab.ts');
      await labCommand().exitOverride().parseAsync(args, { from: 'user' });
    });
}

/** The flags that say where the two sides are. */
function sides(command: commander.Command): commander.Command {
  return command
    .addOption(
      new Option('--guest <where>', 'the guest: ssh://user@host:port, an ssh alias, exec:COMMAND, or local')
        .argParser(collect)
        .env('VFS_VERIFY_GUEST'),
    )
    .addOption(new Option('--host <where>', 'the host, likewise').default('local').env('VFS_VERIFY_HOST'))
    .addOption(
      new Option('--map <guestdir=hostdir>', 'two directories that are one share (may be repeated)')
        .argParser(collect)
        .env('VFS_VERIFY_MAP'),
    )
    .option('--share <guestdir>', 'of the shares that are found, this one (may be repeated)', collect)
    .addOption(
      new Option('--mode <name>', 'the mode in force, where it cannot be seen: always+writeback').env(
        'VFS_VERIFY_MODE',
      ),
    )
    .option(
      '--lab',
      'a lab that is up; --lab=NAME for one of several; check brings one up for itself where none is',
    )
    .addOption(new Option('--lab-name <name>').hideHelp())
    .option('--accept-new-host-key', 'trust a host key that has never been seen')
    .option('--sudo <side>', 'by sudo what needs root, on: host, guest or both')
    .option('--print-privileged', 'only print what would be done as root, and where')
    .addOption(
      new Option('--config <file>', 'the file of settings (default: found upward)').env('VFS_VERIFY_CONFIG'),
    )
    .option('--no-config', 'without a file of settings');
}

/** The flags of commands that ask many guests at once. */
function fleet(command: commander.Command): commander.Command {
  return command
    .option('--guests <file>', 'many guests at once, one a line (or repeat --guest); - is standard input')
    .addOption(new Option('--jobs <n>', 'so many guests at a time').default('8').env('VFS_VERIFY_JOBS'))
    .option('--guest-limit <seconds>', 'of many guests: how long one may take in all', '3600');
}

function modes(words: string): commander.Option {
  return new Option('--modes <list>', words).env('VFS_VERIFY_MODES');
}

/** How long nothing may happen. */
function timeout(words: string, seconds: string): commander.Option {
  return new Option('--timeout <seconds>', words).default(seconds).env('VFS_VERIFY_TIMEOUT');
}

/** The flags that say how a share's mode is changed. */
function toggling(command: commander.Command): commander.Command {
  return command
    .option('--via <form>', 'how: lab, qmp:SOCKET, libvirt:DOMAIN, remount, hook:COMMAND')
    .option('--force', 'although files of the share are open in the guest')
    .option('--restart-guest', 'the guest may be restarted for it');
}

/** A flag that may be repeated. */
function collect(value: string, before: readonly string[] = []): readonly string[] {
  return [...before, value];
}

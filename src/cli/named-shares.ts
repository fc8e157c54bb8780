import type { LabInfo } from '../lab/info.ts';
import { hasWindow, type Mode, parseMode, withDax } from '../model/mode.ts';
import { parseMap, type Share } from '../share/share.ts';
import type { SideFlags } from './sides.ts';

/** The shares that `--map` names, or the file of settings, with the mode that is declared for them. */
export function mappedShares(flags: SideFlags): Share[] {
  return (flags.map ?? []).map((text) => {
    const directories = parseMap(text);
    const name = flags.mode ?? flags.modeOf?.[directories.guestDir];
    const how = flags.mode === undefined ? 'the file of settings' : '--mode';
    return name === undefined
      ? { ...directories, mode: undefined, modeHow: 'not known' }
      : { ...directories, mode: parseMode(name), modeHow: how };
  });
}

/** The shares of a lab, and those that `--map` names. */
export function labShares(lab: LabInfo, flags: SideFlags): Share[] {
  const own = Object.entries(lab.mounts).map(([name, guestDir]): Share => {
    const mode = parseMode(name);
    const daemon = lab.daemons[name];
    return {
      guestDir,
      hostDir: lab.hostDir,
      mode,
      modeHow: mode.server === '9p' ? "the lab's own mount" : "the lab's own daemon",
      type: mode.server === '9p' ? '9p' : 'virtiofs',
      ...(lab.tags[name] === undefined ? {} : { tag: lab.tags[name] }),
      ...(daemon === undefined ? {} : { daemonPid: daemon.pid }),
      vmmPid: lab.qemu.pid,
      qmpSocket: lab.qemu.qmpSocket,
      elsewhere: elsewhereIn(lab, mode),
      ...serverOf(mode, lab),
    };
  });
  return [...own, ...mappedShares(flags)];
}

/** Under another tag in the same mode, or in another mode: two tags are two caches all the same. */
function elsewhereIn(lab: LabInfo, mode: Mode): NonNullable<Share['elsewhere']> {
  const others = Object.entries(lab.mounts).filter(([name]) => name !== mode.name);
  const like =
    (hasWindow(mode) ? others.find(([name]) => hasWindow(parseMode(name))) : undefined) ??
    others.find(([name]) => parseMode(name).server === mode.server) ??
    others[0];
  const otherTag = lab.otherTags[mode.name] ?? like?.[1];
  const control = hasWindow(mode) ? lab.mounts[withDax(mode, 'never').name] : undefined;
  const guest2 = lab.otherGuests[0]?.mounts[mode.name];
  return {
    ...(otherTag === undefined ? {} : { 'guest-other-tag': otherTag }),
    ...(control === undefined ? {} : { 'guest-without-dax': control }),
    ...(guest2 === undefined ? {} : { guest2 }),
  };
}

function serverOf(mode: Mode, { programs }: LabInfo): { server?: string } {
  const [name, program] =
    mode.server === '9p'
      ? ['QEMU', programs.qemu]
      : mode.server === 'c'
        ? ['virtiofsd in C', programs['c-virtiofsd']]
        : mode.dax === undefined
          ? ['virtiofsd', programs.virtiofsd]
          : ["the lab's own backend", programs['lab-backend']];
  return program === undefined ? {} : { server: `${name} ${program.version}` };
}

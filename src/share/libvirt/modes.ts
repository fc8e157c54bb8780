import { KnownError } from '../../model/error.ts';
import { type Mode, parseMode } from '../../model/mode.ts';
import { shellWord } from '../../model/shell-word.ts';
import type { DomainShare } from './domain.ts';
import { attributeEdit, child, type Edit, edited, insertion, insertionBehind, removal } from './xml.ts';

/** The two implementations; a `<binary>` does not say which of them it is. */
export type Daemon = 'rust' | 'c';

/** What `<cache mode>` is for each policy; undefined: none, since libvirt has no word for a daemon's default. */
const cacheWords: Readonly<Record<Daemon, Readonly<Record<string, string | undefined>>>> = {
  rust: { never: 'none', auto: undefined, always: 'always' },
  c: { none: 'none', auto: undefined, always: 'always' },
};

/** The mode that a domain's description asks a daemon for; undefined for a word that is not known. */
export function modeOfDescription(share: DomainShare, daemon: Daemon): Mode | undefined {
  const found = Object.entries(cacheWords[daemon]).find(([, word]) => word === share.cache);
  return found === undefined ? undefined : parseMode(daemon === 'c' ? `c:${found[0]}` : found[0]);
}

/**
 * A domain's description with one share in another mode. Everything else of it stays as it is, byte for byte.
 * @throws KnownError `external-daemon`, `no-dax`, `other-server`, `not-in-libvirt`.
 */
export function describedIn(xml: string, share: DomainShare, mode: Mode, daemon: Daemon): string {
  const word = wordFor(share, mode, daemon);
  const binary = child(share.element, 'binary');
  const cache = child(binary, 'cache');
  return edited(xml, editsFor());

  function editsFor(): Edit[] {
    if (cache !== undefined)
      return [word === undefined ? removal(xml, cache) : attributeEdit(xml, cache, 'mode', word)];
    if (word === undefined) return [];
    const element = `<cache mode='${word}'/>`;
    if (binary !== undefined) return [insertion(xml, binary, element)];
    const driver = child(share.element, 'driver');
    const whole = `<binary>${element}</binary>`;
    return [
      driver === undefined ? insertion(xml, share.element, whole) : insertionBehind(xml, driver, whole),
    ];
  }
}

function wordFor(share: DomainShare, mode: Mode, daemon: Daemon): string | undefined {
  if (share.externalSocket !== undefined)
    throw new KnownError(
      'external-daemon',
      `the share ${share.tag} is served by a daemon that libvirt did not start (<source socket='${share.externalSocket}'/>)`,
      'Whoever starts that daemon decides its mode: change it there and restart the domain, or give the command that does (--via hook:COMMAND).',
    );
  if (mode.dax !== undefined)
    throw new KnownError(
      'no-dax',
      `libvirt cannot give the share ${share.tag} a DAX window`,
      'No released virtiofsd serves one; a lab does: vfs-verify lab up --modes auto+dax=always.',
    );
  if (mode.server !== daemon) {
    const serves = daemon === 'c' ? 'the C virtiofsd of QEMU' : 'the Rust virtiofsd';
    throw new KnownError(
      'other-server',
      `the share ${share.tag} is served by ${serves}, which does not have the mode ${mode.name}`,
      `Choose ${describable(daemon)}, or name another program in <binary path='…'/> (virsh edit).`,
    );
  }
  if (mode.cache in cacheWords[daemon] && mode.flags.length === 0) return cacheWords[daemon][mode.cache];
  throw new KnownError(
    'not-in-libvirt',
    `a domain's description has no words for the mode ${mode.name}: of a daemon's options it knows <cache mode='none'/>, <cache mode='always'/> and neither of them, which is ${describable(daemon)}`,
    `Give the daemon its options by a program of your own in <binary path='…'/> (below), or start it yourself and name its socket (<source socket='…'/>); --via qmp does it on a QEMU whose socket is open to you.`,
    { detail: wrapper(share, mode, daemon) },
  );
}

function describable(daemon: Daemon): string {
  const names = Object.keys(cacheWords[daemon]).map((name) => (daemon === 'c' ? `c:${name}` : name));
  return `${names.slice(0, -1).join(', ')} or ${names.at(-1)}`;
}

/** A script that would serve such a mode. What libvirt itself passes comes before, so the last word is ours. */
function wrapper({ binary, tag }: DomainShare, mode: Mode, daemon: Daemon): string {
  const program = binary ?? (daemon === 'c' ? '/usr/lib/qemu/virtiofsd' : '/usr/libexec/virtiofsd');
  const words =
    daemon === 'c'
      ? ['-o', [`cache=${mode.cache}`, ...mode.flags.map((flag) => flag.replaceAll('-', '_'))].join(',')]
      : [`--cache=${mode.cache}`, ...mode.flags.map((flag) => `--${flag}`)];
  return [
    '#!/bin/sh',
    `exec ${shellWord(program)} "$@" ${words.map(shellWord).join(' ')}`,
    `# in the <filesystem> of ${tag}, with no <cache> in it: <binary path='/PATH/OF/THIS/SCRIPT'/>`,
  ].join('\n');
}

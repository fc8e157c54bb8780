import { child, parseXml, type XmlElement } from './xml.ts';

/** A `<filesystem>` device of a domain. */
export interface DomainShare {
  readonly element: XmlElement;
  readonly type: 'virtiofs' | '9p';
  /** `<target dir>`: the tag in the guest. */
  readonly tag: string;
  /** `<source dir>`; undefined for a daemon that libvirt did not start. */
  readonly hostDir: string | undefined;
  /** `<source socket>`: where a daemon listens that libvirt did not start. */
  readonly externalSocket: string | undefined;
  /** `<binary path>`; undefined where libvirt chooses it. */
  readonly binary: string | undefined;
  /** `<cache mode>`; undefined for the daemon's own default. */
  readonly cache: string | undefined;
  /** `<lock posix>` or `<lock flock>` is on. */
  readonly locks: boolean;
  /** The device's name while the domain runs: `fs0`. */
  readonly alias: string | undefined;
  /** Of 9p: `passthrough`, `mapped`, `squash`. */
  readonly accessmode: string | undefined;
}

/** What is read of a domain's description. */
export interface Domain {
  readonly name: string;
  readonly uuid: string;
  /** While it runs. */
  readonly id: string | undefined;
  readonly shares: readonly DomainShare[];
  /** What it does when the guest switches itself off: `destroy` where nothing else was asked for. */
  readonly onPoweroff: string;
}

/**
 * Reads what `virsh dumpxml` prints.
 * @throws KnownError `bad-xml`
 */
export function parseDomain(xml: string): Domain {
  const root = parseXml(xml);
  const text = (name: string) => child(root, name)?.text.trim() ?? '';
  const devices = child(root, 'devices')?.children ?? [];
  return {
    name: text('name'),
    uuid: text('uuid'),
    id: root.attributes.id,
    shares: devices.filter(({ name }) => name === 'filesystem').flatMap(shareOf),
    onPoweroff: text('on_poweroff') || 'destroy',
  };
}

/** Undefined for those of containers and of other kinds (`type='template'`, `'file'`, `'ram'`). */
function shareOf(element: XmlElement): DomainShare[] {
  const part = (name: string) => child(element, name);
  const tag = part('target')?.attributes.dir;
  if ((element.attributes.type ?? 'mount') !== 'mount' || tag === undefined) return [];
  const binary = part('binary');
  const locks = child(binary, 'lock')?.attributes ?? {};
  return [
    {
      element,
      type: part('driver')?.attributes.type === 'virtiofs' ? 'virtiofs' : '9p',
      tag,
      hostDir: part('source')?.attributes.dir,
      externalSocket: part('source')?.attributes.socket,
      binary: binary?.attributes.path,
      cache: child(binary, 'cache')?.attributes.mode,
      locks: locks.posix === 'on' || locks.flock === 'on',
      alias: part('alias')?.attributes.name,
      accessmode: element.attributes.accessmode,
    },
  ];
}

import path from 'node:path';

/** A device of a machine that shares a directory, by QEMU's command line alone. */
export interface SharingDevice {
  readonly type: 'virtiofs' | '9p';
  /** Undefined where the daemon says it, not QEMU. */
  readonly tag: string | undefined;
  /** Where the daemon of a virtiofs device listens; undefined where QEMU was given a descriptor. */
  readonly socket: string | undefined;
  /** What 9p shares; the daemon of virtiofs says it. */
  readonly directory: string | undefined;
  /** 9p's `security_model`, as it is written there. */
  readonly securityModel?: string;
}

/** What QEMU's command line says of a machine. */
export interface QemuWords {
  readonly name: string | undefined;
  readonly uuid: string | undefined;
  readonly devices: readonly SharingDevice[];
  /** Ports of the host that lead to the guest's port 22. */
  readonly sshForwards: readonly { readonly host: string; readonly port: number }[];
  readonly qmpSocket: string | undefined;
  /** Whether the guest's memory is shared with other processes, as a vhost-user daemon needs it. */
  readonly memoryShared: boolean;
  /** libvirt started it. */
  readonly ofLibvirt: boolean;
}

/** The options of one word of QEMU's: a key that is given twice has two values. */
type Options = ReadonlyMap<string, readonly string[]>;

/**
 * Reads QEMU's command line; undefined where it has no device that shares a directory.
 * @param directory QEMU's working directory: its files may be named from there.
 */
export function machineOfWords(
  argv: readonly string[],
  directory: string | undefined,
): QemuWords | undefined {
  const all = optionsIn(argv);
  const of = (...names: readonly string[]) =>
    all.filter(({ name }) => names.includes(name)).map(({ options }) => options);
  const absolute = (file: string | undefined) =>
    file === undefined || path.isAbsolute(file) || directory === undefined
      ? file
      : path.join(directory, file);
  const chardevs = new Map(of('chardev').map((each) => [first(each, 'id'), each]));
  const fsdevs = new Map(of('fsdev').map((each) => [first(each, 'id'), each]));
  const devices = [
    ...of('device').flatMap((each) => deviceOf(each)),
    ...of('virtfs').map(
      (each): SharingDevice => ({
        ...{ type: '9p', tag: first(each, 'mount_tag'), socket: undefined },
        directory: absolute(first(each, 'path')),
        ...securityModelIn(each),
      }),
    ),
  ];
  if (devices.length === 0) return undefined;
  const [uuid] = of('uuid').map((each) => first(each, ''));
  const [name] = of('name').map((each) => first(each, 'guest') ?? first(each, ''));
  return {
    name,
    uuid: uuid?.toLowerCase(),
    devices,
    sshForwards: of('netdev', 'nic', 'net').flatMap((each) =>
      (each.get('hostfwd') ?? []).flatMap(sshForward),
    ),
    qmpSocket: absolute(qmpSocket()),
    ofLibvirt: argv.some((word) => /\/libvirt\/.*\/?domain-\d+-/.test(word)),
    memoryShared: of('object').some(
      (each) =>
        /^memory-backend-/.test(first(each, '') ?? first(each, 'qom-type') ?? '') &&
        isOn(first(each, 'share')),
    ),
  };

  function deviceOf(each: Options): SharingDevice[] {
    const driver = first(each, '') ?? first(each, 'driver') ?? '';
    if (/^virtio-9p(-|$)/.test(driver)) {
      const fsdev = fsdevs.get(first(each, 'fsdev'));
      const tag = first(each, 'mount_tag');
      const device = { type: '9p', tag, socket: undefined } as const;
      if (fsdev === undefined) return [{ ...device, directory: undefined }];
      return [{ ...device, directory: absolute(first(fsdev, 'path')), ...securityModelIn(fsdev) }];
    }
    // QEMU's generic device is a file system when its number says so (26 in the virtio specification).
    const isFileSystem =
      /^vhost-user-fs(-|$)/.test(driver) ||
      (/^vhost-user(-test)?-device(-|$)/.test(driver) && first(each, 'virtio-id') === '26');
    if (!isFileSystem) return [];
    const chardev = chardevs.get(first(each, 'chardev'));
    const socket = absolute(chardev && first(chardev, 'path'));
    return [{ type: 'virtiofs', tag: first(each, 'tag'), socket, directory: undefined }];
  }

  function qmpSocket(): string | undefined {
    const [short] = of('qmp')
      .map((each) => first(each, '') ?? '')
      .filter((each) => each.startsWith('unix:'));
    if (short !== undefined) return short.slice('unix:'.length);
    const monitor = of('mon').find((each) => first(each, 'mode') === 'control');
    const chardev = monitor && chardevs.get(first(monitor, '') ?? first(monitor, 'chardev'));
    return chardev && first(chardev, 'path');
  }
}

function first(options: Options, key: string): string | undefined {
  return options.get(key)?.[0];
}

function isOn(value: string | undefined): boolean {
  return value === 'on' || value === 'yes' || value === 'true';
}

function optionsIn(argv: readonly string[]): { readonly name: string; readonly options: Options }[] {
  return argv.flatMap((word, at) => {
    const name = /^--?([a-z][a-z0-9-]*)$/.exec(word)?.[1];
    const value = argv[at + 1];
    return name === undefined || value === undefined ? [] : [{ name, options: optionsOf(value) }];
  });
}

/** `a,key=value,…`, where two commas are one, or the same as JSON, which libvirt writes. The first word's key is "". */
function optionsOf(text: string): Options {
  const options = new Map<string, string[]>();
  const add = (key: string, value: string) => options.set(key, [...(options.get(key) ?? []), value]);
  if (text.startsWith('{')) {
    for (const [key, value] of Object.entries(parsedObject(text)))
      for (const each of Array.isArray(value) ? value : [value]) {
        const plain = typeof each === 'object' && each !== null && 'str' in each ? each.str : each;
        add(key, plain === true ? 'on' : plain === false ? 'off' : String(plain));
      }
    return options;
  }
  for (const [at, part] of (text.match(/(?:[^,]|,,)+/g) ?? []).entries()) {
    const word = part.replaceAll(',,', ',');
    const equals = word.indexOf('=');
    if (equals > 0) add(word.slice(0, equals), word.slice(equals + 1));
    else if (at === 0) add('', word);
    else add(word, 'on');
  }
  return options;
}

function parsedObject(text: string): Readonly<Record<string, unknown>> {
  try {
    return JSON.parse(text) as Record<string, unknown>;
  } catch {
    return {};
  }
}

/** `tcp:[address]:port-[address]:22`; an address that means "any" is this machine's own. */
function sshForward(text: string): { readonly host: string; readonly port: number }[] {
  const [, host = '', port] = /^(?:tcp)?:([^:]*):(\d+)-[^:]*:22$/.exec(text) ?? [];
  if (port === undefined) return [];
  return [{ host: host === '' || host === '0.0.0.0' ? '127.0.0.1' : host, port: Number(port) }];
}

function securityModelIn(options: Options): Pick<SharingDevice, 'securityModel'> {
  const securityModel = first(options, 'security_model');
  return securityModel === undefined ? {} : { securityModel };
}

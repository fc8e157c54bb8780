import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** One archive that a machine's apt uses. */
export interface AptSource {
  readonly uri: string;
  readonly suites: readonly string[];
  /** A keyring's path; undefined where the source names none, or holds the key itself. */
  readonly signedBy: string | undefined;
  readonly trusted: boolean;
}

/** Where a machine that says nothing of its own gets Debian from. */
const lastResort: AptSource = {
  uri: 'http://deb.debian.org/debian',
  suites: [],
  signedBy: undefined,
  trusted: false,
};

/** The mirror of the Debian archive that this machine's apt uses, or Debian's own where it uses none. */
export function debianMirror(aptDirectory = '/etc/apt'): AptSource {
  return readAptSources(aptDirectory).find(isDebianArchive) ?? lastResort;
}

/**
 * The archive itself, not its security updates, its snapshots of one day, or another distribution: its path
 * ends in `/debian`, or it is a list of mirrors with that name.
 */
function isDebianArchive({ uri }: AptSource): boolean {
  if (/^mirror\+file:/.test(uri)) return /\/debian(\.list)?$/.test(uri);
  return /^(https?|file|copy|mirror\+https?|tor\+https?):\/\/?[^ ]*\/debian\/?$/.test(uri);
}

function readAptSources(aptDirectory: string): AptSource[] {
  const list = readIfThere(join(aptDirectory, 'sources.list'));
  const parts = join(aptDirectory, 'sources.list.d');
  const sources = parseOneLine(list);
  for (const name of namesIn(parts)) {
    if (name.endsWith('.list')) sources.push(...parseOneLine(readIfThere(join(parts, name))));
    if (name.endsWith('.sources')) sources.push(...parseDeb822(readIfThere(join(parts, name))));
  }
  return sources;
}

/** The one-line format of sources.list(5): `deb [option=value …] URI SUITE COMPONENT…`. */
export function parseOneLine(text: string): AptSource[] {
  return text.split('\n').flatMap((line) => {
    const match = /^\s*deb\s+(?:\[([^\]]*)\]\s+)?(\S+)\s+(\S+)/.exec(line);
    if (match === null) return [];
    const [, options = '', uri = '', suite = ''] = match;
    const signedBy = /(?:^|\s)signed-by=(\S+)/.exec(options)?.[1];
    const trusted = /(?:^|\s)trusted=yes\b/.test(options);
    return [{ uri, suites: [suite], signedBy: keyringPath(signedBy), trusted }];
  });
}

/** The deb822 format: paragraphs of fields, a field going on in lines that begin with a space. */
export function parseDeb822(text: string): AptSource[] {
  const lines = text.split('\n').filter((line) => !line.startsWith('#'));
  return lines
    .join('\n')
    .split(/\n\s*\n/)
    .flatMap((paragraph) => {
      const fields = new Map<string, string>();
      for (const field of paragraph.split(/\n(?=\S)/)) {
        const colon = field.indexOf(':');
        if (colon > 0) fields.set(field.slice(0, colon).trim().toLowerCase(), field.slice(colon + 1).trim());
      }
      const words = (name: string) => (fields.get(name) ?? '').split(/\s+/).filter((word) => word !== '');
      const off = /^(no|false|0|off|without|disable)$/i.test(fields.get('enabled') ?? 'yes');
      if (off || !words('types').includes('deb')) return [];
      const rest = {
        suites: words('suites'),
        signedBy: keyringPath(fields.get('signed-by')),
        trusted: /^(yes|true)$/i.test(fields.get('trusted') ?? ''),
      };
      return words('uris').map((uri) => ({ uri, ...rest }));
    });
}

function keyringPath(value: string | undefined): string | undefined {
  return value?.startsWith('/') && !/\s/.test(value) ? value : undefined;
}

function readIfThere(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}

function namesIn(directory: string): string[] {
  try {
    return readdirSync(directory).sort();
  } catch {
    return [];
  }
}

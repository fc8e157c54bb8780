import { readFile } from 'node:fs/promises';
import { dirname, isAbsolute, join } from 'node:path';
import SshConfig, { LineType } from 'ssh-config';
import { KnownError } from '../model/error.ts';
import { matchesPatterns } from './host-pattern.ts';
import { expandGlob } from './include-glob.ts';

/** The value of one keyword, with the place that it was read from. */
export interface ConfigValue {
  readonly words: readonly string[];
  /** Everything after the keyword, as written: for commands. */
  readonly raw: string;
  readonly file: string;
  readonly line: number;
}

/** Keyword in lower case → its value; more than one only for IdentityFile. */
export type ConfigValues = ReadonlyMap<string, readonly ConfigValue[]>;

/** Whom the configuration is asked about. */
export interface ConfigQuestion {
  /** As the user gave it. */
  readonly host: string;
  /** From the command line, which comes before every file. */
  readonly user: string | undefined;
  readonly localUser: string;
  readonly home: string;
  /** In the order in which they count. */
  readonly files: readonly string[];
}

interface Line extends ConfigValue {
  readonly keyword: string;
  /** The files that an Include line names. */
  readonly included: readonly (readonly Line[])[];
}

/** As OpenSSH. */
const includeDepthMax = 16;

/**
 * What ssh_config says about a host, with OpenSSH's meaning: the first value wins, IdentityFile adds up,
 * Host and Match blocks apply or not, Include is taken where it stands, `Match final` asks for a second pass.
 *
 * The package ssh-config takes each line apart. Its compute() is not used: it knows no Include and no
 * negated Match, lets `?` match nothing, and itself runs the commands of `Match exec`, and nslookup.
 * @throws KnownError `ssh-config-unsupported` naming file and line.
 */
export async function readSshConfig(question: ConfigQuestion): Promise<ConfigValues> {
  const files = await Promise.all(question.files.map((file) => load(file, dirname(file), question.home, 0)));
  const values = new Map<string, ConfigValue[]>();
  const pass = { question, host: question.host, final: false, finalAsked: false, values };
  for (const lines of files) apply(lines, pass, true);
  if (pass.finalAsked) {
    const host = hostName(pass);
    for (const lines of files) apply(lines, { ...pass, host, final: true }, true);
  }
  return values;
}

async function load(file: string, base: string, home: string, depth: number): Promise<Line[]> {
  const text = await readFile(file, 'utf8').catch(() => '');
  const lines: Line[] = [];
  for (const [index, source] of text.split(/\r?\n/).entries()) {
    const line = parseLine(source, file, index + 1);
    if (line === undefined) continue;
    if (line.keyword !== 'include') {
      lines.push(line);
      continue;
    }
    if (depth >= includeDepthMax)
      throw unsupported(line, `more than ${includeDepthMax} Includes in one another`);
    const paths = line.words.map((word) => {
      const path = word.replace(/^~(?=\/|$)/, home);
      return isAbsolute(path) ? path : join(base, path);
    });
    const found = (await Promise.all(paths.map(expandGlob))).flat();
    lines.push({
      ...line,
      included: await Promise.all(found.map((path) => load(path, base, home, depth + 1))),
    });
  }
  return lines;
}

function parseLine(source: string, file: string, line: number): Line | undefined {
  if (/^\s*(#|$)/.test(source)) return undefined;
  const place = { words: [], raw: '', file, line };
  try {
    const [node] = SshConfig.parse(source.trim());
    if (node === undefined || node.type !== LineType.DIRECTIVE) return undefined;
    const { param, value } = node;
    return {
      ...place,
      keyword: param.toLowerCase(),
      words: typeof value === 'string' ? [value] : value.map(({ val }) => val),
      raw: source
        .trim()
        .slice(param.length)
        .replace(/^\s*=?\s*/, ''),
      included: [],
    };
  } catch {
    throw unsupported(place, 'this line cannot be read');
  }
}

interface Pass {
  readonly question: ConfigQuestion;
  /** What Host patterns are held against: in the final pass, the name that HostName has given. */
  readonly host: string;
  readonly final: boolean;
  finalAsked: boolean;
  readonly values: Map<string, ConfigValue[]>;
}

function apply(lines: readonly Line[], pass: Pass, outer: boolean): void {
  let active = outer;
  for (const line of lines) {
    if (line.keyword === 'host') active = outer && matchesPatterns(line.words, pass.host);
    else if (line.keyword === 'match') active = outer && matches(line, pass);
    else if (line.keyword === 'include') for (const file of line.included) apply(file, pass, active);
    else if (active) take(line, pass.values);
  }
}

/** ProxyCommand and ProxyJump compete: whichever comes first counts. */
const rivals: Readonly<Record<string, string>> = { proxycommand: 'proxyjump', proxyjump: 'proxycommand' };

function take(line: Line, values: Map<string, ConfigValue[]>): void {
  const { keyword, words, raw, file, line: number } = line;
  const rival = rivals[keyword];
  if (rival !== undefined && values.has(rival)) return;
  const had = values.get(keyword) ?? [];
  if (keyword === 'identityfile' ? had.some((each) => each.raw === raw) : had.length > 0) return;
  values.set(keyword, [...had, { words, raw, file, line: number }]);
}

function hostName(pass: Pass): string {
  const [value] = pass.values.get('hostname') ?? [];
  return (value?.words[0] ?? pass.question.host).replace(/%(.)/g, (all, token) =>
    token === 'h' ? pass.question.host : token === '%' ? '%' : all,
  );
}

function matches(line: Line, pass: Pass): boolean {
  const { question, values } = pass;
  const words = [...line.words];
  let result = true;
  let unknown: string | undefined;
  while (words.length > 0) {
    const word = (words.shift() ?? '').toLowerCase();
    const negated = word.startsWith('!');
    const criterion = negated ? word.slice(1) : word;
    if (criterion === 'all') continue;
    if (criterion === 'canonical' || criterion === 'final') {
      if (criterion === 'final') pass.finalAsked = true;
      if (pass.final === negated) result = false;
      continue;
    }
    const argument = words.shift();
    if (argument === undefined) throw unsupported(line, `Match ${criterion} lacks its argument`);
    const among = (text: string) => matchesPatterns(argument.split(','), text) !== negated;
    const amongHosts = (text: string) =>
      matchesPatterns(argument.toLowerCase().split(','), text.toLowerCase()) !== negated;
    if (criterion === 'host') result &&= amongHosts(hostName(pass));
    else if (criterion === 'originalhost') result &&= amongHosts(question.host);
    else if (criterion === 'user')
      result &&= among(question.user ?? values.get('user')?.[0]?.words[0] ?? question.localUser);
    else if (criterion === 'localuser') result &&= among(question.localUser);
    else unknown ??= criterion;
  }
  // Only a block that may be meant for this host is worth an error.
  if (result && unknown !== undefined) throw unsupported(line, `Match ${unknown} is not supported`);
  return result;
}

/** The error for a line of the configuration that cannot be honoured, and must not be ignored. */
export function unsupported(place: { file: string; line: number }, why: string): KnownError {
  return new KnownError(
    'ssh-config-unsupported',
    `${place.file}, line ${place.line}: ${why}.`,
    'Name the machine as ssh://user@host:port under a name that this line is not about, or change the line.',
  );
}

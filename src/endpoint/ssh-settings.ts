import { createHash } from 'node:crypto';
import { homedir, hostname, userInfo } from 'node:os';
import { join } from 'node:path';
import { type ConfigValue, readSshConfig, unsupported } from './ssh-config.ts';
import { parseJump, type SshTarget } from './ssh-target.ts';

/** Everything that a connection needs to know, after the target and the ssh configuration have been read. */
export interface SshSettings {
  /** As the user gave it. */
  readonly alias: string;
  readonly host: string;
  readonly port: number;
  readonly user: string;
  /** Private keys (or their .pub, for keys that an agent holds), in the order in which they are offered. */
  readonly identityFiles: readonly string[];
  /** They were named by somebody, so that one that is missing is worth a word. */
  readonly identitiesNamed: boolean;
  readonly identitiesOnly: boolean;
  readonly agentSocket: string | undefined;
  /** The first of them is the one that `acceptNewHostKey` adds to. */
  readonly userKnownHostsFiles: readonly string[];
  readonly globalKnownHostsFiles: readonly string[];
  readonly hostKeyAlias: string | undefined;
  readonly acceptNewHostKey: boolean;
  readonly hashKnownHosts: boolean;
  readonly connectTimeoutMs: number | undefined;
  readonly keepaliveIntervalMs: number | undefined;
  readonly keepaliveCountMax: number | undefined;
  /** The last is the one next to the target. */
  readonly jumps: readonly SshTarget[];
  /** For the user's shell, tokens expanded. */
  readonly proxyCommand: string | undefined;
  readonly family: 4 | 6 | undefined;
}

/** Where the user's own ssh settings are found. */
export interface SshSurroundings {
  readonly home: string;
  readonly user: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly configFiles: readonly string[];
}

/** Those of whoever runs this program. */
export function sshSurroundings(): SshSurroundings {
  const home = homedir();
  return {
    home,
    user: userInfo().username,
    env: process.env,
    configFiles: [join(home, '.ssh/config'), '/etc/ssh/ssh_config'],
  };
}

/**
 * Reads the ssh configuration for a target.
 * @throws KnownError `ssh-config-unsupported` for what applies to this host and cannot be honoured.
 */
export async function readSshSettings(target: SshTarget, around: SshSurroundings): Promise<SshSettings> {
  const values = await readSshConfig({
    host: target.host,
    user: target.user,
    localUser: around.user,
    home: around.home,
    files: around.configFiles,
  });
  const value = (keyword: string) => values.get(keyword)?.[0];
  const word = (keyword: string) => value(keyword)?.words[0];
  const isSet = (keyword: string) => /^(yes|true)$/i.test(word(keyword) ?? '');
  const number = (keyword: string) => {
    const found = value(keyword);
    if (found === undefined) return undefined;
    if (!/^\d+$/.test(found.words[0] ?? '')) throw unsupported(found, 'a number is expected');
    return Number(found.words[0]);
  };

  const user = target.user ?? word('user') ?? around.user;
  const port = target.port ?? number('port') ?? 22;
  const named = value('hostname');
  const host =
    named === undefined
      ? target.host
      : expandTokens(named.words[0] ?? '', { h: target.host, n: target.host }, named);
  const hostKeyAlias = word('hostkeyalias');
  const jumpValue = value('proxyjump');
  const tokens = {
    h: host,
    n: target.host,
    p: String(port),
    r: user,
    u: around.user,
    d: around.home,
    l: hostname(),
    L: hostname().split('.')[0] ?? '',
    i: String(userInfo().uid),
    k: hostKeyAlias ?? host,
    j: jumpValue?.words[0] ?? '',
  };
  const all = { ...tokens, C: connectionHash(tokens) };
  const path = (text: string, from: ConfigValue) =>
    expandTokens(expandEnvironment(text, around.env, from), all, from).replace(/^~(?=\/|$)/, around.home);
  const files = (keyword: string, otherwise: readonly string[]) => {
    const found = value(keyword);
    if (found === undefined) return otherwise;
    return found.words.filter((each) => each.toLowerCase() !== 'none').map((each) => path(each, found));
  };

  refuse(value('canonicalizehostname'), /^(yes|always)$/i, 'CanonicalizeHostname is not supported');
  refuse(value('revokedhostkeys'), /^(?!none$)/i, 'RevokedHostKeys is not supported');
  refuse(
    value('stricthostkeychecking'),
    /^(no|off|false)$/i,
    'StrictHostKeyChecking no is refused: the host key is always verified',
  );

  const identities = values.get('identityfile') ?? [];
  const command = value('proxycommand');
  const hasCommand = command !== undefined && !/^none$/i.test(command.raw);
  if (hasCommand) refuse(value('proxyusefdpass'), /^(yes|true)$/i, 'ProxyUseFdpass is not supported');
  const seconds = (keyword: string) => {
    const found = number(keyword);
    return found === undefined || found === 0 ? undefined : found * 1000;
  };

  return {
    alias: target.host,
    host,
    port,
    user,
    identityFiles:
      identities.length > 0
        ? identities
            .filter(({ words }) => !/^none$/i.test(words[0] ?? ''))
            .map((each) => path(each.words[0] ?? '', each))
        : ['id_ed25519', 'id_ecdsa', 'id_rsa'].map((name) => join(around.home, '.ssh', name)),
    identitiesNamed: identities.length > 0,
    identitiesOnly: isSet('identitiesonly'),
    agentSocket: agentSocket(value('identityagent'), around.env, path),
    userKnownHostsFiles: files(
      'userknownhostsfile',
      ['known_hosts', 'known_hosts2'].map((name) => join(around.home, '.ssh', name)),
    ),
    globalKnownHostsFiles: files('globalknownhostsfile', [
      '/etc/ssh/ssh_known_hosts',
      '/etc/ssh/ssh_known_hosts2',
    ]),
    hostKeyAlias,
    acceptNewHostKey: /^accept-new$/i.test(word('stricthostkeychecking') ?? ''),
    hashKnownHosts: isSet('hashknownhosts'),
    connectTimeoutMs: seconds('connecttimeout'),
    keepaliveIntervalMs: seconds('serveraliveinterval'),
    keepaliveCountMax: number('serveralivecountmax'),
    jumps: jumpsOf(jumpValue, { alias: target.host, host, port, user }),
    proxyCommand: hasCommand ? expandTokens(command.raw, all, command) : undefined,
    family: { inet: 4, inet6: 6 }[(word('addressfamily') ?? '').toLowerCase()] as 4 | 6 | undefined,
  };
}

function refuse(value: ConfigValue | undefined, pattern: RegExp, why: string): void {
  if (value !== undefined && pattern.test(value.words[0] ?? '')) throw unsupported(value, why);
}

/** A jump host for `Host *` matches the jump host itself too: as in OpenSSH, nobody jumps through himself. */
function jumpsOf(
  value: ConfigValue | undefined,
  self: { alias: string; host: string; port: number; user: string },
): SshTarget[] {
  if (value === undefined || /^none$/i.test(value.words[0] ?? '')) return [];
  const jumps = (value.words[0] ?? '').split(',').map((each) => parseJump(each.trim()));
  const [only] = jumps;
  const isSelf =
    jumps.length === 1 &&
    only !== undefined &&
    (only.host === self.alias || only.host === self.host) &&
    (only.port ?? self.port) === self.port &&
    (only.user ?? self.user) === self.user;
  return isSelf ? [] : jumps;
}

function agentSocket(
  value: ConfigValue | undefined,
  env: SshSurroundings['env'],
  path: (text: string, from: ConfigValue) => string,
): string | undefined {
  const text = value?.words[0];
  const socket =
    value === undefined || text === undefined || text === 'SSH_AUTH_SOCK'
      ? env.SSH_AUTH_SOCK
      : /^none$/i.test(text)
        ? undefined
        : text.startsWith('$') && !text.startsWith('${')
          ? env[text.slice(1)]
          : path(text, value);
  return socket === '' ? undefined : socket;
}

function expandTokens(
  text: string,
  tokens: Readonly<Record<string, string>>,
  from: { file: string; line: number },
): string {
  return text.replace(/%(.?)/g, (_, token: string) => {
    if (token === '%') return '%';
    const replacement = tokens[token];
    if (replacement === undefined) throw unsupported(from, `the token %${token} is not supported`);
    return replacement;
  });
}

function expandEnvironment(text: string, env: SshSurroundings['env'], from: ConfigValue): string {
  return text.replace(/\$\{([^}]*)\}/g, (_, name: string) => {
    const replacement = env[name];
    if (replacement === undefined) throw unsupported(from, `the environment has no ${name}`);
    return replacement;
  });
}

function connectionHash(tokens: { l: string; h: string; p: string; r: string; j: string }): string {
  const { l, h, p, r, j } = tokens;
  return createHash('sha1').update(`${l}${h}${p}${r}${j}`).digest('hex');
}

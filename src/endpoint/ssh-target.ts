import { KnownError } from '../model/error.ts';

/** What the user said of a machine; what is left out comes from the ssh configuration. */
export interface SshTarget {
  /** A name or address, or an alias of the ssh configuration. */
  readonly host: string;
  readonly user?: string;
  readonly port?: number;
}

/**
 * Reads `ssh://[user@]host[:port]`, `[user@]host` or an alias.
 * @throws KnownError `bad-target`.
 */
export function parseSshTarget(text: string): SshTarget {
  const uri = /^ssh:\/\/(?:([^@/]*)@)?(?:\[([^\]/]+)\]|([^:/@[\]]+))(?::(\d+))?\/?$/i.exec(text);
  if (uri !== null) {
    const [, user, address, host = address, port] = uri;
    if (user?.includes(':')) throw bad(text, 'a password in it is not supported; use a key');
    return checked(text, { host: host ?? '', ...decodeUser(text, user), ...decodePort(text, port) });
  }
  if (/^\w+:\/\//.test(text)) throw bad(text, 'only ssh:// is understood');
  const at = text.lastIndexOf('@');
  const host = text.slice(at + 1);
  if (/^[^:]+:\d+$/.test(host)) throw bad(text, 'a port is given as ssh://user@host:port');
  return checked(text, { host, ...(at < 0 ? {} : { user: text.slice(0, at) }) });
}

/** As `parseSshTarget`, but with `host:port` too: one hop of a ProxyJump list. */
export function parseJump(text: string): SshTarget {
  if (text.startsWith('ssh://')) return parseSshTarget(text);
  const at = text.lastIndexOf('@');
  const place = text.slice(at + 1);
  const [, bracketed, plain, port] = /^(?:\[([^\]]+)\]|([^:]+))(?::(\d+))?$/.exec(place) ?? [];
  return checked(text, {
    host: bracketed ?? plain ?? place,
    ...(at < 0 ? {} : { user: text.slice(0, at) }),
    ...decodePort(text, port),
  });
}

function decodeUser(text: string, user: string | undefined): { user?: string } {
  if (user === undefined || user === '') return {};
  try {
    return { user: decodeURIComponent(user) };
  } catch {
    throw bad(text, 'the user is not encoded as in a URI');
  }
}

function decodePort(text: string, port: string | undefined): { port?: number } {
  if (port === undefined) return {};
  const number = Number(port);
  if (!(number >= 1 && number <= 65_535)) throw bad(text, 'the port is not between 1 and 65535');
  return { port: number };
}

/** Names may reach the user's ProxyCommand, so what a shell would act on is refused, as OpenSSH does. */
function checked(text: string, target: SshTarget): SshTarget {
  if (target.host === '') throw bad(text, 'the host is missing');
  if (target.host.startsWith('-') || /[\s'"`$\\;&<>|(){}]|\p{Cc}/u.test(target.host)) {
    throw bad(text, 'that is no name of a host');
  }
  if (target.user !== undefined) {
    if (target.user === '') throw bad(text, 'the user is missing');
    if (target.user.startsWith('-') || /['`"$\\;&<>|(){}]|\p{Cc}/u.test(target.user)) {
      throw bad(text, 'that is no name of a user');
    }
  }
  return target;
}

/** What stands behind a colon before the last @: it goes into no error, since errors go into logs and reports. */
const password = /^([a-z]+:\/\/)?([^:@/]*):.*@/i;

function bad(text: string, why: string): KnownError {
  return new KnownError(
    'bad-target',
    `${JSON.stringify(text.replace(password, '$1$2:…@'))} names no machine: ${why}.`,
    'Write local, ssh://user@host:port, user@host, or an alias of your ~/.ssh/config.',
  );
}

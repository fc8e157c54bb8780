import { KnownError } from '../model/error.ts';
import { fingerprint, type HostKeyState, keyTypeOf } from './known-hosts.ts';
import { quote } from './quote.ts';

/**
 * Why a host key is not trusted, and what to do about it.
 * @param place the endpoint's name; @param name the host's name in known_hosts.
 */
export function hostKeyError(
  state: Exclude<HostKeyState, { kind: 'known' }>,
  place: string,
  name: string,
  key: Buffer,
): KnownError {
  const shown = `${typeName(key)} key ${fingerprint(key)}`;
  switch (state.kind) {
    case 'revoked':
      return new KnownError(
        'host-key-revoked',
        `${place} shows the ${shown}, which ${state.entry.file}, line ${state.entry.line}, says is revoked.`,
        'Do not connect. The machine needs a new host key, unless the line is a mistake.',
      );
    case 'changed': {
      const { file, line, keyType } = state.entry;
      const other = state.otherType ? `, not the ${keyType} key of` : `, not the one of`;
      return new KnownError(
        'host-key-changed',
        `${place} shows the ${shown}${other} ${file}, line ${line}.`,
        `If the machine was installed anew, forget the old key: ssh-keygen -f ${quote(file)} -R ${quote(name)}. If not, somebody may be listening in.`,
      );
    }
    case 'unknown': {
      const { authority } = state;
      const note =
        authority === undefined
          ? ''
          : ` ${authority.file}, line ${authority.line}, trusts it by @cert-authority, which is not supported.`;
      return new KnownError(
        'host-key-unknown',
        `${place} shows the ${shown}, which nobody has confirmed yet.${note}`,
        'Compare it with the machine itself (there: ssh-keygen -lf on its /etc/ssh/ssh_host_*_key.pub), then give --accept-new-host-key once, or connect once with ssh.',
      );
    }
  }
}

function typeName(key: Buffer): string {
  const type = keyTypeOf(key);
  return { 'ssh-ed25519': 'ED25519', 'ssh-rsa': 'RSA' }[type] ?? (type.startsWith('ecdsa-') ? 'ECDSA' : type);
}

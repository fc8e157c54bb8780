import { KnownError } from '../model/error.ts';
import type { Identities } from './ssh-identity.ts';

/** What happened while logging in, for the error. */
export interface LoginStory {
  /** The endpoint's name. */
  readonly place: string;
  readonly identities: Identities;
  /** Labels of the keys that were offered. */
  readonly tried: readonly string[];
  /** Methods that the server would go on with. */
  readonly accepted: readonly string[];
  /** A key was accepted, and the server wants more than that. */
  readonly partial: boolean;
  /** The server's own words, or why the login ended before all was tried. */
  readonly reason: string | undefined;
}

/** A login that failed, in words, with the cure that fits. */
export function authError(story: LoginStory): KnownError {
  const { place, identities, tried, accepted, partial, reason } = story;
  const { offers, unusable, agentTrouble } = identities;
  const encrypted = unusable.find((each) => each.encrypted);
  const byKey = accepted.length === 0 || accepted.includes('publickey');
  const target = place.replace(/^(.*):(\d+)$/, '-p $2 $1');

  const what = partial
    ? `${place} wants more than a key (${accepted.join(', ')})`
    : !byKey
      ? `${place} takes no key, only ${accepted.join(', ')}`
      : tried.length > 0
        ? `${place} accepts none of the ${tried.length} key${tried.length === 1 ? '' : 's'} offered`
        : encrypted !== undefined
          ? `${place}: the key ${encrypted.file} is encrypted and no agent holds it`
          : `${place}: there is no key to log in with`;
  const cure =
    partial || !byKey
      ? 'A password or an answer to a question cannot be given here: let the server accept a key alone for this user.'
      : tried.length < offers.length
        ? 'The server broke off before all keys were tried: name the right one with IdentityFile and IdentitiesOnly yes in ~/.ssh/config.'
        : encrypted !== undefined
          ? `Unlock it once: ssh-add ${encrypted.file}`
          : tried.length === 0
            ? `Make a key (ssh-keygen -t ed25519) and take it there: ssh-copy-id ${target}`
            : `Take one of these keys there (ssh-copy-id ${target}), or name the right one with IdentityFile in ~/.ssh/config.`;

  const detail = [
    ...tried.map((label) => `refused: ${label}`),
    ...offers.slice(tried.length).map(({ label }) => `not tried: ${label}`),
    ...unusable.map(({ file, why }) => `not usable: ${file} (${why})`),
    ...(agentTrouble === undefined ? [] : [`agent: ${agentTrouble}`]),
    ...(accepted.length === 0 ? [] : [`the server accepts: ${accepted.join(', ')}`]),
    ...(reason === undefined ? [] : [`it ended with: ${reason}`]),
  ];
  return new KnownError('auth', `${what}.`, cure, { detail: detail.join('\n') });
}

import { readFile } from 'node:fs/promises';
import ssh2, { type AnyAuthMethod, type ParsedKey } from 'ssh2';
import { fingerprint } from './known-hosts.ts';
import type { SshSettings } from './ssh-settings.ts';

// ssh2 is CommonJS: Node's loader does not see all of its names.
const { createAgent, utils } = ssh2;

/** One key to offer to the server. */
interface Offer {
  /** For people: where the key is from, and its fingerprint. */
  readonly label: string;
  readonly method: AnyAuthMethod;
}

/** All that could be offered, and what could not and why. */
export interface Identities {
  readonly offers: readonly Offer[];
  readonly unusable: readonly { readonly file: string; readonly why: string; readonly encrypted: boolean }[];
  /** Why the agent could not be asked. */
  readonly agentTrouble: string | undefined;
}

const agentLimitMs = 5000;

/**
 * Collects the keys in the order of OpenSSH: those that the agent holds for the identity files, then the
 * agent's others (unless IdentitiesOnly), then the files themselves.
 */
export async function readIdentities(settings: SshSettings): Promise<Identities> {
  const agent = await askAgent(settings.agentSocket);
  const files = await Promise.all(settings.identityFiles.map(readIdentityFile));
  const held = files.flatMap(({ blob }) => agent.keys.filter((key) => blob?.equals(key.getPublicSSH())));
  const others = settings.identitiesOnly ? [] : agent.keys.filter((key) => !held.includes(key));
  const isHeld = (blob: Buffer | undefined) => held.some((key) => blob?.equals(key.getPublicSSH()));

  const { user: username, agentSocket } = settings;
  const fromAgent = [...held, ...others].map((key): Offer => {
    const sign = createAgent(agentSocket ?? '');
    // One attempt is one key, so that what was tried can be told.
    sign.getIdentities = (done) => done(undefined, [key]);
    return {
      label: `agent: ${key.comment || key.type} ${fingerprint(key.getPublicSSH())}`,
      method: { type: 'agent', username, agent: sign },
    };
  });
  const fromFiles = files.flatMap(({ file, secret, blob }): Offer[] =>
    secret === undefined || blob === undefined || isHeld(blob)
      ? []
      : [{ label: `${file} ${fingerprint(blob)}`, method: { type: 'publickey', username, key: secret } }],
  );
  return {
    offers: [...fromAgent, ...fromFiles],
    unusable: files.flatMap(({ file, why, missing, encrypted, blob }) =>
      why === undefined || isHeld(blob) || (missing && !settings.identitiesNamed)
        ? []
        : [{ file, why, encrypted }],
    ),
    agentTrouble: agent.trouble,
  };
}

interface IdentityFile {
  readonly file: string;
  /** The whole file, where it can be used without a passphrase. */
  readonly secret?: Buffer;
  /** The public key, by which an agent's key is recognised. */
  readonly blob?: Buffer | undefined;
  readonly why?: string;
  readonly missing: boolean;
  readonly encrypted: boolean;
}

async function readIdentityFile(file: string): Promise<IdentityFile> {
  const none = { file, missing: false, encrypted: false };
  let secret: Buffer;
  try {
    secret = await readFile(file);
  } catch (error) {
    const missing = (error as NodeJS.ErrnoException).code === 'ENOENT';
    const why = missing ? 'no such file' : (error as Error).message;
    return { ...none, missing, why, blob: await readPublicKey(`${file}.pub`) };
  }
  const key = parse(secret);
  if (key instanceof Error) {
    const encrypted = /encrypted|passphrase/i.test(key.message);
    const why = encrypted ? 'encrypted with a passphrase' : key.message;
    return { ...none, encrypted, why, blob: await readPublicKey(`${file}.pub`) };
  }
  const blob = key.getPublicSSH();
  return key.isPrivateKey() ? { ...none, secret, blob } : { ...none, blob, why: 'not in the agent' };
}

async function readPublicKey(file: string): Promise<Buffer | undefined> {
  const text = await readFile(file).catch(() => undefined);
  const key = text === undefined ? undefined : parse(text);
  return key === undefined || key instanceof Error ? undefined : key.getPublicSSH();
}

function parse(text: Buffer): ParsedKey | Error {
  const key: ParsedKey | ParsedKey[] | Error = utils.parseKey(text);
  return Array.isArray(key) ? (key[0] ?? new Error('no key in it')) : key;
}

async function askAgent(socket: string | undefined): Promise<{ keys: ParsedKey[]; trouble?: string }> {
  if (socket === undefined) return { keys: [] };
  const asked = new Promise<{ keys: ParsedKey[]; trouble?: string }>((resolve) => {
    createAgent(socket).getIdentities((error, keys) => {
      if (error) resolve({ keys: [], trouble: `${error.message} (${socket})` });
      else resolve({ keys: (keys ?? []).filter((key): key is ParsedKey => isParsedKey(key)) });
    });
  });
  let timer: NodeJS.Timeout | undefined;
  const limit = new Promise<{ keys: ParsedKey[]; trouble: string }>((resolve) => {
    const trouble = `no answer from the agent within ${agentLimitMs / 1000} s (${socket})`;
    timer = setTimeout(resolve, agentLimitMs, { keys: [], trouble });
  });
  return Promise.race([asked, limit]).finally(() => clearTimeout(timer));
}

function isParsedKey(key: unknown): key is ParsedKey {
  return typeof (key as { getPublicSSH?: unknown }).getPublicSSH === 'function';
}

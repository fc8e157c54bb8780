import { createRequire } from 'node:module';
import { Ajv2020, type ErrorObject, type ValidateFunction } from 'ajv/dist/2020.js';
import { checkAddress } from '../endpoint/open.ts';
import { KnownError } from '../model/error.ts';
import { parseMode } from '../model/mode.ts';
import type { Config } from './config.ts';

/** One thing that is wrong with a file of settings. */
export interface Fault {
  /** Where, from the top. */
  readonly path: readonly (string | number)[];
  /** The fault is of this key of it, rather than of its value. */
  readonly key?: string;
  /** Where in the text, if that is known already. */
  readonly offset?: number;
  readonly words: string;
}

let compiled: ValidateFunction | undefined;

/** Everything that is wrong with the settings: by the schema first, then what only their meaning shows. */
export function faultsOf(value: unknown): readonly Fault[] {
  // require: import attributes for JSON make Node 20 print a warning to every user.
  compiled ??= new Ajv2020({ allErrors: true, strict: true, allowUnionTypes: true, verbose: true }).compile(
    createRequire(import.meta.url)('./config.schema.json'),
  );
  if (compiled(value)) return meaningFaults(value as Config);
  return (compiled.errors ?? []).flatMap((error) => faultOf(error, pathOf(error.instancePath, value)) ?? []);
}

/** The place that a JSON pointer names: numbers are places in a list, and names elsewhere. */
function pathOf(pointer: string, value: unknown): readonly (string | number)[] {
  let at = value;
  return pointer
    .split('/')
    .slice(1)
    .map((part) => {
      const name = part.replaceAll('~1', '/').replaceAll('~0', '~');
      const step = Array.isArray(at) ? Number(name) : name;
      at = (at as Record<string | number, unknown> | undefined)?.[step];
      return step;
    });
}

function faultOf(error: ErrorObject, path: Fault['path']): Fault | undefined {
  const { keyword, params, data } = error;
  const name = path.length === 0 ? 'the file' : `"${path.join('.')}"`;
  const is = `${name} is ${typeWords(data)}`;
  switch (keyword) {
    case 'additionalProperties': {
      const key = String(params.additionalProperty);
      const known = Object.keys((error.parentSchema?.properties ?? {}) as object).filter(
        (each) => each !== '$schema',
      );
      return {
        path,
        key,
        words: `"${key}" is no setting${path.length === 0 ? '' : ` of ${name}`}; known: ${known.join(', ')}`,
      };
    }
    case 'required':
      return { path, words: `${name} lacks "${params.missingProperty}"` };
    case 'type':
      return { path, words: `${is}, and must be ${articled(String(params.type))}` };
    case 'pattern':
      return error.propertyName === undefined
        ? { path, words: `${name} must be an absolute path, not ${JSON.stringify(data)}` }
        : {
            path,
            key: error.propertyName,
            words: `"${error.propertyName}" is no name: letters, digits and . _ - only`,
          };
    case 'propertyNames':
    case 'if':
      // What it was made of has been told.
      return undefined;
    case 'minLength':
      return { path, words: `${name} is empty` };
    case 'minItems':
      return { path, words: `${name} is an empty list` };
    case 'uniqueItems':
      return { path: [...path, Number(params.i)], words: `${name} has the same entry twice` };
    default:
      return { path, words: `${name} ${error.message ?? 'is wrong'}` };
  }
}

function typeWords(data: unknown): string {
  if (data === null) return 'null';
  return Array.isArray(data) ? 'a list' : articled(typeof data);
}

function articled(type: string): string {
  const word = type === 'array' ? 'list' : type;
  return `${/^[aeio]/.test(word) ? 'an' : 'a'} ${word}`;
}

/** Names that lead nowhere, modes and addresses that are none. */
function meaningFaults(config: Config): readonly Fault[] {
  const { guests = {}, hosts = {}, shares = {} } = config;
  const chosen = typeof config.guest === 'string' ? [config.guest] : (config.guest ?? []);
  return [
    ...chosen.flatMap((name, index) =>
      Object.hasOwn(guests, name)
        ? []
        : addressFaults(name, typeof config.guest === 'string' ? ['guest'] : ['guest', index]),
    ),
    ...(config.host === undefined || Object.hasOwn(hosts, config.host)
      ? []
      : addressFaults(config.host, ['host'])),
    ...Object.entries(hosts).flatMap(([name, address]) => addressFaults(address, ['hosts', name])),
    ...Object.entries(guests).flatMap(([name, guest]) => {
      const at = ['guests', name];
      if (typeof guest === 'string') return addressFaults(guest, at);
      return [
        ...addressFaults(guest.address, [...at, 'address']),
        ...(guest.host === undefined || Object.hasOwn(hosts, guest.host)
          ? []
          : addressFaults(guest.host, [...at, 'host'])),
        ...(guest.shares ?? []).flatMap((share, index) =>
          Object.hasOwn(shares, share)
            ? []
            : [{ path: [...at, 'shares', index], words: `there is no share "${share}"${knownAs(shares)}` }],
        ),
      ];
    }),
    ...Object.entries(shares).flatMap(([name, { mode }]) => modeFaults(mode, ['shares', name, 'mode'])),
    ...(config.modes ?? []).flatMap((mode, index) =>
      mode === 'all' ? [] : modeFaults(mode, ['modes', index]),
    ),
  ];
}

function knownAs(named: object): string {
  const names = Object.keys(named);
  return names.length === 0 ? '; the file has none' : `; there are: ${names.join(', ')}`;
}

function addressFaults(address: string, path: Fault['path']): Fault[] {
  return told(path, () => checkAddress(address));
}

function modeFaults(mode: string | undefined, path: Fault['path']): Fault[] {
  return mode === undefined ? [] : told(path, () => parseMode(mode));
}

/** What a parser complains of. */
function told(path: Fault['path'], parse: () => unknown): Fault[] {
  try {
    parse();
    return [];
  } catch (error) {
    if (error instanceof KnownError) return [{ path, words: error.message.replace(/\.$/, '') }];
    throw error;
  }
}

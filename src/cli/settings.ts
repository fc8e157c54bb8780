import type { Command } from 'commander';
import type { Config } from '../config/config.ts';
import { findConfig, loadConfig } from '../config/load.ts';
import { KnownError } from '../model/error.ts';
import { type Given, guestsIn, placeOf, type SharePlace, type Target, targetOf } from './targets.ts';

/** Where a value comes from, as commander calls it; `config` is the file of settings. */
const given = ['cli', 'env'];

/** Flags that the file gives a default, as the file says them. */
const defaults: Readonly<Record<string, (config: Config) => string | undefined>> = {
  modes: ({ modes }) => modes?.join(','),
  timeout: ({ limits }) => textOf(limits?.timeoutSeconds),
  jobs: ({ limits }) => textOf(limits?.jobs),
  guestLimit: ({ limits }) => textOf(limits?.guestSeconds),
};

function textOf(value: number | undefined): string | undefined {
  return value === undefined ? undefined : String(value);
}

/**
 * Lays flags, environment and the file of settings together, in this order, before a command runs: its options
 * have afterwards what is in force. With several guests, `targets` has them all.
 * @throws KnownError `no-config`, `bad-config`, `config-not-yours`, `bad-flag`
 */
export async function applySettings(command: Command): Promise<void> {
  const loaded = await configFor(command.getOptionValue('config') as string | false | undefined);
  const config = loaded?.config ?? {};
  command.setOptionValueWithSource('configFile', loaded?.file, 'config');
  for (const [name, read] of Object.entries(defaults)) {
    const value = read(config);
    if (value !== undefined && hasOption(command, name) && !isGiven(command, name))
      command.setOptionValueWithSource(name, value, 'config');
  }
  if (isGiven(command, 'lab')) return besideLab(command);
  const { names, source } = await namedGuests(command, config);
  const said: Given = { host: givenValue(command, 'host'), map: givenValue(command, 'map') };
  const targets = unique(names).map((name) => targetOf(name, said, config));
  if (targets.length > 1) {
    if (!hasOption(command, 'jobs')) throw oneGuest(command, targets);
    command.setOptionValueWithSource('targets', targets, source);
  }
  const [only] = targets;
  if (targets.length === 1) {
    command.setOptionValueWithSource('guest', only?.guest, source);
    command.setOptionValueWithSource('guestName', only?.name, source);
  }
  if (targets.length < 2) setPlace(command, only ?? placeOf({}, said, config));
}

/**
 * `--lab` names guest and host: what environment and file say of them is passed over.
 * @throws KnownError `bad-flag` where another flag names them too.
 */
function besideLab(command: Command): void {
  const flag = ['guest', 'guests', 'host'].find((name) => command.getOptionValueSource(name) === 'cli');
  if (flag !== undefined)
    throw new KnownError(
      'bad-flag',
      `--lab and --${flag} exclude each other: a lab has its own guest, and this host`,
      'Leave one of them away.',
    );
  for (const name of ['guest', 'host', 'map'])
    if (command.getOptionValueSource(name) === 'env')
      command.setOptionValueWithSource(name, name === 'host' ? 'local' : undefined, 'default');
}

function configFor(option: string | false | undefined) {
  if (option === false) return undefined;
  return option === undefined ? findConfig(process.cwd()) : loadConfig(option);
}

/** The guests that are meant: by a flag, else by the environment, else by the file. */
async function namedGuests(
  command: Command,
  config: Config,
): Promise<{ readonly names: readonly string[]; readonly source: string }> {
  const list = givenValue<string>(command, 'guests');
  const source = list === undefined ? command.getOptionValueSource('guest') : 'cli';
  // A list is a flag, and beats a guest of the environment.
  const single =
    command.getOptionValueSource('guest') === source ? givenValue<string[]>(command, 'guest') : [];
  const names = [...(single ?? []), ...(list === undefined ? [] : await guestsIn(list))];
  return names.length > 0 && source !== undefined
    ? { names, source }
    : { names: [config.guest ?? []].flat(), source: 'config' };
}

function setPlace(command: Command, { host, hostOfFile, map, modeOf }: SharePlace): void {
  setHost(command, hostOfFile || isGiven(command, 'host') ? host : undefined);
  if (map.length > 0 && !isGiven(command, 'map')) command.setOptionValueWithSource('map', map, 'config');
  command.setOptionValueWithSource('modeOf', modeOf, 'config');
}

/** A name of the file that was given by a flag is an address afterwards, and is the flag's still. */
function setHost(command: Command, address: string | undefined): void {
  if (address === undefined) return;
  const source = isGiven(command, 'host') ? command.getOptionValueSource('host') : 'config';
  command.setOptionValueWithSource('host', address, source);
}

function oneGuest(command: Command, targets: readonly Target[]): KnownError {
  return new KnownError(
    'bad-flag',
    `${command.name()} asks one guest, and ${targets.length} are named: ${targets.map(({ name }) => name).join(', ')}`,
    'Name one with --guest; md5, check and doctor ask many.',
  );
}

function unique(names: readonly string[]): readonly string[] {
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice === undefined) return names;
  throw new KnownError('bad-flag', `the guest ${twice} is named twice`, 'Name each guest once.');
}

function hasOption(command: Command, name: string): boolean {
  return command.options.some((option) => option.attributeName() === name);
}

function isGiven(command: Command, name: string): boolean {
  return given.includes(command.getOptionValueSource(name) ?? '');
}

function givenValue<T>(command: Command, name: string): T | undefined {
  return isGiven(command, name) ? (command.getOptionValue(name) as T) : undefined;
}

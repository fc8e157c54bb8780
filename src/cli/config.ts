import type { Command } from 'commander';
import { padTo } from '../report/layout.ts';
import { printable } from '../report/printable.ts';
import type { Target } from './targets.ts';

/** What is shown, by the option's own name, in this order. */
const shown = ['guest', 'guests', 'host', 'map', 'mode', 'modes', 'timeout', 'jobs', 'guestLimit'] as const;

/** One setting that is in force. */
interface Setting {
  readonly name: string;
  readonly value: string | readonly string[];
  /** `--guest`, `VFS_VERIFY_GUEST`, the file's path, `default`. */
  readonly from: string;
}

/** `vfs-verify config`: what is in force here, and where each value comes from. Reaches nobody. */
export function config(command: Command): void {
  const file = command.getOptionValue('configFile') as string | undefined;
  const targets = command.getOptionValue('targets') as readonly Target[] | undefined;
  const settings = [...settingsOf(command, file), ...(targets ?? []).map((each) => targetSetting(each))];
  if (command.getOptionValue('json') === true) {
    process.stdout.write(`${JSON.stringify({ file: file ?? null, settings }, undefined, 2)}\n`);
    return;
  }
  const width = Math.max(...settings.map(({ name }) => name.length));
  const lines = settings.map(
    ({ name, value, from }) =>
      `  ${padTo(name, width)}  ${printable([value].flat().join(', '))}  (${printable(from)})`,
  );
  const head =
    file === undefined ? 'no file of settings is found from here upward' : `settings of ${printable(file)}`;
  process.stdout.write(`${[head, '', ...lines].join('\n')}\n`);
}

function settingsOf(command: Command, file: string | undefined): Setting[] {
  const several = command.getOptionValue('targets') !== undefined;
  return shown.flatMap((name) => {
    const option = command.options.find((each) => each.attributeName() === name);
    const value = command.getOptionValue(name) as string | readonly string[] | undefined;
    // Where there are several guests, each has its own line.
    if (option === undefined || value === undefined || value.length === 0 || (several && name === 'guest'))
      return [];
    const places: Readonly<Record<string, string | undefined>> = {
      cli: option.long ?? option.flags,
      env: option.envVar,
      config: file,
    };
    const from = places[command.getOptionValueSource(name) ?? ''] ?? 'default';
    const modes = (command.getOptionValue('modeOf') ?? {}) as Readonly<Record<string, string>>;
    return [
      {
        name: (option.long ?? name).replace('--', ''),
        value: name === 'map' ? mapWords(value, modes) : value,
        from,
      },
    ];
  });
}

function targetSetting({ name, guest, host, map, modeOf }: Target): Setting {
  const words = [guest, `host ${host}`, ...mapWords(map, modeOf)];
  return { name: `guest ${name}`, value: words, from: name === guest ? 'as given' : 'by its name' };
}

/** A map with the mode that the file gives its share. */
function mapWords(
  maps: string | readonly string[],
  modeOf: Readonly<Record<string, string>>,
): readonly string[] {
  return [maps].flat().map((map) => {
    const mode = modeOf[map.slice(0, map.indexOf('=/'))];
    return mode === undefined ? map : `${map} in mode ${mode}`;
  });
}

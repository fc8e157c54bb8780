import { quantityNames, runQuantities, snakeCase } from '../model/run-quantities.ts';
import type { RunSnapshot } from '../model/run-snapshot.ts';
import { printable } from './printable.ts';

/** A metric family with its one sample. */
interface Family {
  readonly name: string;
  readonly type: 'counter' | 'gauge';
  readonly unit?: 'bytes' | 'seconds';
  readonly help: string;
  readonly value: number;
}

const prefix = 'vfs_verify_explain';

/**
 * A run at one moment as OpenMetrics 1.0 text. Only counters and gauges, no timestamps, and nothing in a HELP that
 * needs escapes: so node_exporter, which reads the older Prometheus format, understands it as well.
 */
export function renderOpenMetrics(snapshot: RunSnapshot): string {
  const { version, program, state, startedAt, elapsedSeconds, isRunning, exitStatus, seen } = snapshot;
  const labels = labelled({ program, ...(state === undefined ? {} : { state }) });
  const families: Family[] = [
    gauge('running', 'Whether the program runs: 1 or 0.', isRunning ? 1 : 0),
    {
      ...gauge('start_time_seconds', 'When the run began, in seconds since the epoch.', startedAt),
      unit: 'seconds',
    },
    { ...gauge('elapsed_seconds', 'For how long it has run.', elapsedSeconds), unit: 'seconds' },
    ...(exitStatus === undefined
      ? []
      : [gauge('exit_status', 'How it ended; 128 and N for signal N.', exitStatus)]),
    ...quantityNames.flatMap((name): Family[] => {
      const { kind, unit, side, words } = runQuantities[name];
      const value = seen[name];
      if (value === undefined) return [];
      return [
        {
          name: `${prefix}_${snakeCase(name)}`,
          type: kind === 'sum' ? 'counter' : 'gauge',
          ...(unit === 'bytes' ? { unit } : {}),
          help: `${capitalized(words)} (seen on the ${side === 'queue' ? 'host' : side}).`,
          value,
        },
      ];
    }),
  ];
  const about = labelled({ program, ...(state === undefined ? {} : { state }), version });
  return [
    ...familyLines(gauge('run', 'What runs, and who watches it: always 1.', 1), about),
    ...families.flatMap((family) => familyLines(family, labels)),
    '# EOF',
    '',
  ].join('\n');
}

function gauge(name: string, help: string, value: number): Family {
  return { name: `${prefix}_${name}`, type: 'gauge', help, value };
}

function familyLines({ name, type, unit, help, value }: Family, labels: string): string[] {
  return [
    `# TYPE ${name} ${type}`,
    ...(unit === undefined ? [] : [`# UNIT ${name} ${unit}`]),
    `# HELP ${name} ${help}`,
    `${name}${type === 'counter' ? '_total' : ''}${labels} ${value}`,
  ];
}

/** Names of the user's own: controls are made visible first, so that what is left to escape is what both formats know. */
function labelled(labels: Readonly<Record<string, string>>): string {
  const told = Object.entries(labels).map(
    ([name, value]) => `${name}="${printable(value).replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`,
  );
  return `{${told.join(',')}}`;
}

function capitalized(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

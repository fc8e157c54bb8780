import type { Certainty, Conclusion, ConclusionCode, Figure, MediumWord } from '../../model/diagnosis.ts';
import { shellWord } from '../../model/shell-word.ts';
import type { DeviceKind } from '../device.ts';
import type { Stream } from '../stream.ts';
import { sizeFlag } from '../words.ts';

/** What the user told beside the files. */
export interface Told {
  readonly device?: DeviceKind;
  readonly deviceIops?: number;
  readonly hostMemoryBytes?: number;
  readonly guestMemoryBytes?: number;
  readonly shareType: 'virtiofs' | '9p';
}

/** One stream, and all that it is judged by. */
export interface Trial {
  readonly stream: Stream;
  readonly told: Told;
  /** The file is a guest's output: a host's own run was given beside it, or its memory was. */
  readonly isGuest: boolean;
  /** Every stream of the same program's run: they share its disk figures. */
  readonly inRun: readonly Stream[];
  /** The same job on the host, how it differs, and whether that it is the host's own run is only assumed. */
  readonly host?: {
    readonly stream: Stream;
    readonly inRun: readonly Stream[];
    readonly differs: readonly string[];
    readonly isAssumed: boolean;
  };
}

/** Puts a conclusion together. */
export function conclude(
  { stream }: Trial,
  code: ConclusionCode,
  certainty: Certainty,
  claim: string,
  figures: readonly (Figure | undefined)[],
  rest: {
    readonly media?: readonly MediumWord[];
    readonly excludes?: readonly MediumWord[];
    readonly share?: readonly [number, number];
    readonly excludedAtMost?: number;
    readonly unless?: readonly string[];
    readonly settle?: string;
  } = {},
): Conclusion {
  const { media = [], excludes = [], unless = [], share, excludedAtMost, settle } = rest;
  return {
    code,
    certainty,
    claim,
    about: stream.about,
    media,
    excludes,
    ...(share === undefined ? {} : { share: [clamp(share[0]), clamp(share[1])] as const }),
    ...(excludedAtMost === undefined ? {} : { excludedAtMost: clamp(excludedAtMost) }),
    figures: figures.flatMap((each) => each ?? []),
    unless,
    ...(settle === undefined ? {} : { settle }),
  };
}

function clamp(share: number): number {
  return Math.min(1, Math.max(0, Number(share.toPrecision(6))));
}

export function toldFigure(name: string, value: number | string, unit?: Figure['unit']): Figure {
  return { name, value, ...(unit === undefined ? {} : { unit }), from: 'told', places: [] };
}

/** A request that crossed to the daemon, and from where the host had it. */
export function crossed(trial: Trial, medium: 'host-cache' | 'disk'): MediumWord {
  if (!trial.isGuest) return medium;
  return trial.told.shareType === '9p' ? `9p/${medium}` : `fuse/${medium}`;
}

/** The file as the guest names it, as far as the output says. */
function target({ options, job, run, direction }: Stream): string {
  const name = options.get('filename')?.value.split(':')[0];
  const directory = options.get('directory')?.value;
  if (run.program === 'dd') return name === undefined ? 'PATH' : shellWord(name);
  // fio's own name of a job's first file.
  const file = name ?? (options.size > 0 || direction !== 'copy' ? `${job}.0.0` : undefined);
  if (file === undefined || file === '.0.0') return 'PATH';
  if (file.startsWith('/')) return shellWord(file);
  return directory === undefined ? `DIR/${shellWord(file)}` : shellWord(`${directory}/${file}`);
}

/** Reads the same file in the same way, from cold caches, with every byte accounted for. */
export function readsCommand({ stream }: Trial): string {
  const { blockBytes = 4096, order } = stream;
  const block = blockBytes >= 512 && blockBytes <= 64 * 1024 ** 2 ? sizeFlag(blockBytes) : '4k';
  return `vfs-verify reads ${target(stream)} --bs ${block} --order ${order === 'sequential' ? 'seq' : 'random'} --drop both`;
}

/** Runs the same command once more, with the share's account kept meanwhile. */
export function explainCommand({ stream }: Trial): string {
  const { command } = stream.run;
  const words =
    command ??
    (stream.run.program === 'fio'
      ? [
          'fio',
          `--name=${stream.job}`,
          ...[...stream.options].flatMap(([name, { value }]) =>
            name === 'name' ? [] : [`--${name}=${value}`],
          ),
        ]
      : ['dd', 'if=…', 'of=…']);
  const text = words.map((word) => (word.includes('…') ? word : shellWord(word))).join(' ');
  return text.length > 1000 || (command === undefined && stream.options.size === 0)
    ? 'vfs-verify explain -- COMMAND'
    : `vfs-verify explain -- ${text}`;
}

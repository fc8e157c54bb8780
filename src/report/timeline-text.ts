import { runQuantities } from '../model/run-quantities.ts';
import { coarsened, type Timeline } from '../model/timeline.ts';
import { padTo, type Style, wrapped } from './layout.ts';
import { printable } from './printable.ts';
import { sparks } from './sparks.ts';
import {
  intervalWords,
  isCache,
  type PanelLine,
  panelsOf,
  timelineGround,
  valueWords,
} from './timeline-words.ts';

const indent = '  ';
const nameWidth = 22;
const figuresWidth = 24;
const mostWidth = 80;

/** A run over time in small: a line of sparks for each quantity, at most 80 columns wide. */
export function timelineLines(timeline: Timeline | undefined, style: Style): string[] {
  if (timeline === undefined) return [];
  const room = Math.min(mostWidth, style.width) - indent.length - nameWidth - figuresWidth;
  const small = coarsened(timeline, room);
  // Where the program wrote nothing, what others wrote to the disk is no news.
  const panels = panelsOf(small).filter(({ lines }) =>
    lines.some(({ name }) => name !== 'deviceWrittenBytes'),
  );
  const rows = panels.flatMap(({ lines }) => lines.flatMap((line) => row(line, { small, timeline }, style)));
  if (rows.length === 0) return [];
  return [
    `${indent}over time, ${intervalWords(small.intervalMs)} a column`,
    ...rows,
    ...timelineGround(timeline).flatMap((words) =>
      wrapped(printable(words), { width: style.width, first: indent, rest: `${indent}  ` }),
    ),
    '',
  ];
}

function row(
  { name, short }: PanelLine,
  { small, timeline }: { readonly small: Timeline; readonly timeline: Timeline },
  style: Style,
): string[] {
  if (short === undefined) return [];
  const values = small.series[name] ?? [];
  const isSeen = (value: number | null): value is number => value !== null;
  const seen = values.filter(isSeen);
  const [least, most] = [Math.min(...seen), Math.max(...seen)];
  // What hardly changed is no news.
  if (isCache(name) && most - least < most / 50) return [];
  const from = isCache(name) ? least : 0;
  const heights = values.map((value) => (value === null ? null : (value - from) / Math.max(1, most - from)));
  const told = (value = 0) => valueWords(name, value, small.intervalMs);
  const all = (timeline.series[name] ?? []).filter(isSeen);
  const figures =
    runQuantities[name].kind === 'sum' ? `most ${told(most)}` : `${told(all[0])} to ${told(all.at(-1))}`;
  return [`${indent}${padTo(short, nameWidth)}${sparks(heights, style)}  ${figures}`];
}

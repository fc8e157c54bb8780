import { nsOf, shortNumber, unitBytes } from './fio-numbers.ts';
import { type Found, found } from './found.ts';
import type { SavedDirection, SavedJob, SavedLatency, SavedSync } from './saved-run.ts';

type Block = Pick<SavedJob, 'directions' | 'sync' | 'cpu' | 'depthOnePercent'>;

const directionHead =
  /\b(read|write|trim|mixed)\s*:\s*IOPS=([\d.]+[kMGTP]?),\s*BW=([\d.]+\s?[KMGTPk]?i?B\/s)[^()]{0,4}(?:\([^)]{0,60}\)\s*)?\(([\d.]+\s?[KMGTPk]?i?B)\/(\d+)msec\)/g;

/**
 * The block below `NAME: (groupid=…`: its directions, each from its first line to the next one's, then what
 * belongs to the whole job.
 * @param offset where the block begins in the text, for the places of its figures
 */
export function readJobBlock(block: string, offset: number): Block {
  const heads = [...block.matchAll(directionHead)];
  const issued = /issued rwts?\s*:\s*total=(\d+),(\d+),(\d+),(\d+)?/.exec(block);
  const syncAt = /fsync\/fdatasync\/sync_file_range[^:]{0,20}:/.exec(block)?.index;
  const directions = heads.map((head, index): SavedDirection => {
    const end = heads[index + 1]?.index ?? syncAt ?? block.length;
    const column = { read: 1, write: 2, trim: 3, mixed: 1 }[head[1] as 'read' | 'write' | 'trim' | 'mixed'];
    const requests = issued?.[column];
    return {
      ...directionOf(head, block.slice(head.index, end), offset + head.index),
      ...(requests === undefined ? {} : { requests: found(Number(requests), offset + (issued?.index ?? 0)) }),
    };
  });
  const sync = syncOf(block, syncAt, issued, offset);
  const cpu = /cpu\s*:\s*usr=([\d.]+)%,\s*sys=([\d.]+)%/.exec(block);
  const depths = /IO depths\s*:\s*1=([\d.]+)%/.exec(block);
  return {
    directions,
    ...(sync === undefined ? {} : { sync }),
    ...(cpu === null
      ? {}
      : {
          cpu: {
            user: found(Number(cpu[1]), offset + cpu.index),
            system: found(Number(cpu[2]), offset + cpu.index),
          },
        }),
    ...(depths === null ? {} : { depthOnePercent: found(Number(depths[1]), offset + depths.index) }),
  };
}

function directionOf(head: RegExpExecArray, block: string, at: number): SavedDirection {
  const [, name, iops, bandwidth, bytes, runtime] = head;
  const samples =
    /\biops\s*:\s*min=\s*[\d.]+[kM]?,\s*max=\s*[\d.]+[kM]?,\s*avg=\s*([\d.]+),\s*stdev=\s*[\d.]+,\s*samples=(\d+)/.exec(
      block,
    );
  return {
    direction: name === 'mixed' ? 'copy' : (name as 'read' | 'write' | 'trim'),
    at,
    ...optional('iops', shortNumber(iops ?? ''), at),
    ...optional('bytesPerSecond', unitBytes(bandwidth ?? ''), at),
    ...optional('bytes', unitBytes(bytes ?? ''), at),
    runtimeMs: found(Number(runtime), at),
    ...latency('slat', block, at),
    ...latency('clat', block, at),
    ...latency('lat', block, at),
    percentiles: percentilesOf(block, at),
    ...(/\bclat percentiles/.test(block) || !/\blat percentiles/.test(block) ? {} : { isOfAllLatency: true }),
    ...(samples === null
      ? {}
      : {
          samples: {
            mean: found(Number(samples[1]), at + samples.index),
            count: found(Number(samples[2]), at + samples.index),
          },
        }),
  };
}

function optional<K extends string>(
  key: K,
  value: number | undefined,
  at: number,
): { [key in K]?: Found<number> } {
  return value === undefined ? {} : ({ [key]: found(value, at) } as { [key in K]: Found<number> });
}

function latencyLine(name: string): RegExp {
  return new RegExp(
    String.raw`\b${name} \((nsec|usec|msec)\)\s*:\s*min=\s*([\d.]+[kMG]?),\s*max=\s*([\d.]+[kMG]?),\s*avg=\s*([\d.]+)`,
  );
}

const latencyLines = {
  slat: latencyLine('slat'),
  clat: latencyLine('clat'),
  lat: latencyLine('lat'),
  sync: latencyLine('sync'),
} as const;

function latency<K extends 'slat' | 'clat' | 'lat' | 'sync'>(
  name: K,
  block: string,
  at: number,
): { [key in K]?: SavedLatency } {
  const match = latencyLines[name].exec(block);
  if (match === null) return {};
  const scale = nsOf(match[1] ?? '');
  const place = at + match.index;
  const number = (text: string | undefined) => found((shortNumber(text ?? '') ?? 0) * scale, place);
  return { [name]: { min: number(match[2]), max: number(match[3]), mean: number(match[4]) } } as {
    [key in K]: SavedLatency;
  };
}

const percentile = /[\s|>]*(\d{1,3}\.\d{1,9})th=\[\s*(\d+)\],?/y;

/** Of all latency where fio was told to give that, else of completion. */
function percentilesOf(block: string, at: number): SavedDirection['percentiles'] {
  const title = /\b(?:clat|lat) percentiles \((nsec|usec|msec)\):/.exec(block);
  if (title === null) return [];
  const scale = nsOf(title[1] ?? '');
  const values: [number, Found<number>][] = [];
  percentile.lastIndex = title.index + title[0].length;
  for (let match = percentile.exec(block); match !== null; match = percentile.exec(block))
    values.push([Number(match[1]), found(Number(match[2]) * scale, at + match.index)]);
  return values;
}

function syncOf(
  block: string,
  syncAt: number | undefined,
  issued: RegExpExecArray | null,
  offset: number,
): SavedSync | undefined {
  const count = issued?.[4];
  const lat = syncAt === undefined ? {} : latency('sync', block.slice(syncAt), offset + syncAt);
  if (count === undefined && lat.sync === undefined) return undefined;
  return {
    ...(count === undefined ? {} : { count: found(Number(count), offset + (issued?.index ?? 0)) }),
    ...(lat.sync === undefined ? {} : { latency: lat.sync }),
  };
}

import type { Conclusion, ConclusionCode, Diagnosis, Measured, SavedFile } from '../model/diagnosis.ts';
import { headlineOf, rankOf, speaksOfMedium } from './headline.ts';
import { judgeAgainstDevice } from './judge/device.ts';
import { judgeDiskReads, judgeDiskWrites } from './judge/disk.ts';
import { isOfFiles, judgeEngine } from './judge/engine.ts';
import { differencesOf, judgeAgainstHostRun, judgePairs } from './judge/host-run.ts';
import { judgeAnyway, judgeSettings } from './judge/settings.ts';
import { conclude, explainCommand, readsCommand, type Told, type Trial } from './judge/trial.ts';
import { judgeWrites } from './judge/writes.ts';
import type { SavedOutput } from './read-output.ts';
import { figure, measuredOf, type Stream, streamsOf } from './stream.ts';

export type { Told } from './judge/trial.ts';

/** One file, judged: the first line of its report, and all that stands behind it. */
export interface Judged {
  readonly file: string;
  readonly headline: string;
  readonly diagnosis: Diagnosis;
  readonly next?: string;
}

/** A file with more jobs than that has them counted, and the first of them judged. */
const maxJudged = 100;

/**
 * Judges saved output after the fact.
 * @param outputs files with figures in them
 * @param hostRuns output of the same jobs on the host; they make the others a guest's
 * @param isGuest the files are known to be a guest's even without one
 */
export function diagnose(
  outputs: readonly SavedOutput[],
  hostRuns: readonly SavedOutput[],
  told: Told,
  isGuest: boolean,
): Judged[] {
  const all = outputs.map((output) => ({ output, streams: streamsOf(output) }));
  const hosts = hostRuns.flatMap(streamsOf);
  return all.map(({ output, streams }) => {
    const others = all.filter((each) => each.output !== output).flatMap((each) => each.streams);
    const judged = streams.slice(0, maxJudged);
    const hostMeasured: Record<string, Measured> = {};
    const conclusions = judged.flatMap((stream) => {
      const trial = trialOf(stream, streams, hosts, others, told, isGuest);
      if (trial.host !== undefined) hostMeasured[stream.about] = measuredOf(trial.host.stream);
      return [...judgeOne(trial), ...(isOfFiles(stream) ? judgePairs(trial, others) : [])];
    });
    const ordered = conclusions
      .map((each, index) => ({ each, index }))
      .sort((a, b) => rankOf(a.each) - rankOf(b.each) || a.index - b.index)
      .map(({ each }) => each);
    const next = ordered.find(({ settle }) => settle !== undefined)?.settle;
    return {
      file: output.file,
      headline: headlineOf(judged, ordered),
      ...(next === undefined ? {} : { next }),
      diagnosis: {
        kind: 'diagnosis',
        saved: savedFile(output),
        hostRuns: hostRuns.map(savedFile),
        measured: judged.map(measuredOf),
        hostMeasured,
        conclusions: ordered,
        ...(streams.length > maxJudged ? { jobsLeftOut: streams.length - maxJudged } : {}),
      },
    };
  });
}

function trialOf(
  stream: Stream,
  streams: readonly Stream[],
  hosts: readonly Stream[],
  others: readonly Stream[],
  told: Told,
  isGuest: boolean,
): Trial {
  const inRun = streams.filter((each) => each.run === stream.run && isOfFiles(each));
  const given = bestMatch(stream, hosts);
  // Among the files themselves: one that saw its disk, of the very same job, is most likely the host's.
  const assumed =
    hosts.length > 0 || stream.run.disks.length > 0
      ? undefined
      : others.find(
          (each) =>
            each.run.disks.length > 0 &&
            each.job === stream.job &&
            each.direction === stream.direction &&
            differencesOf(stream, each).length === 0,
        );
  const other = given ?? assumed;
  return {
    stream,
    told,
    isGuest: isGuest || hosts.length > 0 || assumed !== undefined,
    inRun,
    ...(other === undefined
      ? {}
      : {
          host: {
            stream: other,
            inRun: [...hosts, ...others].filter((each) => each.run === other.run),
            differs: differencesOf(stream, other),
            isAssumed: given === undefined,
          },
        }),
  };
}

function bestMatch(stream: Stream, hosts: readonly Stream[]): Stream | undefined {
  const scored = hosts
    .filter(({ direction }) => direction === stream.direction)
    .map((host) => ({
      host,
      distance: differencesOf(stream, host).length + (host.job === stream.job ? 0 : 0.5),
    }));
  return scored.sort((a, b) => a.distance - b.distance)[0]?.host;
}

function judgeOne(trial: Trial): Conclusion[] {
  if (!isOfFiles(trial.stream)) return [...judgeEngine(trial), ...judgeAnyway(trial)];
  const conclusions = [
    ...judgeAgainstHostRun(trial),
    ...judgeDiskReads(trial),
    ...judgeDiskWrites(trial),
    ...judgeAgainstDevice(trial),
    ...judgeWrites(trial),
    ...judgeSettings(trial),
  ];
  // The stronger of two that say the same stands for both.
  const codes = new Map<ConclusionCode, Conclusion>();
  for (const each of conclusions) {
    const before = codes.get(each.code);
    if (before === undefined || rankOf(each) < rankOf(before)) codes.set(each.code, each);
  }
  const ceiling = codes.get('faster-than-the-disk') ?? codes.get('faster-than-the-device');
  if (ceiling !== undefined && ceiling.certainty !== 'possible') codes.delete('no-rotating-disk');
  if (codes.has('direct-not-direct')) codes.delete('direct-in-the-guest-only');
  const kept = [...codes.values()];
  return kept.some(speaksOfMedium) ? kept : [...kept, nothing(trial)];
}

function nothing(trial: Trial): Conclusion {
  const { stream } = trial;
  const { rate, meanNs } = stream;
  return conclude(
    trial,
    'nothing-contradicts',
    'possible',
    'nothing in these figures contradicts the disk, and nothing proves it',
    [
      ...(rate === undefined ? [] : [figure(stream, 'requests a second', rate, '1/s')]),
      ...(meanNs === undefined ? [] : [figure(stream, 'mean latency', meanNs, 'ns')]),
    ],
    {
      unless: ['a cache answered as fast as a disk would'],
      settle: stream.direction === 'read' ? readsCommand(trial) : explainCommand(trial),
    },
  );
}

function savedFile({ file, bytes, runs, damage, missing }: SavedOutput): SavedFile {
  const [run] = runs;
  return {
    file,
    bytes,
    program: run?.program ?? 'unknown',
    ...(run?.version === undefined ? {} : { version: run.version.value }),
    form: run?.form ?? 'unknown',
    damage: [...new Set([...damage, ...runs.flatMap((each) => each.damage)])].slice(0, 20),
    missing: [...new Set([...missing, ...runs.flatMap((each) => each.missing)])].slice(0, 20),
  };
}

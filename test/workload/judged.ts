import { readFileSync } from 'node:fs';
import type { Conclusion, ConclusionCode } from '../../src/model/diagnosis.ts';
import { diagnose, type Judged, type Told } from '../../src/workload/diagnose.ts';
import { readOutput, type SavedOutput } from '../../src/workload/read-output.ts';

/** A fixture by its path below fixtures/, read as `diagnose` reads a file. */
export function saved(name: string): SavedOutput {
  return readOutput(name, readFileSync(new URL(`./fixtures/${name}`, import.meta.url)));
}

export function textOf(name: string): string {
  return readFileSync(new URL(`./fixtures/${name}`, import.meta.url), 'utf8');
}

export function savedText(text: string, name = 'given.txt'): SavedOutput {
  return readOutput(name, new TextEncoder().encode(text));
}

/** Judges one output, alone or beside the host's own run. */
export function judged(
  output: SavedOutput,
  told: Partial<Told> & { host?: SavedOutput; isGuest?: boolean } = {},
): Judged {
  const { host, isGuest = false, ...rest } = told;
  const [only] = diagnose(
    [output],
    host === undefined ? [] : [host],
    { shareType: 'virtiofs', ...rest },
    isGuest,
  );
  if (only === undefined) throw new Error('nothing was judged');
  return only;
}

export function codesOf({ diagnosis }: Judged): readonly ConclusionCode[] {
  return diagnosis.conclusions.map(({ code }) => code);
}

export function conclusion(judgement: Judged, code: ConclusionCode): Conclusion {
  const found = judgement.diagnosis.conclusions.find((each) => each.code === code);
  if (found === undefined) throw new Error(`no ${code} among ${codesOf(judgement).join(', ')}`);
  return found;
}

/** Conclusions that say that a cache, and not the disk, was measured. */
export const accusations: readonly ConclusionCode[] = [
  'served-by-host-cache',
  'served-by-guest-cache',
  'guest-drop-changes-nothing',
  'faster-than-the-disk',
  'faster-than-the-device',
  'latency-of-memory',
  'fewer-disk-requests',
  'direct-not-direct',
  'beyond-the-wire',
  'device-is-memory',
];

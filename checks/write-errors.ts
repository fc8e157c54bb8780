import type { DiskFault } from '../src/model/bench-verb.ts';
import { defineCheck } from '../src/model/check.ts';
import type { Operation } from '../src/model/operation.ts';
import { patternBytes } from '../src/model/pattern.ts';
import type { Promise as Promised } from '../src/model/promise.ts';
import type { Verdict } from '../src/model/verdict.ts';
import { type Content, differenceIn } from './durable/bytes.ts';
import { bench, isRefused, madeOf, type Seen, type Trial, trialCodes } from './durable/trial.ts';
import { withoutWindow } from './mode/window.ts';

/**
 * ```
 *  guest   open f (made before)
 *  ---- the disk under the share refuses ----
 *  guest   write 4 MiB in pieces of 256 KiB, fsync, close: which of them says so?
 *  ---- the disk is mended ----
 *  host    (or the medium) what is there?
 * ```
 * The quota leaves a megabyte, the full disk nothing; an error from below shows when the host writes back, and
 * what the disk really has then shows its medium.
 */
const mebibyte = 1024 * 1024;
const piece = 256 * 1024;
const content: Content = { path: 'f', fileId: 1, generation: 1, length: 4 * mebibyte };

function pieces(seed: number): Operation[] {
  return Array.from({ length: content.length / piece }, (_, index) => ({
    do: 'fill',
    file: 'f',
    range: { offset: index * piece, length: piece },
    seed,
    fileId: content.fileId,
    writer: 2,
    generation: content.generation,
  }));
}

const opened: Operation = {
  do: 'open',
  path: 'f',
  flags: ['creat', 'rdwr'],
  mode: 0o666,
  as: 'f',
};

const looked: Operation[] = [
  { do: 'open', path: 'f', flags: ['rdonly'], as: 'back' },
  ...Array.from({ length: content.length / mebibyte }, (_, index): Operation => {
    return { do: 'read', file: 'back', offset: index * mebibyte, length: mebibyte };
  }),
];

function trial(name: string, scenario: string, fault: DiskFault): Trial {
  // The host's page cache goes on to hold what its disk refused: only the medium shows what is there.
  const below = fault === 'io-error';
  return {
    name,
    scenario,
    isolation: 'own-share',
    needs: ['writable', `disk.${fault}`, ...(below ? (['power.cut'] as const) : [])],
    ...(below ? { actors: { medium: 'medium' } } : {}),
    turns: (seed) => [
      { actor: 'guest', name: 'open', ops: [opened] },
      bench('break', { verb: 'disk.fault', fault }),
      { actor: 'guest', name: 'write', ops: pieces(seed), anyway: true },
      { actor: 'guest', name: 'fsync', ops: [{ do: 'fsync', file: 'f' }], anyway: true },
      { actor: 'guest', name: 'close', ops: [{ do: 'close', file: 'f' }], anyway: true },
      ...(below ? [bench('cut', { verb: 'power.cut' }, true)] : []),
      { actor: below ? 'medium' : 'host', name: 'left', ops: looked, anyway: true, optional: true },
      bench('mend', { verb: 'disk.mend' }, true),
    ],
    judge: (seen, promise) =>
      judgeErrors(seen, promise, patternBytes(keyOf(seen.setting.seed), 0, content.length)),
  };
}

function keyOf(seed: number) {
  return { seed, fileId: content.fileId, writer: 2, generation: content.generation };
}

/** A file of the full size without blocks: the stores need no more than the writing back of their pages does. */
const mapped: Trial = {
  name: 'mapped',
  scenario: 'write-errors/mapped',
  isolation: 'own-share',
  needs: ['writable', 'disk.no-space'],
  turns: (seed) => [
    {
      actor: 'guest',
      name: 'open',
      ops: [
        opened,
        { do: 'ftruncate', file: 'f', length: mebibyte },
        {
          do: 'map',
          file: 'f',
          as: 'm',
          offset: 0,
          length: mebibyte,
          protection: 'read-write',
          share: 'shared',
        },
      ],
    },
    bench('break', { verb: 'disk.fault', fault: 'no-space' }),
    {
      actor: 'guest',
      name: 'write',
      ops: stores(seed).map(([offset, text]): Operation => {
        return { do: 'store', map: 'm', offset, base64: Buffer.from(text).toString('base64') };
      }),
      anyway: true,
    },
    { actor: 'guest', name: 'msync', ops: [{ do: 'msync', map: 'm' }], anyway: true },
    { actor: 'guest', name: 'fsync', ops: [{ do: 'fsync', file: 'f' }], anyway: true },
    { actor: 'guest', name: 'close', ops: [{ do: 'close', file: 'f' }], anyway: true },
    { actor: 'host', name: 'left', ops: looked.slice(0, 2), anyway: true, optional: true },
    bench('mend', { verb: 'disk.mend' }, true),
  ],
  judge(seen, promise) {
    const expected = Buffer.alloc(mebibyte);
    for (const [offset, text] of stores(seen.setting.seed)) expected.write(text, offset);
    return judgeErrors(seen, promise, expected);
  },
};

/** A few bytes in every fourth page. */
function stores(seed: number): readonly (readonly [number, string])[] {
  return Array.from({ length: 64 }, (_, index) => [index * 16_384, `stored with seed ${seed} in ${index}`]);
}

const stages = ['write', 'msync', 'fsync', 'close'] as const;

function judgeErrors({ values }: Seen, { freshness }: Promised, expected: Uint8Array): Verdict {
  const at = freshness.kind === 'surfaces' ? freshness.at : [];
  const errors = stages.flatMap((stage) => {
    const refusal = values(stage).find(isRefused);
    return refusal === undefined ? [] : [{ stage, errno: refusal.errno }];
  });
  const [first] = errors;
  const words = errors.map(({ stage, errno }) => `${errno} at ${stage}`).join(', ');
  const latest = Math.max(...at.map((each) => stages.indexOf(each as (typeof stages)[number])));
  if (first !== undefined) {
    if (stages.indexOf(first.stage) <= latest)
      return { kind: 'pass', reason: `the guest hears of it: ${words}` };
    const reason = `the guest hears of it too late: ${words}`;
    return { kind: 'fail', code: 'surfaced-late', reason, observed: words };
  }
  const fault = lostOf(values('left'), expected);
  if (fault === undefined) {
    const reason = 'nothing was refused: the disk had room for all of it, or was not asked';
    return { kind: 'unknown', code: 'could-not-tell', reason };
  }
  const reason = `write, fsync and close all succeeded, and the host has less: ${fault}`;
  return { kind: 'fail', code: 'swallowed', reason, observed: fault };
}

/** What is missing of the bytes that were accepted; undefined: nothing. */
function lostOf([back, ...read]: readonly unknown[], expected: Uint8Array): string | undefined {
  if (back === undefined) return undefined;
  const refused = [back, ...read].find(isRefused);
  if (refused !== undefined) return `${refused.call} of f failed with ${refused.errno}`;
  const found = Buffer.concat(read.map((each) => Buffer.from((each as { base64: string }).base64, 'base64')));
  return differenceIn('f', found, expected);
}

const trials = madeOf([
  trial('no-space', 'write-errors/no-space', 'no-space'),
  trial('quota', 'write-errors/quota', 'quota'),
  trial('io-error', 'write-errors/below', 'io-error'),
  mapped,
]);

/** What the disk below refuses, the guest that wrote it hears of. */
export default defineCheck({
  name: 'write-errors',
  title: 'a full disk, a used-up quota and a failing disk are heard of at write, fsync or close',
  codes: {
    swallowed: 'write, fsync and close succeeded, and the bytes are not there',
    'surfaced-late': 'the error came, and later than the mode promises',
    ...trialCodes,
  },
  ...trials,
  // A store into a hole for which the host has no room is a SIGBUS there, and ends the virtual machine.
  cases: (setting) =>
    trials.cases(setting).filter(({ name }) => name !== mapped.name || withoutWindow(setting)),
});

import { defineCheck } from '../src/model/check.ts';
import type { Operation } from '../src/model/operation.ts';
import { closed, file, hold } from './names/acts.ts';
import { taleCodes, told } from './names/judge.ts';
import { attribute, encoded, tells } from './names/looks.ts';
import { guest, host, type Look, type Tale } from './names/tale.ts';

/**
 * A sparse file of a little more than 4 GiB. An offset that is cut to 32 bits (or is taken for negative) on its way
 * lands on one of the other places, and the text that is found there says which.
 *
 * ```
 *   0          2 GiB        4 GiB
 *   |first.....|...across...|...........beyond|
 * ```
 */
const gibibyte = 2 ** 30;
const places = [
  { at: 0, text: 'the first bytes' },
  // Half of it on either side.
  { at: 2 * gibibyte - 8, text: 'across two GiB.' },
  { at: 4 * gibibyte, text: 'four GiB, so 0 in 32 bits' },
  { at: 4 * gibibyte + 3 * 4096 + 100, text: 'the last bytes' },
] as const;
const size = 4 * gibibyte + 3 * 4096 + 100 + 'the last bytes'.length;

/** From the end to the beginning: what lands on another place is not written over. */
function writes(handle: string): readonly Operation[] {
  return places.toReversed().map(({ at, text }) => ({
    do: 'write',
    file: handle,
    offset: at,
    base64: encoded(text),
  }));
}

/** What a descriptor reads at each place, and between them. */
function looks(handle: string, by: string, turn: string): readonly Look[] {
  const read = (at: number, text: string) =>
    tells(
      `${handle} at ${at}`,
      by,
      { make: '', [turn]: text },
      { do: 'read', file: handle, offset: at, length: Math.max(16, text.length) },
      (value) =>
        Buffer.from((value as { readonly base64: string }).base64, 'base64')
          .toString('latin1')
          .slice(0, text.length),
    );
  return [
    ...places.map(({ at, text }) => read(at, text)),
    read(gibibyte, '\0'.repeat(16)),
    read(3 * gibibyte, '\0'.repeat(16)),
  ];
}

const sizes = (turn: string) => ({ make: '0', [turn]: String(size) });

const guestWrites: Tale = {
  name: 'guest-writes',
  turns: () => [
    host('make', [file('f', '')]),
    guest('write', [hold('f:writer'), ...writes('f:writer'), closed('f:writer')]),
    guest('own', [hold('f'), ...looks('f', 'access-paths/after-guest-write', 'write')]),
    host('look', [
      hold('f'),
      ...looks('f', 'guest-write/after-close', 'write'),
      attribute('size', 'f', 'guest-write/after-close', sizes('write')),
    ]),
  ],
};

const hostWrites: Tale = {
  name: 'host-writes',
  turns: () => [
    host('make', [file('f', '')]),
    host('write', [hold('f:writer'), ...writes('f:writer'), closed('f:writer')]),
    guest('look', [
      attribute('size', 'f', 'host-write/first-read', sizes('write')),
      hold('f'),
      ...looks('f', 'host-write/first-read', 'write'),
    ]),
  ],
};

/** The guest makes the size alone, by ftruncate, and cuts it again. */
const guestResizes: Tale = {
  name: 'guest-resizes',
  turns: () => [
    host('make', [file('f', '')]),
    guest('grow', [hold('f'), { do: 'ftruncate', file: 'f', length: size }]),
    host('look', [attribute('size', 'f', 'guest-truncate/host', { make: '0', grow: String(size) })]),
    guest('cut', [{ do: 'ftruncate', file: 'f', length: 4 * gibibyte + 1 }]),
    host('look-again', [
      attribute('size', 'f', 'guest-truncate/host', {
        make: '0',
        grow: String(size),
        cut: String(4 * gibibyte + 1),
      }),
    ]),
  ],
};

/** Offsets and sizes of more than 32 bits. */
export default defineCheck({
  name: 'far-offsets',
  title: 'what is written beyond 2 and 4 GiB of a file is read there, and nowhere else',
  codes: taleCodes,
  ...told([guestWrites, hostWrites, guestResizes]),
});

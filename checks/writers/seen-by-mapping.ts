import type { Case, Observed, Promises, Setting } from '../../src/model/check.ts';
import type { ManyResult, Operation } from '../../src/model/operation.ts';
import { describePromise } from '../../src/model/promise.ts';
import type { Verdict } from '../../src/model/verdict.ts';
import { fileIdOf } from '../coherence/acts.ts';
import { judgeTrouble, troubleIn } from './trouble.ts';

/**
 * The guest has the file's page mapped; the host appends a record, then the guest does, then it looks through the
 * mapping. It may not know of the host's record yet. It must not show its own one in that one's place.
 *
 * ```
 *  the file          | first | host | guest |
 *  may be seen       | first |   0      0   |
 *  never was         | first | guest |  0   |
 * ```
 */
const record = 192;
const mapped = 4096;

function appends(seed: number, writer: number, number: number): Operation {
  const range = { offset: number * record, length: record };
  return { do: 'fill', file: 'f', range, seed, fileId: fileIdOf('f'), writer, generation: 1 };
}

export function caseOfMapping({ seed }: Setting): Case {
  const many = (list: readonly Operation[]): Operation => ({ do: 'many', list });
  return {
    name: 'seen-by-mapping',
    scenarios: ['concurrent-append'],
    isolation: 'shared',
    needs: ['writable'],
    actors: { host: 'host', guest: 'guest' },
    steps: [
      {
        id: 'make',
        actor: 'host',
        op: many([
          { do: 'open', path: 'f', flags: ['creat', 'excl', 'rdwr', 'append'], mode: 0o666, as: 'f' },
          appends(seed, 1, 0),
        ]),
      },
      {
        id: 'warm',
        actor: 'guest',
        op: many([
          { do: 'open', path: 'f', flags: ['rdwr', 'append'], as: 'f' },
          { do: 'map', file: 'f', as: 'f', offset: 0, length: mapped, protection: 'read', share: 'private' },
          { do: 'load', map: 'f', offset: 0, length: mapped },
        ]),
        after: [{ step: 'make', has: 'ended' }],
      },
      {
        id: 'host-appends',
        actor: 'host',
        op: many([appends(seed, 1, 1)]),
        after: [{ step: 'warm', has: 'ended' }],
      },
      {
        id: 'guest-appends',
        actor: 'guest',
        op: many([appends(seed, 2, 0), { do: 'load', map: 'f', offset: 0, length: mapped }]),
        after: [{ step: 'host-appends', has: 'ended' }],
      },
      {
        id: 'look',
        actor: 'host',
        op: many([{ do: 'read', file: 'f', offset: 0, length: mapped }]),
        after: [{ step: 'guest-appends', has: 'ended' }],
      },
    ],
  };
}

export function judgeMapping(observed: Observed, promises: Promises): Verdict {
  const promise = promises('concurrent-append');
  const trouble = troubleIn(observed);
  if (trouble !== undefined) return judgeTrouble(trouble, promise);
  if (promise === undefined)
    return { kind: 'unknown', code: 'no-promise', reason: 'the contract does not know this mode' };
  const promised = { promised: describePromise(promise), sources: promise.sources };
  if (promise.freshness.kind === 'may-lose')
    return {
      kind: 'pass',
      reason: 'the guest writes where it believes the end to be: permitted',
      ...promised,
    };
  const [file, seen] = ['look', 'guest-appends'].map((step) => {
    const value = observed.value<ManyResult>(step)?.values.at(-1) as { base64: string } | undefined;
    return Buffer.from(value?.base64 ?? '', 'base64');
  }) as [Buffer, Buffer];
  if (file.length !== 3 * record) {
    const reason = `the file has ${file.length} bytes on the host, and not three records of ${record}`;
    return { kind: 'fail', code: 'lost', reason, observed: reason, ...promised };
  }
  const known = [3, 2, 1].find((count) => seen.equals(padded(file.subarray(0, count * record))));
  if (known !== undefined)
    return {
      kind: 'pass',
      ...(known < 3 ? { stale: true } : {}),
      reason: `the mapping shows the first ${known} of 3 records, each in its place`,
      ...promised,
    };
  const at = seen.findIndex((byte, index) => byte !== (file[index] ?? 0));
  const reason = `the guest, through its mapping, shows bytes at ${at} that never were there: its own record in the place of the host's`;
  return {
    kind: 'fail',
    code: 'guest-sees-other-bytes',
    reason,
    observed: reason,
    ...promised,
    promised: 'bytes that are, or at some time were, in the file',
    evidence: { at },
  };
}

/** What a mapping shows of a file: zeros behind its end. */
function padded(bytes: Uint8Array): Uint8Array {
  const page = new Uint8Array(mapped);
  page.set(bytes);
  return page;
}

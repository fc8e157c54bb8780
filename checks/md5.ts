import { type Case, defineCheck, type Observed, type Step } from '../src/model/check.ts';
import { digestOfBytes } from '../src/model/digest.ts';
import type { FillPattern, HashResult } from '../src/model/operation.ts';
import { describeOutcome } from '../src/model/outcome.ts';
import { patternBytes } from '../src/model/pattern.ts';
import { describePromise } from '../src/model/promise.ts';
import { digestsOf, type Range } from '../src/model/ranges.ts';
import type { Verdict } from '../src/model/verdict.ts';

/**
 * Both sides read the bytes that were written, and the digest that an independent implementation computes
 * from the same generator. The writer's intent is the third vote: two sides may agree and both be wrong.
 *
 * ```
 *  guest-writes    guest: |gggggggg|  close   →  host reads g, guest reads g
 *  host-writes     host:  |hhhhhhhh|  close   →  guest reads h, host reads h
 *  host-rewrites   host:  |11111111|, guest reads 1, host: |22222222|
 *                                             →  guest opens again and reads 2, or 1 where the mode permits
 *  sparse          guest: |........gg......|  →  both read the hole as zeros
 *  empty           guest: ||                  →  both read nothing
 * ```
 */
export default defineCheck({
  name: 'md5',
  title: 'both sides read the bytes that were written, by digest',
  codes: {
    'guest-reads-wrong': 'the guest reads other bytes than were written; the host reads the right ones',
    'host-reads-wrong': 'the host reads other bytes than were written; the guest reads the right ones',
    'agree-and-wrong': 'both sides read the same wrong bytes',
    'both-wrong': 'both sides read wrong bytes, and not the same',
    'stale-forbidden': 'the guest reads an older generation, and the mode promises the newer one',
    'could-not-run': 'a step did not end well',
    'no-promise': 'the contract knows no promise for this mode',
  },
  cases(setting) {
    const big = 384 * 1024 + 777;
    return [
      writeCase('guest-writes', 'guest', big, [{ offset: 0, length: big }], setting.seed),
      writeCase('host-writes', 'host', big, [{ offset: 0, length: big }], setting.seed),
      writeCase(
        'sparse',
        'guest',
        3 * 1024 * 1024 + 1,
        [{ offset: 1024 * 1024 - 100, length: 8192 }],
        setting.seed,
      ),
      writeCase('empty', 'guest', 0, [], setting.seed),
      rewriteCase(setting.seed),
    ];
  },
  async judge(observed, promises): Promise<Verdict> {
    const stopped = observed.steps.find((step) => observed.outcome(step.id).kind !== 'value');
    if (stopped !== undefined) {
      return {
        kind: 'unknown',
        code: 'could-not-run',
        reason: `${stopped.actor}, ${stopped.op.do}: ${describeOutcome(observed.outcome(stopped.id))}`,
      };
    }
    const scenario = observed.case.scenarios[0] ?? '';
    const promise = promises(scenario);
    if (promise === undefined) {
      return {
        kind: 'unknown',
        code: 'no-promise',
        reason: `the contract has no row ${scenario} for mode ${observed.setting.mode?.name ?? 'unknown'}`,
      };
    }
    const last = observed.case.name === 'host-rewrites' ? 2 : 1;
    const expected = new Map(
      [...Array(last).keys()].map((index) => [index + 1, payloadOf(observed, index + 1)]),
    );
    const newest = expected.get(last) as Uint8Array;
    const [guest, host] = [readerOf(observed, 'guest-hash'), readerOf(observed, 'host-hash')];
    const digest = digestOfBytes('md5', newest);
    const words = { promised: `${describePromise(promise)}; md5 ${digest}`, sources: promise.sources };
    const evidence = { expected: digest, guest: guest.digest, host: host.digest };
    if (guest.digest === digest && host.digest === digest) {
      return { kind: 'pass', reason: `both sides read what was written (md5 ${digest})`, ...words, evidence };
    }
    const seen = { observed: `guest ${guest.digest}, host ${host.digest}`, ...words, evidence };
    const permitted = promise.freshness.kind === 'stale-for' || promise.freshness.kind === 'stale-until';
    const notYet = [newest, new Uint8Array(newest.length)];
    if (permitted && guest.digest === digest && (await isMixOf(observed, 'host-hash', notYet)))
      return {
        kind: 'pass',
        stale: true,
        reason: 'the guest has not written every page back yet, as the mode permits',
        ...words,
        evidence,
      };
    if (
      host.digest === digest &&
      last > 1 &&
      (await isMixOf(observed, 'guest-hash', [...expected.values()]))
    ) {
      if (permitted)
        return {
          kind: 'pass',
          stale: true,
          reason: 'the guest reads an earlier version of some pages, as the mode permits',
          ...words,
          evidence,
        };
      return {
        kind: 'fail',
        code: 'stale-forbidden',
        reason: 'the guest reads an earlier version of some pages',
        ...seen,
      };
    }
    const [code, reason] =
      guest.digest === host.digest
        ? ['agree-and-wrong', 'both sides agree and both are wrong: a write was lost or changed on its way']
        : host.digest === digest
          ? ['guest-reads-wrong', 'the guest reads bytes that nobody wrote there']
          : guest.digest === digest
            ? ['host-reads-wrong', 'the host reads bytes that nobody wrote there']
            : ['both-wrong', 'both sides read wrong bytes, and not the same ones'];
    return { kind: 'fail', code, reason, ...seen };
  },
});

const page = 4096;
/** Bytes of one write() of a fill: many writes, so that a single lost one shows. */
const chunk = 16 * 1024;
const limit = { ms: 60_000, silent: true, name: 'the limit of a hash' } as const;

/** The identity of generation `generation`; the file id keeps cases apart, so that a mix-up is named. */
function key(caseName: string, seed: number, generation: number): FillPattern {
  const fileId =
    [...caseName].reduce((sum, character) => Math.imul(sum, 31) + character.charCodeAt(0), 7) >>> 0;
  return {
    seed,
    fileId,
    writer: caseName === 'host-writes' || caseName === 'host-rewrites' ? 1 : 2,
    generation,
  };
}

function writeCase(
  name: string,
  writer: 'guest' | 'host',
  size: number,
  fills: readonly Range[],
  seed: number,
): Case {
  const reader = writer === 'guest' ? 'host' : 'guest';
  const wrote = [{ step: 'close', has: 'ended' }] as const;
  return {
    name,
    scenarios: [writer === 'guest' ? 'guest-write/after-close' : 'host-write/first-read'],
    isolation: 'shared',
    needs: ['writable'],
    actors: { guest: 'guest', host: 'host' },
    steps: [
      {
        id: 'open',
        actor: writer,
        op: { do: 'open', path: name, flags: ['creat', 'excl', 'rdwr'], mode: 0o644, as: 'f' },
      },
      { id: 'size', actor: writer, op: { do: 'ftruncate', file: 'f', length: size } },
      ...fills.map(
        (range, index): Step => ({
          id: `fill-${index}`,
          actor: writer,
          op: { do: 'fill', file: 'f', range, chunk, ...key(name, seed, 1) },
        }),
      ),
      { id: 'close', actor: writer, op: { do: 'close', file: 'f' } },
      {
        id: `${writer}-hash`,
        actor: writer,
        op: { do: 'hash', path: name, algorithm: 'md5', block: page, blockAlgorithm: 'md5' },
        limit,
      },
      {
        id: `${reader}-hash`,
        actor: reader,
        op: { do: 'hash', path: name, algorithm: 'md5', block: page, blockAlgorithm: 'md5' },
        limit,
        after: wrote,
      },
    ],
  };
}

function rewriteCase(seed: number): Case {
  const name = 'host-rewrites';
  const range = { offset: 0, length: 64 * 1024 + 77 };
  const hash = { do: 'hash', path: name, algorithm: 'md5', block: page, blockAlgorithm: 'md5' } as const;
  // A plain stat after the reading would refresh the attributes, and with them drop the pages in question.
  const guestHash = { ...hash, sync: 'dont' } as const;
  return {
    name,
    scenarios: ['host-write/reopen'],
    isolation: 'shared',
    needs: ['writable'],
    actors: { guest: 'guest', host: 'host' },
    steps: [
      {
        id: 'open-1',
        actor: 'host',
        op: { do: 'open', path: name, flags: ['creat', 'excl', 'rdwr'], mode: 0o644, as: 'f' },
      },
      { id: 'fill-1', actor: 'host', op: { do: 'fill', file: 'f', range, ...key(name, seed, 1) } },
      { id: 'guest-first', actor: 'guest', op: guestHash, limit, after: [{ step: 'fill-1', has: 'ended' }] },
      {
        id: 'fill-2',
        actor: 'host',
        op: { do: 'fill', file: 'f', range, ...key(name, seed, 2) },
        after: [{ step: 'guest-first', has: 'ended' }],
      },
      { id: 'close', actor: 'host', op: { do: 'close', file: 'f' } },
      { id: 'host-hash', actor: 'host', op: hash, limit },
      { id: 'guest-hash', actor: 'guest', op: guestHash, limit, after: [{ step: 'close', has: 'ended' }] },
    ],
  };
}

/** What the file should hold in a generation: the fills of the plan, zeros between them. */
function payloadOf(observed: Observed, generation: number): Uint8Array {
  const size = observed.steps.flatMap(({ op }) =>
    op.do === 'ftruncate' ? [op.length] : op.do === 'fill' ? [op.range.offset + op.range.length] : [],
  );
  const bytes = new Uint8Array(Math.max(0, ...size));
  for (const { op } of observed.steps) {
    if (op.do === 'fill' && op.generation === generation)
      bytes.set(patternBytes(op, op.range.offset, op.range.length), op.range.offset);
  }
  return bytes;
}

function readerOf(observed: Observed, step: string): HashResult {
  return observed.value<HashResult>(step) as HashResult;
}

/** Every page that was read is that page of one of these versions of the file. */
async function isMixOf(observed: Observed, step: string, versions: readonly Uint8Array[]): Promise<boolean> {
  let index = 0;
  for await (const digest of digestsOf(observed.bulk(step))) {
    const hex = [...digest]
      .map((character) => character.charCodeAt(0).toString(16).padStart(2, '0'))
      .join('');
    const possible = versions.map((bytes) =>
      digestOfBytes('md5', bytes.subarray(index * page, (index + 1) * page)),
    );
    if (!possible.includes(hex)) return false;
    index += 1;
  }
  return index > 0;
}

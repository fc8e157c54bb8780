import { defineCheck, type Observed, type Promises, type Setting } from '../../src/model/check.ts';
import type { TreeDifference, TreeEvidence } from '../../src/model/comparison.ts';
import type { TreeEntry } from '../../src/model/operation.ts';
import { describeOutcome, isPointless } from '../../src/model/outcome.ts';
import { compareTreePaths } from '../../src/model/path.ts';
import { shellWord } from '../../src/model/shell-word.ts';
import type { Verdict } from '../../src/model/verdict.ts';
import { adviceFor, dropNames } from './ends.ts';
import { type CompareArgs, shareWords } from './looks.ts';

/**
 * `vfs-verify md5 --recursive PATH`: two trees, walked and hashed at once on both sides, merged as they were
 * streamed. Both walks list names in the order of their bytes, so that memory stays bounded.
 */
export const compareTree = defineCheck({
  name: 'md5-tree',
  title: 'both sides have the same names, types, sizes, link targets and bytes in a tree now',
  codes: {
    'tree-differs': 'the trees differ; see the list',
    'not-all-read': 'nothing differs in what could be read, and something could not be',
    'no-such-file': 'a side does not have this path',
    'not-readable': 'a side could not walk the tree',
    stuck: 'a side gave no answer within the limit',
    gone: 'a side went away',
    interrupted: 'the run was interrupted',
  },
  cases(setting) {
    const args = argsOf(setting);
    const limit = { ms: args.timeoutMs, silent: true, name: '--timeout' };
    return [
      {
        name: 'your-tree',
        scenarios: ['host-write/reopen', 'readdir/after-change', 'rename-over/open', 'host-append/size'],
        isolation: 'shared',
        needs: [],
        inPlace: true,
        actors: { host: 'host', guest: 'guest' },
        steps: [
          {
            id: 'guest-walk',
            actor: 'guest',
            op: { do: 'walk', path: args.guestPath, algorithm: args.algorithm, sync: 'dont' },
            limit,
            mayFail: true,
            onlyWith: ['host-walk'],
          },
          {
            id: 'host-walk',
            actor: 'host',
            op: { do: 'walk', path: args.hostPath, algorithm: args.algorithm },
            limit,
            mayFail: true,
            onlyWith: ['guest-walk'],
          },
        ],
      },
    ];
  },
  async judge(observed, promises): Promise<Verdict> {
    return notWalked(observed) ?? (await compare(observed, promises));
  },
});

/** Differences kept in the report. Beyond them only counts are kept: memory is bounded. */
const maxKept = 10_000;

function argsOf(setting: Setting): CompareArgs {
  return setting.args as unknown as CompareArgs;
}

function notWalked(observed: Observed): Verdict | undefined {
  for (const side of ['guest', 'host'] as const) {
    const outcome = observed.outcome(`${side}-walk`);
    if (outcome.kind === 'value' || isPointless(outcome)) continue;
    const code =
      outcome.kind === 'stuck'
        ? 'stuck'
        : outcome.kind === 'gone' || outcome.kind === 'signal'
          ? 'gone'
          : outcome.kind === 'not-run'
            ? 'interrupted'
            : outcome.errno === 'ENOENT'
              ? 'no-such-file'
              : 'not-readable';
    const process =
      outcome.kind === 'stuck' && outcome.killed !== true && outcome.pid !== undefined
        ? `; the reading process ${outcome.pid} cannot be killed, only a reboot of that side ends it`
        : '';
    return {
      kind: 'unknown',
      code,
      reason: `the ${side} could not walk the tree: ${describeOutcome(outcome)}${process}`,
      next: 'see that side, then repeat',
    };
  }
  return undefined;
}

async function compare(observed: Observed, promises: Promises): Promise<Verdict> {
  const args = argsOf(observed.setting);
  const kept: TreeDifference[] = [];
  const counts: Partial<Record<TreeDifference['what'], number>> = {};
  let entries = 0;
  let bytes = 0;
  for await (const [guest, host] of paired(
    observed.bulk<TreeEntry>('guest-walk'),
    observed.bulk<TreeEntry>('host-walk'),
  )) {
    entries += 1;
    if (guest?.type === 'file') bytes += guest.size;
    const difference = differenceOf(guest, host);
    if (difference === undefined) continue;
    counts[difference.what] = (counts[difference.what] ?? 0) + 1;
    if (kept.length < maxKept) kept.push(difference);
  }
  const seconds = Math.max(
    ...['guest-walk', 'host-walk'].map((step) => {
      const { beginNs, endNs } = observed.outcome(step);
      return ((endNs ?? 0) - (beginNs ?? 0)) / 1e9;
    }),
  );
  const evidence: TreeEvidence = {
    kind: 'tree',
    path: args.guestPath,
    hostPath: args.hostPath,
    algorithm: args.algorithm,
    entries,
    bytes,
    seconds,
    differences: kept,
    differencesTotal: Object.values(counts).reduce((sum, count) => sum + count, 0),
    counts,
    share: shareWords(observed.setting),
    disturbed: ["reading filled both sides' page caches with the files, where the mode caches"],
  };
  return verdictOf(evidence, promises);
}

function verdictOf(evidence: TreeEvidence, promises: Promises): Verdict {
  const told = Object.entries(evidence.counts) as [TreeDifference['what'], number][];
  const open = told.filter(([kind]) => kind === 'unreadable' || kind === 'changed');
  const real = told.filter(([kind]) => kind !== 'unreadable' && kind !== 'changed');
  const words = (list: typeof told) => list.map(([kind, count]) => `${count} ${kindWords[kind]}`).join(', ');
  const first = evidence.differences.find(({ what }) => what === 'digest' || what === 'size');
  if (real.length > 0) {
    return {
      kind: 'fail',
      code: 'tree-differs',
      reason: `the trees differ: ${words(told)}`,
      promised: 'the same names, types, sizes, link targets and bytes on both sides',
      observed: words(told),
      next:
        first === undefined
          ? adviceFor(promises('readdir/after-change'), [dropNames])
          : `vfs-verify md5 on one of the files names the layer, such as ${shellWord(`${evidence.path}/${first.path}`)}`,
      evidence: { ...evidence },
    };
  }
  if (open.length > 0) {
    return {
      kind: 'unknown',
      code: 'not-all-read',
      reason: `what could be read is the same; ${words(open)}`,
      next: 'see why (rights, a program that writes), then repeat',
      evidence: { ...evidence },
    };
  }
  return {
    kind: 'pass',
    reason: `both sides have the same ${evidence.entries} names and the same bytes`,
    evidence: { ...evidence },
  };
}

const kindWords: Readonly<Record<TreeDifference['what'], string>> = {
  'only-guest': 'only on the guest',
  'only-host': 'only on the host',
  type: 'of another type',
  size: 'of another size',
  target: 'links to another target',
  digest: 'with other bytes',
  unreadable: 'could not be read',
  changed: 'changed while they were read',
};

type Pair = readonly [TreeEntry | undefined, TreeEntry | undefined];

/** Merges two walks by path. */
async function* paired(
  guest: AsyncIterable<TreeEntry>,
  host: AsyncIterable<TreeEntry>,
): AsyncGenerator<Pair> {
  const [left, right] = [guest[Symbol.asyncIterator](), host[Symbol.asyncIterator]()];
  let [a, b] = [await left.next(), await right.next()];
  while (a.done !== true || b.done !== true) {
    const order = a.done === true ? 1 : b.done === true ? -1 : compareTreePaths(a.value.path, b.value.path);
    yield [order <= 0 ? a.value : undefined, order >= 0 ? b.value : undefined];
    [a, b] = [order <= 0 ? await left.next() : a, order >= 0 ? await right.next() : b];
  }
}

function differenceOf(guest: TreeEntry | undefined, host: TreeEntry | undefined): TreeDifference | undefined {
  if (guest === undefined || host === undefined) {
    const path = (guest ?? host)?.path ?? '';
    return { path, what: guest === undefined ? 'only-host' : 'only-guest' };
  }
  const told = (what: TreeDifference['what'], one: unknown, other: unknown): TreeDifference => ({
    path: guest.path,
    what,
    guest: String(one),
    host: String(other),
  });
  if (guest.error !== undefined || host.error !== undefined)
    return told('unreadable', guest.error ?? 'ok', host.error ?? 'ok');
  if (guest.type !== host.type) return told('type', guest.type, host.type);
  if (guest.changed === true || host.changed === true)
    return told('changed', guest.changed === true, host.changed === true);
  if (guest.type === 'link' && guest.target !== host.target) return told('target', guest.target, host.target);
  if (guest.type === 'file' && guest.size !== host.size) return told('size', guest.size, host.size);
  if (guest.type === 'file' && guest.digest !== host.digest) return told('digest', guest.digest, host.digest);
  return undefined;
}

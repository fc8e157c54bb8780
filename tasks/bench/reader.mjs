import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { TaskError } from '../child.mjs';
import { root } from '../lock.mjs';

/** Both read in the same order. */
const seed = 1;

/**
 * A run of random 4 KiB reads by the probe: how long the reading itself took by the guest's own clock, and how
 * long the whole of it did from here.
 * @typedef {{ seconds: number, whole: number }} Took
 */

/**
 * Reads a file of a lab over and over through one connection, so that no start of a program is among what is
 * compared.
 * @template T
 * @param {string} lab
 * @param {string} mode
 * @param {string} file
 * @param {(reader: { plain: (count: number) => Promise<Took>, accounted: (count: number) => Promise<Took> }) => Promise<T>} story
 * @returns {Promise<T>}
 */
export async function withReader(lab, mode, file, story) {
  const { reachSides } = await built('src/cli/sides.js');
  const { benchFor } = await built('src/cli/bench.js');
  const { monitorsOf } = await built('src/cli/monitor.js');
  const { runCell } = await built('src/run/cell.js');
  const { reads } = await built('checks/ledger/reads.js');
  const sides = await reachSides({ host: 'local', lab: true, labName: lab });
  const scratch = await mkdtemp(join(tmpdir(), 'vfs-verify-bench-'));
  const share = sides.shares.find((/** @type {any} */ each) => each.mode?.name === mode);
  const monitors = monitorsOf(sides);
  const [guestPath, hostPath] = [join(share.guestDir, file), join(share.hostDir, file)];
  try {
    return await story({
      async plain(count) {
        const began = performance.now();
        const ask = asker(sides.guest.session, share.guestDir);
        const { value } = await ask({ do: 'open', path: file, flags: ['rdonly', 'nonblock'], as: 'bench' });
        if (value === undefined) throw new TaskError(`${guestPath} cannot be opened in the guest`);
        const stat = await ask({ do: 'fstat', file: 'bench', sync: 'dont' });
        const range = { offset: 0, length: stat.value.size };
        const plan = { order: 'random', block: 4096, range, count, seed, passes: 1 };
        const done = await ask({ do: 'reads', file: 'bench', ...plan });
        await ask({ do: 'close', file: 'bench' });
        return {
          seconds: (done.endNs - done.beginNs) / 1e9,
          whole: (performance.now() - began) / 1000,
        };
      },
      async accounted(count) {
        const began = performance.now();
        const { verdict } = await runCell(reads, benchFor(share, sides, monitors.usedIndexOf(share)), {
          bundleDir: scratch,
          seed: 0,
          args: {
            ...{ guestPath, hostPath, order: 'random', block: 4096, count, seed },
            ...{ direct: false, mapped: false, passes: 1, reopen: false, readahead: true },
            ...{ drop: 'none', systemWide: false, timeoutMs: 60_000 },
          },
        });
        if (verdict.kind !== 'pass') throw new TaskError(`no ledger could be made: ${verdict.reason}`);
        return {
          seconds: verdict.evidence.seconds[0],
          whole: (performance.now() - began) / 1000,
        };
      },
    });
  } finally {
    monitors.close();
    await sides.close();
    await rm(scratch, { recursive: true, force: true });
  }
}

/**
 * The program's own modules, as they were built.
 * @param {string} path
 * @returns {Promise<any>}
 */
function built(path) {
  return import(join(root, 'dist', path));
}

/**
 * @param {any} session
 * @param {string} root
 * @returns {(op: object) => Promise<any>}
 */
function asker(session, root) {
  return async (op) => {
    const outcome = await session.request('bench', op, { root, limitMs: 60_000, limitName: 'the bench' });
    if (outcome.kind !== 'value') throw new TaskError(`the guest: ${JSON.stringify(outcome)}`);
    return outcome;
  };
}

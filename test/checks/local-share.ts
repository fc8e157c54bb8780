import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll } from 'vitest';
import { localEndpoint } from '../../src/endpoint/local.ts';
import type { Check } from '../../src/model/check.ts';
import { parseMode } from '../../src/model/mode.ts';
import type { Result } from '../../src/model/report.ts';
import type { Verdict } from '../../src/model/verdict.ts';
import { startProbe } from '../../src/probe/install.ts';
import type { ProbeSession } from '../../src/probe/session.ts';
import type { Bench } from '../../src/run/bench.ts';
import { type Bundle, loadBundle } from '../../src/run/bundle.ts';
import { runCell } from '../../src/run/cell.ts';
import { judgeBundle } from '../../src/run/judge.ts';
import { viewFacts } from '../../src/run/setting.ts';
import { makeWorkplace } from '../../src/run/workplace.ts';
import { builtProbe } from '../probe/side.ts';

/** A share without a guest: every view is the same local directory, which is fresh at once in every way. */
export interface LocalShare {
  /** Runs a check as in a mode; its bundle stays for `judgedAgain`. */
  run(check: Check, mode: string): Promise<Result>;
  /** Judges that run's bundle again, with something in it changed. */
  judgedAgain(check: Check, change: (bundle: Bundle) => Bundle): Promise<Record<string, Verdict>>;
}

/** Registers the set-up and the tear-down for the test file that calls it. */
export function useLocalShare(): LocalShare {
  const root = mkdtempSync(path.join(existsSync('/var/tmp') ? '/var/tmp' : tmpdir(), 'vfs-verify-share-'));
  const bundles = path.join(root, 'bundles');
  const sessions: ProbeSession[] = [];
  beforeAll(async () => {
    await builtProbe();
    for (let count = 0; count < 2; count += 1) sessions.push(await startProbe(localEndpoint()));
  }, 120_000);
  afterAll(async () => {
    await Promise.all(sessions.map((session) => session.close()));
    rmSync(root, { recursive: true, force: true });
  });
  return {
    async run(check, mode) {
      const [host, guest] = sessions as [ProbeSession, ProbeSession];
      const view = (session: ProbeSession) => ({ session, facts: viewFacts(root, session.hello) });
      const bench: Bench = {
        share: { guestDir: root, hostDir: root, mode: parseMode(mode), modeHow: 'said by the test' },
        views: { host: view(host), guest: view(guest), 'guest-other-tag': view(guest) },
        versions: { virtiofsd: '1.14.0', 'guest-kernel': '6.12.0', 'host-kernel': '6.12.0' },
        lab: undefined,
      };
      const workplace = await makeWorkplace(view(host));
      try {
        return await runCell(check, bench, { bundleDir: path.join(bundles, check.name), seed: 7, workplace });
      } finally {
        await workplace.remove();
      }
    },
    async judgedAgain(check, change) {
      const directory = path.join(bundles, check.name);
      const { cases } = await judgeBundle(directory, change(await loadBundle(directory)), check);
      return Object.fromEntries(cases.map(({ name, verdict }) => [name, verdict]));
    },
  };
}

import type { CountersResult, Operation } from '../model/operation.ts';
import type { Outcome } from '../model/outcome.ts';
import type { ProbeSession, RequestOptions } from './session.ts';

/**
 * A session of an ordinary user in which what only root may do is done by another one: dropping all caches, having
 * the kernel count fsyncs, and reading the counters of other users' processes. Files stay with the user: nothing else goes there.
 * @param asRoot opens that session when it is first needed.
 */
export function withPrivileges(user: ProbeSession, asRoot: () => Promise<ProbeSession>): ProbeSession {
  let opened: Promise<ProbeSession> | undefined;
  const root = () => {
    opened ??= asRoot();
    return opened;
  };
  return {
    ...user,
    async request(actor, op, options) {
      if (op.do === 'drop-caches' || op.do === 'syncs') return (await root()).request(actor, op, options);
      const outcome = await user.request(actor, op, options);
      return op.do === 'counters'
        ? withRefused(outcome, (again) => askRoot(root, actor, again, options))
        : outcome;
    },
    async close() {
      const privileged = await opened?.catch(() => undefined);
      const [own, others] = await Promise.all([user.close(), privileged?.close()]);
      return { leftBehind: [...own.leftBehind, ...(others?.leftBehind ?? [])] };
    },
  };
}

async function askRoot(
  root: () => Promise<ProbeSession>,
  actor: string,
  op: Operation,
  options: RequestOptions,
): Promise<Outcome> {
  return (await root()).request(actor, op, options);
}

/** Asks again for the processes whose counters were refused. */
async function withRefused(outcome: Outcome, ask: (op: Operation) => Promise<Outcome>): Promise<Outcome> {
  if (outcome.kind !== 'value') return outcome;
  const counters = outcome.value as CountersResult;
  const refused = counters.processes.filter(({ error }) => error === 'EACCES' || error === 'EPERM');
  if (refused.length === 0) return outcome;
  const again = await ask({ do: 'counters', processes: refused.map(({ pid }) => pid) });
  if (again.kind !== 'value') return outcome;
  const told = new Map((again.value as CountersResult).processes.map((each) => [each.pid, each]));
  const processes = counters.processes.map((each) => told.get(each.pid) ?? each);
  return { ...outcome, value: { ...counters, processes } };
}

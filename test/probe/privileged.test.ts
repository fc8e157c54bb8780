import { describe, expect, it } from 'vitest';
import { localEndpoint } from '../../src/endpoint/local.ts';
import { bySudo } from '../../src/endpoint/sudo.ts';
import type { ProcessCounters } from '../../src/model/operation.ts';
import type { Outcome } from '../../src/model/outcome.ts';
import { withPrivileges } from '../../src/probe/privileged.ts';
import type { ProbeSession } from '../../src/probe/session.ts';

/** A session that notes what it is asked; its processes answer as they are given. */
function session(name: string, asked: string[], processes: readonly ProcessCounters[]): ProbeSession {
  return {
    hello: {
      ...{ protocol: 1, version: '0', arch: 'x86_64', kernel: '6.12', uid: 1000, pid: 1, pageSize: 4096 },
      features: [],
    },
    async request(_, op): Promise<Outcome> {
      asked.push(op.do === 'counters' ? `${name} counters ${op.processes.join(',')}` : `${name} ${op.do}`);
      const value = op.do === 'counters' ? { processes, cachedBytes: name === 'user' ? 5 : 6 } : {};
      return { kind: 'value', value, beginNs: 0, endNs: 1 } as Outcome;
    },
    clock: async () => ({ sentMs: 0, receivedMs: 0, nowNs: 0, realtimeNs: '0' }),
    release: async () => {},
    close: async () => {
      asked.push(`${name} closed`);
      return { leftBehind: [] };
    },
  };
}

const limit = { root: '/', limitMs: 1000, limitName: 'the limit of the test' };

describe('a session with privileges', () => {
  it('asks root for nothing but what was refused, and for dropping everything', async () => {
    const asked: string[] = [];
    const user = session('user', asked, [
      { pid: 1, error: 'EACCES' },
      { pid: 2, rchar: 7 },
      { pid: 3, error: 'ENOENT' },
    ]);
    const both = withPrivileges(user, async () => session('root', asked, [{ pid: 1, rchar: 9 }]));
    await both.request('a', { do: 'stat', path: '/' }, limit);
    const counted = await both.request('a', { do: 'counters', processes: [1, 2, 3], file: 'f' }, limit);
    await both.request('a', { do: 'drop-caches', what: 3 }, limit);
    await both.close();
    expect(counted).toMatchObject({
      value: {
        cachedBytes: 5,
        processes: [
          { pid: 1, rchar: 9 },
          { pid: 2, rchar: 7 },
          { pid: 3, error: 'ENOENT' },
        ],
      },
    });
    expect(asked).toEqual([
      'user stat',
      'user counters 1,2,3',
      'root counters 1',
      'root drop-caches',
      'user closed',
      'root closed',
    ]);
  });

  it('never opens one for root where nothing needs it', async () => {
    const asked: string[] = [];
    const both = withPrivileges(session('user', asked, [{ pid: 2, rchar: 7 }]), async () => {
      throw new Error('it was opened');
    });
    await both.request('a', { do: 'counters', processes: [2] }, limit);
    await both.close();
    expect(asked).toEqual(['user counters 2', 'user closed']);
  });
});

describe('what is started by sudo', () => {
  it('is started without it where we are root already', async () => {
    const here = localEndpoint();
    try {
      const ran = await bySudo(here).exec(['sh', '-c', 'echo "$0 $1"', 'a b', "it's"]);
      if (process.getuid?.() === 0) expect(ran).toMatchObject({ status: 0, stdout: "a b it's\n" });
      else expect([0, 1, 127]).toContain(ran.status);
    } finally {
      await here.close();
    }
  });
});

import type { Operation } from '../../src/model/operation.ts';
import type { Outcome } from '../../src/model/outcome.ts';
import type { ProbeHello, ProbeSession, RequestOptions } from '../../src/probe/session.ts';
import type { Bench } from '../../src/run/bench.ts';
import { viewFacts } from '../../src/run/setting.ts';

/** What a scripted side was asked. */
export interface Asked {
  readonly actor: string;
  readonly op: Operation;
  readonly options: RequestOptions;
}

const hello: ProbeHello = {
  protocol: 1,
  version: 'test',
  arch: 'x86_64',
  kernel: '6.12.0',
  uid: 0,
  pid: 1,
  pageSize: 4096,
  features: ['cachestat'],
};

/** A side that answers by a function, and remembers what it was asked and whose workers were released. */
export function scriptedSession(
  answer: (asked: Asked) => Outcome | Promise<Outcome>,
): ProbeSession & { readonly asked: Asked[]; readonly released: string[] } {
  const asked: Asked[] = [];
  const released: string[] = [];
  return {
    hello,
    asked,
    released,
    async request(actor, op, options) {
      const one = { actor, op, options };
      asked.push(one);
      options.onBegun?.();
      return answer(one);
    },
    clock: async () => ({ sentMs: 0, receivedMs: 0, nowNs: 0, realtimeNs: '0' }),
    release: async (actor) => {
      released.push(actor);
    },
    close: async () => ({ leftBehind: [] }),
  };
}

/** A bench of two scripted sides. */
export function scriptedBench(guest: ProbeSession, host: ProbeSession): Bench {
  return {
    share: { guestDir: '/mnt/auto', hostDir: '/srv', mode: undefined, modeHow: 'not known' },
    views: {
      guest: { session: guest, facts: viewFacts('/mnt/auto', hello) },
      host: { session: host, facts: viewFacts('/srv', hello) },
    },
    versions: {},
    lab: undefined,
  };
}

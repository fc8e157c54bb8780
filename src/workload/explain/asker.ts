import type { Operation } from '../../model/operation.ts';
import { describeOutcome } from '../../model/outcome.ts';
import type { ProbeSession } from '../../probe/session.ts';

/** What could not be seen, and why; each thing once is enough. */
export type Unseen = { readonly what: string; readonly why: string };

/** Asks one actor of one side for values; what is refused is noted and left out. */
export class Asker {
  readonly unseen: Unseen[] = [];
  readonly #session: ProbeSession;
  readonly #actor: string;
  readonly #limitMs: number;

  constructor(session: ProbeSession, actor: string, limitMs: number) {
    this.#session = session;
    this.#actor = actor;
    this.#limitMs = limitMs;
  }

  /** The value, or undefined. @param what names what is missing then; absent: nothing worth a word. */
  async value<T>(op: Operation, what?: string): Promise<T | undefined> {
    const outcome = await this.#session.request(this.#actor, op, {
      root: '/',
      limitMs: this.#limitMs,
      // Reading a whole file takes as long as it takes, while it goes on.
      silent: op.do === 'hash',
      limitName: '--timeout',
    });
    if (outcome.kind === 'value') return outcome.value as T;
    if (what !== undefined) this.unseen.push({ what, why: describeOutcome(outcome) });
    return undefined;
  }

  release(): Promise<void> {
    return this.#session.release(this.#actor);
  }
}

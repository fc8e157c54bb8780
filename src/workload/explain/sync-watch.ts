import type { SyncsResult } from '../../model/operation.ts';
import type { Asker } from './asker.ts';

/** The kernel keeps what was seen until somebody takes it: some ten thousand calls for each CPU. */
const everyMs = 1000;

/** Has the guest's kernel count fsync and its kin while a program runs. */
export class SyncWatch {
  readonly #asker: Asker;
  readonly #of: 'fuse' | '9p';
  #supervisor = 0;
  #timer: NodeJS.Timeout | undefined;
  #asking: Promise<SyncsResult | undefined> | undefined;

  constructor(asker: Asker, of: 'fuse' | '9p') {
    this.#asker = asker;
    this.#of = of;
  }

  /** Begins to count; where that is refused, the asker has the reason, and nothing more is asked. */
  async begin(): Promise<void> {
    this.#asking = this.#ask('fsync');
    if ((await this.#asking) === undefined) this.#asking = undefined;
  }

  /** The program runs: calls of its tree are told from those of others. */
  started(supervisor: number): void {
    this.#supervisor = supervisor;
    if (this.#asking === undefined) return;
    let isBusy = false;
    this.#timer = setInterval(() => {
      if (isBusy) return;
      isBusy = true;
      this.#asking = this.#ask().finally(() => {
        isBusy = false;
      });
    }, everyMs);
  }

  /** What was counted in all; undefined where nothing could be. */
  async end(): Promise<SyncsResult | undefined> {
    clearInterval(this.#timer);
    if (this.#asking === undefined) return undefined;
    await this.#asking;
    this.#asking = undefined;
    return this.#ask('fsync');
  }

  #ask(what?: string): Promise<SyncsResult | undefined> {
    return this.#asker.value<SyncsResult>({ do: 'syncs', of: this.#of, supervisor: this.#supervisor }, what);
  }
}

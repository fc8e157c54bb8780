import type { Endpoint } from '../../endpoint/endpoint.ts';
import type { Mode } from '../../model/mode.ts';
import type { Share } from '../share.ts';

/**
 * One way to put a share into another mode and back: `--via NAME[:ARGUMENT]`.
 *
 * A form only looks and plans. Its plans are lists of steps, which `toggle-run.ts` carries out, each written to
 * a journal before it begins: what was interrupted anywhere is brought back by a later process, from what `look`
 * found at first and from what is there then. So `stepsBack` goes by the state that it meets, never by a record
 * of how far somebody came, and a step that was half done, or done twice, does no harm.
 */
export interface ToggleForm {
  /** The word after `--via`. */
  readonly name: string;
  /** How it is written and what it does, for help: [`qmp:SOCKET`, `a running QEMU …`]. */
  readonly usage: readonly [string, string];
  /**
   * The share as it is; changes nothing.
   * @throws KnownError where this way does not lead to this share.
   */
  look(place: TogglePlace): Promise<ShareState>;
  /**
   * The steps from what is there now into a mode. Everything that would refuse is found out here, before
   * anything is changed.
   * @throws KnownError what stands in the way, with what to do about it.
   */
  steps(place: TogglePlace, mode: Mode, original: ShareState): Promise<ToggleSteps>;
  /**
   * The steps from whatever is there now to `original`; none where it is there already.
   * @param begun `about` of every step that was begun since `original` was seen, in their order.
   * @throws KnownError where even a person could not bring it back from here, with what remains to be done.
   */
  stepsBack(place: TogglePlace, original: ShareState, begun: readonly unknown[]): Promise<ToggleSteps>;
}

/** What a form works on. */
export interface TogglePlace {
  readonly share: Pick<Share, 'guestDir' | 'hostDir' | 'mode' | 'modeHow' | 'daemonPid'>;
  /** What was written after `--via NAME:`. */
  readonly argument: string | undefined;
  /**
   * The guest, connected when it is first asked for. `again`: a form that restarted the guest ends the old
   * connection and tries a new one, once.
   * @throws KnownError as endpoints do.
   */
  guest(how?: 'again'): Promise<Endpoint>;
  readonly host: Endpoint;
  /** `--force`: although files on the share are open in the guest. */
  readonly force: boolean;
  /** `--restart-guest`: the user agrees that the guest is restarted. */
  readonly restartGuest: boolean;
  /** A directory on this machine that is this share's own: logs and sockets of what a form starts. */
  readonly directory: string;
}

/** A share, in a mode. */
export interface ShareState {
  /** The mode's name, where this way can tell. */
  readonly mode: string | undefined;
  /** How that is known, in words: `the daemon's command line`. */
  readonly how: string;
  /** Plain JSON: all that the form needs to bring the share back to this, in another process. */
  readonly own: unknown;
}

/** A plan. */
export interface ToggleSteps {
  readonly steps: readonly ToggleStep[];
  /** Where the guest finds the share afterwards, when it is not where it was. */
  readonly guestDir?: string;
}

/** One thing that is done. */
export interface ToggleStep {
  /** For people, beginning with a verb: `unmount /mnt/data in the guest`. */
  readonly title: string;
  /** What somebody would type who did it by hand; printed when it fails. */
  readonly byHand: readonly ByHand[];
  /** Plain JSON, in the journal before the step begins: what would have to be cleaned up after it. */
  readonly about?: unknown;
  /** From the first such step to the last the guest does not have the share. */
  readonly away?: boolean;
  /**
   * Does it, within a limit of its own. Where it was done before, nothing happens.
   * @throws KnownError what went wrong.
   */
  run(): Promise<void>;
}

/** A shell command, and on which side it is typed. */
export interface ByHand {
  readonly on: 'guest' | 'host';
  readonly command: string;
}

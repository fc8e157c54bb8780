/**
 * What only the bench under a share can do to it: end its daemon or its machine, cut the power, spoil the disk.
 * A lab can do such things; a share that somebody works on cannot, and a case that needs one is skipped there
 * by name.
 */
export type BenchAbility = 'daemon.kill' | 'vm.kill' | 'power.cut' | 'guest.add' | DiskAbility;

/** Why a disk refuses: no space left, a quota that is used up, an error from below. */
export type DiskFault = 'no-space' | 'quota' | 'io-error';

type DiskAbility = `disk.${DiskFault}`;

/** A verb as a step's operation. It is carried out by the bench, not by a probe; the step's actor only orders it. */
export type BenchOperation = { readonly do: 'bench' } & (
  | {
      /** SIGKILL to this share's daemon: what the guest asks of it from now on never ends. */
      readonly verb: 'daemon.kill';
    }
  | {
      /** SIGKILL to the machine: the guest is gone. Waits for the same verb of the cases that share the machine. */
      readonly verb: 'vm.kill';
    }
  | {
      /** What the disk holds at this moment, as after a power cut, becomes the view `medium`. The share goes on. */
      readonly verb: 'power.cut';
    }
  | {
      /** A second guest with the same share becomes the view `guest2`. */
      readonly verb: 'guest.add';
    }
  | {
      /** The share's file system refuses to store more, until `disk.mend` or the end of the case. */
      readonly verb: 'disk.fault';
      readonly fault: DiskFault;
    }
  | { readonly verb: 'disk.mend' }
);

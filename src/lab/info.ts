/** What `lab up --json` and `lab status --json` print, and what the rest of the program needs of a lab. */
export interface LabInfo {
  readonly schema: 'vfs-verify/lab/1';
  readonly name: string;
  readonly state: 'up' | 'down' | 'broken';
  /** The shared directory on the host. */
  readonly hostDir: string;
  /** Mode's name → where it is mounted in the guest. */
  readonly mounts: Readonly<Record<string, string>>;
  /** Mode's name → the tag of its device. */
  readonly tags: Readonly<Record<string, string>>;
  readonly ssh: {
    readonly host: string;
    readonly port: number;
    readonly user: string;
    readonly keyFile: string;
    readonly knownHostsFile: string;
  };
  /** Program's name (qemu, virtiofsd, guest-kernel) → how it is run and what it says it is. */
  readonly programs: Readonly<Record<string, { readonly argv: readonly string[]; readonly version: string }>>;
  readonly qemu: { readonly pid: number; readonly qmpSocket: string };
  /** Mode's name → its daemon (absent for 9p, which QEMU serves). `pid` is the process that does the work. */
  readonly daemons: Readonly<
    Record<
      string,
      {
        readonly pid: number;
        readonly tag: string;
        readonly socket: string;
        readonly argv: readonly string[];
      }
    >
  >;
  /** Where the lab keeps its state, its keys and its logs. */
  readonly directory: string;
  readonly consoleLog: string;
  readonly accelerator: 'tcg' | 'kvm';
}

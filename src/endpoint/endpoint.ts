import type { Readable, Writable } from 'node:stream';

/**
 * A place where commands run: this machine, a machine behind ssh, whatever a command gives a shell on, or
 * a script in a test. One endpoint is one connection for the whole run.
 */
export interface Endpoint {
  readonly kind: 'local' | 'ssh' | 'through' | 'scripted';
  /** For people: `this machine`, `root@127.0.0.1:2222`. */
  readonly name: string;
  /**
   * Runs a program to its end. Output is bounded; a non-zero exit status is a result, not an error.
   * @throws KnownError `unreachable`, `auth`, `host-key-unknown`, `host-key-changed`, `connection-lost`,
   * `command-timeout`, `command-not-started`.
   */
  exec(argv: readonly string[], options?: ExecOptions): Promise<ExecResult>;
  /** Starts a program and hands over its streams. Throws as `exec` does. */
  spawn(
    argv: readonly string[],
    options?: { readonly env?: Readonly<Record<string, string>> },
  ): Promise<RemoteProcess>;
  /** Ends the connection. Safe to call twice. */
  close(): Promise<void>;
}

export interface ExecOptions {
  /** Written to standard input, which then ends. */
  readonly input?: string | Uint8Array;
  /** Default 30,000 ms. */
  readonly timeoutMs?: number;
  /** Default 1 MiB for each of the two streams; what comes after is dropped and `truncated` set. */
  readonly maxBytes?: number;
}

export interface ExecResult {
  readonly status: number | undefined;
  readonly signal: string | undefined;
  readonly stdout: string;
  readonly stderr: string;
  readonly truncated: boolean;
}

export interface RemoteProcess {
  readonly stdin: Writable;
  readonly stdout: Readable;
  readonly stderr: Readable;
  /** Settles when the program has ended or the connection is gone; never rejects. */
  readonly ended: Promise<{ readonly status?: number; readonly signal?: string; readonly lost?: string }>;
  /** Asks for its end: a signal where the transport has one, else closing the channel. */
  kill(): void;
}

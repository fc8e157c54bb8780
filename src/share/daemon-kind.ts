import type { Endpoint } from '../endpoint/endpoint.ts';
import { KnownError } from '../model/error.ts';

/** An implementation of virtiofsd, and its version. */
export interface DaemonKind {
  readonly server: 'rust' | 'c';
  /** `1.13.2`, `7.2.22`. */
  readonly version: string;
}

/** What a server is called in reports; empty where it is not known which it is. */
export function serverOfKind(kind: DaemonKind | undefined): { readonly server?: string } {
  return kind === undefined ? {} : { server: `virtiofsd ${kind.version}` };
}

/** The words of a daemon's command line that are the program: those before its first option of its own. */
export function programOfWords(argv: readonly string[]): readonly string[] {
  const at = argv.findIndex((word) => /^(-o|--(fd|socket-path|socket|shared-dir|tag|cache)(=|$))/.test(word));
  return at < 0 ? argv : argv.slice(0, at);
}

/** Asks a program which implementation of virtiofsd it is; undefined where it does not say. */
export async function kindOfDaemon(
  host: Endpoint,
  program: readonly string[],
): Promise<DaemonKind | undefined> {
  if (program.length === 0) return undefined;
  try {
    const { stdout, stderr } = await host.exec([...program, '--version'], { timeoutMs: 10_000 });
    return kindOfVersion(`${stdout}\n${stderr}`);
  } catch (error) {
    if (error instanceof KnownError) return undefined;
    throw error;
  }
}

/** Reads what `virtiofsd --version` prints: the C one is part of QEMU and says "version". */
export function kindOfVersion(text: string): DaemonKind | undefined {
  const [, word, version] = /^\S*virtiofsd (version |backend )?v?(\d+(?:\.\d+)*)/m.exec(text) ?? [];
  return version === undefined ? undefined : { server: word === 'version ' ? 'c' : 'rust', version };
}

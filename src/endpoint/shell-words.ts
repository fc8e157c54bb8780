import type { ExecResult } from './endpoint.ts';

/**
 * Why a shell could not start a program, in words; undefined where it did. A shell tells that only by 126 or 127
 * and in its own words. A program may end with these numbers itself; only a shell's message about this very word
 * is taken as "not started".
 */
export function notStartedByShell(argv: readonly string[], result: ExecResult): string | undefined {
  if ((result.status !== 126 && result.status !== 127) || result.stdout !== '') return undefined;
  const [program = ''] = argv;
  const isShells = result.stderr.split('\n').some((line) => {
    const afterExec = /\bexec: (?:line \d+: )?(.*)$/.exec(line)?.[1];
    return (
      afterExec?.startsWith(`${program}: `) === true ||
      line.endsWith(`command not found: ${program}`) ||
      (/^env: |unknown command/i.test(line) && line.includes(program))
    );
  });
  if (!isShells) return undefined;
  return result.status === 127 ? 'not found' : 'no permission to execute it';
}

/**
 * Processes without those that only started another one of them and wait for it: sudo, strace, nice. Such a one has the
 * words of the other behind its own, and serves nothing itself.
 */
export function withoutLaunchers<T extends { readonly argv: readonly string[] }>(
  processes: readonly T[],
): readonly T[] {
  return processes.filter(
    ({ argv }) => !processes.some((other) => other.argv.length > 1 && endsWith(argv, other.argv)),
  );
}

function endsWith(argv: readonly string[], end: readonly string[]): boolean {
  return argv.length > end.length && end.every((word, at) => word === argv[argv.length - end.length + at]);
}

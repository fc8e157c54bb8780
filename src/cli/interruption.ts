/** Ctrl-C and its like. */
export interface Interruption {
  /** Aborts at the first signal. */
  readonly signal: AbortSignal;
  stop(): void;
}

const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

function ignore(): void {}

/**
 * At the first signal: stops the work in good order, so that nothing is left behind on either side and what
 * is known so far is printed. At the second: ends at once.
 */
export function interruption(): Interruption {
  const controller = new AbortController();
  const handler = () => {
    if (controller.signal.aborted) process.exit(130);
    // First whoever draws on the terminal clears it.
    controller.abort();
    process.stderr.write('vfs-verify: interrupted; cleaning up (once more ends at once)\n');
  };
  for (const name of signals) process.on(name, handler);
  // A terminal that is gone cannot be written to: that must not keep us from putting things back.
  process.stderr.on('error', ignore);
  return {
    signal: controller.signal,
    stop() {
      for (const name of signals) process.off(name, handler);
      process.stderr.off('error', ignore);
    },
  };
}

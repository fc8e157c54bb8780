/** The time that one guest may take in all. It stands still while the guest waits for others. */
export interface GuestLimit {
  /** Aborts when it is over. */
  readonly signal: AbortSignal;
  /** Settles when the time to end in good order is over as well. */
  readonly overdue: Promise<void>;
  /** Milliseconds of the guest's own. */
  spentMs(): number;
  hold(): void;
  goOn(): void;
  /** It is not needed any more. */
  end(): void;
}

/** A limit that runs from now on. */
export function guestLimitOf(limitMs: number, graceMs: number): GuestLimit {
  const over = new AbortController();
  let before = 0;
  let since: number | undefined;
  let timer: NodeJS.Timeout | undefined;
  let tooLate = () => {};
  const overdue = new Promise<void>((resolve) => {
    tooLate = resolve;
  });
  const spentMs = () => before + (since === undefined ? 0 : Date.now() - since);
  const pass = () => {
    over.abort();
    timer = setTimeout(tooLate, graceMs);
  };
  const goOn = () => {
    since = Date.now();
    timer = setTimeout(pass, Math.max(0, limitMs - before));
  };
  goOn();
  return {
    signal: over.signal,
    overdue,
    spentMs,
    hold() {
      clearTimeout(timer);
      before = spentMs();
      since = undefined;
    },
    goOn,
    end: () => clearTimeout(timer),
  };
}

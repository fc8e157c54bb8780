/** What the lab is doing, one line at a time. */
export type OnProgress = (progress: Progress) => void;

export interface Progress {
  /** A sentence for a person. */
  readonly text: string;
  /** Set when something has ended: how long it took, in milliseconds. */
  readonly tookMs?: number;
}

/** Carries out one part of the work, and says how long it took. */
export async function timed<T>(onProgress: OnProgress, text: string, part: () => Promise<T>): Promise<T> {
  const began = performance.now();
  const result = await part();
  onProgress({ text, tookMs: Math.round(performance.now() - began) });
  return result;
}

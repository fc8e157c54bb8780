import type { KnownError } from '../model/error.ts';

/** One callback of ssh2 with a limit. @param tooLate what to do with a result that comes after it. */
export function within<T>(
  limitMs: number,
  limitError: () => KnownError,
  start: (done: (error: Error | undefined, value?: T) => void) => unknown,
  tooLate: (value: T) => void = () => {},
): Promise<T> {
  return new Promise((resolve, reject) => {
    let open = true;
    const timer = setTimeout(() => {
      open = false;
      reject(limitError());
    }, limitMs);
    const done = (error: Error | undefined, value?: T) => {
      clearTimeout(timer);
      if (error) reject(error);
      else if (open) resolve(value as T);
      else tooLate(value as T);
      open = false;
    };
    try {
      start(done);
    } catch (error) {
      done(error as Error);
    }
  });
}

/** What a promise settles with, or undefined when that takes longer. */
export function withinMs<T>(promise: Promise<T>, ms: number): Promise<T | undefined> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, ms, undefined);
    promise.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}

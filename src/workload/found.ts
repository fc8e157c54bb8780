/** A value and the offset, in the characters of the file, where it stands. */
export interface Found<T> {
  readonly value: T;
  readonly at: number;
}

export function found<T>(value: T, at: number): Found<T> {
  return { value, at };
}

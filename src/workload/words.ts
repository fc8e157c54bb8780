/** Figures as claims print them. */
export function countWords(value: number): string {
  return Math.round(value).toLocaleString('en-US');
}

/** `19,530`, `0.3`: a rate is never rounded up, as fio prints it. */
export function rateWords(value: number): string {
  return value >= 100 ? countWords(Math.floor(value)) : String(Number(value.toPrecision(2)));
}

export function nsWords(ns: number): string {
  if (ns < 1000) return `${Math.round(ns)} ns`;
  if (ns < 1e6) return `${Number((ns / 1e3).toPrecision(3))} µs`;
  if (ns < 1e9) return `${Number((ns / 1e6).toPrecision(3))} ms`;
  return secondsWords(ns / 1e9);
}

export function secondsWords(seconds: number): string {
  return seconds < 1 ? `${Math.round(seconds * 1000)} ms` : `${seconds.toFixed(1)} s`;
}

/** Rounded away from nothing and from all. */
export function percentWords(share: number): string {
  const percent = share * 100;
  if (percent <= 0) return '0 %';
  if (percent < 0.1) return '<0.1 %';
  if (percent >= 100) return '100 %';
  return percent < 10
    ? `${percent.toFixed(1)} %`
    : percent > 99
      ? `${(Math.floor(percent * 10) / 10).toFixed(1)} %`
      : `${Math.round(percent)} %`;
}

const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB'];

/** One decimal, never rounded up. */
export function bytesWords(bytes: number): string {
  let [value, unit] = [bytes, 0];
  while (value >= 1024 && unit < units.length - 1) [value, unit] = [value / 1024, unit + 1];
  return unit === 0 ? `${Math.round(value)} B` : `${(Math.floor(value * 10) / 10).toFixed(1)} ${units[unit]}`;
}

/** `4k`, `1m`, as the flags of commands take it. */
export function sizeFlag(bytes: number): string {
  if (bytes % 1024 ** 2 === 0) return `${bytes / 1024 ** 2}m`;
  return bytes % 1024 === 0 ? `${bytes / 1024}k` : String(bytes);
}

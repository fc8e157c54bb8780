const decimal: Readonly<Record<string, number>> = { '': 1, k: 1e3, m: 1e6, g: 1e9, t: 1e12, p: 1e15 };
const binary: Readonly<Record<string, number>> = {
  '': 1,
  k: 1024,
  m: 1024 ** 2,
  g: 1024 ** 3,
  t: 1024 ** 4,
  p: 1024 ** 5,
};

/** A count as fio shortens it: `19.7k`, `1074.7k`, `1.2M`. Undefined for what is none. */
export function shortNumber(text: string): number | undefined {
  const match = /^([\d.]+)([kmgtp]?)$/i.exec(text);
  const value = Number(match?.[1]) * (decimal[match?.[2]?.toLowerCase() ?? ''] ?? Number.NaN);
  return Number.isFinite(value) ? value : undefined;
}

/** Bytes (or bits) with a unit: `4606MiB`, `80.5MB`, `4096B`, `12Mibit`. */
export function unitBytes(text: string): number | undefined {
  const match = /^([\d.]+)\s?([kmgtp]?)(i?)(b(?:it)?)?(?:\/s)?$/i.exec(text);
  if (match === null) return undefined;
  const [, digits, prefix = '', i, kind = ''] = match;
  const scale = (i === '' ? decimal : binary)[prefix.toLowerCase()] ?? Number.NaN;
  const value = (Number(digits) * scale) / (kind.toLowerCase() === 'bit' ? 8 : 1);
  return Number.isFinite(value) ? value : undefined;
}

/** A size of a job option: `4g`, `4k`, `256MiB`. Powers of two, as fio reads them; `4GB` too. */
export function optionBytes(text: string): number | undefined {
  const match = /^([\d.]+)([kmgtp]?)(i?b)?$/i.exec(text.split(/[,:-]/)[0] ?? '');
  const value = Number(match?.[1]) * (binary[match?.[2]?.toLowerCase() ?? ''] ?? Number.NaN);
  return Number.isFinite(value) ? value : undefined;
}

/** A time of a job option in seconds: `60`, `60s`, `5m`, `1h`, `500ms`. */
export function optionSeconds(text: string): number | undefined {
  const match = /^([\d.]+)(us|usec|ms|msec|s|sec|m|min|h|d)?$/i.exec(text);
  const units: Readonly<Record<string, number>> = {
    us: 1e-6,
    usec: 1e-6,
    ms: 1e-3,
    msec: 1e-3,
    s: 1,
    sec: 1,
    m: 60,
    min: 60,
    h: 3600,
    d: 86_400,
  };
  const value = Number(match?.[1]) * (units[match?.[2]?.toLowerCase() ?? 's'] ?? Number.NaN);
  return Number.isFinite(value) ? value : undefined;
}

const perNs: Readonly<Record<string, number>> = { nsec: 1, usec: 1e3, msec: 1e6, sec: 1e9 };

/** Nanoseconds of one unit of fio's latency lines. */
export function nsOf(unit: string): number {
  return perNs[unit] ?? 1;
}

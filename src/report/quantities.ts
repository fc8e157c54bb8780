import prettyBytes from 'pretty-bytes';

/** `4.0 GiB`, `512 B`. */
export function formatBytes(bytes: number): string {
  if (bytes < 1024) return `${bytes} B`;
  return prettyBytes(bytes, { binary: true, minimumFractionDigits: 1, maximumFractionDigits: 1 });
}

/** `690.1 MiB/s`; undefined where no time passed that could be told. */
export function formatRate(bytes: number, seconds: number): string | undefined {
  return seconds > 0 && bytes > 0 ? `${formatBytes(Math.round(bytes / seconds))}/s` : undefined;
}

/** `0.04 s`, `6.3 s`, `2:12`, `1:02:03`. */
export function formatSeconds(seconds: number): string {
  if (seconds < 0.1) return `${seconds.toFixed(2)} s`;
  if (seconds < 59.95) return `${seconds.toFixed(1)} s`;
  const whole = Math.round(seconds);
  const pad = (part: number) => String(part).padStart(2, '0');
  const hours = Math.floor(whole / 3600);
  const minutes = Math.floor(whole / 60) % 60;
  return hours > 0 ? `${hours}:${pad(minutes)}:${pad(whole % 60)}` : `${minutes}:${pad(whole % 60)}`;
}

/** `1 file`, `1,204 files`. */
export function count(number: number, noun: string, plural = `${noun}s`): string {
  return `${number.toLocaleString('en-US')} ${number === 1 ? noun : plural}`;
}

import { readFileSync } from 'node:fs';

/** The version in package.json, which lies two or three folders up: src/cli in a checkout, dist/src/cli as built. */
export function packageVersion(): string {
  for (const up of ['../../package.json', '../../../package.json']) {
    try {
      const found = JSON.parse(readFileSync(new URL(up, import.meta.url), 'utf8')) as {
        name?: string;
        version?: string;
      };
      if (found.name === 'vfs-verify' && found.version !== undefined) return found.version;
    } catch {
      // Not there: try the next one.
    }
  }
  return '0.0.0';
}

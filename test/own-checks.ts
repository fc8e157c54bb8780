import { readdirSync } from 'node:fs';
import type { Check } from '../src/model/check.ts';

/**
 * The package's own checks, by name. The test runner compiles them, and each only once; `loadChecks`, which is for the
 * checks of others, takes ten seconds for all of them.
 */
export async function ownChecks(): Promise<readonly Check[]> {
  const folder = new URL('../checks', import.meta.url);
  const names = readdirSync(folder).flatMap((name) => /^(.*)\.ts$/.exec(name)?.[1] ?? []);
  const modules = await Promise.all(
    names.sort().map((name) => import(`../checks/${name}.ts`) as Promise<{ readonly default: Check }>),
  );
  return modules.map((each) => each.default);
}

import { padTo } from '../report/layout.ts';
import { loadAll } from './check.ts';

/** `vfs-verify list`: the checks and what they may answer. */
export async function list(flags: { readonly checks?: string; readonly json?: boolean }): Promise<void> {
  const loaded = await loadAll(flags.checks);
  if (flags.json === true) {
    const told = loaded.map(({ check, file }) => ({
      name: check.name,
      title: check.title,
      codes: check.codes,
      file,
    }));
    process.stdout.write(`${JSON.stringify(told, undefined, 2)}\n`);
    return;
  }
  const width = Math.max(...loaded.map(({ check }) => check.name.length)) + 2;
  for (const { check } of loaded) process.stdout.write(`${padTo(check.name, width)}${check.title}\n`);
}

import type { SavedRun } from '../saved-run.ts';

/** The probe's own, which reports in fio's form. */
export const ownRunner = 'vfs-probe';

/** Whose report it is. */
export function programOf({ program, version }: Pick<SavedRun, 'program' | 'version'>): string {
  return version?.value.startsWith(ownRunner) === true ? ownRunner : program;
}

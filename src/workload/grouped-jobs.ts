import { optionBytes } from './fio-numbers.ts';
import type { SavedJob } from './saved-run.ts';

/**
 * A job whose figures are those of others too (group reporting): what was set for it is left out, and what all of
 * them have in common is kept.
 */
export function ofSeveral(
  job: SavedJob,
  common: Pick<SavedJob, 'workload' | 'engine' | 'depth'> = {},
): SavedJob {
  const { workload: _, engine: _engine, depth: _depth, ...rest } = job;
  return { ...rest, ...common, options: new Map(), optionsComplete: false, isOfSeveral: true };
}

/** Of a run that has such a job: what is missing then. */
export function groupedWords(jobs: readonly SavedJob[]): string[] {
  return jobs
    .filter(({ isOfSeveral }) => isOfSeveral === true)
    .map(({ name }) => `which figures are whose: "${name}" stands for several jobs (group_reporting)`);
}

/**
 * Whether figures cannot be of the job alone that their JSON names: with group reporting it has the options of the
 * first job of a group, and the sums of all. Jobs that are alike cannot be told from one.
 */
export function hasOthersFigures({ options, directions }: SavedJob): boolean {
  const workload = options.get('rw')?.value;
  const verifies = options.has('verify');
  const others = directions.some(
    ({ direction }) =>
      workload !== undefined &&
      !directionsOf(workload).includes(direction) &&
      !(verifies && direction === 'read'),
  );
  return others || hasOtherBlocks({ options, directions });
}

function directionsOf(workload: string): readonly string[] {
  const both = /^(?:rand)?rw|^readwrite/.test(workload);
  return [
    ...(both || workload.includes('read') ? ['read'] : []),
    ...(both || workload.includes('write') ? ['write'] : []),
    ...(workload.includes('trim') ? ['trim'] : []),
    'copy',
  ];
}

/** The last request of a file may be short: with fewer requests than these that alone may be the difference. */
const enough = 100;

function hasOtherBlocks({ options, directions }: Pick<SavedJob, 'options' | 'directions'>): boolean {
  const names = ['bssplit', 'bsrange', 'blocksize_range', 'bs_unaligned', 'blocksize_unaligned'];
  const told = options.get('bs')?.value;
  if (told === undefined || /[-%]/.test(told) || names.some((name) => options.has(name))) return false;
  const [forReads, forWrites] = told.split(',');
  return directions.some(({ direction, bytes, requests }) => {
    const block = optionBytes((direction === 'write' ? forWrites : undefined) || forReads || '');
    if (block === undefined || bytes === undefined || requests === undefined) return false;
    return requests.value >= enough && Math.abs(bytes.value / requests.value / block - 1) > 0.05;
  });
}

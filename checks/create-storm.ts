import { type Case, defineCheck, type Observed, type Promises, type Step } from '../src/model/check.ts';
import type { Operation, TreeEntry } from '../src/model/operation.ts';
import { describeOutcome } from '../src/model/outcome.ts';
import { describePromise, type Promise as Promised } from '../src/model/promise.ts';
import type { StormAct, StormPlan, StormResult } from '../src/model/storm.ts';
import type { Verdict } from '../src/model/verdict.ts';
import { file } from './names/acts.ts';
import { slackMs, taleCodes, told } from './names/judge.ts';
import { done, says } from './names/looks.ts';
import { compareTree, type Difference, type Manifest, manifestOf } from './names/manifest.ts';
import { guest, host, type Tale, turn } from './names/tale.ts';
import { timeoutOf } from './promised/waiting.ts';

/**
 * Names by the thousand are made, renamed, linked, rewritten and removed on one side; then the other side's tree is
 * held against the plan, its contents included. What must be left is computed (src/model/storm.ts).
 */
const slots = 40;

/** One storm of a case, by its step. */
interface Storm {
  readonly step: string;
  readonly actor: string;
  readonly plan: StormPlan;
}

/** A case: storms, and the walk that looks at what they left. */
interface Weather {
  readonly name: string;
  readonly scenario: string;
  readonly actors: Case['actors'];
  /** Those of one round run at once. */
  readonly rounds: (seed: number) => readonly (readonly Storm[])[];
  /** Who looks, after the last round; `knows`: it looked after the first one too. */
  readonly looker: string;
  readonly knows?: boolean;
}

const everyAct: readonly StormAct[] = ['remove', 'rename', 'link', 'rewrite', 'replace'];
/** Bytes that change within a file which the guest knows are another question (host-rewrite). */
const newFiles: readonly StormAct[] = ['remove', 'rename', 'link', 'replace'];

/** In the guest so many steps are made however long it takes, and then as many as it can in this time. */
const surely = 30;
const guestLimitMs = 250;

const weathers: readonly Weather[] = [
  {
    name: 'guest',
    scenario: 'create-storm/guest',
    actors: { host: 'host', guest: 'guest', other: 'guest' },
    rounds: (seed) => [guestStorms('storm', seed, 0, surely), guestStorms('storm-on', seed, surely, 1500)],
    looker: 'host',
  },
  {
    name: 'host-new-names',
    scenario: 'create-storm/host-new-names',
    actors: { host: 'host', guest: 'guest' },
    rounds: (seed) => [[hostStorm('storm', seed, 0, 2000, everyAct)]],
    looker: 'guest',
  },
  {
    name: 'host-seen-names',
    scenario: 'create-storm/host',
    actors: { host: 'host', guest: 'guest' },
    rounds: (seed) => [
      [hostStorm('storm', seed, 0, 400, newFiles)],
      [hostStorm('storm-again', seed, 400, 1200, newFiles)],
    ],
    looker: 'guest',
    knows: true,
  },
];

function guestStorms(step: string, seed: number, from: number, steps: number): readonly Storm[] {
  return ['guest', 'other'].map((actor, index) => ({
    step: `${step}-${actor}`,
    actor,
    plan: {
      path: actor,
      seed: (seed + index) >>> 0,
      slots: 12,
      dirs: 2,
      from,
      steps,
      acts: everyAct,
      writer: 2 + index,
      verify: true,
      ...(from === 0 ? {} : { limitMs: guestLimitMs }),
    },
  }));
}

function hostStorm(
  step: string,
  seed: number,
  from: number,
  steps: number,
  acts: readonly StormAct[],
): Storm {
  return {
    step,
    actor: 'host',
    plan: { path: 'host', seed, slots, dirs: 3, from, steps, acts, writer: 1 },
  };
}

/** Twice what a storm may take by itself, beside what a slow guest needs for a walk. */
const limit = { ms: 120_000, silent: true, name: 'a storm of names' };

function walk(id: string, actor: string, after: readonly string[], path: string): Step {
  return {
    id,
    actor,
    op: { do: 'walk', path, algorithm: 'md5', sync: 'as-is' },
    limit,
    mayFail: true,
    after: after.map((step) => ({ step, has: 'ended' as const })),
  };
}

/** The directories in which storms of a case are. */
function pathsOf(weather: Weather, seed: number): readonly string[] {
  return [...new Set(weather.rounds(seed).flatMap((round) => round.map(({ plan }) => plan.path)))];
}

function stepsOf(weather: Weather, seed: number): readonly Step[] {
  const paths = pathsOf(weather, seed);
  const make: Operation = { do: 'many', list: paths.map((path) => ({ do: 'mkdir', path })) };
  const steps: Step[] = [{ id: 'make', actor: 'host', op: make, mayFail: true }];
  let before = ['make'];
  for (const [index, round] of weather.rounds(seed).entries()) {
    if (index > 0 && weather.knows === true) {
      steps.push(...paths.map((path) => walk(`know-${path}`, weather.looker, before, path)));
      before = paths.map((path) => `know-${path}`);
    }
    for (const { step, actor, plan } of round) {
      const after = before.map((each) => ({ step: each, has: 'ended' as const }));
      steps.push({ id: step, actor, op: { do: 'storm', ...plan }, limit, mayFail: true, after });
    }
    before = round.map(({ step }) => step);
  }
  return [...steps, ...paths.map((path) => walk(`look-${path}`, weather.looker, before, path))];
}

/** Parallel `mkdir -p`: who comes second finds the directory there, and both use it at once. */
const parallel: Tale = {
  name: 'parallel-mkdir',
  actors: { host: 'host', guest: 'guest', second: 'guest', third: 'guest' },
  turns: () => {
    const by = 'mkdir/guest';
    const path = (depth: number) => ['m', ...Array.from({ length: depth }, (_, at) => `${at}`)].join('/');
    const depths = [0, 1, 2, 3, 4];
    const all = ['guest', 'second', 'third'];
    return [
      ...all.map((actor, index) =>
        turn(
          actor,
          `mkdir-${actor}`,
          [
            ...depths.map((depth) =>
              done(`mkdir ${path(depth)}`, by, { do: 'mkdir', path: path(depth) }, undefined, {
                EEXIST: 'done',
              }),
            ),
            ...file(`${path(4)}/${actor}`, actor),
            says(`${path(4)}/${actor}`, by, { [`mkdir-${actor}`]: actor }),
          ],
          { beside: index > 0 },
        ),
      ),
      host(
        'look',
        all.map((actor) =>
          says(`${path(4)}/${actor}`, 'guest-rename/host', { '': 'absent', [`mkdir-${actor}`]: actor }),
        ),
      ),
      guest(
        'own',
        all.map((actor) => says(`${path(4)}/${actor}`, by, { [`mkdir-${actor}`]: actor })),
      ),
    ];
  },
};

const tales = told([parallel]);

/** Refusals of a storm that say something of names or bytes, and not of a disk or a machine. */
const aboutNames = ['ENOENT', 'EEXIST', 'ESTALE', 'ENOTDIR', 'EISDIR', 'EILSEQ', 'ENOTEMPTY', 'EINVAL'];

async function judgeWeather(weather: Weather, observed: Observed, promises: Promises): Promise<Verdict> {
  const failed = observed.steps.find(({ id }) => observed.outcome(id).kind !== 'value');
  if (failed !== undefined) {
    const reason = `${failed.actor}, ${failed.id}: ${describeOutcome(observed.outcome(failed.id))}`;
    return { kind: 'unknown', code: 'could-not-run', reason };
  }
  const promise = promises(weather.scenario);
  if (promise === undefined)
    return { kind: 'unknown', code: 'no-promise', reason: `the contract has no ${weather.scenario} here` };
  const words = { promised: describePromise(promise), sources: promise.sources };
  const rounds = weather.rounds(observed.setting.seed);
  const trouble = rounds
    .flat()
    .map((storm) => troubleIn(storm, observed))
    .find((each) => each !== undefined);
  if (trouble !== undefined) return { ...trouble, ...words };
  const stale: Difference[] = [];
  for (const path of pathsOf(weather, observed.setting.seed)) {
    const [after, before] = manifestsOf(rounds, path, observed);
    const last = observed.steps.findLast(({ id }) => id === `look-${path}` || id === `look-again-${path}`);
    for (const id of new Set([`look-${path}`, last?.id ?? ''])) {
      const differences = compareTree(await entriesOf(observed, id), after, before);
      const wrong = differences.find(({ old }) => !old) ?? differences[0];
      if (wrong === undefined) continue;
      const verdict = judgeDifference(wrong, differences, id, path, observed, promise);
      if (verdict.kind !== 'pass') return { ...verdict, ...words };
      stale.push(...differences);
    }
  }
  const made = rounds
    .flat()
    .reduce((sum, { step }) => sum + (observed.value<StormResult>(step)?.steps ?? 0), 0);
  return stale.length === 0
    ? { kind: 'pass', reason: `${made} steps; the other side has the same tree`, ...words }
    : {
        kind: 'pass',
        stale: true,
        reason: `${made} steps; ${stale.length} names are as before, which is permitted`,
        ...words,
      };
}

/** What a storm itself ran into. */
function troubleIn({ step, actor, plan }: Storm, observed: Observed): Verdict | undefined {
  const { errors, errorsInAll } = observed.value<StormResult>(step) as StormResult;
  const error = errors.find(({ errno }) => aboutNames.includes(errno)) ?? errors[0];
  if (error === undefined) return undefined;
  const { call, path, errno } = error;
  const reason = `${actor}, step ${error.step} in ${plan.path}: ${call} of ${path} ended with ${errno}, and ${errorsInAll - 1} more`;
  // What goes wrong on the host itself is not the share's.
  if (observed.case.actors[actor] === 'host' || !aboutNames.includes(errno))
    return { kind: 'unknown', code: 'could-not-run', reason };
  const code =
    errno === 'EILSEQ' ? 'wrong-bytes' : call.startsWith('verify: the old') ? 'left-over' : 'refused';
  return { kind: 'fail', code, reason, observed: `${call}: ${errno}`, evidence: { errors, errorsInAll } };
}

/** What must be there after the last round, and what was there before it, in one directory. */
function manifestsOf(
  rounds: readonly (readonly Storm[])[],
  path: string,
  observed: Observed,
): readonly [Manifest, Manifest] {
  const own = rounds.flat().filter(({ plan }) => plan.path === path);
  const of = (storm: Storm | undefined): Manifest =>
    storm === undefined
      ? new Map()
      : manifestOf({ ...storm.plan, steps: observed.value<StormResult>(storm.step)?.steps ?? 0 });
  return [of(own.at(-1)), of(own.at(-2))];
}

async function entriesOf(observed: Observed, id: string): Promise<readonly TreeEntry[]> {
  const entries: TreeEntry[] = [];
  for await (const entry of observed.bulk<TreeEntry>(id)) entries.push(entry);
  return entries;
}

function judgeDifference(
  difference: Difference,
  all: readonly Difference[],
  id: string,
  path: string,
  observed: Observed,
  { freshness }: Promised,
): Verdict {
  const more = all.length > 1 ? `, and ${all.length - 1} more` : '';
  const reason = `${id}: ${difference.words}${more}`;
  const evidence = { differences: all.slice(0, 20) };
  const fail = (code: string, words = ''): Verdict => ({
    kind: 'fail',
    code,
    reason: `${reason}${words}`,
    observed: difference.words,
    evidence,
  });
  if (!difference.old || freshness.kind === 'fresh' || freshness.kind === 'as-local')
    return fail(difference.code);
  if (freshness.kind !== 'stale-for') return { kind: 'pass', stale: true, reason };
  const known = observed.outcome(`know-${path}`).endNs ?? Number.NaN;
  const ageMs = ((observed.outcome(id).beginNs ?? Number.NaN) - known) / 1e6;
  const age = `, ${Math.round(ageMs)} ms after the walk before it`;
  if (ageMs > freshness.ms + slackMs) return fail('stale-too-long', age);
  return { kind: 'pass', stale: true, reason };
}

/** Many names at once, and what the other side has of them. */
export default defineCheck({
  name: 'create-storm',
  title: 'thousands of names made, renamed, linked and removed on one side are the same tree on the other',
  codes: {
    ...taleCodes,
    missing: 'a file that was made is not there',
    'left-over': 'a name that was removed or renamed is still there',
    'other-file': 'a file has the bytes of another one',
    'wrong-bytes': 'a file has bytes that nobody wrote to it',
  },
  cases: (setting) => [
    ...weathers.map(
      (weather): Case => ({
        name: weather.name,
        scenarios: [weather.scenario],
        isolation: 'shared',
        needs: ['writable'],
        actors: weather.actors,
        steps: stepsOf(weather, setting.seed),
      }),
    ),
    ...tales.cases(setting),
  ],
  // Old names are looked for again when the mode must have forgotten them.
  async next(observed) {
    const weather = weathers.find(({ name }) => name === observed.case.name);
    if (weather === undefined) return tales.next(observed);
    const timeoutMs = timeoutOf(observed.setting);
    if (weather.knows !== true || timeoutMs > 5000 || observed.steps.length > observed.case.steps.length)
      return [];
    const rounds = weather.rounds(observed.setting.seed);
    const steps: Step[] = [];
    for (const path of pathsOf(weather, observed.setting.seed)) {
      if (observed.outcome(`look-${path}`).kind !== 'value') return [];
      const [after, before] = manifestsOf(rounds, path, observed);
      const differences = compareTree(await entriesOf(observed, `look-${path}`), after, before);
      if (!differences.some(({ old }) => old)) continue;
      const wait: Operation = { do: 'wait', ms: timeoutMs + 250 };
      steps.push({ id: `wait-${path}`, actor: weather.looker, op: wait, mayFail: true });
      steps.push(walk(`look-again-${path}`, weather.looker, [], path));
    }
    return steps;
  },
  judge: (observed, promises) => {
    const weather = weathers.find(({ name }) => name === observed.case.name);
    return weather === undefined
      ? tales.judge(observed, promises)
      : judgeWeather(weather, observed, promises);
  },
});

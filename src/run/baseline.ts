import { readFile } from 'node:fs/promises';
import { KnownError } from '../model/error.ts';
import { type Baseline, type Change, type Report, reportSchemaId } from '../model/report.ts';
import type { Verdict, VerdictKind } from '../model/verdict.ts';

/**
 * Reads an earlier report.
 * @throws KnownError `bad-baseline`
 */
export async function loadBaseline(file: string): Promise<Report> {
  const cure = 'Name what an earlier run of check wrote with --json or --report json=FILE.';
  let parsed: unknown;
  try {
    parsed = JSON.parse(await readFile(file, 'utf8'));
  } catch (cause) {
    throw new KnownError('bad-baseline', `${file} cannot be read as a report`, cure, { cause });
  }
  const { schema, command, results } = (parsed ?? {}) as Partial<Report>;
  if (schema !== reportSchemaId || command !== 'check' || !Array.isArray(results))
    throw new KnownError('bad-baseline', `${file} is no report of check in this version's form`, cure);
  return parsed as Report;
}

/** Which guests a run is about: several by their names, or one, by its name where it has one. */
export type Guests = readonly string[] | string | undefined;

/**
 * An earlier report as one about these guests. What one guest gave is held against each of several; of several, one
 * guest is held against itself.
 * @throws KnownError `bad-baseline`
 */
export function baselineOf(old: Report, guests: Guests): Report {
  if (typeof guests === 'object') {
    if (old.guests !== undefined) return old;
    const results = guests.flatMap((guest) => old.results.map((result) => ({ ...result, guest })));
    return { ...old, results };
  }
  if (old.guests === undefined) return old;
  const own = old.results.filter(({ guest }) => guest === guests);
  if (own.length === 0)
    throw new KnownError(
      'bad-baseline',
      `the baseline is of ${old.guests.length} guests, and ${guests ?? 'the one that is asked'} is none of them`,
      'Name a guest as it was named then, all of them, or a report of this guest alone.',
    );
  return { ...old, results: own.map(({ guest: _, ...result }) => result) };
}

/** What is another than in an earlier run, case by case. */
export function compareWith(old: Report, now: Pick<Report, 'results'>, file: string): Baseline {
  const before = endings(old);
  const after = endings(now);
  const changes: Change[] = [];
  let unchanged = 0;
  for (const key of new Set([...before.keys(), ...after.keys()])) {
    const what = changeOf(before.get(key), after.get(key));
    if (what === undefined) unchanged += 1;
    else changes.push({ what, ...words(key), ...ends(before.get(key), after.get(key)) });
  }
  const { startedAt, versions } = old.environment;
  return {
    file,
    startedAt,
    versions: { 'vfs-verify': old.tool.version, ...versions },
    changes,
    unchanged,
  };
}

/** What a run with a baseline ends in: 1 where a fail is new, 2 where something can newly not be told. */
export function exitStatusAgainst({ changes }: Baseline): 0 | 1 | 2 {
  const news = changes.filter(({ what }) => what === 'worse' || what === 'new');
  if (news.some(({ after }) => after?.kind === 'fail')) return 1;
  return news.some(({ after }) => after?.kind === 'unknown') ? 2 : 0;
}

type Ending = Pick<Verdict, 'kind' | 'code'>;

/** A cell without cases (its check crashed, or it was not run) stands for itself, under an empty name. */
function endings({ results }: Pick<Report, 'results'>): Map<string, Ending> {
  return new Map(
    results.flatMap(({ guest, check, mode, cases, verdict }) =>
      (cases.length === 0 ? [{ name: '', verdict }] : cases).map((each): [string, Ending] => [
        JSON.stringify([check, mode, each.name, guest]),
        each.verdict,
      ]),
    ),
  );
}

function words(key: string): Pick<Change, 'guest' | 'check' | 'mode' | 'case'> {
  const [check = '', mode = '', name = '', guest] = JSON.parse(key) as [
    string,
    string,
    string,
    string | null,
  ];
  return { ...(guest === null ? {} : { guest }), check, mode, case: name };
}

function ends(before: Ending | undefined, after: Ending | undefined): Pick<Change, 'before' | 'after'> {
  const short = ({ kind, code }: Ending): Ending => ({ kind, ...(code === undefined ? {} : { code }) });
  return {
    ...(before === undefined ? {} : { before: short(before) }),
    ...(after === undefined ? {} : { after: short(after) }),
  };
}

/** A skip says nothing of the share: neither better nor worse. */
const rank: Readonly<Record<VerdictKind, number | undefined>> = {
  pass: 0,
  unknown: 1,
  fail: 2,
  skip: undefined,
};

function changeOf(before: Ending | undefined, after: Ending | undefined): Change['what'] | undefined {
  if (after === undefined) return 'gone';
  if (before === undefined) return 'new';
  if (before.kind === after.kind) {
    // The same kind of ending for another reason is another defect.
    return before.kind === 'fail' && before.code !== after.code ? 'worse' : undefined;
  }
  const [was, is] = [rank[before.kind], rank[after.kind]];
  // What was skipped and now fails was never seen to hold: it is as new as a case that was not there.
  if (is === 2 && was === undefined) return 'worse';
  if (was === undefined || is === undefined) return 'other';
  return is > was ? 'worse' : 'better';
}

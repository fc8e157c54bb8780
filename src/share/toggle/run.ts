import { KnownError } from '../../model/error.ts';
import type { Mode } from '../../model/mode.ts';
import { noteLine, readJournal, removeJournal, type ToggleJournal, turnLine } from './journal.ts';
import type { ByHand, ToggleForm, TogglePlace, ToggleStep, ToggleSteps } from './toggle.ts';

/** What a toggle did. */
export interface Toggled {
  /** The mode that it ended in; undefined where it was not known before. */
  readonly mode: string | undefined;
  /** Where the guest finds the share now. */
  readonly guestDir: string;
  readonly steps: readonly { readonly title: string; readonly tookMs: number }[];
  /** How long the guest did not have the share. */
  readonly awayMs: number;
}

export interface ToggleOptions {
  /** Asked between two steps: what was begun is then put back. */
  readonly signal?: AbortSignal;
  readonly onStep?: (title: string) => void;
}

/**
 * Puts a share into a mode; into the one that it had at first: puts it back. When a step fails, the share is put
 * back to what it was before the first toggle, and the error says so, or which commands would do it.
 * @throws KnownError `toggle-interrupted`, `toggle-busy`, what the form refuses, `interrupted`, or what failed.
 */
export async function putInto(
  form: ToggleForm,
  place: TogglePlace,
  mode: Mode,
  options: ToggleOptions = {},
): Promise<Toggled> {
  const journal = readJournal(place.directory);
  requireWhole(journal, place);
  const original = journal?.original ?? (await form.look(place));
  if (original.mode === mode.name) {
    const { guestDir } = place.share;
    return journal === undefined
      ? { mode: mode.name, guestDir, steps: [], awayMs: 0 }
      : putBack(form, place, options);
  }
  const plan = await form.steps(place, mode, original);
  if (journal === undefined)
    noteLine(place.directory, {
      what: 'share',
      schema: 'vfs-verify/toggle/1',
      form: form.name,
      ...(place.argument === undefined ? {} : { argument: place.argument }),
      original,
    });
  noteLine(place.directory, turnLine(mode.name));
  try {
    const done = await carryOut(plan, place, options);
    noteLine(place.directory, { what: 'done', mode: mode.name });
    return { ...done, mode: mode.name };
  } catch (error) {
    throw await afterFailure(form, place, error);
  }
}

/**
 * Puts a share back to what it was before the first toggle, from wherever that was left.
 * @throws KnownError `not-toggled`, `toggle-busy`, and what failed, with the commands that would do the rest.
 */
export async function putBack(
  form: ToggleForm,
  place: TogglePlace,
  options: Pick<ToggleOptions, 'onStep'> = {},
): Promise<Toggled> {
  const journal = readJournal(place.directory);
  if (journal === undefined)
    throw new KnownError(
      'not-toggled',
      `${place.share.guestDir} is as it was: there is nothing to put back`,
      'Name the share and the guest as they were named when its mode was changed.',
    );
  requireIdle(journal, place);
  noteLine(place.directory, turnLine(undefined));
  const plan = await form.stepsBack(place, journal.original, journal.begun);
  let done: Omit<Toggled, 'mode'>;
  try {
    done = await carryOut(plan, place, options);
  } catch (error) {
    throw withHand(error, await remaining(form, place, plan));
  }
  removeJournal(place.directory);
  return { ...done, mode: journal.original.mode };
}

function requireWhole(journal: ToggleJournal | undefined, place: TogglePlace): void {
  if (journal === undefined) return;
  requireIdle(journal, place);
  if (journal.interrupted === undefined) return;
  throw new KnownError(
    'toggle-interrupted',
    `an earlier change of ${place.share.guestDir} did not end; it came to: ${journal.interrupted}`,
    'Bring the share back first: the same command with --restore in place of --set MODE.',
  );
}

function requireIdle({ busy }: ToggleJournal, place: TogglePlace): void {
  if (busy === undefined) return;
  throw new KnownError(
    'toggle-busy',
    `the process ${busy} is changing ${place.share.guestDir} now`,
    'Wait for it to end, or end it, then use --restore.',
  );
}

async function carryOut(
  { steps, guestDir }: ToggleSteps,
  place: TogglePlace,
  { signal, onStep }: ToggleOptions,
): Promise<Omit<Toggled, 'mode'>> {
  const done: { title: string; tookMs: number }[] = [];
  let [wentAt, cameAt] = [0, 0];
  for (const { title, about, away, run } of steps) {
    if (signal?.aborted === true)
      throw new KnownError(
        'interrupted',
        `interrupted before: ${title}`,
        'Run it again for the rest, if you want it.',
      );
    noteLine(place.directory, { what: 'step', title, ...(about === undefined ? {} : { about }) });
    onStep?.(title);
    const from = performance.now();
    if (away === true && wentAt === 0) wentAt = from;
    try {
      await run();
    } catch (error) {
      throw failedAt(title, error);
    }
    const to = performance.now();
    if (away === true) cameAt = to;
    done.push({ title, tookMs: Math.round(to - from) });
  }
  return {
    guestDir: guestDir ?? place.share.guestDir,
    steps: done,
    awayMs: Math.round(cameAt - wentAt),
  };
}

function failedAt(title: string, error: unknown): unknown {
  if (!(error instanceof KnownError)) return error;
  const { code, message, cure, detail } = error;
  return new KnownError(code, `could not ${title}: ${message}`, cure, {
    cause: error,
    ...(detail === undefined ? {} : { detail }),
  });
}

/** What a failed toggle throws: the cause, and that the share is back, or how to bring it back. */
async function afterFailure(form: ToggleForm, place: TogglePlace, error: unknown): Promise<unknown> {
  if (!(error instanceof KnownError)) return error;
  try {
    const { steps } = await putBack(form, place);
    const words =
      steps.length === 0
        ? 'Nothing of the share was changed.'
        : `The share is as it was; for that it took: ${steps.map(({ title }) => title).join('; ')}.`;
    return withDetail(error, words);
  } catch (second) {
    if (!(second instanceof KnownError)) return second;
    return new KnownError(
      'toggle-stuck',
      `${error.message}; and the share could not be put back: ${second.message}`,
      second.cure,
      {
        cause: second,
        detail: [error.detail, second.detail].filter((each) => each !== undefined).join('\n'),
      },
    );
  }
}

/** The commands from here, or from where the plan began if that cannot be seen any more. */
async function remaining(form: ToggleForm, place: TogglePlace, plan: ToggleSteps): Promise<ToggleSteps> {
  const journal = readJournal(place.directory);
  if (journal === undefined) return plan;
  return form.stepsBack(place, journal.original, journal.begun).catch(() => plan);
}

function withHand(error: unknown, { steps }: ToggleSteps): unknown {
  if (!(error instanceof KnownError)) return error;
  return withDetail(error, `By hand the share is brought back by:\n${handWritten(steps)}`);
}

function withDetail(error: KnownError, more: string): KnownError {
  const detail = error.detail === undefined ? more : `${error.detail.trimEnd()}\n${more}`;
  return new KnownError(error.code, error.message, error.cure, { cause: error, detail });
}

/** The steps' commands in their order, as lines; a comment says where each is typed. */
function handWritten(steps: readonly Pick<ToggleStep, 'byHand'>[]): string {
  let where: ByHand['on'] | undefined;
  return steps
    .flatMap(({ byHand }) => byHand)
    .flatMap(({ on, command }) => {
      const heading = on === where ? [] : [`# on the ${on}`];
      where = on;
      return [...heading, command];
    })
    .join('\n');
}

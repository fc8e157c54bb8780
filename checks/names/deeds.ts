import type { Observed } from '../../src/model/check.ts';
import type { ObserveResult } from '../../src/model/observation.ts';
import type { ManyResult, Operation, Refusal } from '../../src/model/operation.ts';
import { describeOutcome } from '../../src/model/outcome.ts';
import type { ViewName } from '../../src/model/side.ts';
import { pathOf } from './acts.ts';
import { type Answer, isWatch, type Look, looksOf, operationsOf, type Turn } from './tale.ts';

/** One operation that was carried out, or one look of a watch, with what came of it. */
export interface Deed {
  readonly turn: string;
  readonly actor: string;
  readonly view: ViewName;
  /** By the clock of its side, in nanoseconds. */
  readonly beginNs: number;
  readonly endNs: number;
  readonly paths: readonly string[];
  /** What it was to see. */
  readonly look?: Look;
  /** What was seen, in order: several where it looked again and again. */
  readonly sightings: readonly Sighting[];
  /** It opened a directory. */
  readonly opensDirectory: boolean;
  /** It looked again and again. */
  readonly watched: boolean;
}

/** Something that was seen, from the first look that saw it to the last in a row. */
export interface Sighting {
  readonly answer: Answer;
  /** Begin and end of its first and of its last look, by the side's clock. */
  readonly firstNs: readonly [number, number];
  readonly lastNs: readonly [number, number];
}

/** A tale as it happened. */
export interface Happened {
  readonly deeds: readonly Deed[];
  /** A step that did not end at all, in words. */
  readonly broken?: string;
}

/** Goes through the turns of a tale in their order. Turns that were left out, or not begun yet, are not there. */
export function deedsOf(observed: Observed, turns: readonly Turn[]): Happened {
  const deeds: Deed[] = [];
  for (const step of observed.steps) {
    const turn = turns.find(({ name }) => name === step.id);
    const view = observed.case.actors[step.actor];
    if (turn === undefined || view === undefined) continue;
    const outcome = observed.outcome(step.id);
    if (outcome.kind !== 'value')
      return { deeds, broken: `${step.actor}, ${step.id}: ${describeOutcome(outcome)}` };
    const { values, timesNs } = outcome.value as ManyResult;
    // What it waited for the timeout is no act of the tale.
    let at = values.length - turn.acts.flatMap(operationsOf).length;
    for (const act of turn.acts) {
      const looks = looksOf(act);
      for (const [index, op] of operationsOf(act).entries()) {
        const [beginNs, endNs] = timesNs[at] ?? [Number.NaN, Number.NaN];
        const value = values[at];
        const common = {
          turn: turn.name,
          actor: step.actor,
          view,
          beginNs,
          endNs,
          paths: pathsOf(op),
          opensDirectory: opensDirectory(op),
        };
        if (isWatch(act) || op.do === 'observe') {
          for (const [each, look] of looks.entries())
            deeds.push({
              ...common,
              look,
              watched: isWatch(act),
              sightings: sightingsOf(value, each, [beginNs, endNs]),
            });
        } else {
          const look = looks[index];
          deeds.push({
            ...common,
            ...(look === undefined ? {} : { look }),
            watched: false,
            sightings: [{ answer: answerOf(value), firstNs: [beginNs, endNs], lastNs: [beginNs, endNs] }],
          });
        }
        at += 1;
      }
    }
  }
  return { deeds };
}

function sightingsOf(value: unknown, index: number, times: readonly [number, number]): readonly Sighting[] {
  const answer = answerOf(value);
  if (answer.kind === 'refused') return [{ answer, firstNs: times, lastNs: times }];
  const timeline = (value as ObserveResult).looks[index];
  return (timeline?.seen ?? []).map(({ value: seen, first, last }) => ({
    answer: answerOf(seen),
    firstNs: first,
    lastNs: last,
  }));
}

function answerOf(value: unknown): Answer {
  if (typeof value !== 'object' || value === null) return { kind: 'value', value };
  const refusal = value as Partial<Record<string, string>> & Partial<Refusal>;
  if (refusal.errno !== undefined && refusal.call !== undefined)
    return { kind: 'refused', errno: refusal.errno, call: refusal.call };
  return { kind: 'value', value };
}

/** The paths that an operation names; `*` where it may refresh every name of a directory. */
function pathsOf(op: Operation): readonly string[] {
  switch (op.do) {
    case 'list':
    case 'entries':
    case 'walk':
    case 'storm':
      return ['*'];
    case 'observe':
      return op.looks.flatMap((look) =>
        look.see === 'listed' || look.see === 'list'
          ? ['*']
          : 'path' in look
            ? [look.path]
            : 'file' in look
              ? [pathOf(look.file)]
              : [pathOf(look.map)],
      );
    default:
      return [
        ...('path' in op && op.path !== undefined ? [op.path] : []),
        ...('to' in op ? [op.to] : []),
        ...('file' in op && op.file !== undefined ? [pathOf(op.file)] : []),
      ];
  }
}

function opensDirectory(op: Operation): boolean {
  if (op.do === 'observe') return op.looks.some(({ see }) => see === 'listed' || see === 'list');
  return op.do === 'list' || op.do === 'walk' || (op.do === 'open' && op.flags.includes('directory'));
}

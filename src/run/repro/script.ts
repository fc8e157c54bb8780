import { createHash } from 'node:crypto';
import type { Setting, Step } from '../../model/check.ts';
import { KnownError } from '../../model/error.ts';
import type { Operation } from '../../model/operation.ts';
import type { Outcome } from '../../model/outcome.ts';
import { shellWord } from '../../model/shell-word.ts';
import type { Verdict } from '../../model/verdict.ts';
import type { CaseRecord } from '../bundle.ts';
import { actorProgram, playable } from './python-actor.ts';
import { playerProgram } from './python-player.ts';

/** What a reproducer is made from. */
export interface Reproducible {
  readonly check: string;
  readonly setting: Setting;
  readonly record: CaseRecord;
  readonly verdict: Verdict;
}

/**
 * One case as a script that needs a shell, ssh and Python 3 on both sides and nothing of vfs-verify: for a bug
 * report. It plays the recorded steps, prints what they gave, and says whether that is what the report says.
 * @throws KnownError `no-repro` for a case with steps that only vfs-verify can carry out.
 */
export function reproScript({ check, setting: common, record, verdict }: Reproducible): string {
  const setting = record.setting ?? common;
  refuseUnplayable(record);
  const { host, guest } = setting.views;
  const other = setting.views['guest-other-tag'];
  const versions = Object.entries(setting.versions).map(([name, version]) => `${name} ${version}`);
  const title = `${check}/${record.case.name} in mode ${setting.mode?.name ?? 'unknown'}`;
  const python = [
    'import json, os, queue, shlex, shutil, subprocess, sys, threading, time',
    'true, false, null = True, False, None',
    `PROMISED = ${literal(verdict.promised ?? 'see the sources')}`,
    `SOURCES = ${literal(verdict.sources ?? [])}`,
    `OBSERVED = ${literal(verdict.observed ?? verdict.reason)}`,
    `ACTORS = ${literal(record.case.actors)}`,
    `STEPS = [\n${stepsOf(record)
      .map((step) => `  ${literal(step)},`)
      .join('\n')}\n]`,
    `ACTOR = r'''\n${actorProgram}'''`,
    playerProgram,
  ].join('\n');
  return [
    '#!/bin/sh',
    ...comment([
      title,
      '',
      verdict.reason,
      `promised: ${verdict.promised ?? '-'}`,
      ...(verdict.sources ?? []).map((source) => `  source: ${source}`),
      `observed: ${verdict.observed ?? '-'}`,
      '',
      `seen with: ${versions.join(', ') || 'versions not known'}`,
      '',
      'Needs python3 on both sides. GUEST is a command that runs a shell line in the guest, GUEST_PYTHON what runs',
      'python3 there; HOSTDIR and GUESTDIR are the shared directory as the two sides see it. Ends with 1 when it sees what is reported here, with 0',
      'when it sees something else, with 2 when it could not be played.',
    ]),
    `: "\${GUEST:=ssh guest}"`,
    `: "\${HOSTDIR:=${inParameter(host?.root ?? '/srv/share')}}"`,
    `: "\${GUESTDIR:=${inParameter(guest?.root ?? '/mnt/share')}}"`,
    ...(other === undefined ? [] : [`: "\${OTHERDIR:=${inParameter(other.root)}}"`]),
    `export GUEST HOSTDIR GUESTDIR${other === undefined ? '' : ' OTHERDIR'}`,
    "exec python3 - <<'END_OF_PYTHON'",
    python,
    'END_OF_PYTHON',
    '',
  ].join('\n');
}

function refuseUnplayable({ case: plan, steps }: CaseRecord): void {
  const views = Object.values(plan.actors).filter((view) => view === 'medium');
  const [foreign] = steps.flatMap(({ id, op }) =>
    operationsIn(op).flatMap((each) => (playable.has(each.do) ? [] : [`${id} (${each.do})`])),
  );
  if (views.length === 0 && foreign === undefined) return;
  const why = foreign === undefined ? 'it looks at the disk after a power cut' : `its step ${foreign}`;
  throw new KnownError(
    'no-repro',
    `the case "${plan.name}" cannot be played without vfs-verify: ${why}`,
    'Report it with its evidence (--bundle) and the command that runs it again.',
  );
}

function operationsIn(op: Operation): readonly Operation[] {
  return op.do === 'many' ? [op, ...op.list.flatMap(operationsIn)] : [op];
}

interface PlayedStep {
  readonly id: string;
  readonly actor: string;
  readonly op: Operation;
  readonly after: readonly (readonly [string, string])[];
  readonly limit: number;
  readonly mayFail: boolean;
  /** In the recorded run it did not end. */
  readonly hung: boolean;
  /** What the recorded run got, as far as another run gets the same; null: nothing of that kind. */
  readonly reported: unknown;
}

/** The recorded steps. Those that were asked for later begin when all of the plan have ended. */
function stepsOf({ case: plan, steps, outcomes }: CaseRecord): readonly PlayedStep[] {
  const planned = new Set(plan.steps.map(({ id }) => id));
  const lastOf = new Map<string, string>();
  for (const { actor, id } of plan.steps) lastOf.set(actor, id);
  return steps.map((step): PlayedStep => {
    const later = planned.has(step.id) ? [] : [...lastOf.values()].map((id) => [id, 'ended'] as const);
    return {
      id: step.id,
      actor: step.actor,
      op: step.op,
      after: [...later, ...(step.after ?? []).map(({ step: id, has }) => [id, has] as const)],
      ...timeOf(step, outcomes[step.id]),
      mayFail: step.mayFail === true,
      reported: reportedOf(step, outcomes[step.id]),
    };
  });
}

/** How long it is waited for, in seconds. Python computes slower than the probe. */
function timeOf({ limit }: Step, outcome: Outcome | undefined): Pick<PlayedStep, 'limit' | 'hung'> {
  const hung = outcome?.kind === 'stuck';
  return { hung, limit: Math.ceil((limit?.ms ?? 30_000) / (hung ? 1000 : 250)) };
}

function reportedOf({ op }: Step, outcome: Outcome | undefined): unknown {
  if (outcome?.kind === 'errno') return { errno: outcome.errno };
  if (outcome?.kind !== 'value') return null;
  const told = tellingOf(op, outcome.value);
  return told === undefined ? null : { value: told };
}

/** Of a value, what another run must get too if it sees the same: no times, inodes or page counts. */
function tellingOf(op: Operation, value: unknown): unknown {
  const given = (value ?? {}) as Record<string, unknown>;
  const members = (...names: string[]) =>
    Object.fromEntries(names.map((name) => [name, given[name] ?? null]));
  switch (op.do) {
    case 'stat':
    case 'fstat':
      return members('type', 'size', 'mode', 'nlink');
    case 'read':
    case 'load':
      return contentOf(String(given.base64 ?? ''));
    case 'write':
    case 'fill':
    case 'copy':
      return members('bytes');
    case 'hash':
      return op.algorithm === 'xxh3' ? members('bytes') : members('bytes', 'digest');
    case 'readlink':
      return members('target');
    case 'getxattr':
      return members('base64');
    case 'list':
    case 'listxattr':
      return members('names');
    case 'seek':
      return members('offset');
    case 'many': {
      const values = (given.values ?? []) as readonly unknown[];
      return {
        values: values.map((each, index) => {
          const one = op.list[index];
          const refused = (each as { errno?: unknown } | null)?.errno;
          if (typeof refused === 'string') return { errno: refused };
          return (one === undefined ? undefined : tellingOf(one, each)) ?? {};
        }),
      };
    }
    default:
      return undefined;
  }
}

function contentOf(base64: string): unknown {
  const bytes = Buffer.from(base64, 'base64');
  return { bytes: bytes.length, md5: createHash('md5').update(bytes).digest('hex') };
}

/** JSON is Python here: true, false and null have names of their own in the script. */
function literal(value: unknown): string {
  return JSON.stringify(value);
}

/** Comment lines; what a file's name or a program said cannot end them. */
function comment(lines: readonly string[]): readonly string[] {
  return lines.map((line) => `# ${line.replaceAll(/\p{Cc}/gu, ' ')}`.trimEnd());
}

/** A path as the default of a parameter expansion inside double quotes. */
function inParameter(text: string): string {
  const word = shellWord(text);
  return word === text ? text : text.replaceAll(/[\\"$`}]/g, '\\$&');
}

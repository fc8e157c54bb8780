import type { Setting, Step } from '../../model/check.ts';
import type { Operation } from '../../model/operation.ts';
import type { Bundle, CaseRecord } from '../bundle.ts';
import { namingKeys, pathKeys } from './names-in.ts';
import type { Pseudonyms } from './pseudonyms.ts';
import { plannedBy, type StringRedactor, stringRedactor } from './strings.ts';

/** How a bundle's strings are told apart. */
export interface Redaction {
  readonly names: Pseudonyms;
  /** Words of the program's own, in lower case. */
  readonly words: ReadonlySet<string>;
  /** Whether a check of this name is the package's own: what its steps say is then nobody's secret. */
  isOwnCheck(name: string): boolean;
}

/** A bundle without names, contents and addresses of its user's. Its judge finds the same in it. */
export function redactedBundle(bundle: Bundle, redaction: Redaction): Bundle {
  const { check, setting, cases } = bundle;
  const strings = stringsFor(setting, redaction, undefined);
  return {
    ...bundle,
    check: redaction.isOwnCheck(check) ? check : strings.text(check),
    setting: redacted(setting, strings, pathKeys),
    cases: cases.map((record) => redactedCase(record, stringsOf(bundle, record, redaction))),
  };
}

/** What goes through the items of a step's bulk results. */
export function itemRedactor(
  bundle: Bundle,
  record: CaseRecord,
  redaction: Redaction,
): (item: unknown) => unknown {
  const strings = stringsOf(bundle, record, redaction);
  const isUsers = !isOwn(bundle, record, redaction);
  return (item) =>
    isUsers && isBlockDigests(item)
      ? { ...item, base64: blockDigests(item.base64, redaction.names) }
      : redacted(item, strings, namingKeys);
}

function isOwn(bundle: Bundle, record: CaseRecord, redaction: Redaction): boolean {
  return redaction.isOwnCheck(bundle.check) && record.case.inPlace !== true;
}

function stringsOf(bundle: Bundle, record: CaseRecord, redaction: Redaction): StringRedactor {
  const steps = isOwn(bundle, record, redaction) ? record.steps : undefined;
  return stringsFor(record.setting ?? bundle.setting, redaction, steps);
}

function stringsFor(
  { views }: Setting,
  { names, words }: Redaction,
  steps: readonly Step[] | undefined,
): StringRedactor {
  const roots = Object.values(views).map(({ root }) => root);
  return stringRedactor(names, words, roots, steps === undefined ? undefined : plannedBy(steps));
}

function redacted<T>(value: T, strings: StringRedactor, paths: ReadonlySet<string>, key = ''): T {
  const visit = (given: unknown, its: string): unknown => {
    if (typeof given === 'string') return strings.string(given, its, paths);
    if (Array.isArray(given)) return given.map((each) => visit(each, its));
    if (typeof given !== 'object' || given === null) return given;
    return Object.fromEntries(Object.entries(given).map(([inner, each]) => [inner, visit(each, inner)]));
  };
  return visit(value, key) as T;
}

function redactedCase(record: CaseRecord, strings: StringRedactor): CaseRecord {
  const { steps, outcomes, bulk, ...rest } = record;
  const procFiles = filesOfProc(steps);
  return {
    ...redacted(rest, strings, pathKeys),
    steps: redacted(steps, strings, pathKeys),
    outcomes: Object.fromEntries(
      steps.flatMap(({ id, op }) => {
        const outcome = outcomes[id];
        return outcome === undefined ? [] : [[id, redactedOutcome(outcome, op, procFiles, strings)]];
      }),
    ),
    bulk,
  };
}

/** Names under which a case's actors hold files of /proc: what is read from them is text. */
function filesOfProc(steps: readonly Step[]): ReadonlySet<string> {
  const opened = steps.flatMap(({ op }) => (op.do === 'many' ? op.list : [op]));
  return new Set(opened.flatMap((op) => (op.do === 'open' && op.path.startsWith('/proc/') ? [op.as] : [])));
}

function redactedOutcome<T>(
  outcome: T,
  op: Operation,
  procFiles: ReadonlySet<string>,
  strings: StringRedactor,
): T {
  if (op.do === 'read' && procFiles.has(op.file)) return readableText(outcome, strings);
  const { value } = outcome as { readonly value?: { readonly values?: readonly unknown[] } };
  if (op.do !== 'many' || value?.values === undefined) return redacted(outcome, strings, namingKeys);
  const values = value.values.map((each, index) => {
    const its = op.list[index];
    return its === undefined
      ? redacted(each, strings, namingKeys)
      : redactedOutcome(each, its, procFiles, strings);
  });
  return {
    ...redacted({ ...outcome, value: undefined }, strings, namingKeys),
    value: { ...redacted({ ...value, values: [] }, strings, namingKeys), values },
  };
}

/** The contents of a file of /proc, line by line. */
function readableText<T>(given: T, strings: StringRedactor): T {
  if (typeof given !== 'object' || given === null) return given;
  const lines = (base64: string) =>
    Buffer.from(base64, 'base64').toString('latin1').split('\n').map(strings.text).join('\n');
  return Object.fromEntries(
    Object.entries(given).map(([key, each]) =>
      key === 'base64'
        ? [key, Buffer.from(lines(String(each))).toString('base64')]
        : [key, key === 'value' ? readableText(each, strings) : each],
    ),
  ) as T;
}

/** A bulk item of `hash`: digests of 16 bytes each, one behind the other. */
function isBlockDigests(item: unknown): item is { readonly from: number; readonly base64: string } {
  return typeof item === 'object' && item !== null && 'from' in item && 'base64' in item;
}

function blockDigests(base64: string, names: Pseudonyms): string {
  const digests = Buffer.from(base64, 'base64');
  const told: Buffer[] = [];
  for (let at = 0; at < digests.length; at += 16) told.push(names.bytes(digests.subarray(at, at + 16)));
  return Buffer.concat(told).toString('base64');
}

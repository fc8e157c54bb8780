import { mkdir, readFile, stat, writeFile } from 'node:fs/promises';
import { hostname, userInfo } from 'node:os';
import path from 'node:path';
import { create } from 'tar';
import type { Check } from '../model/check.ts';
import { KnownError } from '../model/error.ts';
import type { Result } from '../model/report.ts';
import { shellWord } from '../model/shell-word.ts';
import { printable } from '../report/printable.ts';
import { count, formatBytes } from '../report/quantities.ts';
import type { Bundle } from '../run/bundle.ts';
import { openEvidence } from '../run/evidence.ts';
import { judgeBundle } from '../run/judge.ts';
import type { Redaction } from '../run/redact/bundle.ts';
import { namesBelow, redactDirectory } from '../run/redact/directory.ts';
import { redactedKernelLog } from '../run/redact/kernel-log.ts';
import { Pseudonyms } from '../run/redact/pseudonyms.ts';
import { ownWords } from '../run/redact/vocabulary.ts';
import { reproScript } from '../run/repro/script.ts';
import { bundlesAt, type FoundBundle } from './bundles.ts';
import { checkFor } from './judge.ts';
import { loadAll } from './load-all.ts';
import { notWritten } from './replace-file.ts';
import { packageVersion } from './version.ts';

interface BundleFlags {
  readonly output: string;
  readonly kernelLog?: readonly string[];
  readonly checks?: string;
}

/** One bundle as it is packed. */
interface Packed {
  /** `evidence/1-holes-auto` */
  readonly name: string;
  readonly bundle: Bundle;
  readonly result: Result;
  /** Whether its judge finds the same in it as in the original. */
  readonly same: boolean;
  /** The file with its first failing case as a script, where it can be one. */
  readonly repro: string | undefined;
}

const folder = 'vfs-verify-evidence';
/** So many replacements are shown. */
const shown = 40;

/**
 * `vfs-verify bundle --redact DIR… -o FILE`: evidence for a bug report, without names, contents and addresses of the
 * user's. What it is judged to be afterwards is compared with what it was.
 */
export async function bundle(given: readonly string[], flags: BundleFlags): Promise<void> {
  const found = (await Promise.all(given.map(bundlesAt))).flat();
  const own = new Set((await loadAll(undefined)).map(({ check }) => check.name));
  const checks = (await loadAll(flags.checks)).map(({ check }) => check);
  const logs = await Promise.all((flags.kernelLog ?? []).map(readLog));
  const redaction = await redactionOf(found, own);
  const work = await openEvidence(undefined);
  try {
    const into = path.join(work.directory, folder);
    const packed: Packed[] = [];
    for (const [index, each] of found.entries())
      packed.push(await pack(each, index + 1, into, { redaction, checks }));
    for (const [index, log] of logs.entries()) {
      await mkdir(path.join(into, 'kernel'), { recursive: true });
      const text = redactedKernelLog(log, redaction.names, redaction.words);
      await writeFile(path.join(into, 'kernel', `${index + 1}.log`), `${text}\n`);
    }
    await writeFile(path.join(into, 'README.md'), contentsInWords(packed, logs.length, redaction.names));
    // portable: neither the user's name nor the time of packing.
    const archive = { file: flags.output, cwd: work.directory, gzip: true, portable: true };
    await create(archive, [folder]).catch((error: unknown) => {
      throw notWritten(flags.output, error);
    });
    await tell(flags.output, packed, redaction.names);
  } finally {
    await work.close();
  }
}

async function readLog(file: string): Promise<string> {
  return readFile(file, 'utf8').catch((cause: unknown) => {
    throw new KnownError('no-log', `${file} cannot be read`, 'Save it first: dmesg > FILE.', { cause });
  });
}

async function redactionOf(found: readonly FoundBundle[], own: ReadonlySet<string>): Promise<Redaction> {
  const names = new Set([hostname(), ...hostname().split('.')]);
  const { username } = userInfo();
  if (username !== 'root') names.add(username);
  for (const { directory, bundle: each } of found)
    for (const name of await namesBelow(directory, each)) names.add(name);
  return { names: new Pseudonyms(names), words: await ownWords(), isOwnCheck: (name) => own.has(name) };
}

async function pack(
  { directory, bundle: original }: FoundBundle,
  number: number,
  into: string,
  { redaction, checks }: { readonly redaction: Redaction; readonly checks: readonly Check[] },
): Promise<Packed> {
  const name = `evidence/${number}`;
  const to = path.join(into, name);
  const redacted = await redactDirectory(directory, to, original, redaction);
  const check = checkFor(original, checks);
  const [before, result] = [
    await judgeBundle(directory, original, check),
    await judgeBundle(to, redacted, check),
  ];
  const repro = `repro/${number}.sh`;
  const script = scriptOf(redacted, result);
  if (script !== undefined) {
    await mkdir(path.join(into, 'repro'), { recursive: true });
    await writeFile(path.join(into, repro), script);
  }
  return {
    name,
    bundle: redacted,
    result,
    same: outline(before) === outline(result),
    repro: script === undefined ? undefined : repro,
  };
}

/** What a judge said, without its words. */
function outline({ verdict, cases }: Result): string {
  return JSON.stringify(
    [verdict, ...cases.map((each) => each.verdict)].map(({ kind, code }) => [kind, code]),
  );
}

/** The first failing case as a script; undefined where none failed, or it cannot be one. */
function scriptOf(redacted: Bundle, { cases }: Result): string | undefined {
  const index = cases.findIndex(({ verdict }) => verdict.kind === 'fail');
  const [record, found] = [redacted.cases[index], cases[index]];
  if (record === undefined || found === undefined || record.case.inPlace === true) return undefined;
  try {
    return reproScript({ check: redacted.check, setting: redacted.setting, record, verdict: found.verdict });
  } catch (error) {
    if (error instanceof KnownError) return undefined;
    throw error;
  }
}

function contentsInWords(packed: readonly Packed[], logs: number, names: Pseudonyms): string {
  const of = packed.flatMap(({ name, bundle: { check, setting }, result, repro }) => [
    `## ${name}: ${check}, mode ${result.mode}`,
    '',
    ...result.cases.map((each) =>
      `- ${each.name}: ${each.verdict.kind} ${each.verdict.code ?? ''}`.trimEnd(),
    ),
    ...Object.entries(setting.versions).map(([program, version]) => `- ${program} ${version}`),
    ...(repro === undefined ? [] : [`- as a script: ${repro}`]),
    '',
  ]);
  return [
    `# Evidence of vfs-verify ${packageVersion()}`,
    '',
    'Names, contents and addresses are replaced by pseudonyms: the same one for the same thing.',
    `Replaced: ${countsInWords(names)}. Judge it again: \`vfs-verify judge evidence\`.`,
    ...(logs === 0 ? [] : ['Messages of the kernels that have to do with a share are in `kernel`.']),
    '',
    ...of,
  ].join('\n');
}

function countsInWords(names: Pseudonyms): string {
  const counts = new Map<string, number>();
  for (const { kind } of names.replaced) counts.set(kind, (counts.get(kind) ?? 0) + 1);
  const words = [...counts].map(([kind, each]) => count(each, kind));
  return words.length === 0 ? 'nothing' : words.join(', ');
}

/** What was packed and what was replaced, for the user's eyes only. */
async function tell(file: string, packed: readonly Packed[], names: Pseudonyms): Promise<void> {
  const otherwise = packed.filter(({ same }) => !same);
  const { size } = await stat(file);
  const lines = [
    `${file}  ${count(packed.length, 'result')}, ${formatBytes(size)}`,
    `      replaced ${countsInWords(names)}`,
    ...names.replaced
      .slice(0, shown)
      .map(({ given, pseudonym }) => `        ${pseudonym}  was  ${printable(given)}`),
    ...(names.replaced.length > shown ? [`        and ${names.replaced.length - shown} more`] : []),
    otherwise.length === 0
      ? '      judged as before'
      : `      judged otherwise than before: ${otherwise.map(({ name }) => name).join(', ')}`,
    `next: look into it before you send it: tar -xzf ${shellWord(file)}`,
  ];
  process.stdout.write(`${lines.join('\n')}\n`);
  process.exitCode = otherwise.length === 0 ? 0 : 2;
}

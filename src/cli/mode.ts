import path from 'node:path';
import modeInForce from '../../checks/mode-in-force.ts';
import { KnownError } from '../model/error.ts';
import { parseMode } from '../model/mode.ts';
import type { Result } from '../model/report.ts';
import { shellWord } from '../model/shell-word.ts';
import { printable } from '../report/printable.ts';
import { runCell } from '../run/cell.ts';
import { type EvidenceDir, openEvidence } from '../run/evidence.ts';
import { makeWorkplace } from '../run/workplace.ts';
import { type KnownMode, modeOfShare } from '../share/mode-of-share.ts';
import { oneKernel } from '../share/one-superblock.ts';
import { locatePath, type Share } from '../share/share.ts';
import { readJournal, type ToggleJournal } from '../share/toggle/journal.ts';
import { putBack, putInto, type Toggled } from '../share/toggle/run.ts';
import { benchFor } from './bench.ts';
import { interruption } from './interruption.ts';
import { knownShares, onShare } from './known-shares.ts';
import { withLocalMode } from './local-mode.ts';
import { checkPaths } from './locate.ts';
import { reachSides, type Sides } from './sides.ts';
import { parseVia } from './toggle-forms.ts';
import { journalDirectory, openPlace, type ToggleFlags } from './toggle-place.ts';

/** The flags of `mode` (program.ts). */
interface ModeFlags extends ToggleFlags {
  readonly set?: string;
  readonly restore?: boolean;
  readonly prove: boolean;
  readonly bundle?: string;
  readonly json?: boolean;
}

/** What the command found and did; its JSON. */
interface ModeAnswer {
  readonly schema: 'vfs-verify/mode/1';
  readonly path: string;
  /** The mode in force, as far as it is known. */
  readonly mode: string | undefined;
  readonly how: string;
  readonly evidence: readonly string[];
  /** Where the share was changed before: the mode that --restore would bring back. */
  readonly original?: string;
  readonly toggled?: Toggled;
  /** What `mode-in-force` saw. */
  readonly proof?: Result;
}

/** `vfs-verify mode PATH`: the mode in force and how it is known; with --set and --restore it is changed first. */
export async function mode(given: string, asked: ModeFlags): Promise<void> {
  checkPaths([given]);
  if (asked.set !== undefined && asked.restore === true)
    throw new KnownError('bad-flag', '--set and --restore exclude each other', 'Leave one of them away.');
  const known = await knownShares(asked);
  const { lab } = known;
  const { share, guestPath } = locatePath(path.posix.normalize(given), known.shares, known.mounts);
  const flags: ModeFlags = { ...asked, ...onShare(known, share) };
  const interrupted = interruption();
  try {
    const toggled = await change(share, lab, flags, interrupted.signal);
    const now = toggled === undefined ? share : await shareAfter(toggled, share, flags);
    const answer = await show(now, share, flags, interrupted.signal);
    const inside = path.posix.relative(share.guestDir, guestPath);
    const told = {
      ...answer,
      path: path.posix.join(now.guestDir, inside),
      ...(toggled === undefined ? {} : { toggled }),
    };
    process.stdout.write(flags.json === true ? `${JSON.stringify(told, null, 2)}\n` : inWords(told));
    process.exitCode = told.proof === undefined ? statusWithout(told) : statusOf(told.proof);
  } finally {
    interrupted.stop();
  }
}

/** The share after a toggle: a lab may have one more, another mount of the same directory. */
async function shareAfter({ guestDir, mode: name }: Toggled, share: Share, flags: ModeFlags): Promise<Share> {
  const { lab, shares } = await knownShares(flags);
  const own = shares.find((each) => lab !== undefined && each.guestDir === guestDir);
  if (own !== undefined || name === undefined) return own ?? { ...share, guestDir };
  const modeHow = flags.restore === true ? 'put back by vfs-verify mode --restore' : share.modeHow;
  return { ...share, guestDir, mode: parseMode(name), modeHow };
}

/** Without a proof the answer is only whether it is known. */
function statusWithout({ mode: name }: ModeAnswer): 0 | 2 {
  return name === undefined ? 2 : 0;
}

async function change(
  share: Share,
  lab: Sides['lab'],
  flags: ModeFlags,
  signal: AbortSignal,
): Promise<Toggled | undefined> {
  if (flags.set === undefined && flags.restore !== true) return undefined;
  const onStep = (title: string) => process.stderr.write(`mode: ${printable(title)}\n`);
  const journal = readJournal(journalDirectory(share, lab, flags));
  // How it was changed is how it is put back.
  const via =
    flags.restore === true && journal !== undefined
      ? [journal.form, ...(journal.argument === undefined ? [] : [journal.argument])].join(':')
      : flags.via;
  const wanted = flags.set === undefined ? undefined : parseMode(flags.set);
  if (wanted === undefined && journal === undefined) throw nothingToRestore(share);
  const { form, argument } = parseVia(via, lab);
  const open = await openPlace(share, lab, flags, argument);
  try {
    return wanted === undefined
      ? await putBack(form, open.place, { onStep })
      : await putInto(form, open.place, wanted, { signal, onStep });
  } finally {
    await open.close();
  }
}

function nothingToRestore({ guestDir }: Share): KnownError {
  return new KnownError(
    'not-toggled',
    `${guestDir} was not changed: there is nothing to put back`,
    'Name the share and the guest as they were named when its mode was changed.',
  );
}

async function show(share: Share, before: Share, flags: ModeFlags, signal: AbortSignal): Promise<ModeAnswer> {
  const { lab } = await knownShares(flags);
  const journal = readJournal(journalDirectory(before, lab, flags));
  const original = journal?.original.mode;
  const known = await knownMode(share, lab, flags, before.guestDir === share.guestDir ? journal : undefined);
  const answer: ModeAnswer = {
    schema: 'vfs-verify/mode/1',
    path: share.guestDir,
    mode: known.mode?.name,
    how: known.how,
    evidence: known.evidence,
    ...(original === undefined ? {} : { original }),
  };
  if (!flags.prove || known.how === oneKernel) return answer;
  const proof = await proveMode({ ...share, mode: known.mode, modeHow: known.how }, flags, signal);
  return { ...answer, ...seenOnly(answer, proof), proof };
}

/** The mode by what can be seen from outside; with --via, by what that way sees. */
async function knownMode(
  share: Share,
  lab: Sides['lab'],
  flags: ModeFlags,
  journal: ToggleJournal | undefined,
): Promise<KnownMode> {
  const via = flags.via === undefined ? undefined : parseVia(flags.via, lab);
  const put = journal?.interrupted === undefined ? journal?.mode : undefined;
  const declared: Share =
    put === undefined
      ? share
      : {
          ...share,
          mode: parseMode(put),
          modeHow: `put there by vfs-verify mode --set, --via ${journal?.form}`,
        };
  const { place, close } = await openPlace(declared, lab, flags, via?.argument);
  try {
    const known = await modeOfShare(place);
    if (known.mode !== undefined) return known;
    if (via === undefined) return { ...known, ...(await seenFromInside(declared, flags)) };
    const { mode: name, how } = await via.form.look(place);
    return name === undefined ? known : { ...known, mode: parseMode(name), how };
  } finally {
    await close();
  }
}

/** The mode that only somebody on both sides sees: that they are one kernel. */
async function seenFromInside(share: Share, flags: ModeFlags): Promise<Partial<KnownMode>> {
  try {
    const sides = await reachSides(flags);
    const { mode: seen, modeHow } = await withLocalMode(share, sides.guest, sides.host).finally(sides.close);
    return seen === undefined ? {} : { mode: seen, how: modeHow };
  } catch (error) {
    // What was asked is the mode, and it is not known either way.
    if (error instanceof KnownError) return {};
    throw error;
  }
}

/** Where nobody knows the mode, what was seen may fit only one. */
function seenOnly({ mode: name }: ModeAnswer, { cases }: Result): Partial<ModeAnswer> {
  if (name !== undefined) return {};
  const fits = cases.flatMap(({ verdict }) => /: fits (.*)$/.exec(verdict.reason)?.[1]?.split(', ') ?? []);
  const counts = new Map<string, number>();
  for (const each of fits) counts.set(each, (counts.get(each) ?? 0) + 1);
  const [only, ...others] = [...counts].filter(([, count]) => count === cases.length).map(([each]) => each);
  return only === undefined || others.length > 0
    ? {}
    : { mode: only, how: 'nothing but what guest and host see: it fits no other mode' };
}

/**
 * Runs the check `mode-in-force` on a share: what the guest and the host see says whether the mode is that of
 * the share. Both sides are reached anew, since a toggle may have restarted the guest.
 */
export async function proveMode(
  share: Share,
  flags: ToggleFlags & { readonly bundle?: string },
  signal: AbortSignal,
): Promise<Result> {
  const sides = await reachSides(flags);
  let evidence: EvidenceDir | undefined;
  try {
    evidence = await openEvidence(flags.bundle);
    const bench = benchFor(share, sides);
    const { host } = bench.views;
    const workplace = host === undefined ? undefined : await makeWorkplace(host).catch(unlessUnwritable);
    try {
      return await runCell(modeInForce, bench, {
        bundleDir: evidence.directory,
        seed: 0,
        signal,
        ...(workplace === undefined ? {} : { workplace }),
      });
    } finally {
      await workplace?.remove();
    }
  } finally {
    await sides.close();
    await evidence?.close();
  }
}

function unlessUnwritable(error: unknown): undefined {
  if (error instanceof KnownError && error.code === 'not-writable') return undefined;
  throw error;
}

/** As for checks: what could not be told is no pass. */
function statusOf({ verdict, cases }: Result): 0 | 1 | 2 {
  if (verdict.kind === 'fail') return 1;
  return verdict.kind === 'pass' && cases.some((each) => each.verdict.kind === 'pass') ? 0 : 2;
}

function inWords(answer: ModeAnswer): string {
  const { mode: name, how, path: where, evidence, original, toggled, proof } = answer;
  const lines = [`${name ?? 'UNKNOWN'}  ${where}  (${how})`];
  if (toggled !== undefined) {
    const took = toggled.steps.reduce((sum, { tookMs }) => sum + tookMs, 0);
    const away = toggled.awayMs === 0 ? '' : `, of which the guest was without it ${seconds(toggled.awayMs)}`;
    lines.push(
      toggled.steps.length === 0
        ? '      it was in that mode already'
        : `      changed in ${seconds(took)}${away}`,
    );
  }
  for (const each of evidence) lines.push(`      ${each}`);
  if (proof !== undefined) {
    lines.push(`      mode-in-force: ${proof.verdict.kind}`);
    for (const { name: one, verdict } of proof.cases)
      lines.push(`        ${one.padEnd(18)} ${verdict.kind.padEnd(8)} ${verdict.reason}`);
  }
  if (original !== undefined)
    lines.push(`next: vfs-verify mode ${shellWord(where)} --restore brings back ${original}`);
  return `${lines.map(printable).join('\n')}\n`;
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`;
}

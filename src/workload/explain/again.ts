import { isDeepStrictEqual } from 'node:util';
import { programAccount } from '../../ledger/program-account.ts';
import type { ProgramSamples } from '../../ledger/program-samples.ts';
import type { ExplainEvidence } from '../../model/explain-evidence.ts';
import type { ProgramAccount } from '../../model/program-account.ts';
import type { Verdict } from '../../model/verdict.ts';

/** More than this are counted. */
const mostNamed = 5;

/**
 * The verdict on evidence that was kept: the account is made again from its samples, by this version's ledger. Where
 * the two differ, one of them is wrong, or the ledger has changed since.
 * @param by the version that wrote it.
 */
export function judgedAgain(
  evidence: ExplainEvidence,
  samples: ProgramSamples,
  saved: { readonly reason: string; readonly by: string },
): Verdict {
  // What is absent and what is undefined are the same in JSON.
  const account = JSON.parse(JSON.stringify(programAccount(samples))) as ProgramAccount;
  const different = differences(evidence.account, account);
  if (different.length === 0) return { kind: 'pass', reason: saved.reason, evidence };
  const named = different.slice(0, mostNamed).join(', ');
  const more = different.length > mostNamed ? ` and ${different.length - mostNamed} more` : '';
  return {
    kind: 'fail',
    code: 'account-differs',
    reason: `the account that its samples make is not the one that was saved by version ${saved.by}: ${named}${more}`,
    evidence: { ...evidence, account },
  };
}

/** Where two JSON values differ: `reads.lines.0.bytes`. */
function differences(a: unknown, b: unknown, at = ''): string[] {
  if (isDeepStrictEqual(a, b)) return [];
  if (!isObject(a) || !isObject(b)) return [at];
  const keys = [...new Set([...Object.keys(a), ...Object.keys(b)])];
  return keys.flatMap((key) => differences(a[key], b[key], at === '' ? key : `${at}.${key}`));
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}

import picocolors from 'picocolors';
import type { VerdictKind } from '../model/verdict.ts';

/** Colours, or none. Colour repeats what the words say and never carries a meaning of its own. */
export interface Paint {
  readonly verdict: (kind: VerdictKind, text: string) => string;
  readonly faint: (text: string) => string;
}

export function paintFor(color: boolean): Paint {
  const colors = picocolors.createColors(color);
  const byKind: Record<VerdictKind, (text: string) => string> = {
    pass: colors.green,
    fail: (text) => colors.bold(colors.red(text)),
    unknown: (text) => colors.bold(colors.yellow(text)),
    skip: colors.dim,
  };
  return { verdict: (kind, text) => byKind[kind](text), faint: colors.dim };
}

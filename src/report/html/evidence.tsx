import { isComparison, isTree } from '../../model/comparison.ts';
import { isExplain } from '../../model/explain-evidence.ts';
import { isReads } from '../../model/reads-evidence.ts';
import { isDrop, isResidency } from '../../model/residency.ts';
import { isStaleness } from '../../model/staleness.ts';
import type { Verdict } from '../../model/verdict.ts';
import { Anything } from './anything.tsx';
import { DropBlock, ReadsBlock, ResidencyBlock } from './caches.tsx';
import { ComparisonBlock, TreeBlock } from './comparison.tsx';
import { ExplainBlock } from './explain.tsx';
import { StalenessBlock } from './staleness.tsx';

/** A verdict's evidence in the form that suits its kind. */
export function Evidence({ evidence }: { evidence: Verdict['evidence'] }) {
  if (evidence === undefined) return null;
  if (isComparison(evidence)) return <ComparisonBlock evidence={evidence} />;
  if (isTree(evidence)) return <TreeBlock evidence={evidence} />;
  if (isExplain(evidence)) return <ExplainBlock evidence={evidence} />;
  if (isReads(evidence)) return <ReadsBlock evidence={evidence} />;
  if (isResidency(evidence)) return <ResidencyBlock evidence={evidence} />;
  if (isDrop(evidence)) return <DropBlock evidence={evidence} />;
  if (isStaleness(evidence)) {
    const { kind: _, series, ...rest } = evidence;
    const rows = series.map((each) => ({ label: each.what, series: each }));
    return (
      <>
        {rows.length === 0 ? null : <StalenessBlock rows={rows} title="How long each change was not seen" />}
        <Rest rest={rest} />
      </>
    );
  }
  const { kind: _, ...rest } = evidence;
  return <Rest rest={rest} />;
}

function Rest({ rest }: { rest: object }) {
  return Object.keys(rest).length === 0 ? null : <Anything value={rest} />;
}

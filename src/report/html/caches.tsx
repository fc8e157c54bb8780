import type { ReadsEvidence } from '../../model/reads-evidence.ts';
import type { DropEvidence, ResidencyEvidence } from '../../model/residency.ts';
import { printable, printableName } from '../printable.ts';
import { droppedWords, runWords } from '../reads-text.ts';
import { outcomeWords, shareWords, sideWords } from '../residency-text.ts';
import { Disturbed } from './comparison.tsx';
import { LedgerBlock } from './ledger.tsx';
import { Name, Told } from './told.tsx';

/** A run of reads over the user's own file. */
export function ReadsBlock({ evidence }: { evidence: ReadsEvidence }) {
  const { ledgers } = evidence;
  return (
    <>
      <dl class="told">
        <Told label="read">{printable(runWords(evidence))}</Told>
        {evidence.dropped.map((each) => (
          <Told label="before">{printable(droppedWords(each))}</Told>
        ))}
        <Disturbed disturbed={evidence.disturbed} />
      </dl>
      {ledgers.map((ledger, index) => (
        <>
          {ledgers.length > 1 ? (
            <p class="pass-title">Pass {index + 1}, with a descriptor of its own</p>
          ) : null}
          <LedgerBlock ledger={ledger} />
        </>
      ))}
    </>
  );
}

/** How much of a file each side's page cache holds. */
export function ResidencyBlock({ evidence }: { evidence: ResidencyEvidence }) {
  return (
    <dl class="told">
      <Told label="file">
        <Name>{printableName(evidence.path)}</Name>
      </Told>
      {evidence.sides.map(({ side, pages, strip, how }) => (
        <Told label={side}>
          {pages === undefined ? 'not known' : `${shareWords(pages)} in the page cache`}, {printable(how)}
          {strip === undefined ? null : <Strip strip={strip} />}
        </Told>
      ))}
    </dl>
  );
}

/** The file from its beginning to its end: the more of a part is cached, the higher. */
function Strip({ strip }: { strip: readonly number[] }) {
  return (
    <svg
      class="strip"
      viewBox={`0 0 ${strip.length} 10`}
      preserveAspectRatio="none"
      aria-hidden="true"
      focusable="false"
    >
      {strip.map((share, index) =>
        share > 0 ? (
          <rect x={index} y={(10 - 10 * share).toFixed(2)} width="1" height={(10 * share).toFixed(2)} />
        ) : null,
      )}
    </svg>
  );
}

/** What a drop dropped. */
export function DropBlock({ evidence }: { evidence: DropEvidence }) {
  return (
    <dl class="told">
      <Told label="dropped">
        {evidence.path === undefined ? 'everything' : <Name>{printableName(evidence.path)}</Name>}
      </Told>
      {evidence.sides.map((side) => (
        <Told label={side.side}>
          {outcomeWords[side.outcome]}: {printable(sideWords(side))}
        </Told>
      ))}
    </dl>
  );
}

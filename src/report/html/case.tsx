import type { CaseResult, CheckWords, Result } from '../../model/report.ts';
import { roundsWords } from '../case-text.ts';
import { printable } from '../printable.ts';
import { formatSeconds } from '../quantities.ts';
import { Sources } from './comparison.tsx';
import { Evidence } from './evidence.tsx';
import { Mark } from './mark.tsx';
import { Command, Name, Told } from './told.tsx';
import { lookOf, lookWords } from './words.ts';

interface CaseProps {
  result: Result;
  each: CaseResult;
  words?: CheckWords | undefined;
}

/** All that is known of one case: what was promised, what was seen, how to see it again. */
export function CaseBody({ result, each, words }: CaseProps) {
  const { verdict, known } = each;
  const { code, reason, promised, observed, sources = [], next } = verdict;
  const meaning = code === undefined ? undefined : words?.codes[code];
  return (
    <div class="case-body">
      <dl class="told">
        <Told label="promised">
          {promised === undefined && sources.length === 0 ? undefined : (
            <>
              {printable(promised ?? '')}
              <Sources sources={sources} />
            </>
          )}
        </Told>
        <Told label="observed">{printable(observed ?? reason)}</Told>
        <Told label="so">
          {observed === undefined || observed === reason ? undefined : printable(reason)}
        </Told>
        <Told label="code">
          {code === undefined ? undefined : (
            <>
              <Name>{printable(code)}</Name>
              {meaning === undefined ? '' : ` ${printable(meaning)}`}
            </>
          )}
        </Told>
        <Told label="known">
          {known === undefined ? undefined : (
            <>
              <Name>{printable(known.id)}</Name> {printable(known.title)}
              {known.where === undefined ? '' : ` (${printable(known.where)})`}
            </>
          )}
        </Told>
      </dl>
      <Evidence evidence={verdict.evidence} />
      <dl class="told">
        <Told label="again">{each.rerun === undefined ? undefined : <Command>{each.rerun}</Command>}</Told>
        <Told label="bundle">
          {result.bundle === undefined ? undefined : <Name>{printable(result.bundle)}</Name>}
        </Told>
        <Told label="rounds">{each.rounds === undefined ? undefined : roundsWords(each.rounds)}</Told>
        <Told label="took">{formatSeconds(each.durationMs / 1000)}</Told>
        <Told label="next">{next === undefined ? undefined : printable(next)}</Told>
      </dl>
    </div>
  );
}

/** One of several cases of a cell: closed unless it needs attention. */
export function CaseDetails({ result, each, words }: CaseProps) {
  const { verdict, known } = each;
  const look = lookOf(verdict, known !== undefined);
  const needsAttention = look === 'fail' || look === 'unknown';
  return (
    <details class={`case ${look}`} open={needsAttention}>
      <summary>
        <Mark look={look} />
        <span class="case-name">{printable(each.name)}</span>
        <span class="case-word">{lookWords[look]}</span>
        <span class="case-reason">{printable(verdict.reason)}</span>
        <span class="case-time">{formatSeconds(each.durationMs / 1000)}</span>
      </summary>
      <CaseBody result={result} each={each} words={words} />
    </details>
  );
}

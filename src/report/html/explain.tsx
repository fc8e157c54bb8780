import type { ExplainEvidence } from '../../model/explain-evidence.ts';
import type { Flow } from '../../model/program-account.ts';
import { shellWord } from '../../model/shell-word.ts';
import { atEndWords, flowWords, groundWords, hostWords, programWords, syncWords } from '../explain-text.ts';
import { printable } from '../printable.ts';
import { formatBytes } from '../quantities.ts';
import type { Server } from '../server-name.ts';
import { Disturbed } from './comparison.tsx';
import { BarRow } from './ledger.tsx';
import { ReportedLatencyBlock } from './reported-latency.tsx';
import { TimelineNumbers, TimelinePlots } from './timeline.tsx';
import { Command, Told } from './told.tsx';

/** A program that was run: where its bytes came from and went, over time, and how long its requests took. */
export function ExplainBlock({ evidence }: { evidence: ExplainEvidence }) {
  const { command, status, seconds, account, state, stateLeft = [], timeline, latency, advice } = evidence;
  const { reads, writes, server } = account;
  const least = Math.max(reads.bytes, writes.bytes) / 1000;
  const left = [atEndWords(writes), syncWords(account.syncs, seconds)];
  return (
    <>
      <dl class="told">
        <Told label="command">
          <Command>{command.map(shellWord).join(' ')}</Command>
        </Told>
        <Told label="ran">{printable(programWords(account, seconds))}</Told>
        <Told label="exit status">{status === 0 ? undefined : status}</Told>
        <Told label="from">
          {state === undefined ? undefined : printable([`${state} caches`, ...stateLeft].join('; '))}
        </Told>
        {hostWords(evidence).map((words) => (
          <Told label="on the host">{printable(words)}</Told>
        ))}
        {/* The first of them stands below, as what to do next. */}
        {advice.slice(1).map((words) => (
          <Told label="or">{printable(words)}</Told>
        ))}
        <Disturbed disturbed={evidence.disturbed} />
      </dl>
      <div class="columns">
        <div>
          {reads.bytes > least ? <FlowBars word="read" flow={reads} server={server} /> : null}
          {writes.bytes > least ? <FlowBars word="written" flow={writes} server={server} /> : null}
          {writes.bytes > least
            ? left.map((words) => (words === undefined ? null : <p class="note">{printable(words)}</p>))
            : null}
          <ul class="ground">
            {groundWords(account).map((words) => (
              <li>{printable(words)}</li>
            ))}
          </ul>
          {latency === undefined ? null : <ReportedLatencyBlock latency={latency} />}
        </div>
        {timeline === undefined ? null : <TimelinePlots timeline={timeline} />}
      </div>
      {timeline === undefined ? null : <TimelineNumbers timeline={timeline} />}
    </>
  );
}

function FlowBars({ word, flow, server }: { word: string; flow: Flow; server: Server }) {
  return (
    <table class="bars">
      <caption>
        {flowWords(word, flow, server)}; {formatBytes(flow.bytes)} by where they were
      </caption>
      <tbody>
        {flow.lines.map((line) => (
          <BarRow line={line} whole={flow.bytes} />
        ))}
      </tbody>
    </table>
  );
}

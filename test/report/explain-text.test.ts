import stringWidth from 'string-width';
import { describe, expect, it } from 'vitest';
import type { ExplainEvidence } from '../../src/model/explain-evidence.ts';
import type { ProgramAccount } from '../../src/model/program-account.ts';
import type { Timeline } from '../../src/model/timeline.ts';
import { renderText } from '../../src/report/text.ts';
import { reportFaults } from '../../src/report/validate.ts';
import { evidenceOf, reading, resultOf, size, timelineOfSeconds, writing } from './explained.ts';
import { reportOf } from './samples.ts';

function textOf(...evidence: readonly ExplainEvidence[]): string {
  return renderText(reportOf('explain', evidence.map(resultOf)), { color: false, width: 80 });
}

describe('a program that was explained', () => {
  it('is answered on the first line, with what was asked and what crossed, and ends in what to change', () => {
    const text = textOf(evidenceOf());
    const lines = text.trimEnd().split('\n');
    expect(text).toContain("came from the host's page cache");
    expect(text).toContain('read: asked 256.0 KiB → to the daemon 256.0 KiB in 64 requests');
    expect(lines.at(-2)).toMatch(/^next: to measure the disk/);
    expect(lines.at(-1)).toBe('      or else');
    expect(lines.filter((line) => stringWidth(line) > 80)).toEqual([]);
  });

  it('over 9p, where there is no daemon, is told of QEMU', () => {
    const account = reading('9p');
    const timeline: Timeline = { ...timelineOfSeconds(10), server: 'qemu' };
    const share = { mode: '9p:none', how: 'seen' };
    const report = reportOf('explain', [resultOf(evidenceOf({ account, timeline, share }))]);
    expect(reportFaults(report)).toEqual([]);
    const text = renderText(report, { color: false, width: 80 });
    expect(text).toMatch(/read: asked .* → to QEMU 25\d\.\d KiB/);
    expect(text).toContain('  read, QEMU ');
    expect(text).not.toContain('daemon');
    expect(textOf(evidenceOf({ account: reading('fuse') }))).toContain('→ to the daemon 256.0 KiB');
  });

  it('from several states is compared first, by the benchmark’s own figure', () => {
    const rate = (iops: number) => ({ program: 'fio', read: { iops } });
    const text = textOf(
      evidenceOf({ state: 'cold', rate: rate(165), stateLeft: ['3 pages stayed'] }),
      evidenceOf({ state: 'host-warm', rate: rate(19_500) }),
    );
    expect(text).toMatch(
      /^The number depends on what the caches hold before: it is 118 times as high from\nhost-warm/,
    );
    expect(text).toContain('read 19,500 IOPS');
    expect(text).toContain('3 pages stayed');
    expect(textOf(evidenceOf({ rate: rate(100) }), evidenceOf({ rate: rate(110) }))).toMatch(
      /^What the caches hold/,
    );
  });

  it('beside the host’s run is told whether the two are of the same thing', () => {
    const onHost = { command: ['fio'], status: 0, seconds: 1, askedBytes: [size, 0] as const };
    expect(textOf(evidenceOf({ onHost: { ...onHost, diskReadBytes: size } }))).toMatch(
      /not of the\s+same thing/,
    );
    expect(textOf(evidenceOf({ onHost: { ...onHost, diskReadBytes: 0 } }))).toContain('both are memory');
    expect(textOf(evidenceOf({ onHost: { command: ['fio'], status: 127, failed: 'ENOENT' } }))).toContain(
      'could not be started: ENOENT',
    );
  });

  it('that wrote is told how often it synced, and how much of its time that took', () => {
    const text = textOf(
      evidenceOf({ account: writing({ calls: 512, ended: 512, ns: 1.24e9, lost: 0, others: 0 }) }),
    );
    expect(text).toMatch(/^ {2}fsync: 512 calls that took 1\.24 s, 62\.0 % of the run/m);
    expect(textOf(evidenceOf({ account: writing(undefined) }))).toContain('not seen: fsync: EPERM');
  });

  it('fits the published schema, which knows what belongs to it', () => {
    const account = writing({ calls: 1, ended: 1, ns: 1e6, lost: 0, others: 0 });
    const onHost = {
      command: ['fio'],
      status: 0,
      seconds: 1,
      askedBytes: [size, 0] as const,
      diskReadBytes: 0,
    };
    const rate = { program: 'fio', timedSeconds: 1, read: { iops: 10 } };
    const evidence = evidenceOf({ account, onHost, rate, state: 'cold', stateLeft: [] });
    const faults = (each: ExplainEvidence) => reportFaults(reportOf('explain', [resultOf(each)]));
    expect(faults(evidence)).toEqual([]);
    expect(faults(evidenceOf())).toEqual([]);
    const { writes: _, ...without } = account;
    expect(faults({ ...evidence, account: without as ProgramAccount })[0]).toContain('writes');
    expect(faults({ ...evidence, state: 'lukewarm' })[0]).toContain('state');
  });
});

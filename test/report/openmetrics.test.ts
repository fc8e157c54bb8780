import { execa } from 'execa';
import { describe, expect, it } from 'vitest';
import { quantityNames, runQuantities } from '../../src/model/run-quantities.ts';
import type { RunSnapshot } from '../../src/model/run-snapshot.ts';
import { renderOpenMetrics } from '../../src/report/openmetrics.ts';
import { hostile } from './hostile.ts';

const everything = Object.fromEntries(quantityNames.map((name, index) => [name, 1000 + index]));
const snapshot: RunSnapshot = {
  version: '1.2.3',
  program: 'fio',
  startedAt: 1_763_900_000.5,
  elapsedSeconds: 2.25,
  isRunning: true,
  seen: everything,
};

/** A sample as a parser gives it: its family's type and unit, its own name, labels and value. */
type Parsed = readonly [
  type: string,
  unit: string,
  name: string,
  labels: Record<string, string>,
  value: number,
];

/**
 * Reads with Prometheus's own library for Python: `openmetrics` by the specification's strict rules, `text` as
 * node_exporter's textfile collector does.
 */
async function parsed(format: 'openmetrics' | 'text', text: string): Promise<Parsed[]> {
  const parser =
    format === 'openmetrics' ? 'prometheus_client.openmetrics.parser' : 'prometheus_client.parser';
  const script = [
    'import json, sys',
    `from ${parser} import text_string_to_metric_families as families`,
    'text = sys.stdin.buffer.read().decode()',
    'print(json.dumps([[f.type, f.unit, s.name, s.labels, s.value] for f in families(text) for s in f.samples]))',
  ].join('\n');
  const { stdout } = await execa('/usr/bin/python3', ['-I', '-c', script], { input: text, timeout: 60_000 });
  return JSON.parse(stdout) as Parsed[];
}

describe('metrics of a run', () => {
  it('are OpenMetrics by the reference’s own parser, with units, counters and gauges', async () => {
    const samples = await parsed('openmetrics', renderOpenMetrics(snapshot));
    const byName = new Map(
      samples.map(([type, unit, name, labels, value]) => [name, { type, unit, labels, value }]),
    );
    expect(byName.get('vfs_verify_explain_asked_read_bytes_total')).toEqual({
      type: 'counter',
      unit: 'bytes',
      labels: { program: 'fio' },
      value: 1000,
    });
    expect(byName.get('vfs_verify_explain_host_dirty_bytes')).toMatchObject({ type: 'gauge', unit: 'bytes' });
    expect(byName.get('vfs_verify_explain_crossed_messages_total')).toMatchObject({
      type: 'counter',
      unit: '',
    });
    expect(byName.get('vfs_verify_explain_start_time_seconds')).toMatchObject({
      unit: 'seconds',
      value: 1_763_900_000.5,
    });
    expect(byName.get('vfs_verify_explain_running')?.value).toBe(1);
    expect(samples).toHaveLength(quantityNames.length + 4);
    expect(renderOpenMetrics(snapshot).endsWith('\n# EOF\n')).toBe(true);
  });

  it('are understood by what reads the older format: no type that it does not know, no time stamps', async () => {
    const old = await parsed('text', renderOpenMetrics(snapshot));
    expect(old).toHaveLength(quantityNames.length + 4);
    expect(renderOpenMetrics(snapshot)).not.toMatch(/^# TYPE \S+ (?!counter|gauge)/m);
    // What a HELP would have to escape differs between the two.
    for (const { words } of Object.values(runQuantities)) expect(words).not.toMatch(/["\\\n]/);
  });

  it('leave out what could not be seen', () => {
    const text = renderOpenMetrics({ ...snapshot, seen: { hostCachedBytes: 0 } });
    expect(text).toContain('vfs_verify_explain_host_cached_bytes{program="fio"} 0\n');
    expect(text).not.toContain('asked');
  });

  it('of one that has ended say how', () => {
    const text = renderOpenMetrics({ ...snapshot, isRunning: false, exitStatus: 137, state: 'cold' });
    expect(text).toContain('vfs_verify_explain_running{program="fio",state="cold"} 0\n');
    expect(text).toContain('vfs_verify_explain_exit_status{program="fio",state="cold"} 137\n');
    expect(renderOpenMetrics({ ...snapshot, isRunning: false })).not.toContain('exit_status');
  });

  it('stay metrics whatever a program is called', async () => {
    const text = renderOpenMetrics({ ...snapshot, program: `${hostile}\\"} 1\n# EOF` });
    for (const format of ['openmetrics', 'text'] as const) {
      const samples = await parsed(format, text);
      expect(samples).toHaveLength(quantityNames.length + 4);
      expect(samples[0]?.[3].program).toContain('<img src=x onerror=alert(1)>"\'&amp;');
      expect(samples[0]?.[3].program).toContain('\\n# EOF');
    }
  });
});

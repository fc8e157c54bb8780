import { readFileSync } from 'node:fs';
import { SaxesParser } from 'saxes';
import { describe, expect, it } from 'vitest';
import type { CaseResult, Report } from '../../src/model/report.ts';
import { formats } from '../../src/report/formats.ts';
import { hostileReport } from './hostile.ts';
import { reportOf } from './samples.ts';

interface Node {
  readonly name: string;
  readonly attributes: Readonly<Record<string, string>>;
  readonly children: Node[];
  text: string;
}

/** Another library's reading; it throws on whatever is not well-formed. */
function parsed(xml: string): Node {
  const parser = new SaxesParser();
  const root: Node = { name: '', attributes: {}, children: [], text: '' };
  const open = [root];
  parser.on('opentag', ({ name, attributes }) => {
    const node: Node = { name, attributes, children: [], text: '' };
    open.at(-1)?.children.push(node);
    open.push(node);
  });
  parser.on('text', (text) => {
    const node = open.at(-1);
    if (node !== undefined) node.text += text;
  });
  parser.on('closetag', () => open.pop());
  parser.on('error', (error) => {
    throw error;
  });
  parser.write(xml).close();
  const [first] = root.children;
  if (first === undefined) throw new Error('no element');
  return first;
}

/** The dialect that Jenkins, GitLab and the readers for GitHub have in common: who may hold what, in this order. */
const dialect: Readonly<
  Record<string, { required: readonly string[]; allowed: readonly string[]; children: readonly string[] }>
> = {
  testsuites: {
    required: ['tests', 'failures', 'errors'],
    allowed: ['name', 'time', 'skipped'],
    children: ['testsuite'],
  },
  testsuite: {
    required: ['name', 'tests', 'failures', 'errors', 'skipped', 'time', 'timestamp', 'hostname'],
    allowed: ['id', 'package'],
    children: ['properties', 'testcase', 'system-out', 'system-err'],
  },
  properties: { required: [], allowed: [], children: ['property'] },
  property: { required: ['name', 'value'], allowed: [], children: [] },
  testcase: {
    required: ['name', 'classname', 'time'],
    allowed: [],
    children: ['skipped', 'error', 'failure', 'system-out', 'system-err'],
  },
  skipped: { required: [], allowed: ['message'], children: [] },
  error: { required: ['message', 'type'], allowed: [], children: [] },
  failure: { required: ['message', 'type'], allowed: [], children: [] },
  'system-out': { required: [], allowed: [], children: [] },
};

function faults(node: Node, at = node.name): string[] {
  const rule = dialect[node.name];
  if (rule === undefined) return [`${at}: no such element`];
  const names = Object.keys(node.attributes);
  const order = node.children.map(({ name }) => rule.children.indexOf(name));
  return [
    ...rule.required.flatMap((name) => (names.includes(name) ? [] : [`${at}: ${name} is missing`])),
    ...names.flatMap((name) =>
      [...rule.required, ...rule.allowed].includes(name) ? [] : [`${at}: ${name}?`],
    ),
    ...(order.includes(-1) ? [`${at}: a child that does not belong there`] : []),
    ...(order.some((place, index) => place < (order[index - 1] ?? 0))
      ? [`${at}: children out of order`]
      : []),
    ...['time'].flatMap((name) =>
      node.attributes[name] === undefined || /^\d+\.\d{3}$/.test(node.attributes[name])
        ? []
        : [`${at}: ${name}`],
    ),
    ...['tests', 'failures', 'errors', 'skipped'].flatMap((name) =>
      node.attributes[name] === undefined || /^\d+$/.test(node.attributes[name]) ? [] : [`${at}: ${name}`],
    ),
    ...node.children.flatMap((child, index) => faults(child, `${at}/${child.name}[${index}]`)),
  ];
}

const release = JSON.parse(readFileSync(new URL('./release.json', import.meta.url), 'utf8')) as Report;

describe('a report as JUnit XML', async () => {
  const root = parsed(await formats.junit(release));

  it('keeps to what CI systems read', () => {
    expect(faults(root)).toEqual([]);
    for (const suite of root.children)
      expect(suite.attributes.timestamp).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d$/);
  });

  it('is a suite for each check and a case for each mode and case', () => {
    expect(root.children.map(({ attributes }) => attributes.name)).toEqual([
      ...new Set(release.results.map(({ check }) => check)),
    ]);
    const cases = root.children.flatMap(({ children }) => children.filter(({ name }) => name === 'testcase'));
    expect(cases.map(({ attributes }) => attributes.name)).toEqual(
      release.results.flatMap(({ mode, cases: all }) => all.map(({ name }) => `${mode}/${name}`)),
    );
  });

  it('counts what it holds', () => {
    for (const suite of [root, ...root.children]) {
      const cases = (suite === root ? root.children : [suite]).flatMap(({ children }) =>
        children.filter(({ name }) => name === 'testcase'),
      );
      const having = (kind: string) =>
        String(cases.filter(({ children }) => children.some(({ name }) => name === kind)).length);
      expect(suite.attributes).toMatchObject({
        tests: String(cases.length),
        failures: having('failure'),
        errors: having('error'),
        skipped: having('skipped'),
      });
    }
  });

  it('tells of a failure all that a reader of CI sees: the promise, what was seen, the command', () => {
    const failure = find(root, 'auto+writeback/guest-sparse')?.children[0];
    expect(failure?.attributes.type).toBe('hole-over-data');
    expect(failure?.attributes.message).toContain('SEEK_DATA from 0 finds nothing');
    expect(failure?.text).toContain('promised  bytes that are');
    expect(failure?.text).toContain('again     vfs-verify check holes/guest-sparse --lab=release');
  });
});

function find(node: Node, name: string): Node | undefined {
  return node.attributes.name === name && node.name === 'testcase'
    ? node
    : node.children.map((child) => find(child, name)).find((found) => found !== undefined);
}

describe('the four ends of a case', () => {
  const ended = (name: string, each: Partial<CaseResult>): CaseResult => ({
    name,
    durationMs: 1500,
    rerun: `vfs-verify check c/${name}`,
    verdict: { kind: 'pass', reason: 'kept' },
    ...each,
  });
  const fail = { kind: 'fail', code: 'torn', reason: 'two halves' } as const;
  const report = reportOf('check', [
    {
      check: 'c',
      mode: 'auto',
      durationMs: 6000,
      bundle: 'runs/c.auto',
      verdict: fail,
      cases: [
        ended('kept', {}),
        ended('broken', { verdict: fail }),
        ended('expected', { verdict: fail, known: { id: 'F1', title: 'known as torn' } }),
        ended('open', { verdict: { kind: 'unknown', reason: 'no guest' } }),
        ended('left-out', { verdict: { kind: 'skip', reason: 'no root' } }),
      ],
    },
    {
      check: 'crashes',
      mode: 'auto',
      durationMs: 0,
      cases: [],
      verdict: { kind: 'unknown', code: 'crashed', reason: 'it crashed' },
    },
  ]);

  it('are nothing, a failure, an error and skipped; a known defect is skipped and says so', async () => {
    const root = parsed(await formats.junit(report));
    expect(faults(root)).toEqual([]);
    const kinds = (name: string) => find(root, `auto/${name}`)?.children.map((child) => child.name);
    expect(kinds('kept')).toEqual(['system-out']);
    expect(kinds('broken')).toEqual(['failure', 'system-out']);
    expect(kinds('open')).toEqual(['error', 'system-out']);
    expect(kinds('left-out')).toEqual(['skipped', 'system-out']);
    expect(kinds('expected')).toEqual(['skipped', 'system-out']);
    expect(find(root, 'auto/expected')?.children[0]?.attributes.message).toBe(
      'known defect F1: known as torn',
    );
    expect(find(root, 'auto/broken')?.attributes).toEqual({
      name: 'auto/broken',
      classname: 'vfs-verify.c',
      time: '1.500',
    });
    expect(find(root, 'auto/kept')?.children[0]?.text).toBe(
      'again     vfs-verify check c/kept\nbundle    runs/c.auto',
    );
    // A check that crashed before it had cases goes not missing.
    expect(find(root, 'auto/all')?.children[0]).toMatchObject({
      name: 'error',
      attributes: { type: 'crashed' },
    });
  });
});

describe('names that XML cannot hold', () => {
  it('are made readable, and the file stays well-formed', async () => {
    const xml = await formats.junit(hostileReport());
    expect(faults(parsed(xml))).toEqual([]);
    expect(xml).toContain('\\x1b[31m');
    expect(xml.isWellFormed()).toBe(true);
  });
});

import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { loadBundle } from '../../src/run/bundle.ts';
import { judgeBundle } from '../../src/run/judge.ts';
import { type Finding, loadFindings, markKnown } from '../../src/run/known.ts';
import { ownChecks } from '../own-checks.ts';

// The evidence of each defect that is written down is kept, and judged again: neither a judge nor the contract may
// come to excuse it.

const root = fileURLToPath(new URL('../..', import.meta.url));
const folder = path.join(root, 'docs/findings');
const findings = await loadFindings(folder);
const checks = await ownChecks();

async function judged({ id, check: name }: Finding) {
  const directory = path.join(folder, id);
  const bundle = await loadBundle(directory);
  const check = checks.find((each) => each.name === name);
  if (check === undefined) throw new Error(`no check ${name}`);
  return { versions: bundle.setting.versions, result: await judgeBundle(directory, bundle, check) };
}

describe.each(findings)('the finding $id', (finding) => {
  it('is what its evidence shows, and is known by its data', async () => {
    const { result, versions } = await judged(finding);
    const { code, title, where } = finding;
    expect(result.cases).toHaveLength(1);
    expect(markKnown(result, findings, versions).cases[0]).toMatchObject({
      verdict: { kind: 'fail', code },
      known: { id: finding.id, title, where },
    });
  });

  it('is in no other mode, version or case than its own', async () => {
    const { result, versions } = await judged(finding);
    const [only] = result.cases;
    if (only === undefined) throw new Error('a bundle without a case');
    const known = (other: typeof result, on = versions) =>
      markKnown(other, findings, on).cases[0]?.known !== undefined;
    expect(known({ ...result, mode: 'auto+another-option' })).toBe(false);
    const beside = result.mode.startsWith('9p:') ? 'security_model=mapped-xattr' : 'thread-pool-size=9';
    expect(known({ ...result, mode: `${result.mode}+${beside}` })).toBe(true);
    expect(known({ ...result, cases: [{ ...only, name: 'another-case' }] })).toBe(false);
    if (finding.versions !== undefined)
      expect(known(result, { ...versions, 'guest-kernel': '5.4.0' })).toBe(false);
  });

  it('has a section in the page that it names', async () => {
    const [file = '', anchor] = (finding.where ?? '').split('#');
    const page = await readFile(path.join(root, file), 'utf8');
    const headings = [...page.matchAll(/^## (.*)$/gm)].map(([, text = '']) =>
      text
        .toLowerCase()
        .replaceAll(/[^\p{L}\p{N}\s_-]/gu, '')
        .replaceAll(' ', '-'),
    );
    expect(headings).toContain(anchor);
  });
});

it('no evidence is kept of what is not written down', async () => {
  const kept = (await readdir(folder, { withFileTypes: true })).filter((each) => each.isDirectory());
  expect(kept.map(({ name }) => name).sort()).toEqual(findings.map(({ id }) => id).sort());
});

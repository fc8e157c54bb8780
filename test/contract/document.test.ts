import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { contractMarkdown } from '../../src/contract/markdown.ts';
import { rows } from '../../src/contract/rows.ts';

describe('docs/contract.md', () => {
  it('is what the data gives (node bin/vfs-verify.js contract --markdown > docs/contract.md)', () => {
    const page = readFileSync(new URL('../../docs/contract.md', import.meta.url), 'utf8');
    expect(page === contractMarkdown(), 'docs/contract.md is out of date').toBe(true);
  });

  it('links to no section that is not there', () => {
    const page = contractMarkdown();
    const anchors = new Set(
      [...page.matchAll(/^## (.+)$/gm)].map(([, title = '']) => title.toLowerCase().replaceAll('/', '')),
    );
    const links = [...page.matchAll(/\]\(#([^)]+)\)/g)].map(([, anchor = '']) => anchor);
    expect(links.length).toBe(rows.length);
    expect(links.filter((anchor) => !anchors.has(anchor))).toEqual([]);
  });
});

import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { Command } from 'commander';
import { execa } from 'execa';
import { describe, expect, it } from 'vitest';
import { commandPages, manual } from '../../src/cli/manual/describe.ts';
import { factsOf } from '../../src/cli/manual/facts.ts';
import { pageOf } from '../../src/cli/manual/markdown.ts';
import { manualPage } from '../../src/cli/manual/roff.ts';

const folder = fileURLToPath(new URL('../../docs/commands/', import.meta.url));
const read = (name: string) => (existsSync(folder + name) ? readFileSync(folder + name, 'utf8') : undefined);

describe('docs/commands', () => {
  const pages = commandPages(read);

  it.each([...pages.keys()])('%s tells the usage that the program has (npm run docs)', (name) => {
    expect(read(name) ?? 'there is no such page').toBe(pages.get(name));
  });

  it('has no page of a command that there is not', () => {
    expect(readdirSync(folder).filter((name) => !pages.has(name))).toEqual([]);
  });
});

const small = factsOf(
  new Command('vfs-verify')
    .description('.begins with a dot and has a back\\slash')
    .option('--list <a|b>', 'either of *two*')
    .addCommand(new Command('one').description('does one thing').argument('<file>', 'the file')),
);

describe("a command's page", () => {
  const [one] = small.commands;
  if (one === undefined) throw new Error('a program without commands');

  it('is made where there is none', () => {
    expect(pageOf(one, undefined)).toMatch(/^# vfs-verify one\n\nDoes one thing\.\n/);
  });

  it('keeps what was written by hand, and is the same when it is made again', () => {
    const page = pageOf(one, '# By hand\n\nBefore.\n');
    const more = `${page}\nAfter.\n`;
    expect(page).toMatch(/^# By hand\n\nBefore\.\n/);
    expect(pageOf(one, more)).toBe(more);
    expect(pageOf({ ...one, usage: 'another' }, more)).toMatch(/Before\.[\s\S]*another[\s\S]*After\.\n$/);
  });
});

describe('vfs-verify(1)', () => {
  it('is rendered by man without a warning, with every command in it', async () => {
    const directory = await mkdtemp(path.join(tmpdir(), 'vfs-verify-man-'));
    try {
      for (const [name, text] of Object.entries({ whole: manual(), small: manualPage(small, '1.2.3') })) {
        const file = path.join(directory, `${name}.1`);
        await writeFile(file, text);
        const { stdout, stderr } = await execa('man', ['--warnings', '--local-file', file], {
          env: { MANPAGER: 'cat', PAGER: 'cat', MANWIDTH: '100', MAN_KEEP_FORMATTING: '', LC_ALL: 'C.UTF-8' },
          timeout: 30_000,
        });
        expect(stderr).toBe('');
        if (name === 'small') expect(stdout).toContain('.begins with a dot and has a back\\slash');
        else
          for (const page of commandPages(read).keys())
            if (page !== 'README.md') expect(stdout).toContain(`vfs-verify ${page.replace('.md', '')}`);
      }
    } finally {
      await rm(directory, { recursive: true, force: true });
    }
  });
});

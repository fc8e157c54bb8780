// Brings what is generated in docs/ up to date: the usage in each command's page, and the contract. What is around it
// stays as it was written. The unit tests say what is out of date.
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { compile } from './build.mjs';
import { main } from './child.mjs';
import { readFlags } from './flags.mjs';
import { root } from './lock.mjs';
import { setup } from './setup.mjs';

const folder = join(root, 'docs', 'commands');

/** @param {string} name */
function read(name) {
  const file = join(folder, name);
  return existsSync(file) ? readFileSync(file, 'utf8') : undefined;
}

async function docs() {
  readFlags('npm run docs   (it takes no flags)', {});
  await setup({ for: 'build' });
  await compile();
  const dist = join(root, 'dist', 'src');
  const { commandPages } = await import(join(dist, 'cli', 'manual', 'describe.js'));
  const { contractMarkdown } = await import(join(dist, 'contract', 'markdown.js'));
  /** @type {ReadonlyMap<string, string>} */
  const pages = commandPages(read);
  for (const [name, text] of pages) {
    if (text === read(name)) continue;
    writeFileSync(join(folder, name), text);
    console.log(`docs/commands/${name}`);
  }
  writeFileSync(join(root, 'docs', 'contract.md'), contractMarkdown());
}

await main(docs);

// What the pages show of a run of the story: made from its data, between two marks, so that nobody types a figure.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { run, TaskError } from '../child.mjs';
import { root } from '../lock.mjs';
import { picture } from './picture.mjs';
import { md5Step } from './steps.mjs';
import { groundLines, stepLines, summaryLines } from './tell.mjs';

const directory = join(root, 'docs', 'field-case');
const field = join(root, 'test', 'workload', 'fixtures', 'field');

/**
 * A run as it is kept.
 * @typedef {import('./run.mjs').Story & { disk: string, versions: string, sizeMiB: number, seconds: number }} Kept
 */

/** @returns {Kept} the run that the pages show */
export function keptRun() {
  return JSON.parse(readFileSync(join(directory, 'run.json'), 'utf8'));
}

/** @param {Kept} kept */
export function pictureOf({ measured }) {
  return picture(measured, { title: '4 KiB random reads a second, and what they measured' });
}

/**
 * The blocks of a run, by name: `told` all of it, `summary` one line a measurement.
 * @param {Kept} kept
 * @returns {Readonly<Record<'told' | 'summary', string>>}
 */
export function blocksOf(kept) {
  const all = kept.measured.flatMap((each) => (each.name === md5Step.after ? [each, kept.compared] : [each]));
  const told = all.map((each, index) => stepLines(each, index + 1).join('\n')).join('\n\n');
  const ground = groundLines(kept).join('\n');
  const summary = summaryLines(kept.measured).join('\n');
  return {
    told: fenced(`$ npm run story\n${ground}\n\n${told}\n\n${summary}`),
    summary: fenced(`$ npm run story\n${ground}\n…\n${summary}`),
  };
}

/** What `diagnose` says of the files from the field: their first lines. */
export async function diagnosedBlock() {
  const asked = [
    ['guest-read.txt', '--host-run', 'host-read.txt'],
    ['guest-read-again.txt', '--host-run', 'host-read.txt'],
    ['guest-write.txt'],
    ['host-read.txt'],
    ['host-write.txt'],
  ];
  const told = [];
  for (const words of asked) {
    const ended = await run([process.execPath, join(root, 'bin', 'vfs-verify.js'), 'diagnose', ...words], {
      cwd: field,
    });
    if (ended.status !== 0) throw new TaskError(`diagnose ${words.join(' ')}:\n${ended.output}`);
    const lines = ended.stdout.split('\n');
    const answer = lines.slice(
      0,
      lines.findIndex((line) => line.startsWith('  ')),
    );
    told.push([`$ vfs-verify diagnose ${words.join(' ')}`, ...answer].join('\n'));
  }
  return fenced(told.join('\n\n'));
}

/**
 * A page with one block in place of what it has between its marks.
 * @param {string} page
 * @param {string} name
 * @param {string} block
 */
export function withBlock(page, name, block) {
  const [begin, end] = [`<!-- story: ${name} -->`, '<!-- /story -->'];
  const from = page.indexOf(begin);
  const to = page.indexOf(end, from);
  if (from < 0 || to < 0) throw new TaskError(`The page has no marks for the block ${name}.`);
  return `${page.slice(0, from)}${begin}\n\n${block}\n\n${page.slice(to)}`;
}

/** The pages that show the story, and which blocks. */
export const pages = [
  { path: 'README.md', blocks: /** @type {const} */ (['summary']) },
  { path: 'docs/field-case.md', blocks: /** @type {const} */ (['told']) },
];

/** @param {Kept} kept */
export async function keep(kept) {
  mkdirSync(directory, { recursive: true });
  writeFileSync(join(directory, 'run.json'), `${JSON.stringify(kept, null, 2)}\n`);
  writeFileSync(join(directory, 'rates.svg'), pictureOf(kept));
  const blocks = blocksOf(kept);
  for (const { path, blocks: names } of pages)
    change(path, (page) => names.reduce((text, name) => withBlock(text, name, blocks[name]), page));
  const diagnosed = await diagnosedBlock();
  change('docs/field-case.md', (page) => withBlock(page, 'diagnosed', diagnosed));
}

/** @param {string} path @param {(page: string) => string} changed */
function change(path, changed) {
  const file = join(root, path);
  writeFileSync(file, changed(readFileSync(file, 'utf8')));
}

/** @param {string} text */
function fenced(text) {
  return `\`\`\`text\n${text}\n\`\`\``;
}

import { defineCheck, type Setting } from '../src/model/check.ts';
import { hasWindow } from '../src/model/mode.ts';
import { dirtyFile, dirtyMapping } from './drop/dirty.ts';
import { cleanFile, mappedFile } from './drop/one-file.ts';
import { everyName, everyPage } from './drop/system-wide.ts';
import { answersTo, caseOf, type Question, questionCodes } from './repeat/question.ts';

const perFile = [
  cleanFile('guest'),
  mappedFile('guest'),
  dirtyFile('guest'),
  dirtyMapping,
  cleanFile('host'),
  mappedFile('host'),
  dirtyFile('host'),
];

const systemWide = [everyPage, everyName];

const questions: readonly Question[] = [...perFile, ...systemWide];

/**
 * Each kind of drop removes what it should, and nothing else: one file's pages on one side, and everybody's
 * in the guest. What must stay is held by a mapping that is touched, since some kernels page out idle memory
 * by themselves.
 */
export default defineCheck({
  name: 'drop-caches',
  title: 'each kind of drop removes what it should and nothing else',
  codes: {
    'not-dropped': 'clean pages (or names) that nobody uses are still there after the drop',
    'dropped-too-much': 'pages (or names) that the drop does not concern, or that are in use, went too',
    'dirty-lost': 'bytes that were not written back when the drop came are lost',
    'data-changed': 'the bytes read after the drop are not those that were written',
    ...questionCodes,
  },
  cases: (setting) =>
    (maySystemWide(setting) ? questions : perFile).filter((each) => applies(each, setting)).map(caseOf),
  ...answersTo(questions),
});

/** Everybody's caches are dropped only in a lab's guest, or when the user asks for it. */
function maySystemWide({ share, args }: Setting): boolean {
  return share?.lab !== undefined || args.systemWide === true;
}

/**
 * Where both views are one file system there is one cache, which one drop would have to keep for the other side.
 * A file in DAX state has no pages in the guest's cache; and what a guest's process has mapped, the virtual machine
 * has mapped on the host, where a mapped page stays.
 */
function applies({ name }: Question, { mode }: Setting): boolean {
  if (mode?.server === 'local') return false;
  return !hasWindow(mode) || !(name.startsWith('guest') || name === 'host-file');
}

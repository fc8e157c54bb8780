import { defineCheck, type Setting } from '../src/model/check.ts';
import { hasWindow } from '../src/model/mode.ts';
import { dataCaching } from './mode/data-caching.ts';
import { daxState } from './mode/dax-state.ts';
import { directIo } from './mode/direct-io.ts';
import { sharedMapping } from './mode/shared-mapping.ts';
import { attributeTimeout, entryTimeout, entryTimeoutUnheld } from './mode/timeouts.ts';
import { sources9p, traitsOf } from './mode/traits.ts';
import { writeback, writebackByData } from './mode/writeback.ts';
import { answersTo, caseOf, type Question, questionCodes } from './repeat/question.ts';

/** Those that wait for a timeout come first, so that the others run while they wait. */
const questions: readonly Question[] = [
  attributeTimeout,
  entryTimeout,
  dataCaching,
  writeback,
  directIo,
  sharedMapping,
];

const questions9p = [
  attributeTimeout,
  entryTimeoutUnheld,
  dataCaching,
  writebackByData,
  directIo,
  sharedMapping,
].map((each) => ({ ...each, sources: sources9p }));

/** With a DAX window no page of the file is in the guest's cache, and mappings are never refused. */
const notOfDax = [dataCaching, writeback, sharedMapping, directIo];

/**
 * Which mode is in force, told from what the guest and the host see and not from a command line: a daemon
 * that was started otherwise, an old one, or one with another default is found by what it does.
 */
export default defineCheck({
  name: 'mode-in-force',
  title: 'the cache mode, writeback, direct I/O and mappings that are declared are those in force',
  codes: {
    'other-attribute-timeout': 'attributes are kept for another time than the mode declares',
    'other-entry-timeout': 'names are kept for another time than the mode declares',
    'other-data-caching': 'the guest keeps what it reads otherwise than the mode declares',
    'writeback-not-as-declared': 'the guest writes back and should not, or does not and should',
    'direct-io-not-as-declared': 'O_DIRECT reaches the host and should not, or does not and should',
    'dax-not-as-declared': 'files are in DAX state and should not be, or are not and should be',
    'mmap-not-as-declared': 'shared mappings are granted and should be refused, or the other way round',
    ...questionCodes,
  },
  cases: (setting) => questionsFor(setting).map(caseOf),
  next: (observed) => answersTo(questionsFor(observed.setting)).next(observed),
  judge: (observed, promises) => answersTo(questionsFor(observed.setting)).judge(observed, promises),
});

/** Where no mode is declared, the verdicts say what would fit. */
function questionsFor({ mode }: Setting): readonly Question[] {
  if (mode === undefined) return questions;
  if (traitsOf(mode) === undefined) return [];
  if (mode.server === '9p') return questions9p;
  const own = questions.filter((each) => !hasWindow(mode) || !notOfDax.includes(each));
  return mode.dax === undefined ? own : [...own, daxState];
}

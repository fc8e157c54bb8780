import type { Readable } from 'node:stream';
import { KnownError } from '../model/error.ts';
import type { RemoteProcess } from './endpoint.ts';
import { type Listening, listen } from './listen.ts';
import { withinMs } from './within.ts';

/** What a command may say before its shell answers: more is no greeting. */
const greetingBytesMax = 256 * 1024;
/** How long the last words of a command that has ended may take. */
const lastWordsMs = 1000;

/** A question to a person stands at the end of what was said, and waits there. */
const question =
  /(password|passphrase|passcode|verification code|login|user ?name|\(yes\/no[^)]*\)|\[y\/n\])[^\n]*[:?]\s*$/i;

/** What programs say that would ask at a terminal, and have none. */
const wantsTerminal =
  /a terminal is required|no tty present|a password is required|askpass|permission denied \([^)]*(publickey|password)|host key verification failed/i;

/**
 * Waits until the shell behind a command says its word on a line, and leaves standard output at the byte after
 * that line. What came before, such as a greeting, is passed over. Where no shell answers, the command is ended.
 * @throws KnownError `unreachable` (it ended, is silent, talks without an end, gives a terminal), `auth` (it
 * asks for something).
 */
export async function awaitShell(
  process: RemoteProcess,
  at: { readonly word: string; readonly name: string; readonly limitMs: number },
): Promise<void> {
  const errors = listen(process.stderr, () => false);
  const output = listen(
    process.stdout,
    (heard) => answerIn(heard, at.word) !== undefined || heard.length > greetingBytesMax,
  );
  await withinMs(output.settled, at.limitMs);
  const ended = output.over() ? await lastWords(process, errors) : undefined;
  const heard = output.stop();
  const said = errors.stop();
  const answer = answerIn(heard, at.word);
  if (answer !== undefined && !answer.terminal) {
    giveBack(process.stdout, answer.rest);
    giveBack(process.stderr, said);
    return;
  }
  process.kill();
  if (answer !== undefined) throw aTerminal(at.name);
  const texts = [heard, said].map((bytes) => bytes.toString('utf8').trimEnd());
  const all = texts.filter((text) => text !== '').join('\n');
  const detail = all === '' ? {} : { detail: all.slice(-2000) };
  if (texts.some((text) => question.test(text)) || wantsTerminal.test(all)) throw asks(at.name, detail);
  if (heard.length > greetingBytesMax) throw endless(at.name, detail);
  throw output.over() ? endedEarly(at.name, ended ?? {}, detail) : silent(at.name, at.limitMs, detail);
}

/** How a command ended whose output is over, once it has said why. */
async function lastWords(
  { ended }: RemoteProcess,
  errors: Listening,
): Promise<Awaited<RemoteProcess['ended']> | undefined> {
  await withinMs(errors.settled, lastWordsMs);
  return withinMs(ended, lastWordsMs);
}

/** The rest after the line that ends in the word, and whether a terminal has ended that line. */
function answerIn(
  heard: Buffer,
  word: string,
): { readonly rest: Buffer; readonly terminal: boolean } | undefined {
  const at = heard.indexOf(`${word}\n`);
  const atTerminal = heard.indexOf(`${word}\r\n`);
  if (at >= 0) return { rest: heard.subarray(at + word.length + 1), terminal: false };
  return atTerminal >= 0 ? { rest: Buffer.alloc(0), terminal: true } : undefined;
}

function giveBack(stream: Readable, bytes: Buffer): void {
  if (bytes.length > 0) stream.unshift(bytes);
}

function endedEarly(name: string, how: Awaited<RemoteProcess['ended']>, detail: Detail): KnownError {
  const by = how.signal === undefined ? `with status ${how.status ?? 'unknown'}` : `by ${how.signal}`;
  const noShell = how.status === 126 || how.status === 127;
  return new KnownError(
    'unreachable',
    `${name} cannot be reached: the command ended ${by} before a shell answered.`,
    noShell
      ? 'There seems to be no sh over there. Try the command by hand, with the word sh after it.'
      : 'Try the command by hand, with the word sh after it: "echo hello" typed there must print hello, and nothing must be asked before.',
    detail,
  );
}

function silent(name: string, limitMs: number, detail: Detail): KnownError {
  return new KnownError(
    'unreachable',
    `${name} cannot be reached: no shell answered within ${limitMs / 1000} s.`,
    'The command must hand its standard input (docker exec -i, kubectl exec -i) to the word sh that is added to it. Try it by hand.',
    detail,
  );
}

function asks(name: string, detail: Detail): KnownError {
  return new KnownError(
    'auth',
    `${name} asks for something, and nobody is there to answer.`,
    'Make the command work without a question: a key in an agent, a host key that is known, sudo -n with a rule for it.',
    detail,
  );
}

function aTerminal(name: string): KnownError {
  return new KnownError(
    'unreachable',
    `${name} gives a terminal, which changes the bytes that go through it.`,
    'Leave out what makes one: docker exec -i rather than -it, ssh without -t.',
  );
}

function endless(name: string, detail: Detail): KnownError {
  return new KnownError(
    'unreachable',
    `${name} said more than ${greetingBytesMax / 1024} KiB, and no shell answered.`,
    'The command must start the word that is added to it, sh, and hand its output on.',
    detail,
  );
}

type Detail = { readonly detail?: string };

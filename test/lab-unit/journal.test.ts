import { spawn } from 'node:child_process';
import {
  appendFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { clearLab } from '../../src/lab/cleanup.ts';
import { labInUse } from '../../src/lab/find.ts';
import type { LabInfo } from '../../src/lab/info.ts';
import {
  beginJournal,
  labMark,
  newLabId,
  noteEnded,
  noteMount,
  noteProcess,
  readJournal,
} from '../../src/lab/journal.ts';
import { nameForCases, ownerOf } from '../../src/lab/places.ts';
import { identify } from '../../src/lab/processes.ts';
import { infoFile, labList, labStatus, missingParts } from '../../src/lab/status.ts';

let state: string;
const before = process.env.XDG_STATE_HOME;
const sleepers: number[] = [];

beforeEach(() => {
  state = mkdtempSync(join(tmpdir(), 'vfs-verify-state-'));
  process.env.XDG_STATE_HOME = state;
});

afterEach(() => {
  if (before === undefined) delete process.env.XDG_STATE_HOME;
  else process.env.XDG_STATE_HOME = before;
  for (const pid of sleepers.splice(0)) {
    try {
      process.kill(pid, 'SIGKILL');
    } catch {
      // It has been ended, which is what these tests are about.
    }
  }
  rmSync(state, { recursive: true, force: true });
});

function sleeper(env: Readonly<Record<string, string>> = {}): number {
  const pid = spawn('sleep', ['60'], { env: { ...process.env, ...env }, stdio: 'ignore' }).pid as number;
  sleepers.push(pid);
  return pid;
}

/** A lab's directory as `labUp` leaves it, with processes that sleep in place of a guest. */
function makeLab(name: string, options: { complete?: boolean } = {}) {
  const directory = join(state, 'vfs-verify/labs', name);
  const id = newLabId();
  const runDirectory = join(state, `vfs-verify-${id}`);
  beginJournal(directory, { id, runDirectory, wish: '{}' });
  mkdirSync(runDirectory);
  writeFileSync(join(runDirectory, 'm0.sock'), '');
  const marked = sleeper(labMark(id).env);
  noteProcess(directory, 'qemu', marked);
  writeFileSync(join(directory, 'console.log'), 'words\n');
  const info = { schema: 'vfs-verify/lab/1', name, state: 'up', directory } as LabInfo;
  if (options.complete !== false) writeFileSync(infoFile(directory), JSON.stringify(info));
  return { directory, id, runDirectory, marked };
}

test('what a lab has is ended and removed, and nothing else is', async () => {
  const mine = makeLab('mine');
  const unnoted = sleeper(labMark(mine.id).env); // Started, and the writer killed before it wrote it down.
  const bare = sleeper(); // Started by a wrapper that clears the environment, but noted.
  noteProcess(mine.directory, 'auto', bare);
  const other = makeLab('other');
  const stranger = sleeper();

  expect(await clearLab(mine.directory)).toBe(true);

  for (const pid of [mine.marked, unnoted, bare]) expect(identify(pid)).toBeUndefined();
  for (const pid of [other.marked, stranger]) expect(identify(pid)).toBeDefined();
  expect(existsSync(mine.directory)).toBe(false);
  expect(existsSync(mine.runDirectory)).toBe(false);
  expect(existsSync(other.runDirectory)).toBe(true);
  expect(await clearLab(mine.directory)).toBe(false);
});

test('a process whose number was given to another meanwhile is left alone', async () => {
  const { directory } = makeLab('reused');
  const stranger = sleeper();
  const startTime = (identify(stranger)?.startTime ?? 0) - 1;
  const line = { what: 'process', role: 'auto', pid: stranger, startTime };
  appendFileSync(join(directory, 'journal.jsonl'), `${JSON.stringify(line)}\n`);
  await clearLab(directory);
  expect(identify(stranger)).toBeDefined();
});

test('a journal whose last line is torn still tells what came before', () => {
  const { directory, id, marked } = makeLab('torn');
  appendFileSync(join(directory, 'journal.jsonl'), '{"what":"process","role":"au');
  expect(readJournal(directory)).toMatchObject({ id, processes: [{ role: 'qemu', pid: marked }] });
});

test('a damaged journal does not make us remove what is not a lab’s', async () => {
  const { directory } = makeLab('damaged');
  const precious = join(state, 'precious');
  mkdirSync(precious);
  beginJournal(directory, { id: newLabId(), runDirectory: precious, wish: '{}' });
  await clearLab(directory);
  expect(existsSync(precious)).toBe(true);
});

test('the logs of a lab that did not come up can be kept', async () => {
  const { directory } = makeLab('failed', { complete: false });
  await clearLab(directory, { keepLogs: true });
  expect(readdirSync(directory)).toEqual(['console.log']);
  expect(await labStatus('failed')).toMatchObject({ state: 'down' });
});

test('a lab is up while all of it runs, broken when a part has ended or it never came up', async () => {
  const lab = makeLab('default');
  makeLab('half', { complete: false });
  expect((await labStatus()).state).toBe('up');
  expect((await labStatus('half')).state).toBe('broken');
  expect((await labStatus('none')).state).toBe('down');
  process.kill(lab.marked, 'SIGKILL');
  await expect.poll(async () => (await labStatus()).state).toBe('broken');
});

test('the lab to use is the only one that is up, or the default one; otherwise its name is needed', async () => {
  expect(await labInUse()).toBeUndefined();
  makeLab('one');
  expect((await labInUse())?.name).toBe('one');
  makeLab('two');
  await expect(labInUse()).rejects.toMatchObject({ code: 'several-labs' });
  expect((await labInUse('two'))?.name).toBe('two');
  makeLab('default');
  expect((await labInUse())?.name).toBe('default');
  expect((await labList()).map(({ name }) => name)).toEqual(['default', 'one', 'two']);
});

test('a lab that is not up is named, with what to do', async () => {
  await expect(labInUse('none')).rejects.toMatchObject({
    code: 'no-lab',
    cure: 'vfs-verify lab up --name none',
  });
  makeLab('half', { complete: false });
  await expect(labInUse('half')).rejects.toMatchObject({ code: 'lab-broken' });
  await expect(labInUse('../evil')).rejects.toMatchObject({ code: 'bad-lab-name' });
});

test('a part that was ended on purpose is not missed', async () => {
  const lab = makeLab('mine');
  const added = sleeper(labMark(lab.id).env);
  noteProcess(lab.directory, 'guest2/qemu', added);
  process.kill(added, 'SIGKILL');
  await expect.poll(async () => (await labStatus('mine')).state).toBe('broken');
  noteEnded(lab.directory, 'guest2/qemu');
  expect((await labStatus('mine')).state).toBe('up');
  expect(missingParts(lab.directory)).toEqual([]);
});

test('a journal keeps where file systems are mounted, in their order', () => {
  const lab = makeLab('mine');
  for (const name of ['backing', 'disk']) noteMount(lab.directory, join(lab.directory, name));
  expect(readJournal(lab.directory)?.mounts).toEqual([
    join(lab.directory, 'backing'),
    join(lab.directory, 'disk'),
  ]);
});

test('a lab that a run made for its own cases is nobody’s to use', async () => {
  const name = nameForCases();
  makeLab(name);
  expect(ownerOf(name)).toBe(process.pid);
  expect(ownerOf('own-lab')).toBeUndefined();
  expect(await labInUse()).toBeUndefined();
  makeLab('mine');
  expect((await labInUse())?.name).toBe('mine');
});

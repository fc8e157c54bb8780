import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { localEndpoint } from '../../../src/endpoint/local.ts';
import { KnownError } from '../../../src/model/error.ts';
import { parseMode } from '../../../src/model/mode.ts';
import { readJournal } from '../../../src/share/toggle/journal.ts';
import { putBack, putInto } from '../../../src/share/toggle/run.ts';
import type { ToggleForm, TogglePlace, ToggleStep } from '../../../src/share/toggle/toggle.ts';

let base = '';
let directory = '';
let place: TogglePlace;
/** The share: what it is in, and what was begun to bring it there. */
let world: { mode: string; half: boolean };
let failing: string | undefined;

beforeEach(() => {
  base = mkdtempSync(path.join(tmpdir(), 'vfs-verify-test-'));
  directory = path.join(base, 'toggles', 'one');
  world = { mode: 'auto', half: false };
  failing = undefined;
  const host = localEndpoint();
  place = {
    share: { guestDir: '/mnt', hostDir: '/srv', mode: undefined, modeHow: 'not known' },
    argument: 'here',
    guest: async () => host,
    host,
    force: false,
    restartGuest: false,
    directory,
  };
});
afterEach(() => rmSync(base, { recursive: true, force: true }));

function step(title: string, change: () => void): ToggleStep {
  return {
    title,
    byHand: [{ on: 'host', command: `do ${title}` }],
    about: { title },
    async run() {
      if (failing === title) throw new KnownError('no', `no ${title}`, 'Try.');
      change();
    },
  };
}

const take = () => step('take', () => Object.assign(world, { half: true }));
const give = (mode: string) => step(`give ${mode}`, () => Object.assign(world, { mode, half: false }));

const form: ToggleForm = {
  name: 'toy',
  usage: ['toy', 'a toy'],
  look: async () => ({ mode: world.mode, how: 'seen', own: world.mode }),
  steps: async (_, mode) => ({ steps: [take(), give(mode.name)] }),
  stepsBack: async (_, original) => {
    const was = original.own as string;
    return { steps: world.mode === was && !world.half ? [] : [...(world.half ? [] : [take()]), give(was)] };
  },
};

const into = (mode: string) => putInto(form, place, parseMode(mode));

describe('a toggle', () => {
  it('remembers the first mode through many, until it is put back', async () => {
    await into('always');
    expect((await into('never')).mode).toBe('never');
    expect(readJournal(directory)).toMatchObject({
      mode: 'never',
      original: { mode: 'auto' },
      interrupted: undefined,
    });
    expect((await putBack(form, place)).mode).toBe('auto');
    expect(world).toEqual({ mode: 'auto', half: false });
    expect(readJournal(directory)).toBeUndefined();
  });

  it('into the first mode is putting back; into the mode that is there is nothing', async () => {
    expect((await into('auto')).steps).toEqual([]);
    await into('always');
    expect((await into('auto')).mode).toBe('auto');
    expect(readJournal(directory)).toBeUndefined();
  });

  it('that fails half-way is put back, and says so', async () => {
    failing = 'give always';
    const error = await into('always').catch((thrown: unknown) => thrown as KnownError);
    expect(error).toMatchObject({ code: 'no', message: 'could not give always: no give always' });
    expect((error as KnownError).detail).toContain('The share is as it was');
    expect(world).toEqual({ mode: 'auto', half: false });
    expect(readJournal(directory)).toBeUndefined();
  });

  it('that cannot be put back either prints what would do it, and can be put back later', async () => {
    await into('always');
    failing = 'give auto';
    const error = await putBack(form, place).catch((thrown: unknown) => thrown as KnownError);
    expect((error as KnownError).detail).toBe(
      'By hand the share is brought back by:\n# on the host\ndo give auto',
    );
    await expect(into('never')).rejects.toThrow('did not end; it came to: give auto');
    failing = undefined;
    await putBack(form, place);
    expect(world).toEqual({ mode: 'auto', half: false });
  });

  it('writes each step down before it begins', async () => {
    const seen: string[] = [];
    const spying: ToggleForm = {
      ...form,
      steps: async () => ({
        steps: [step('look', () => seen.push(readFileSync(path.join(directory, 'journal.jsonl'), 'utf8')))],
      }),
    };
    await putInto(spying, place, parseMode('always'));
    expect(seen[0]?.trimEnd().split('\n').at(-1)).toBe(
      '{"what":"step","title":"look","about":{"title":"look"}}',
    );
  });

  it('is not begun over one that was interrupted, nor while another process is at it', async () => {
    await into('always');
    const file = path.join(directory, 'journal.jsonl');
    const lines = readFileSync(file, 'utf8').trimEnd().split('\n').slice(0, -1);
    const dead = lines.map((line) => line.replace(/"startTime":\d+/, '"startTime":1'));
    writeFileSync(file, `${dead.join('\n')}\n{"what":"st`);
    await expect(into('never')).rejects.toMatchObject({ code: 'toggle-interrupted' });
    const stat = readFileSync('/proc/1/stat', 'latin1');
    const ticks = stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19];
    const alive = lines.map((line) =>
      line.replace(/"pid":\d+,"startTime":\d+/, `"pid":1,"startTime":${ticks}`),
    );
    writeFileSync(file, `${alive.join('\n')}\n`);
    await expect(into('never')).rejects.toMatchObject({ code: 'toggle-busy' });
    await expect(putBack(form, place)).rejects.toMatchObject({ code: 'toggle-busy' });
  });

  it('of a share that was never toggled cannot be put back', async () => {
    await expect(putBack(form, place)).rejects.toMatchObject({ code: 'not-toggled' });
  });
});

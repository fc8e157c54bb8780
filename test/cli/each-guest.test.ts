import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { eachGuest } from '../../src/cli/each-guest.ts';
import type { Target } from '../../src/cli/targets.ts';

// Whose turn it is when, with a clock of the test's own.

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const targets = (...names: string[]): Target[] =>
  names.map((name) => ({ name, guest: name, host: 'local', hostOfFile: false, map: [], modeOf: {} }));
const never = new AbortController().signal;

/** Something that the test opens. */
function gate(): { readonly opened: Promise<void>; open(): void } {
  let open = () => {};
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { opened, open };
}

describe('several guests, one at a time', () => {
  const flags = { jobs: '1', guestLimit: '60', json: true };

  it('do not wait for one that is not reached: it gives its place to the next', async () => {
    const log: string[] = [];
    const dead = gate();
    const asking = eachGuest(targets('dead', 'one', 'two'), flags, never, async ({ name }, { reached }) => {
      log.push(`${name} begins`);
      if (name === 'dead') {
        await dead.opened;
        throw new Error('not reached');
      }
      await reached();
      log.push(`${name} is done`);
      if (name === 'two') dead.open();
    });
    await vi.advanceTimersByTimeAsync(10_000);
    const { turns } = await asking;
    expect(log).toEqual(['dead begins', 'one begins', 'one is done', 'two begins', 'two is done']);
    expect(turns.map((turn) => 'error' in turn)).toEqual([true, false, false]);
  });

  it('work one after another also where one was reached late, and it is the next', async () => {
    const log: string[] = [];
    const gates = { late: gate(), one: gate(), two: gate() };
    const asking = eachGuest(targets('late', 'one', 'two'), flags, never, async ({ name }, { reached }) => {
      if (name === 'late') await gates.late.opened;
      await reached();
      log.push(`${name} works`);
      if (name !== 'late') await gates[name as 'one' | 'two'].opened;
    });
    await vi.advanceTimersByTimeAsync(6000);
    expect(log).toEqual(['one works']);
    gates.late.open();
    // What it waits for others is no time of its own.
    await vi.advanceTimersByTimeAsync(50_000);
    expect(log).toEqual(['one works']);
    gates.one.open();
    await vi.advanceTimersByTimeAsync(0);
    expect(log).toEqual(['one works', 'late works', 'two works']);
    gates.two.open();
    const { turns } = await asking;
    expect(turns.map(({ target, durationMs }) => [target.name, durationMs])).toEqual([
      ['late', 6000],
      ['one', 51_000],
      ['two', 0],
    ]);
  });

  it('are given up after their own limit, and those that are left still begin', async () => {
    const asking = eachGuest(targets('hangs', 'next'), flags, never, async ({ name }, { reached }) => {
      await reached();
      if (name === 'hangs') await gate().opened;
      return name;
    });
    await vi.advanceTimersByTimeAsync(65_000);
    const { turns, abandoned } = await asking;
    expect(abandoned).toBe(true);
    expect(turns).toMatchObject([{ error: { code: 'guest-limit' } }, { value: 'next' }]);
  });

  it('are not begun after an interruption', async () => {
    const controller = new AbortController();
    const asking = eachGuest(targets('one', 'two'), flags, controller.signal, async ({ name }) => {
      controller.abort();
      return name;
    });
    expect((await asking).turns).toMatchObject([{ value: 'one' }, { error: { code: 'not-run' } }]);
  });
});

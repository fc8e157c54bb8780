import { expect, test } from 'vitest';
import { describeStolen, processorTime } from '../../tasks/bench/stolen.mjs';

test('the part of the time that a hypervisor gave to others is said from a twentieth on', () => {
  const before = { all: 1000, stolen: 100 };
  expect(describeStolen(before, { all: 2000, stolen: 149 })).toBeUndefined();
  expect(describeStolen(before, { all: 2000, stolen: 150 })).toMatch(/^5 % of this machine's processor time/);
  expect(describeStolen(before, before)).toBeUndefined();
});

test("this machine's own time only grows, and what was stolen is a part of it", () => {
  const before = processorTime();
  const after = processorTime();
  expect(before.all).toBeGreaterThan(0);
  expect(before.stolen).toBeLessThan(before.all);
  expect(after.all).toBeGreaterThanOrEqual(before.all);
});

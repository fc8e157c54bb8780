import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { LabInfo } from '../../src/lab/info.ts';
import { diagnosedBlock, withBlock } from '../../tasks/story/keep.mjs';
import { type Measured, type Story, tellStory } from '../../tasks/story/run.mjs';
import { slowDisk } from '../../tasks/story/slow-disk.mjs';
import { isAsTold } from '../../tasks/story/tell.mjs';
import { downLab, upLab } from './cli.ts';

// `npm run story`, small: a file of a few megabytes, and no more than a second of fio each time.

const name = `story-${process.pid}`;
let story: Story;
let disk: ReturnType<typeof slowDisk> | undefined;

beforeAll(async () => {
  const lab: LabInfo = await upLab(name, '--modes', 'auto,auto+allow-direct-io');
  disk = slowDisk(
    lab.hostDir,
    Object.values(lab.daemons).map(({ pid }) => pid),
    1000,
  );
  story = await tellStory(lab, { sizeMiB: 4, seconds: 1, tell: () => {} });
}, 600_000);
afterAll(async () => {
  disk?.mend();
  await downLab(name);
});

function step(of: string): Measured {
  const found = story.measured.find((each) => each.name === of);
  if (found === undefined) throw new Error(`the story has no step ${of}`);
  return found;
}

const share = ({ lines, asked }: Measured, source: string) =>
  (lines.find((line) => line.source === source)?.bytes ?? 0) / asked;

describe('the story', () => {
  it.each(['laid-out', 'guest-dropped', 'direct-stripped'])(
    'takes the wrong turn %s, which measures the host’s memory',
    (each) => {
      const measured = step(each);
      expect(share(measured, 'fuse/host-cache'), JSON.stringify(measured)).toBeGreaterThan(0.5);
      expect(measured.iops).toBeGreaterThan(0);
      expect(isAsTold(measured)).toBe(true);
    },
  );

  it.each(['both-dropped', 'direct'])('ends with %s, which measures the disk', (each) => {
    const measured = step(each);
    expect(share(measured, 'fuse/disk'), JSON.stringify(measured)).toBeGreaterThan(0.5);
    expect(measured.fromDisk).toBeGreaterThanOrEqual(0.5 * measured.asked);
    expect(isAsTold(measured)).toBe(true);
  });

  it('shows md5 to say the same with the file in memory and without it', () => {
    const [warm, cold] = story.compared.looks;
    expect([warm?.same, cold?.same]).toEqual([true, true]);
    expect(warm?.digest).toMatch(/^[0-9a-f]{32}$/);
    expect(cold?.digest).toBe(warm?.digest);
    expect(cold?.cached).toBeLessThan(warm?.cached ?? 0);
  });

  it('stands on a disk that is slower than it was, where the kernel can do that', () => {
    if (disk?.readsPerSecond === undefined) expect(disk?.words).toContain('as it is');
    else expect(step('direct').iops).toBeLessThan(1.5 * disk.readsPerSecond);
  });
});

it('begins with what diagnose says of the files from the field', async () => {
  const page = readFileSync(new URL('../../docs/field-case.md', import.meta.url), 'utf8');
  expect(withBlock(page, 'diagnosed', await diagnosedBlock())).toBe(page);
});

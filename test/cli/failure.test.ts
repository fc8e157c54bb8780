import { writeFile } from 'node:fs/promises';
import { afterEach, expect, it, vi } from 'vitest';
import { reportFailure } from '../../src/cli/failure.ts';

afterEach(() => vi.restoreAllMocks());

/** What was printed, with the status. */
function reported(error: unknown): readonly [number, string] {
  const write = vi.spyOn(process.stderr, 'write').mockReturnValue(true);
  const status = reportFailure(error);
  return [status, write.mock.calls.map(([text]) => String(text)).join('')];
}

it('a disk that is full is told with what to do, and is no defect of ours', async () => {
  const error = await writeFile('/dev/full', 'text').catch((thrown: unknown) => thrown);
  expect(reported(error)).toEqual([
    2,
    expect.stringMatching(/^vfs-verify: ENOSPC: .*\nnext: Make some space/),
  ]);
});

it('everything else that was not foreseen is a defect, told in full', () => {
  const error = new TypeError('x is not a function');
  expect(reported(error)).toEqual([3, expect.stringContaining('a defect of vfs-verify itself')]);
  expect(reported(error)[1]).toContain(error.stack);
});

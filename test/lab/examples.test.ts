import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { commandMs, examples, makePlace, type Place } from '../docs/examples.ts';
import { downLab, upLab } from './cli.ts';

// Every example in the documentation that needs a lab, in one of the name and the modes that a reader has. The labs of
// whoever runs this are not in its way.
const name = 'default';

describe('an example in the documentation', () => {
  let place: Place;
  let state = '';
  beforeAll(async () => {
    place = await makePlace(name);
    state = await mkdtemp(path.join(tmpdir(), 'd-'));
    process.env.XDG_STATE_HOME = state;
    process.env.SHARE = (await upLab(name, '--boot-timeout', '90')).hostDir;
  });
  afterAll(async () => {
    await downLab(name);
    await place.remove();
    await rm(state, { recursive: true, force: true });
  });

  it.each(examples().filter(({ notRun, needsLab }) => notRun === undefined && needsLab))(
    'is as it is written: $place',
    async (example) => {
      expect(await place.run(example)).toBeUndefined();
    },
    2 * commandMs,
  );
});

import { describe, expect, it } from 'vitest';
import attributes from '../../checks/attributes.ts';
import createStorm from '../../checks/create-storm.ts';
import farOffsets from '../../checks/far-offsets.ts';
import links from '../../checks/links.ts';
import lookup from '../../checks/lookup.ts';
import readdir from '../../checks/readdir.ts';
import recreate from '../../checks/recreate.ts';
import renameOver from '../../checks/rename-over.ts';
import { useLocalShare } from './local-share.ts';

// One directory, looked at twice: every name and attribute is fresh at once, by every way there is. What a check
// objects to here it misunderstands.

const share = useLocalShare();

describe.each([attributes, lookup, renameOver, readdir, links, recreate, createStorm, farOffsets])(
  '$name on a local directory',
  (check) => {
    it('passes in every case, and sees nothing stale', async () => {
      const { cases } = await share.run(check, 'auto+xattr');
      expect(cases.length).toBeGreaterThan(2);
      for (const { name, verdict } of cases) {
        expect(verdict, `${name}: ${verdict.reason}`).toMatchObject({ kind: 'pass' });
        expect(verdict.stale, name).toBeUndefined();
      }
    });
  },
);

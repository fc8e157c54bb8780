import { describe, expect, it } from 'vitest';
import accessPaths from '../../checks/access-paths.ts';
import guestWrite from '../../checks/guest-write.ts';
import holes from '../../checks/holes.ts';
import hostAppend from '../../checks/host-append.ts';
import hostRewrite from '../../checks/host-rewrite.ts';
import hostTruncate from '../../checks/host-truncate.ts';
import tailPage from '../../checks/tail-page.ts';
import { useLocalShare } from './local-share.ts';

// One directory, looked at twice: everything is fresh at once, by every way there is. What a check objects to
// here it misunderstands.

const share = useLocalShare();

describe.each([hostRewrite, guestWrite, hostAppend, hostTruncate, tailPage, holes, accessPaths])(
  '$name on a local directory',
  (check) => {
    it('passes in every case, and sees nothing stale', async () => {
      const { cases } = await share.run(check, 'auto');
      expect(cases.length).toBeGreaterThan(5);
      for (const { name, verdict } of cases) {
        expect(verdict, `${name}: ${verdict.reason}`).toMatchObject({ kind: 'pass' });
        expect(verdict.stale, name).toBeUndefined();
      }
    });
  },
);

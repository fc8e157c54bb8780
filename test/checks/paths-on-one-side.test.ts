import { describe, expect, it } from 'vitest';
import concurrentAppend from '../../checks/concurrent-append.ts';
import directAndBuffered from '../../checks/direct-and-buffered.ts';
import events from '../../checks/events.ts';
import locks from '../../checks/locks.ts';
import openFlags from '../../checks/open-flags.ts';
import samePageWriters from '../../checks/same-page-writers.ts';
import setUserId from '../../checks/set-user-id.ts';
import sharedMapping from '../../checks/shared-mapping.ts';
import smallWrites from '../../checks/small-writes.ts';
import { useLocalShare } from './local-share.ts';

// One directory, looked at twice: whatever two processes of one machine do to each other there is as it should
// be. What a check objects to here it misunderstands.

const share = useLocalShare();

describe.each([
  directAndBuffered,
  sharedMapping,
  samePageWriters,
  concurrentAppend,
  smallWrites,
  openFlags,
  setUserId,
  locks,
  events,
])('$name on a local directory', (check) => {
  it('passes in every case that can be had there, and sees nothing stale', async () => {
    // A local file system may refuse O_DIRECT at odd offsets: so may a daemon that hands it on.
    const { cases } = await share.run(check, 'auto+allow-direct-io');
    expect(cases.length).toBeGreaterThan(3);
    for (const { name, verdict } of cases) {
      if (verdict.kind === 'skip') continue;
      expect(verdict, `${name}: ${verdict.reason}`).toMatchObject({ kind: 'pass' });
      expect(verdict.stale, name).toBeUndefined();
    }
  });
});

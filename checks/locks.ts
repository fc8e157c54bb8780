import { defineCheck } from '../src/model/check.ts';
import { judgeTurns, judgeWaitAcross, judgeWaitInGuest } from './locks/judge.ts';
import { acrossWait, caseOfMeeting, meetings, waitInGuest } from './locks/plan.ts';

/** Two processes and one lock, wherever the two are. */
export default defineCheck({
  name: 'locks',
  title:
    'a lock that is granted keeps others out, or the mode says that it is local; what is given back is free',
  codes: {
    'both-hold': 'two hold one lock of which one is exclusive, where the mode promises that it excludes',
    'not-granted': 'a lock that nobody holds is refused',
    'not-released': 'a lock that was given back, or whose holder closed the file, is refused',
    'shared-refused': 'a shared lock is refused beside another shared one',
    'range-refused': 'a lock on a range is refused although another range is held',
    'no-promise': 'the contract does not know this mode',
    'not-refused': 'the contract says that this is refused here, and it was not',
    'could-not-run': 'a step did not end well',
  },
  cases: () => [...meetings.map(caseOfMeeting), acrossWait, waitInGuest],
  judge: (observed, promises) => {
    switch (observed.case.name) {
      case acrossWait.name:
        return judgeWaitAcross(observed, promises);
      case waitInGuest.name:
        return judgeWaitInGuest(observed, promises);
      default:
        return judgeTurns(observed, promises);
    }
  },
});

import { liesAboutData } from './data.ts';
import { liesAboutWindows } from './dax.ts';
import { liesAboutNames } from './names.ts';
import {
  acknowledged,
  cachesLess,
  cachesOtherwise,
  readsOtherwise,
  switchedOn,
  throughShim,
  toldToRemember,
} from './others.ts';
import { misbehaviours } from './paths.ts';
import { type Shown, shownBy } from './told.ts';

/** Everything that the lab's tests show failing. */
export const shown: readonly Shown[] = [
  ...liesAboutData.flatMap((told) => shownBy(told, `virtiofsd ${told.policy}, ${told.lie}`)),
  ...[...liesAboutNames, ...liesAboutWindows, ...switchedOn, ...toldToRemember, ...acknowledged].flatMap(
    (told) => shownBy(told, `backend ${told.policy}, ${told.faults}`),
  ),
  ...misbehaviours.flatMap((told) => {
    const words = [told.options, told.faults].filter((each) => each !== undefined).join(' ');
    return shownBy(told, `backend ${told.policy}, ${words}`);
  }),
  ...[...cachesOtherwise, ...cachesLess, ...readsOtherwise].flatMap((told) =>
    shownBy(told, `virtiofsd ${told.policy}, serving ${told.really}`),
  ),
  ...Object.entries(throughShim).flatMap(([lie, checks]) =>
    Object.values(checks).flatMap((fails) => shownBy({ fails }, `virtiofsd, ${lie}`)),
  ),
];

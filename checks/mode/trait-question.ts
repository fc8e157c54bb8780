import type { Observed, Setting } from '../../src/model/check.ts';
import type { Finding, Question } from '../repeat/question.ts';
import { fitting, type Traits, traitsOf } from './traits.ts';

/** What one attempt shows of a trait, whatever is declared. */
export type Sight =
  | {
      readonly words: string;
      /** Whether a mode with these traits can have caused it. */
      readonly fits: (traits: Traits) => boolean;
      /** No cache that forgets early explains it away (see Question). */
      readonly certain: (declared: Traits) => boolean;
    }
  | { readonly unclear: string };

/** A question after one trait of the mode. */
export interface TraitQuestion extends Omit<Question, 'isolation' | 'needs' | 'look' | 'promised'> {
  /** The code of a fail. */
  readonly code: string;
  /** The trait as it is declared, in words. */
  declared(traits: Traits): string;
  sight(observed: Observed, n: number): Sight;
}

/** As a question that can be asked again: the sight held against the mode that is declared. */
export function traitQuestion(asked: TraitQuestion): Question {
  const { code, declared, sight, ...rest } = asked;
  return {
    ...rest,
    isolation: 'shared',
    needs: ['writable'],
    promised: (setting) => declaredWords(setting, declared),
    look(observed, n): Finding {
      const seen = sight(observed, n);
      if ('unclear' in seen) return { kind: 'unclear', words: seen.unclear };
      const { mode, views } = observed.setting;
      const kernel = views.guest?.kernel;
      const traits = mode === undefined ? undefined : traitsOf(mode, kernel);
      const words = `${seen.words}: ${fitting(seen.fits, mode?.server, kernel)}`;
      if (traits === undefined) return { kind: 'unclear', words: `no mode is declared; ${words}` };
      if (seen.fits(traits)) return { kind: 'holds', words: seen.words };
      return {
        kind: 'broken',
        code,
        words: `declared is ${mode?.name} (${declared(traits)}), but ${words}`,
        certain: seen.certain(traits),
      };
    },
  };
}

function declaredWords({ mode, share, views }: Setting, declared: (traits: Traits) => string): string {
  const traits = mode === undefined ? undefined : traitsOf(mode, views.guest?.kernel);
  if (traits === undefined) return 'no mode is declared';
  return `mode ${mode?.name}: ${declared(traits)}${share === undefined ? '' : ` (the mode is known by: ${share.how})`}`;
}

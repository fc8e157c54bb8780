import { KnownError } from '../../model/error.ts';
import { shellWord } from '../../model/shell-word.ts';
import { modeOfShare } from '../mode-of-share.ts';
import type { ToggleForm, TogglePlace, ToggleStep } from './toggle.ts';

/** A command that restarts a machine may take this long. */
const limitMs = 5 * 60_000;
const mostBytes = 256 * 1024;

/**
 * The user's own command, called with the mode's name as its last argument: for whatever this program cannot
 * know. It has done its work when it ends with 0; the mode that was in force before is what it is called with to
 * put the share back.
 */
export const hookToggle: ToggleForm = {
  name: 'hook',
  usage: ['hook:COMMAND', 'your own command, called with the mode as its last argument'],
  async look(place) {
    commandOf(place);
    const { mode, how } = await modeOfShare(place);
    if (mode === undefined)
      throw new KnownError(
        'mode-unknown',
        'which mode is in force now is not known, so the command could not be asked to put it back',
        'Say it: --mode NAME.',
      );
    return { mode: mode.name, how, own: { mode: mode.name } };
  },
  async steps(place, mode) {
    return { steps: [hookStep(place, mode.name)] };
  },
  async stepsBack(place, original, begun) {
    // Nothing of what it does can be seen from here, so once it was begun it is asked again.
    if (begun.length === 0 || original.mode === undefined) return { steps: [] };
    return { steps: [hookStep(place, original.mode)] };
  },
};

/** Blanks part words; what needs more than that is a script's work. */
function commandOf({ argument }: TogglePlace): readonly string[] {
  const words = (argument ?? '').split(/\s+/).filter((each) => each !== '');
  if (words.length > 0) return words;
  throw new KnownError(
    'no-command',
    '--via hook needs a command',
    "Write --via hook:./set-mode, or --via 'hook:ssh storage set-mode'.",
  );
}

function hookStep(place: TogglePlace, mode: string): ToggleStep {
  const argv = [...commandOf(place), mode];
  const command = argv.map(shellWord).join(' ');
  return {
    title: `run ${command}`,
    byHand: [{ on: 'host', command }],
    about: { hook: mode },
    away: true,
    async run() {
      const ended = await place.host.exec(argv, { timeoutMs: limitMs, maxBytes: mostBytes });
      if (ended.status === 0) return;
      const how = ended.signal === undefined ? `with status ${ended.status}` : `by ${ended.signal}`;
      throw new KnownError('hook-failed', `it ended ${how}`, 'Its words are below.', {
        detail: `${ended.stdout}${ended.stderr}`.trimEnd() || 'It said nothing.',
      });
    },
  };
}

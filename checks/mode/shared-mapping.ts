import { inTurn, many, type Question, refusalIn, valuesOf } from '../repeat/question.ts';
import { traitQuestion } from './trait-question.ts';
import { isSince, sources, type Traits } from './traits.ts';

/** The first Linux whose FUSE knows FUSE_DIRECT_IO_ALLOW_MMAP (protocol 7.39). */
const allowMmapSince = [6, 6] as const;

/**
 * Whether a file can be mapped shared: a file that is opened with DIRECT_IO cannot (ENODEV), unless daemon and
 * guest agreed on it (--allow-mmap). In a mode that caches data that flag changes nothing that could be seen.
 * 9p without writeback grants only mappings that cannot be written (EINVAL for others).
 */
export const sharedMapping: Question = traitQuestion({
  name: 'shared-mapping',
  code: 'mmap-not-as-declared',
  scenarios: ['guest-map-store/before-msync'],
  actors: { guest: 'guest', host: 'host' },
  sources: sources.mappings,
  declared: ({ sharedMappings }) =>
    `shared mappings are ${sharedMappings ? 'granted' : 'refused with ENODEV (9p: EINVAL)'}`,
  attempt(n) {
    const file = `mapped-${n}`;
    return inTurn(n, [
      [
        'host',
        'make',
        many(
          { do: 'open', path: file, flags: ['creat', 'excl', 'rdwr'], mode: 0o666, as: file },
          { do: 'ftruncate', file, length: 4096 },
          { do: 'close', file },
        ),
      ],
      [
        'guest',
        'map',
        many(
          { do: 'open', path: file, flags: ['rdwr'], as: file },
          { do: 'map', file, as: file, offset: 0, length: 4096, protection: 'read-write', share: 'shared' },
        ),
      ],
    ]);
  },
  sight(observed, n) {
    const { stopped } = valuesOf(observed, n, 'map');
    const refusal = observed.setting.mode?.server === '9p' ? 'EINVAL' : 'ENODEV';
    const refused = stopped?.errno === refusal && stopped.call === 'mmap';
    const other = refusalIn(observed, n, refused ? ['make'] : ['make', 'map']);
    if (other !== undefined) return { unclear: other };
    const { mode, views } = observed.setting;
    if (
      refused &&
      mode?.flags.includes('allow-mmap') === true &&
      !isSince(views.guest?.kernel ?? '', allowMmapSince)
    )
      return {
        unclear: `a shared mapping is refused, and the guest's kernel ${views.guest?.kernel} does not know --allow-mmap`,
      };
    return {
      words: refused ? `a shared mapping is refused with ${refusal}` : 'a shared mapping is granted',
      fits: ({ sharedMappings }: Traits) => sharedMappings === !refused,
      certain: () => true,
    };
  },
});

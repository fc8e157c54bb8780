import type { GroundFact } from '../model/ground.ts';
import { shellWord } from '../model/shell-word.ts';
import { isLinux, isNode, type SeenSide } from './look-at-side.ts';

/** What a reached side can and cannot, and the cure of each. */
export function sideFacts(side: SeenSide): readonly GroundFact[] {
  const { hello, bySsh } = side;
  const program = isNode(hello)
    ? `${hello.kernel}, plain node stands in for the probe`
    : `Linux ${hello.kernel}, ${hello.arch}, probe ${hello.version}`;
  const key = bySsh ? '; its ssh host key is the known one' : '';
  return [
    { about: 'reached', state: 'ok', said: `${program}${key}` },
    ...(isNode(hello) ? [] : [rightsFact(side)]),
    pageStateFact(side),
    ...(side.where === 'guest' ? [tracepointsFact(side)] : []),
    ...leftoverFacts(side),
  ];
}

function rightsFact({ where, flag, hello, bySudo, ground: { user, sudo } }: SeenSide): GroundFact {
  const about = 'rights';
  if (hello.uid === 0) return { about, state: 'ok', said: 'root' };
  if (bySudo === true)
    return { about, state: 'ok', said: `the user ${user}; what takes root is done by sudo` };
  const costs =
    where === 'host'
      ? "what another user's daemon reads is not counted, and caches are dropped by file only"
      : 'caches are dropped by file only, and nothing is mounted';
  if (sudo === 'free')
    return {
      ...{
        about,
        state: 'limited',
        said: `the user ${user}, whom sudo asks for no password; without it, ${costs}`,
      },
      cure: '--sudo takes it for what needs root and for nothing else (--print-privileged lists that)',
    };
  const asks = sudo === 'asks' ? ', whom sudo asks for a password' : '';
  return {
    ...{ about, state: 'limited', said: `the user ${user}${asks}: ${costs}` },
    cure: rootCure(where, flag),
  };
}

/** The same place for root. */
function rootCure(where: 'host' | 'guest', flag: string): string {
  if (flag === 'local') return 'sudo vfs-verify …';
  if (flag.startsWith('exec:')) return `a command that gives root's shell there: --${where} 'exec:…'`;
  const plain = flag.replace(/^ssh:\/\//, '').replace(/^[^@]*@/, '');
  return `log in there as root: --${where} ${shellWord(`ssh://root@${plain}`)}`;
}

function pageStateFact({ hello }: SeenSide): GroundFact {
  const about = 'page-state';
  if (hello.features.includes('cachestat'))
    return { about, state: 'ok', said: 'cachestat: which pages are cached, dirty, being written back' };
  if (hello.features.includes('mincore'))
    return {
      ...{ about, state: 'limited', said: 'no cachestat: cached pages by mincore, dirty ones are not told' },
      cure: 'Linux 6.5 or newer has it',
    };
  const said = 'page caches cannot be looked into, nothing is dropped and nothing counted';
  if (!isLinux(hello)) return { about, state: 'limited', said: `${said}: that takes Linux` };
  return {
    ...{ about, state: 'missing', said },
    cure: 'the probe is needed: run npm run build where vfs-verify was installed from',
  };
}

function tracepointsFact({ hello, ground }: SeenSide): GroundFact {
  const about = 'tracepoints';
  return ground.fuseTracepoints
    ? { about, state: 'ok', said: 'each FUSE request can be traced' }
    : {
        ...{
          about,
          state: 'limited',
          said: 'FUSE requests cannot be traced: they are counted at the daemon only',
        },
        cure:
          hello.uid === 0
            ? 'mount -t tracefs tracefs /sys/kernel/tracing (Linux 6.12 or newer)'
            : 'it takes root there, and Linux 6.12 or newer',
      };
}

function leftoverFacts({ ground: { leftDirectories, stuckProbes } }: SeenSide): readonly GroundFact[] {
  const about = 'leftovers';
  return [
    ...(leftDirectories.length === 0
      ? []
      : [
          {
            ...{
              about,
              state: 'limited' as const,
              said: `${leftDirectories.length} directories of probes that were killed`,
            },
            cure: `rm -r ${leftDirectories.map(shellWord).join(' ')}`,
          },
        ]),
    ...(stuckProbes.length === 0
      ? []
      : [
          {
            ...{
              about,
              state: 'limited' as const,
              said: `the process ${stuckProbes.join(', ')} waits for a share that is gone`,
            },
            cure: 'only a reboot ends it',
          },
        ]),
  ];
}

import type { Ability } from '../model/ground.ts';
import { isNode, type SeenSide } from './look-at-side.ts';
import type { SeenShare } from './share-facts.ts';

/** What the commands can do with these sides and shares. */
export function abilities(
  host: SeenSide | undefined,
  guest: SeenSide | undefined,
  shares: readonly SeenShare[],
): readonly Ability[] {
  const missing =
    host === undefined
      ? 'the host is not reached'
      : guest === undefined
        ? 'the guest is not reached'
        : undefined;
  const without = missing ?? (shares.length === 0 ? 'no share is known' : undefined);
  if (host === undefined || guest === undefined || without !== undefined)
    return commands.map((command) => ({ command, can: 'no', why: without ?? 'no share is known' }));
  const some = (isSo: (share: SeenShare) => boolean) => shares.filter((each) => !isSo(each));
  const placed = some(({ inodes }) => inodes.host !== undefined && inodes.guest !== undefined);
  const unwritable = some(({ readOnly }) => readOnly !== true);
  const uncounted = some(({ daemon }) => daemon !== undefined && daemon.refused === undefined);
  const fixed = some(({ via }) => via !== undefined);
  const modeless = some(({ mode }) => mode !== undefined);
  const nodes = [host, guest].filter(({ hello }) => isNode(hello));
  const pages = [host, guest].filter(({ hello }) => !isNode(hello) && !hello.features.includes('cachestat'));
  const noRoot = [host, guest].filter(
    ({ hello, bySudo, ground }) =>
      !isNode(hello) && hello.uid !== 0 && bySudo !== true && ground.sudo !== 'free',
  );
  const inSome = (those: readonly SeenShare[], why: string): Pick<Ability, 'can' | 'why'> => {
    if (those.length === 0) return { can: 'yes' };
    if (those.length === shares.length) return { can: 'no', why };
    return { can: 'in part', why: `${those.map(({ guestDir }) => guestDir).join(', ')}: ${why}` };
  };
  const lesser = (how: Pick<Ability, 'can' | 'why'>): Pick<Ability, 'can' | 'why'> =>
    how.can === 'no' ? { ...how, can: 'in part' } : how;
  const account = lesser(inSome(uncounted, 'by latency only, where the daemon is not counted'));
  const check = inSome(unwritable, 'the share cannot be written');
  const told = lesser(inSome(modeless, 'what the mode promises is not known'));
  const beside = `plain node stands in for the probe: ${nodes.map(({ where }) => where).join(', ')}`;
  /** As far as node goes. */
  const byNode = (how: Pick<Ability, 'can' | 'why'>): Pick<Ability, 'can' | 'why'> =>
    nodes.length === 0 || how.can === 'no'
      ? how
      : { can: 'in part', why: how.why === undefined ? beside : `${how.why}; ${beside}` };
  const answers: Readonly<Record<(typeof commands)[number], Pick<Ability, 'can' | 'why'>>> = {
    md5: inSome(placed, 'one side does not see it'),
    check: byNode(check.can === 'yes' ? told : check),
    reads: account,
    explain: account,
    residency: byNode(
      pages.length === 0
        ? { can: 'yes' }
        : { can: 'in part', why: `without dirty pages (${pages.map(({ where }) => where).join(', ')})` },
    ),
    'drop PATH': byNode({ can: 'yes' }),
    'drop --system-wide': byNode(
      noRoot.length === 0
        ? { can: 'yes' }
        : {
            can: noRoot.length + nodes.length === 2 ? 'no' : 'in part',
            why: `needs root: ${noRoot.map(({ where }) => where).join(', ')}`,
          },
    ),
    'mode --set': inSome(fixed, 'no way to change a mode is seen: --via'),
  };
  return commands.map((command) => ({ command, ...answers[command] }));
}

const commands = [
  'md5',
  'check',
  'reads',
  'explain',
  'residency',
  'drop PATH',
  'drop --system-wide',
  'mode --set',
] as const;

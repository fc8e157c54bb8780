import type { SeenSide } from '../../src/ground/look-at-side.ts';
import type { SeenShare } from '../../src/ground/share-facts.ts';
import { parseMode } from '../../src/model/mode.ts';

/** A side for tests: root on a new kernel, but for what is said otherwise. */
export function side(
  where: 'host' | 'guest',
  more: {
    readonly uid?: number;
    readonly features?: readonly string[];
    readonly flag?: string;
    /** Plain node answers in place of the probe, on this system. */
    readonly node?: string;
    readonly ground?: Partial<SeenSide['ground']>;
  } = {},
): SeenSide {
  return {
    where,
    bySsh: where === 'guest',
    flag: more.flag ?? (where === 'host' ? 'local' : 'ssh://me@vm:2222'),
    hello: {
      ...{ protocol: 1, version: '0.1.0', arch: 'x86_64', kernel: '6.12.1', pid: 1, pageSize: 4096 },
      ...(more.node === undefined ? {} : { arch: 'node', kernel: `${more.node} 23.5.0` }),
      uid: more.uid ?? 0,
      features: more.features ?? (more.node === undefined ? ['mincore', 'cachestat'] : ['md5', 'sha256']),
    },
    ground: {
      ...{ user: 'root', sudo: 'none', fuseTracepoints: true, leftDirectories: [], stuckProbes: [] },
      ...more.ground,
    },
  };
}

/** A share for tests in which nothing is lacking. */
export function share(more: Partial<SeenShare> = {}): SeenShare {
  return {
    ...{ guestDir: '/mnt/data', hostDir: '/srv/share', type: 'virtiofs', tag: 'data' },
    ...{
      server: 'virtiofsd 1.13.2',
      mode: parseMode('auto+allow-direct-io'),
      modeHow: "the daemon's command line",
    },
    ...{ daemon: { pid: 7 }, inodes: { guest: '5', host: '5' }, readOnly: false, freeBytes: 5e9 },
    ...{ hostIsLinux: true, memoryShared: true, via: 'qmp:/run/q', leftDirectories: [] },
    ...more,
  };
}

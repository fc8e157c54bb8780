import { describe, expect, it } from 'vitest';
import type { Endpoint } from '../../../src/endpoint/endpoint.ts';
import { scriptedEndpoint } from '../../../src/endpoint/scripted.ts';
import { boundShares } from '../../../src/share/discover/bound-shares.ts';
import { parseMountinfo } from '../../../src/share/guest-mounts.ts';

/** A side with these mounts, and what `stat` says of its files. */
function side(boot: string, mounts: readonly string[], files: Readonly<Record<string, string>>): Endpoint {
  return scriptedEndpoint({
    exec: ([program, ...words]) => {
      if (program === 'cat') return words[0] === '/proc/self/mountinfo' ? mounts.join('\n') : `${boot}\n`;
      const said = files[words.at(-1) ?? ''];
      return said === undefined ? { status: 1 } : `${said}\n`;
    },
  });
}

const own = [
  '1 1 254:0 / / rw - ext4 /dev/vda rw',
  '2 1 254:16 / /srv rw - xfs /dev/vdb rw',
  '3 1 0:21 / /sys rw - sysfs sysfs rw',
  '4 1 254:0 /old /srv/over rw - ext4 /dev/vda rw',
];
const inContainer = [
  '11 11 0:50 / / rw - overlay overlay rw',
  '12 11 254:16 /db /data rw - xfs /dev/vdb rw',
  '13 11 254:0 /var/lib/run/hosts /etc/hosts rw - ext4 /dev/vda rw',
  '14 11 0:21 / /sys ro - sysfs sysfs rw',
  '15 11 254:0 /var/lib/run/shm /dev/shm rw - ext4 /dev/vda rw',
  '16 11 0:51 / /tmp rw - tmpfs tmpfs rw',
  '17 11 254:16 /over /late rw - xfs /dev/vdb rw',
];
const files = {
  '/data': 'directory 65040 7',
  '/etc/hosts': 'regular file 65024 8',
  '/late': 'directory 65040 9',
};
const onHost = {
  '/srv/db': 'directory 65040 7',
  '/var/lib/run/hosts': 'regular file 65024 8',
  // Another file system is mounted there by now.
  '/srv/over': 'directory 65024 9',
};
const container = (boot: string) => side(boot, inContainer, files);
const found = (guest: Endpoint, host: Endpoint) =>
  boundShares(parseMountinfo(inContainer.join('\n')), guest, host);

describe("a container's mounts", () => {
  it('are the directories of the host with the same device and inode, and nothing that its runtime needs', async () => {
    expect(await found(container('a'), side('a', own, onHost))).toMatchObject([
      { guestDir: '/data', hostDir: '/srv/db', mode: { name: 'local:bind' } },
    ]);
  });

  it('are nothing of the host where that is another kernel, or shows another directory there', async () => {
    expect(await found(container('a'), side('b', own, onHost))).toEqual([]);
    expect(await found(container('a'), side('a', own, { '/srv/db': 'directory 65040 70' }))).toEqual([]);
  });

  it('are no shares where the host has them mounted just so', async () => {
    const alike = [...own, ...inContainer.slice(1)];
    expect(await found(container('a'), side('a', alike, { ...onHost, ...files }))).toEqual([]);
  });
});

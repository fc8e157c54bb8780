import { describe, expect, it } from 'vitest';
import { parseMountinfo } from '../../src/share/guest-mounts.ts';
import { locatePath, parseMap, type Share } from '../../src/share/share.ts';

const share = (guestDir: string, hostDir: string): Share => ({
  guestDir,
  hostDir,
  mode: undefined,
  modeHow: 'not known',
});

describe('a path of a share', () => {
  it('is found on the host below the share with the longest directory', () => {
    const shares = [share('/mnt', '/srv'), share('/mnt/deep', '/data')];
    expect(locatePath('/mnt/deep/a b', shares).hostPath).toBe('/data/a b');
    expect(locatePath('/mnt/deeper', shares).hostPath).toBe('/srv/deeper');
    expect(locatePath('/mnt/deep', shares).hostPath).toBe('/data');
  });

  it('outside every share is an error that lists the shares', () => {
    expect(() => locatePath('/etc/passwd', [share('/mnt', '/srv')])).toThrow(
      expect.objectContaining({ code: 'outside-share', cure: expect.stringContaining('/mnt') }),
    );
  });

  it('is in none where another file system is mounted inside the share', () => {
    const mounts = parseMountinfo(
      '31 1 0:27 / /mnt rw - virtiofs data rw\n32 31 0:28 / /mnt/tmp rw - tmpfs none rw',
    );
    expect(locatePath('/mnt/file', [share('/mnt', '/srv')], mounts).hostPath).toBe('/srv/file');
    expect(() => locatePath('/mnt/tmp/file', [share('/mnt', '/srv')], mounts)).toThrow(
      expect.objectContaining({ code: 'outside-share', message: expect.stringContaining('tmpfs') }),
    );
  });
});

describe('what a daemon announces as a mount of its own', () => {
  const mounts = parseMountinfo(`20 1 8:1 / / rw - ext4 /dev/sda1 rw
31 20 0:27 / /mnt rw - virtiofs data rw
32 31 0:28 / /mnt/disk rw - virtiofs none rw
33 32 0:29 / /mnt/disk/other rw - virtiofs none rw
34 31 0:30 / /mnt/tmp rw - tmpfs none rw
35 34 0:31 / /mnt/tmp/odd rw - virtiofs none rw`);
  const shares = [share('/mnt', '/srv')];

  it('is part of the share around it', () => {
    expect(locatePath('/mnt/disk/file', shares, mounts).hostPath).toBe('/srv/disk/file');
    expect(locatePath('/mnt/disk/other/file', shares, mounts).hostPath).toBe('/srv/disk/other/file');
  });

  it('is no part of it where another file system is between', () => {
    expect(() => locatePath('/mnt/tmp/odd/file', shares, mounts)).toThrow(
      expect.objectContaining({ code: 'outside-share' }),
    );
  });
});

describe('--map', () => {
  it('parts at the first "=" before a slash', () => {
    expect(parseMap('/mnt/a=b=/srv/x=/y')).toEqual({ guestDir: '/mnt/a=b', hostDir: '/srv/x=/y' });
    expect(parseMap('/mnt/=/srv/')).toEqual({ guestDir: '/mnt', hostDir: '/srv' });
  });

  it.each(['', '/mnt', 'mnt=/srv', '/mnt=srv', '=/srv'])('refuses "%s"', (text) => {
    expect(() => parseMap(text)).toThrow(expect.objectContaining({ code: 'bad-map' }));
  });
});

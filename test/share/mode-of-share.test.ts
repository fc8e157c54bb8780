import { describe, expect, it } from 'vitest';
import type { Endpoint } from '../../src/endpoint/endpoint.ts';
import { scriptedEndpoint } from '../../src/endpoint/scripted.ts';
import { modeOfShare } from '../../src/share/mode-of-share.ts';

/** A guest with one mount, and what its firmware calls the machine. */
function guestWith(mount: string, product: string): Endpoint {
  return scriptedEndpoint({
    exec: (argv) =>
      argv.includes('/proc/self/mountinfo')
        ? `${mount}\n`
        : argv.some((each) => each.includes('/product_name'))
          ? `${product}\n`
          : '',
  });
}

const virtiofs = '50 30 0:40 / /Users/me rw,relatime - virtiofs mount0 rw';
const share = { guestDir: '/Users/me', hostDir: '/Users/me', mode: undefined, modeHow: 'not known' };

async function modeIn(guest: Endpoint) {
  return modeOfShare({ share, host: scriptedEndpoint({}), guest: async () => guest });
}

describe('the mode of a share whose daemon is not seen', () => {
  it("is unknown because Apple's framework serves it, where the guest's firmware says so", async () => {
    const known = await modeIn(guestWith(virtiofs, 'Apple Virtualization Generic Platform'));
    expect(known.mode).toBeUndefined();
    expect(known.how).toMatch(/^not known: Apple's Virtualization.framework serves it/);
    expect(known.evidence).toEqual(['mounted in the guest: virtiofs mount0 on /Users/me (rw,relatime)']);
  });

  it('is unknown because no daemon is seen, in any other machine', async () => {
    const known = await modeIn(guestWith(virtiofs, 'Standard PC (Q35 + ICH9, 2009)'));
    expect(known).toMatchObject({
      mode: undefined,
      how: 'not known: no daemon that serves this directory is seen',
    });
  });

  it("is told by the guest's mount where it is 9p, whatever the host is", async () => {
    const ninep = '50 30 0:40 / /Users/me rw,relatime - 9p mount0 rw,cache=mmap,trans=virtio';
    expect((await modeIn(guestWith(ninep, 'QEMU'))).mode?.name).toBe('9p:mmap');
  });
});

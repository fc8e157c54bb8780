import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { parseMode } from '../../../src/model/mode.ts';
import { kindOfVersion, programOfWords } from '../../../src/share/daemon-kind.ts';
import { modeOfWords } from '../../../src/share/daemon-words.ts';
import { type DomainShare, parseDomain } from '../../../src/share/libvirt/domain.ts';
import { type Daemon, describedIn, modeOfDescription } from '../../../src/share/libvirt/modes.ts';
import { addressesIn } from '../../../src/share/libvirt/shares.ts';
import { parseXml } from '../../../src/share/libvirt/xml.ts';
import { parseLibvirt } from '../../../src/share/toggle/libvirt.ts';

// What `virsh dumpxml` of libvirt 9.0 prints of a running domain, and `--inactive` of the same.
const running = readFileSync(new URL('running.xml', import.meta.url), 'utf8');
const inactive = readFileSync(new URL('inactive.xml', import.meta.url), 'utf8');

function shareOf(xml: string, tag = 'data'): DomainShare {
  const share = parseDomain(xml).shares.find((each) => each.tag === tag);
  if (share === undefined) throw new Error(`no share ${tag}`);
  return share;
}

function inMode(xml: string, mode: string, daemon: Daemon = 'rust'): string {
  return describedIn(xml, shareOf(xml), parseMode(mode), daemon);
}

/** The lines of a text that another does not have. */
function added(before: string, after: string): string[] {
  const had = new Set(before.split('\n'));
  return after.split('\n').filter((line) => !had.has(line));
}

describe('a domain’s description', () => {
  test('says which tags are which directories, and by what they are served', () => {
    const domain = parseDomain(running);
    expect(domain).toMatchObject({ name: 'one', id: '1', onPoweroff: 'destroy' });
    expect(domain.uuid).toMatch(/^[0-9a-f-]{36}$/);
    expect(domain.shares.map(({ element, ...rest }) => rest)).toEqual([
      {
        type: 'virtiofs',
        tag: 'data',
        hostDir: '/srv/one/share',
        externalSocket: undefined,
        binary: '/srv/one/virtiofsd',
        cache: undefined,
        locks: false,
        alias: 'fs0',
        accessmode: 'passthrough',
      },
      {
        type: '9p',
        tag: 'nine',
        hostDir: '/srv/one/share',
        externalSocket: undefined,
        binary: undefined,
        cache: undefined,
        locks: false,
        alias: 'fs1',
        accessmode: 'passthrough',
      },
    ]);
  });

  test('has a place in the text for every element', () => {
    const { element } = shareOf(running);
    expect(running.slice(element.start, element.end)).toMatch(/^<filesystem [^>]*>[\s\S]*<\/filesystem>$/);
    const xml = `<?xml version="1.0"?>\r\n<a x='1'><!-- <b/> -->é😀<b y="&gt;"/>&amp;</a>\n`;
    const [b] = parseXml(xml).children;
    expect(xml.slice(b?.start, b?.end)).toBe('<b y="&gt;"/>');
    expect(b?.attributes).toEqual({ y: '>' });
  });

  test('that is no XML is a known error', () => {
    expect(() => parseDomain('<domain><name>x</domain>')).toThrow(/cannot be read/);
    expect(() => parseDomain('')).toThrow(expect.objectContaining({ code: 'bad-xml' }));
  });
});

describe('another mode of one share', () => {
  test('is one element more, and all else is kept byte for byte', () => {
    const always = inMode(inactive, 'always');
    expect(added(inactive, always)).toEqual([
      "      <binary path='/srv/one/virtiofsd'>",
      "        <cache mode='always'/>",
      '      </binary>',
    ]);
    const never = inMode(always, 'never');
    expect(added(always, never)).toEqual(["        <cache mode='none'/>"]);
    expect(shareOf(never)).toEqual({ ...shareOf(inactive), cache: 'none', element: expect.anything() });
    expect(added(never, inMode(never, 'auto'))).toEqual([]);
    expect(shareOf(inMode(never, 'auto')).cache).toBeUndefined();
    expect(inMode(inactive, 'auto')).toBe(inactive);
  });

  test('is put where there is no <binary> yet, and in a description of one line', () => {
    const plain = inactive.replace(/\s*<binary [^>]*>/, '');
    expect(added(plain, inMode(plain, 'always'))).toEqual(["      <binary><cache mode='always'/></binary>"]);
    const short =
      "<domain><name>x</name><devices><filesystem><driver type='virtiofs'/><target dir='data'/></filesystem></devices></domain>";
    expect(shareOf(inMode(short, 'c:none', 'c')).cache).toBe('none');
  });

  test('goes to the share that is meant, and leaves what looks like it alone', () => {
    const two = inactive.replace(
      '<serial',
      `<!-- <filesystem><target dir='data'/></filesystem> --><filesystem type='mount'>
      <driver type='virtiofs'/><binary path="/x"><cache mode="always"/><lock posix='on'/></binary>
      <source dir='/other'/><target dir='other'/></filesystem><serial`,
    );
    const changed = describedIn(two, shareOf(two, 'other'), parseMode('never'), 'rust');
    expect(changed).toBe(two.replace('<cache mode="always"/>', "<cache mode='none'/>"));
    expect(shareOf(two, 'other').locks).toBe(true);
  });

  test.each([
    ['auto+writeback', 'not-in-libvirt'],
    ['metadata', 'not-in-libvirt'],
    ['never+allow-mmap', 'not-in-libvirt'],
    ['c:auto', 'other-server'],
    ['9p:loose', 'other-server'],
    ['always+dax=always', 'no-dax'],
  ])('that libvirt has no words for is refused: %s', (mode, code) => {
    expect(() => inMode(inactive, mode)).toThrow(expect.objectContaining({ code }));
  });

  test('that libvirt has no words for comes with a script that has them', () => {
    try {
      inMode(inactive, 'metadata+writeback');
      expect.unreachable();
    } catch (error) {
      expect((error as { detail: string }).detail).toContain(
        'exec /srv/one/virtiofsd "$@" --cache=metadata --writeback',
      );
    }
  });

  test('of a daemon that libvirt did not start is refused', () => {
    const external = inactive.replace("<source dir='/srv/one/share'/>", "<source socket='/run/x.sock'/>");
    expect(() => inMode(external, 'always')).toThrow(expect.objectContaining({ code: 'external-daemon' }));
  });

  test('is read back from the description', () => {
    expect(modeOfDescription(shareOf(inMode(inactive, 'never')), 'rust')?.name).toBe('never');
    expect(modeOfDescription(shareOf(inactive), 'c')?.name).toBe('c:auto');
    expect(modeOfDescription({ ...shareOf(inactive), cache: 'new' }, 'rust')).toBeUndefined();
  });
});

describe('the daemon that libvirt started', () => {
  const words = ['/srv/virtiofsd', '--fd=29', '-o', 'source=/srv/share,cache=none'];

  test('is told in the C daemon’s words, whichever it is', () => {
    expect(modeOfWords(words)?.name).toBe('c:none');
    expect(modeOfWords(words, 'rust')?.name).toBe('never');
    expect(
      modeOfWords([...words.slice(0, 3), 'source=/x', '--cache=metadata', '--writeback'], 'rust')?.name,
    ).toBe('metadata+writeback');
  });

  test('says which it is', () => {
    expect(programOfWords(['/lib/ld.so', '--library-path', '/x', ...words])).toEqual([
      ...['/lib/ld.so', '--library-path', '/x'],
      '/srv/virtiofsd',
    ]);
    expect(kindOfVersion('virtiofsd 1.13.2\n')).toEqual({ server: 'rust', version: '1.13.2' });
    expect(kindOfVersion('virtiofsd backend 1.1.0')).toEqual({ server: 'rust', version: '1.1.0' });
    expect(
      kindOfVersion(
        'virtiofsd version 7.2.22 (Debian 1:7.2+dfsg-7)\nusing FUSE kernel interface version 7.36',
      ),
    ).toEqual({ server: 'c', version: '7.2.22' });
    expect(kindOfVersion('some script 1.0')).toBeUndefined();
  });
});

test('--via libvirt names a domain, a libvirt, both or neither', () => {
  expect(parseLibvirt(undefined)).toEqual({ uri: undefined, domain: undefined });
  expect(parseLibvirt('web#1')).toEqual({ uri: undefined, domain: 'web#1' });
  expect(parseLibvirt('qemu+ssh://h/system')).toEqual({ uri: 'qemu+ssh://h/system', domain: undefined });
  expect(parseLibvirt('qemu:///system?socket=/x#web')).toEqual({
    uri: 'qemu:///system?socket=/x',
    domain: 'web',
  });
});

test('a guest’s addresses are read from what virsh prints', () => {
  const table = ` Name       MAC address          Protocol     Address
-------------------------------------------------------------------------------
 vnet0      52:54:00:6b:3c:58    ipv4         192.168.122.77/24
 lo         00:00:00:00:00:00    ipv4         127.0.0.1/8
 -          -                    ipv6         ::1/128
 eth0       52:54:00:6b:3c:58    ipv6         fe80::5054:ff:fe6b:3c58/64
 -          -                    ipv6         2001:db8::7/64
`;
  expect(addressesIn(table)).toEqual(['192.168.122.77', '2001:db8::7']);
  expect(addressesIn('')).toEqual([]);
});

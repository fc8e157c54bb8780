import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { requireSpace, sayingDiskFull } from '../../src/lab/disk.ts';
import { bzImagePayload } from '../../src/lab/guest/direct-kernel.ts';
import { moduleDependencies } from '../../src/lab/guest/modules.ts';
import { kernelVersion, namedKernel } from '../../src/lab/programs/kernel.ts';
import { namedProgram } from '../../src/lab/programs/named.ts';
import { versionIn, versionOf } from '../../src/lab/programs/version.ts';
import { logText } from '../../src/lab/vm/background.ts';
import { differingFlags, wishOf } from '../../src/lab/wish.ts';
import { KnownError } from '../../src/model/error.ts';

let directory: string;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'vfs-verify-programs-'));
});

afterEach(() => rmSync(directory, { recursive: true, force: true }));

/** The parts of a bzImage that say what it is. */
function bzImage(version: string): Buffer {
  const image = Buffer.alloc(4096);
  image[0x1f1] = 1;
  image.write('HdrS', 0x202, 'latin1');
  image.writeUInt16LE(0x300, 0x20e);
  image.write(`${version} (someone@somewhere) #1 SMP\0`, 0x500, 'latin1');
  image.writeUInt32LE(16, 0x248);
  image.writeUInt32LE(12, 0x24c);
  image.write('payload!', 1040, 'latin1');
  return image;
}

test('a script is a program; one that is not there or not executable is named with a cure', () => {
  const script = join(directory, 'my qemu');
  expect(() => namedProgram('--qemu', script)).toThrow(expect.objectContaining({ code: 'program-missing' }));
  writeFileSync(script, '#!/bin/sh\n');
  expect(() => namedProgram('--qemu', script)).toThrow(/not executable/);
  chmodSync(script, 0o755);
  expect(namedProgram('--qemu', script)).toBe(script);
  expect(namedProgram('--qemu', 'sh')).toMatch(/\/sh$/);
  expect(() => namedProgram('--qemu', 'no-such-program-here')).toThrow(KnownError);
});

test('a version is the number in a program’s own words', async () => {
  expect(versionIn('QEMU emulator version 11.1.3 (Debian 1:11.1.3+ds-1)\nCopyright')).toBe('11.1.3');
  expect(versionIn('virtiofsd backend v1.14.0-dev')).toBe('1.14.0-dev');
  expect(versionIn('something built today\n')).toBe('something built today');
  expect(versionIn('')).toBe('unknown');
  expect(await versionOf(['true'])).not.toBe('');
});

test('a kernel says its version and where its payload is', () => {
  const image = bzImage('6.12.1-mine');
  expect(kernelVersion(image)).toBe('6.12.1-mine');
  expect(bzImagePayload(image)?.toString('latin1')).toBe('payload!');
  const elf = Buffer.from('\x7fELF\0\0\0Linux version 6.1.0-x (a@b)', 'latin1');
  expect(kernelVersion(elf)).toBe('6.1.0-x');
  expect(kernelVersion(Buffer.from('#!/bin/sh\n'))).toBeUndefined();
  expect(bzImagePayload(Buffer.from('#!/bin/sh\n'))).toBeUndefined();
});

test('modules are found beside a kernel, in an unpacked tree and beside a build', async () => {
  for (const folder of ['boot', 'lib/modules/6.12.1-mine', 'build/arch/x86/boot']) {
    mkdirSync(join(directory, folder), { recursive: true });
  }
  writeFileSync(join(directory, 'boot/vmlinuz-6.12.1-mine'), bzImage('6.12.1-mine'));
  writeFileSync(join(directory, 'build/arch/x86/boot/bzImage'), bzImage('6.12.1-mine'));
  const modules = join(directory, 'lib/modules/6.12.1-mine');
  const byFile = await namedKernel(join(directory, 'boot/vmlinuz-6.12.1-mine'), () => {});
  const byTree = await namedKernel(directory, () => {});
  expect(byFile).toEqual(byTree);
  expect(byTree).toMatchObject({ version: '6.12.1-mine', modules });
  const build = await namedKernel(join(directory, 'build'), () => {});
  expect(build.modules).toBeUndefined();
});

test('a file that is no kernel is refused before anything is started', async () => {
  const file = join(directory, 'vmlinuz');
  await expect(namedKernel(file, () => {})).rejects.toMatchObject({ code: 'bad-kernel' });
  writeFileSync(file, 'not a kernel');
  await expect(namedKernel(file, () => {})).rejects.toMatchObject({ code: 'bad-kernel' });
  await expect(namedKernel(directory, () => {})).rejects.toMatchObject({ code: 'bad-kernel' });
});

test('a module says what it depends on', () => {
  expect(moduleDependencies(Buffer.from('\0license=GPL\0depends=net-failover,failover\0name=x\0'))).toEqual([
    'net_failover',
    'failover',
  ]);
  expect(moduleDependencies(Buffer.from('\0license=GPL\0depends=\0name=x\0'))).toEqual([]);
  expect(moduleDependencies(Buffer.from('ELF'))).toEqual([]);
});

test('a full disk is said with what is needed, whoever noticed it', async () => {
  expect(() => requireSpace(join(directory, 'not/there/yet'), 1, 'x')).not.toThrow();
  expect(() => requireSpace(directory, 2 ** 60, 'the tree')).toThrow(
    expect.objectContaining({ code: 'disk-full', message: expect.stringContaining('MiB') }),
  );
  const failing = sayingDiskFull(directory, 2 ** 20, 'the tree', async () => {
    throw new KnownError('tree-failed', 'mmdebstrap failed', 'x', { detail: 'tar: No space left on device' });
  });
  await expect(failing).rejects.toMatchObject({ code: 'disk-full' });
});

test('a log is shown without what a terminal would obey', () => {
  const log = join(directory, 'console.log');
  writeFileSync(log, '\x1bc\x1b[?7l\x1b[2J\x1b[0mSeaBIOS\r\nready\x07\n\tin\n');
  expect(logText(log)).toBe('SeaBIOS\nready\n\tin\n');
  expect(logText(join(directory, 'none.log'))).toBe('');
});

test('two wishes differ by the flags that make another lab, not by patience or by name', () => {
  const text = (options: Parameters<typeof wishOf>[0]) => JSON.stringify(wishOf(options));
  expect(differingFlags(text({}), text({ name: 'x', bootTimeoutMs: 1 }))).toEqual([]);
  expect(differingFlags(text({ modes: ['auto'], cpus: 1 }), text({}))).toEqual(['--modes', '--cpus']);
  expect(() => wishOf({ modes: ['sometimes'] })).toThrow(expect.objectContaining({ code: 'bad-mode' }));
});

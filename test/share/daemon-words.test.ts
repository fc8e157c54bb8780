import { describe, expect, it } from 'vitest';
import { parseMode } from '../../src/model/mode.ts';
import { directoryOfWords, modeOfWords, wordsInMode } from '../../src/share/daemon-words.ts';

const rust = ['/usr/libexec/virtiofsd', '--socket-path', '/run/a.sock', '--shared-dir=/srv'];
const c = ['/usr/lib/qemu/virtiofsd', '--socket-path=/run/a.sock', '-o', 'source=/srv'];

describe('the command line of a daemon', () => {
  it.each([
    [[...rust], 'auto'],
    [[...rust, '--cache=always', '--writeback'], 'always+writeback'],
    [[...rust, '--cache', 'never', '--allow-mmap', '--xattr'], 'never+allow-mmap'],
    [[...rust, '-o', 'cache=always,writeback'], 'always+writeback'],
    [[...c], 'c:auto'],
    [[...c, '-o', 'cache=none'], 'c:none'],
    [[...c, '-o', 'cache=always,writeback,xattr'], 'c:always+writeback'],
    [[...c, '-o', 'no_writeback'], 'c:auto'],
  ])('%j is the mode %s', (argv, mode) => {
    expect(modeOfWords(argv)?.name).toBe(mode);
    expect(directoryOfWords(argv)).toBe('/srv');
  });

  it('of another program is no mode', () => {
    expect(modeOfWords(['/bin/sleep', '10'])).toBeUndefined();
    expect(directoryOfWords(['vim', '--shared-dir'])).toBeUndefined();
  });

  it('is told a mode and a socket, and keeps the rest', () => {
    const argv = [...rust, '--cache=auto', '--writeback', '--sandbox', 'none', '--xattr', '-o', 'cache=auto'];
    expect(wordsInMode(argv, parseMode('always+allow-direct-io'), '/run/b.sock')).toEqual([
      '/usr/libexec/virtiofsd',
      '--shared-dir=/srv',
      '--sandbox',
      'none',
      '--xattr',
      '--socket-path=/run/b.sock',
      '--cache=always',
      '--allow-direct-io',
    ]);
  });

  it('is not told twice what the mode names itself', () => {
    const argv = wordsInMode(
      [...rust, '--thread-pool-size', '0'],
      parseMode('auto+thread-pool-size=4'),
      '/b',
    );
    expect(argv.filter((word) => word.includes('thread-pool'))).toEqual(['--thread-pool-size=4']);
  });

  it('of the C daemon has its options behind -o', () => {
    expect(wordsInMode([...c, '-o', 'cache=auto,xattr'], parseMode('c:none+writeback'), '/b')).toEqual([
      '/usr/lib/qemu/virtiofsd',
      '-o',
      'source=/srv',
      '-o',
      'xattr',
      '--socket-path=/b',
      '-o',
      'cache=none',
      '-o',
      'writeback',
    ]);
  });

  it('cannot serve a mode of another program', () => {
    expect(() => wordsInMode(rust, parseMode('c:auto'), '/b')).toThrow('the Rust virtiofsd');
    expect(() => wordsInMode(c, parseMode('never'), '/b')).toThrow('the C virtiofsd');
    expect(() => wordsInMode(rust, parseMode('9p:loose'), '/b')).toThrow('cannot serve the mode 9p:loose');
  });
});

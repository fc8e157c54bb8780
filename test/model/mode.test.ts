import { describe, expect, it } from 'vitest';
import { KnownError } from '../../src/model/error.ts';
import { howNinepIsKnown, labModes, ninepMode, parseMode, securityModelOf } from '../../src/model/mode.ts';

describe('the names of modes', () => {
  it.each([...labModes, 'auto+allow-direct-io', 'never+allow-mmap', 'auto+dax=always', '9p:loose', 'c:none'])(
    'reads %s and writes it again',
    (name) => {
      expect(parseMode(name).name).toBe(name);
    },
  );

  it('sorts flags, so that one mode has one name', () => {
    expect(parseMode('auto+writeback+allow-direct-io').name).toBe('auto+allow-direct-io+writeback');
  });

  it('writes the C daemon’s words as it does, whichever were given', () => {
    expect(parseMode('c:auto+allow-direct-io').name).toBe('c:auto+allow_direct_io');
    expect(parseMode('c:auto+thread-pool-size=4').name).toBe('c:auto+thread-pool-size=4');
  });

  it('says of 9p which model keeps owners beside the files, and of no other model', () => {
    const mapped = ninepMode('loose', 'mapped');
    expect(mapped.name).toBe('9p:loose+security_model=mapped-xattr');
    expect(securityModelOf(mapped)).toBe('mapped-xattr');
    expect(howNinepIsKnown(mapped)).toContain('QEMU');
    expect(ninepMode(undefined, 'mapped-file').name).toBe('9p:none+security_model=mapped-file');
    for (const model of ['passthrough', 'none', undefined])
      expect(ninepMode('mmap', model).name).toBe('9p:mmap');
  });

  it.each([
    '',
    'sometimes',
    'auto+',
    'auto+writeback+writeback',
    'auto+dax=often',
    'c:never',
    '9p:auto',
    'x:auto',
    'auto+Write Back',
  ])('refuses "%s" and says what a mode is', (name) => {
    expect(() => parseMode(name)).toThrow(KnownError);
  });
});

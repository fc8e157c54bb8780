import { expect, test } from 'vitest';
import { parseJump, parseSshTarget } from '../../src/endpoint/ssh-target.ts';

test.each([
  ['guest', { host: 'guest' }],
  ['root@guest', { host: 'guest', user: 'root' }],
  ['user@realm@guest', { host: 'guest', user: 'user@realm' }],
  ['::1', { host: '::1' }],
  ['ssh://guest', { host: 'guest' }],
  ['ssh://root@127.0.0.1:2222', { host: '127.0.0.1', user: 'root', port: 2222 }],
  ['ssh://root@[::1]:2222/', { host: '::1', user: 'root', port: 2222 }],
  ['ssh://a%40b@guest', { host: 'guest', user: 'a@b' }],
])('%s is understood', (text, expected) => {
  expect(parseSshTarget(text)).toEqual(expected);
});

test.each([
  '',
  '@guest',
  'guest:2222',
  'root@guest:2222',
  'http://guest',
  'ssh://root:secret@guest',
  'ssh://guest:0',
  'ssh://guest:65536',
  'ssh://guest/path',
  'ssh://%zz@guest',
  '-oProxyCommand=id',
  'a b',
  '$(id)',
  'x;id',
  '`id`@guest',
  '-x@guest',
  'guest\n',
])('%j is refused with its cure', (text) => {
  expect(() => parseSshTarget(text)).toThrow(
    expect.objectContaining({ code: 'bad-target', cure: expect.stringContaining('ssh://user@host:port') }),
  );
});

test.each([
  'ssh://root:secret@guest',
  'ssh://root:sec/ret@guest',
  'ssh://root:s@ecret@guest',
  'http://root:secret@guest',
])('the password of %s is in no error', (text) => {
  expect(() => parseSshTarget(text)).toThrow(/"\w+:\/\/root:…@guest" names no machine/);
});

test('a hop of ProxyJump may have its port behind a colon', () => {
  expect(parseJump('me@hop:2222')).toEqual({ host: 'hop', user: 'me', port: 2222 });
  expect(parseJump('[::1]:22')).toEqual({ host: '::1', port: 22 });
  expect(parseJump('ssh://hop')).toEqual({ host: 'hop' });
});

import { stripVTControlCharacters } from 'node:util';
import stringWidth from 'string-width';
import { describe, expect, it } from 'vitest';
import { abilities } from '../../src/ground/abilities.ts';
import { shareFacts } from '../../src/ground/share-facts.ts';
import { sideFacts } from '../../src/ground/side-facts.ts';
import type { Ground } from '../../src/model/ground.ts';
import { renderDoctor } from '../../src/report/doctor-text.ts';
import { doctorFaults } from '../../src/report/validate.ts';
import { share, side } from '../ground/facts.ts';

const user = { uid: 1000, ground: { user: 'me' } };
const shares = [share(), share({ guestDir: '/mnt/\u001b[2Jb', daemon: undefined, memoryShared: false })];
const ground: Ground = {
  schema: 'vfs-verify/doctor/1',
  tool: { name: 'vfs-verify', version: '0.1.0' },
  abilities: abilities(side('host', user), side('guest'), shares),
  places: [
    { where: 'host', name: 'this machine', facts: sideFacts(side('host', user)) },
    { where: 'guest', name: 'root@vm:22', facts: sideFacts(side('guest')) },
    ...shares.map((each) => ({
      where: 'share' as const,
      name: `${each.guestDir} = ${each.hostDir}`,
      facts: shareFacts(each),
    })),
  ],
};

describe('what doctor prints', () => {
  const text = renderDoctor(ground, { color: false, width: 80 });

  it('begins with the answer and ends with what to do about what is missing', () => {
    expect(text).toMatch(/^Can be done here: md5, check, residency, drop PATH, mode --set; in part: /);
    expect(text.trimEnd().split('\nnext: ')[1]).toContain('memory-backend-memfd');
  });

  it('fits 80 columns, and no name in it moves the cursor', () => {
    for (const line of text.split('\n')) expect(stringWidth(line), line).toBeLessThanOrEqual(80);
    expect(text).toContain('/mnt/\\x1b[2Jb');
  });

  it('says the same in colour', () => {
    const plain = stripVTControlCharacters(renderDoctor(ground, { color: true, width: 80 }));
    expect(plain).toBe(text);
  });

  it('fits its schema as JSON', () => {
    expect(doctorFaults(JSON.parse(JSON.stringify(ground)))).toEqual([]);
    expect(doctorFaults({ ...ground, schema: 'vfs-verify/doctor/2' })).not.toEqual([]);
  });

  it('says in one line that all is well, or that nothing is', () => {
    const all = { ...ground, abilities: abilities(side('host'), side('guest'), [share()]), places: [] };
    expect(renderDoctor(all, { color: false, width: 80 })).toMatch(/^Everything can be verified here\.\n/);
    const none = { ...ground, abilities: abilities(undefined, undefined, []), places: [] };
    expect(renderDoctor(none, { color: false, width: 80 })).toMatch(
      /^Nothing can be verified here: the host/,
    );
  });
});

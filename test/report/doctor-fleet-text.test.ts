import { stripVTControlCharacters } from 'node:util';
import stringWidth from 'string-width';
import { describe, expect, it } from 'vitest';
import { abilities } from '../../src/ground/abilities.ts';
import { sideFacts } from '../../src/ground/side-facts.ts';
import type { GroundOfMany, GuestGround } from '../../src/model/ground.ts';
import { renderDoctorOfMany } from '../../src/report/doctor-fleet-text.ts';
import { doctorFaults } from '../../src/report/validate.ts';
import { share, side } from '../ground/facts.ts';

const user = side('host', { uid: 1000, ground: { user: 'me' } });
const row = (
  guest: string,
  can: GuestGround['abilities'],
  facts = sideFacts(side('guest')),
): GuestGround => ({
  ...{ guest, durationMs: 1200, abilities: can },
  places: [{ where: 'guest', name: guest, facts }],
});
const all: GroundOfMany = {
  schema: 'vfs-verify/doctor/1',
  tool: { name: 'vfs-verify', version: '0.1.0' },
  guests: [
    row('web', abilities(side('host'), side('guest'), [share()])),
    row('db', abilities(user, side('guest'), [share({ daemon: undefined })]), sideFacts(user)),
    row('\u001b[2Jmail', abilities(side('host'), undefined, []), [
      { about: 'reached', state: 'missing', said: 'ssh: connection refused', cure: 'Start it.' },
    ]),
    {
      ...{ guest: 'slow', durationMs: 60_000, abilities: [], places: [] },
      trouble: { code: 'guest-limit', reason: 'it was not done within 60 s', next: 'Ask it alone.' },
    },
  ],
};

describe('what doctor prints of several guests', () => {
  const text = renderDoctorOfMany(all, { color: false, width: 80 });

  it('counts them, then has a row for each, where the least can be done first', () => {
    expect(text).toMatch(
      /^Of 4 guests: in 1 everything can be verified, in 1 something cannot, in 2\s+nothing can be verified\.\n/,
    );
    expect(text.match(/^ {2}(no|in part|yes) +\S+/gm)?.map((line) => line.trim().split(/ {2,}/))).toEqual([
      ['no', '\\x1b[2Jmail'],
      ['no', 'slow'],
      ['in part', 'db'],
      ['yes', 'web'],
    ]);
  });

  it('says of each why, once for a reason, and the cure that helps most', () => {
    expect(text).toMatch(/mail\n +ssh: connection refused\n +→ Start it\.\n/);
    expect(text).toMatch(/slow\n +it was not done within 60 s\n +→ Ask it alone\.\n/);
    expect(text).toMatch(/db\n +reads, explain: by latency only/);
    expect(text).toMatch(/yes +web\n\nnext: /);
  });

  it('fits 80 columns, says the same in colour, and its schema as JSON', () => {
    for (const line of text.split('\n')) expect(stringWidth(line), line).toBeLessThanOrEqual(80);
    expect(stripVTControlCharacters(renderDoctorOfMany(all, { color: true, width: 80 }))).toBe(text);
    expect(doctorFaults(JSON.parse(JSON.stringify(all)))).toEqual([]);
    expect(doctorFaults({ ...all, guests: [{ guest: 'web' }] })).not.toEqual([]);
  });
});

import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Operation } from '../../src/model/operation.ts';
import { startNodeHost } from '../../src/probe/node-host.ts';
import type { ProbeSession } from '../../src/probe/session.ts';
import { viewFacts } from '../../src/run/setting.ts';
import { makeWorkplace } from '../../src/run/workplace.ts';

/** A side whose file system has one name for all spellings of it, and none that is not UTF-8, as a Mac's. */
function foldingNames(side: ProbeSession): ProbeSession {
  const folded = (op: Operation): Operation => {
    if (op.do === 'many') return { ...op, list: op.list.map(folded) };
    if (!('path' in op) || op.path === undefined) return op;
    const name = op.path.isWellFormed() ? op.path.normalize('NFC').toLowerCase() : 'no/such/directory';
    return { ...op, path: name };
  };
  return { ...side, request: (actor, op, options) => side.request(actor, folded(op), options) };
}

describe('the directory of a run', () => {
  const root = mkdtempSync(path.join(tmpdir(), 'vfs-verify-workplace-'));
  let side: ProbeSession;
  beforeAll(() => {
    side = startNodeHost();
  });
  afterAll(async () => {
    await side.close();
    rmSync(root, { recursive: true, force: true });
  });
  const keeps = async (session: ProbeSession) => {
    const workplace = await makeWorkplace({ session, facts: viewFacts(root, session.hello) });
    expect(readdirSync(path.join(root, readdirSync(root)[0] ?? ''))).toEqual([]);
    expect(await workplace.remove()).toBeUndefined();
    expect(readdirSync(root)).toEqual([]);
    return workplace.keepsNames;
  };

  it('tells whether names are what they are spelt like there, and leaves nothing behind', async () => {
    expect(await keeps(side)).toBe(true);
  });

  it('tells a file system that folds names', async () => {
    expect(await keeps(foldingNames(side))).toBe(false);
  });
});

import { readdirSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { promiseFor } from '../../src/contract/contract.ts';
import { rows } from '../../src/contract/rows.ts';
import type { Check, Setting } from '../../src/model/check.ts';
import { labModes, parseMode } from '../../src/model/mode.ts';

const view = { root: '/share', pageSize: 4096, kernel: '6.12.107', rootUser: true, features: [] };
const versions = { 'guest-kernel': '6.12.107', 'host-kernel': '6.18.44', virtiofsd: '1.13.2' };
const known = new Set(rows.map(({ scenario }) => scenario));
const files = readdirSync(new URL('../../checks/', import.meta.url)).filter((name) => name.endsWith('.ts'));

describe.each(files)('checks/%s', (file) => {
  it('asks the contract for nothing that it has no row for, in any mode of a lab', async () => {
    const { default: check } = (await import(`../../checks/${file}`)) as { readonly default: Check };
    for (const name of labModes) {
      const mode = parseMode(name);
      const views = { host: view, guest: view, guest2: view, 'guest-other-tag': view };
      const setting: Setting = { mode, views, versions, seed: 1, args: {} };
      const asked = new Set(check.cases(setting).flatMap(({ scenarios }) => scenarios));
      expect(
        [...asked].filter((scenario) => !known.has(scenario)),
        name,
      ).toEqual([]);
      for (const scenario of asked)
        expect(promiseFor(scenario, mode, versions), `${scenario} in ${name}`).toBeDefined();
    }
  });
});

import { describe, expect, it } from 'vitest';
import { promiseFor } from '../../src/contract/contract.ts';
import { rows } from '../../src/contract/rows.ts';
import { layerScenarios } from '../../src/model/comparison.ts';
import { labModes, parseMode } from '../../src/model/mode.ts';

describe('the contract', () => {
  it('names each scenario once and gives every row a source', () => {
    expect(new Set(rows.map(({ scenario }) => scenario)).size).toBe(rows.length);
    for (const row of rows) expect(row.sources.length, row.scenario).toBeGreaterThan(0);
  });

  it('knows the rows that a comparison asks for, in every mode of the lab', () => {
    for (const scenario of Object.values(layerScenarios)) {
      if (scenario === undefined) continue;
      for (const mode of labModes)
        expect(promiseFor(scenario, parseMode(mode)), `${scenario} in ${mode}`).toBeDefined();
    }
  });

  it('is silent for a scenario, a mode, a flag or a server that it has no row for', () => {
    expect(promiseFor('never-heard-of', parseMode('auto'))).toBeUndefined();
    expect(promiseFor('host-write/reopen', undefined)).toBeUndefined();
    expect(promiseFor('host-write/reopen', parseMode('auto+cache-the-moon'))).toBeUndefined();
  });

  it('lets always keep stale bytes over an open, and auto not', () => {
    expect(promiseFor('host-write/reopen', parseMode('always'))?.freshness).toEqual({
      kind: 'stale-for',
      ms: 86_400_000,
    });
    expect(promiseFor('host-write/reopen', parseMode('auto'))?.freshness).toEqual({ kind: 'fresh' });
  });
});

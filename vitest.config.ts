import { defineConfig } from 'vitest/config';

// Two suites: `unit` needs nothing but node (and a built probe where it says so), `lab` boots real guests.
export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: 'unit',
          include: ['test/**/*.test.ts'],
          exclude: ['test/lab/**'],
          // It imports JSON in a way that Node 20 refuses.
          server: { deps: { inline: ['@actions/workflow-parser'] } },
          testTimeout: 20_000,
          // Much of it waits for processes: more workers than one fewer than there are cores.
          pool: 'threads',
          maxWorkers: 3,
        },
      },
      {
        test: {
          name: 'lab',
          include: ['test/lab/**/*.test.ts'],
          testTimeout: 120_000,
          hookTimeout: 240_000,
          // Labs share two cores: one file at a time.
          fileParallelism: false,
        },
      },
    ],
  },
});

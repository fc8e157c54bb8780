import { writeFileSync } from 'node:fs';

/**
 * What one suite came to, for tasks/test.mjs. A file that cannot be loaded and a hook that fails are
 * failures too, although no test of their own says so.
 * @typedef {{ passed: number, failed: number, skipped: readonly { name: string, reason: string }[] }} Summary
 */

export default class SummaryReporter {
  /**
   * @param {ReadonlyArray<import('vitest/node').TestModule>} modules
   * @param {ReadonlyArray<unknown>} unhandledErrors
   */
  onTestRunEnd(modules, unhandledErrors) {
    let passed = 0;
    let failed = unhandledErrors.length;
    /** @type {{ name: string, reason: string }[]} */
    const skipped = [];
    for (const module of modules) {
      failed += module.errors().length;
      for (const suite of module.children.allSuites()) failed += suite.errors().length;
      for (const test of module.children.allTests()) {
        const result = test.result();
        if (result.state === 'passed') passed += 1;
        else if (result.state === 'failed') failed += 1;
        else {
          const note = result.state === 'skipped' ? result.note : undefined;
          skipped.push({
            name: `${module.relativeModuleId} > ${test.fullName}`,
            reason: note ?? 'no reason given',
          });
        }
      }
    }
    const file = process.env.VFS_VERIFY_TEST_SUMMARY;
    if (file !== undefined) writeFileSync(file, JSON.stringify({ passed, failed, skipped }));
  }
}

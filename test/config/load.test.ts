import { access, chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { findConfig, loadConfig } from '../../src/config/load.ts';

let directory: string;
beforeAll(async () => {
  directory = await mkdtemp(path.join(tmpdir(), 'vfs-verify-config-'));
  await mkdir(path.join(directory, 'project', 'deep', 'deeper'), { recursive: true });
});
afterAll(() => rm(directory, { recursive: true, force: true }));

const at = (...names: string[]) => path.join(directory, ...names);
const json = () => at('project', 'vfs-verify.config.json');

test('it is found upward from the working directory', async () => {
  await writeFile(json(), '{ "host": "hv1", /* a comment */ }');
  expect(await findConfig(at('project', 'deep', 'deeper'))).toEqual({
    file: json(),
    config: { host: 'hv1' },
  });
});

test('the nearest counts, whatever its form', async () => {
  const nearer = at('project', 'deep', 'vfs-verify.config.ts');
  await writeFile(nearer, 'const host: string = "hv2";\nexport default { host };');
  expect(await findConfig(at('project', 'deep', 'deeper'))).toEqual({
    file: nearer,
    config: { host: 'hv2' },
  });
  await rm(nearer);
});

test('an empty file is a mistake, and does not make the one above it count', async () => {
  const empty = at('project', 'deep', 'vfs-verify.config.json');
  await writeFile(empty, '');
  await expect(findConfig(at('project', 'deep'))).rejects.toMatchObject({
    code: 'bad-config',
    message: expect.stringContaining(`${empty}:1:1: the file is empty`),
  });
  await rm(empty);
});

test('a file that everybody may write is not taken unless it is named', async () => {
  await chmod(json(), 0o666);
  await expect(findConfig(at('project'))).rejects.toMatchObject({ code: 'config-not-yours' });
  expect((await loadConfig(json())).config).toEqual({ host: 'hv1' });
});

test('a module that everybody may write is refused before a line of it has run', async () => {
  const module = at('project', 'deep', 'vfs-verify.config.mjs');
  const trace = at('it-has-run');
  await writeFile(
    module,
    `import { writeFileSync } from 'node:fs';\nwriteFileSync(${JSON.stringify(trace)}, '');\nexport default {};`,
  );
  await chmod(module, 0o666);
  await expect(findConfig(at('project', 'deep'))).rejects.toMatchObject({ code: 'config-not-yours' });
  await expect(access(trace)).rejects.toMatchObject({ code: 'ENOENT' });
  await loadConfig(module);
  await access(trace);
  await rm(module);
});

test('a file that is named must be there', async () => {
  await expect(loadConfig(at('none.json'))).rejects.toMatchObject({
    code: 'no-config',
    message: expect.stringContaining('ENOENT'),
  });
});

import { readdirSync, readFileSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { NoOperationTraceWriter, parseWorkflow } from '@actions/workflow-parser';
import { execa } from 'execa';
import { Job } from 'kubernetes-models/batch/v1';
import { Role, RoleBinding } from 'kubernetes-models/rbac.authorization.k8s.io/v1';
import { Pod, ServiceAccount } from 'kubernetes-models/v1';
import { describe, expect, it } from 'vitest';
import { parse, parseAllDocuments } from 'yaml';
import { wholeProgram } from '../../src/cli/whole-program.ts';

const program = fileURLToPath(new URL('../../bin/vfs-verify.js', import.meta.url));
const folder = fileURLToPath(new URL('../../examples/', import.meta.url));
const read = (name: string) => readFileSync(path.join(folder, name), 'utf8');

/** Our commands in what a YAML file holds: lists of words, and lines of a shell. */
function* commandsIn(value: unknown): Generator<readonly string[]> {
  if (typeof value === 'string') {
    for (const line of value.replaceAll('\\\n', ' ').split('\n'))
      if (/^vfs-verify /.test(line.trim())) yield line.trim().split(/\s+/);
  } else if (Array.isArray(value)) {
    if (value[0] === 'vfs-verify') yield value.map(String);
    else for (const each of value) yield* commandsIn(each);
  } else if (typeof value === 'object' && value !== null)
    for (const each of Object.values(value)) yield* commandsIn(each);
}

describe('an example of a pipeline', () => {
  it.each(readdirSync(folder))('%s calls vfs-verify by flags that it has', (name) => {
    const commands = parseAllDocuments(read(name)).flatMap((each) => [...commandsIn(each.toJS())]);
    expect(commands.length).toBeGreaterThan(0);
    for (const [, called, ...words] of commands) {
      const command = wholeProgram().commands.find((each) => each.name() === called);
      expect(command, `vfs-verify ${called}`).toBeDefined();
      const flags = words.filter((word) => word.startsWith('--')).map((word) => word.split('=')[0]);
      expect(flags.filter((flag) => !command?.options.some(({ long }) => long === flag))).toEqual([]);
    }
  });

  it('for GitHub Actions is one that its parser takes', () => {
    const parsed = (content: string) =>
      parseWorkflow(
        { name: 'example.yml', content },
        new NoOperationTraceWriter(),
      ).context.errors.getErrors();
    expect(parsed(read('github-actions.yml')).map(({ message }) => message)).toEqual([]);
    expect(parsed('on: push\njobs:\n  one:\n    runs_on: x\n')).not.toEqual([]);
  });

  it('for Kubernetes fits the schema of each kind', () => {
    const kinds = { Job, Role, RoleBinding, Pod, ServiceAccount };
    const manifests = parseAllDocuments(read('kata-share.yaml')).map(
      (each) => each.toJS() as { kind: keyof typeof kinds },
    );
    expect(manifests.map(({ kind }) => kind).sort()).toEqual(Object.keys(kinds).sort());
    for (const manifest of manifests) new kinds[manifest.kind](manifest as never).validate();
    expect(() => new Job({ spec: { template: 3 } } as never).validate()).toThrow();
  });

  it('for Kubernetes has one directory of the node in the pod and in the job', () => {
    const [pod, job] = (['Pod', 'Job'] as const).map((kind) =>
      parseAllDocuments(read('kata-share.yaml'))
        .map((each) => each.toJS())
        .find((each) => each.kind === kind),
    );
    const volumes = [pod.spec, job.spec.template.spec].map((spec) => spec.volumes[0].hostPath.path);
    expect(new Set(volumes).size).toBe(1);
    const [command] = [...commandsIn(job)];
    const mounts = [pod.spec, job.spec.template.spec].map(
      (spec) => spec.containers[0].volumeMounts[0].mountPath,
    );
    expect(command).toContain(`${mounts[0]}=${mounts[1]}`);
    expect(command).toContain(`exec:kubectl exec -i ${pod.metadata.name} --`);
  });

  // `kubectl` is a program that runs on this machine what it is told to run in the pod; the directory
  // of the node is one here.
  it('for Kubernetes runs, with a program in the place of kubectl', async () => {
    const work = await mkdtemp(path.join(tmpdir(), 'vfs-verify-kata-'));
    try {
      const manifests = parseAllDocuments(read('kata-share.yaml')).map((each) => each.toJS());
      const [[, , ...given] = []] = [...commandsIn(manifests.find(({ kind }) => kind === 'Job'))];
      const kubectl =
        '#!/bin/sh\n[ "$1 $2 $3 $4" = "exec -i kata-share --" ] || exit 9\nshift 4\nexec "$@"\n';
      await writeFile(path.join(work, 'kubectl'), kubectl, { mode: 0o755 });
      await mkdir(path.join(work, 'share'));
      const words = given.map((word) =>
        word
          .replaceAll('/share', path.join(work, 'share'))
          .replace('/dev/termination-log', path.join(work, 'message')),
      );
      const { exitCode, stdout } = await execa(process.execPath, [program, 'check', 'md5', ...words], {
        env: { PATH: `${work}:${process.env.PATH}` },
        reject: false,
        timeout: 90_000,
      });
      expect(stdout).toContain('md5');
      expect(exitCode).toBe(0);
      expect(await readFile(path.join(work, 'message'), 'utf8')).toContain('every promise was kept');
    } finally {
      await rm(work, { recursive: true, force: true });
    }
  }, 100_000);

  it('for GitLab takes a share that could not be judged for a warning, and shows the JUnit report', () => {
    const { coherence } = parse(read('gitlab-ci.yml'));
    expect(coherence.allow_failure).toEqual({ exit_codes: 2 });
    expect(coherence.script.join(' ')).toContain(`junit=${coherence.artifacts.reports.junit}`);
  });

  it('for Ansible gathers every report before it fails', () => {
    const [{ tasks }] = parse(read('ansible-playbook.yml')) as [{ tasks: Record<string, unknown>[] }];
    const modules = tasks.map((task) => Object.keys(task).find((key) => key.startsWith('ansible.builtin.')));
    expect(modules).toEqual(
      ['command', 'command', 'fetch', 'assert'].map((name) => `ansible.builtin.${name}`),
    );
  });
});

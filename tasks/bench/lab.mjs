import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { endOnSignals, run, TaskError } from '../child.mjs';
import { root } from '../lock.mjs';

/** @param {readonly string[]} args */
export const vfsVerify = (args) => [process.execPath, join(root, 'bin', 'vfs-verify.js'), ...args];

/**
 * Brings a lab of this bench's own up, and down again whatever happens.
 * @template T
 * @param {(info: import('../../src/lab/info.ts').LabInfo) => Promise<T>} story
 * @returns {Promise<T>}
 */
export async function withLab(story) {
  const name = `bench-${process.pid}`;
  const down = async () => void (await run(vfsVerify(['lab', 'down', '--name', name])));
  endOnSignals(down);
  try {
    const up = await run(vfsVerify(['lab', 'up', '--name', name, '--json']));
    if (up.status !== 0) throw new TaskError(`The lab did not come up:\n${up.output}`);
    return await story(JSON.parse(up.stdout));
  } finally {
    await down();
  }
}

/**
 * OpenSSH's client with the lab's own key and host key: what a user without vfs-verify would use.
 * @param {import('../../src/lab/info.ts').LabInfo} info
 * @param {string} command for the guest's shell
 */
export function plainSsh({ ssh }, command) {
  const options = [
    ...['-F', 'none', '-i', ssh.keyFile, '-p', `${ssh.port}`],
    ...['-o', 'IdentitiesOnly=yes', '-o', 'BatchMode=yes'],
    ...['-o', `UserKnownHostsFile=${ssh.knownHostsFile}`, '-o', 'StrictHostKeyChecking=yes'],
  ];
  return ['ssh', ...options, `${ssh.user}@${ssh.host}`, command];
}

/**
 * A process's peak resident memory in bytes; undefined once it is gone.
 * @param {number} pid
 */
export function peakMemory(pid) {
  try {
    const kib = /VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
    return kib === undefined ? undefined : Number(kib) * 1024;
  } catch {
    return undefined;
  }
}

import { createHash } from 'node:crypto';
import {
  accessSync,
  constants,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { execa } from 'execa';
import { type GuestImage, guestImage } from './guest/image.ts';
import { consoleWord, trialWord } from './guest/scripts.ts';
import { currentBootId } from './journal.ts';
import { cacheDirectory } from './places.ts';
import { kernelIn } from './programs/kernel.ts';
import { type Programs, programKey } from './programs/programs.ts';
import type { OnProgress } from './progress.ts';
import { machineOptions } from './vm/qemu-options.ts';

/** Where KVM works, the kernel's first words come within 0.3 s. */
const firstWordsMs = 2500;
const limitMs = 6000;

/**
 * Whether KVM can be used: only after a guest has booted with it, since there are machines where /dev/kvm
 * opens and the guest then spins for ever. The answer is kept for this boot of the machine and this QEMU.
 */
export async function chooseAccelerator(programs: Programs, onProgress: OnProgress): Promise<'tcg' | 'kvm'> {
  try {
    accessSync('/dev/kvm', constants.R_OK | constants.W_OK);
  } catch {
    return 'tcg';
  }
  const key = createHash('sha256')
    .update(JSON.stringify([currentBootId(), programKey(programs.qemu), programs.tree.root]))
    .digest('hex')
    .slice(0, 16);
  const answers = join(cacheDirectory(), 'accelerator');
  const answerFile = join(answers, key);
  if (existsSync(answerFile)) return readFileSync(answerFile, 'utf8') === 'kvm' ? 'kvm' : 'tcg';
  // With the lab's own kernel: one of the user's that does not boot would say nothing about KVM.
  const image = await guestImage({ ...programs, kernel: kernelIn(programs.tree.root) }, onProgress);
  onProgress({ text: `trying KVM for at most ${limitMs / 1000} s` });
  const began = performance.now();
  mkdirSync(answers, { recursive: true });
  const booted = await bootsWithKvm(programs, image, answers);
  const tookMs = Math.round(performance.now() - began);
  onProgress({
    text: booted
      ? 'a guest boots with KVM'
      : 'no guest boots with KVM here; the lab runs under emulation (TCG)',
    tookMs,
  });
  const answer = booted ? 'kvm' : 'tcg';
  writeFileSync(answerFile, answer);
  return answer;
}

/** @param answers where there is room for its console. */
async function bootsWithKvm({ qemu }: Programs, image: GuestImage, answers: string): Promise<boolean> {
  const directory = mkdtempSync(join(answers, 'trial-'));
  const log = join(directory, 'console.log');
  const [program = '', ...words] = qemu.argv;
  const options = [
    ...machineOptions('kvm'),
    ...['-m', '256M'],
    ...['-kernel', image.kernel, '-initrd', image.initramfs],
    ...['-append', `console=ttyS0 earlyprintk=ttyS0 panic=-1 lsm= ${trialWord}`],
    ...['-serial', `file:${log}`],
  ];
  const vm = execa(program, [...words, ...options], {
    stdio: 'ignore',
    reject: false,
    timeout: limitMs,
    killSignal: 'SIGKILL',
  });
  let ended = false;
  vm.then(
    () => {
      ended = true;
    },
    () => {
      ended = true;
    },
  );
  const said = () => (existsSync(log) ? readFileSync(log, 'latin1') : '');
  const began = performance.now();
  try {
    while (!ended) {
      await sleep(50);
      const text = said();
      if (text.includes(`${consoleWord} ready`)) return true;
      if (performance.now() - began > firstWordsMs && !text.includes('Linux version')) return false;
    }
    return said().includes(`${consoleWord} ready`);
  } finally {
    vm.kill('SIGKILL');
    await vm;
    rmSync(directory, { recursive: true, force: true });
  }
}

import type { Pseudonyms } from './pseudonyms.ts';
import { scrubbed } from './text.ts';

/** Lines that have to do with shares, their devices, memory and disks, or with the kernel's own trouble. */
const telling =
  /fuse|virtio|9p|\bdax\b|cachestat|BUG|Oops|WARNING|Call Trace|RIP:|panic|hung|blocked for|stall|rcu|page fault|protection fault|I\/O error|EXT4|XFS|BTRFS|ext4|xfs|btrfs|[\w.]+\+0x[0-9a-f]+\/0x|Linux version|cut here|end trace/;
/** What the registers and the code held may be anybody's bytes. */
const bytesOfMemory = /\b(?:Code|(?!RIP)R[A-Z0-9]{2}|EFLAGS|CR\d|PKRU|[FGDE]S): *[0-9a-f(]/;
const symbol = /[\w.]+\+0x[0-9a-f]+\/0x[0-9a-f]+/g;
const address = /\b(?:0x)?[0-9a-f]{8,16}\b/g;

/** Words of the kernel's own messages, beside those that the program has itself. */
const ofKernel = new Set(
  `bug oops warning call trace rip unable to handle kernel null pointer dereference page fault at in on by is not
  tainted comm cpu pid hardware name cut here end begin task blocked for more than seconds rcu stall detected panic
  supervisor read write access user mode error code present pgd pud pmd pte smp nopti preempt modules linked linux
  version info hung timeout disables this message echo sys virtio fuse dax ext xfs btrfs loop sector dev block lost
  async mount mounted filesystem unmounting remounting general protection fault irq softirq syscall entry exit ret
  asm do el svc handler thread kthread work worker process pc lr sp dead alive state stack ppid flags`.split(
    /\s+/,
  ),
);

/**
 * The lines of a kernel's log that say something of a share, without names and without what memory held: a word that
 * neither we nor the kernel's messages are known to have becomes a pseudonym.
 */
export function redactedKernelLog(text: string, names: Pseudonyms, words: ReadonlySet<string>): string {
  const known = (word: string) => words.has(word) || ofKernel.has(word);
  return text
    .split('\n')
    .filter((line) => telling.test(line) && !bytesOfMemory.test(line))
    .map((line) => {
      // A kernel's symbol is public; its words are not English.
      const symbols: string[] = [];
      const held = line.replaceAll(
        symbol,
        (found) => `\uF000${String.fromCharCode(0xf001 + symbols.push(found) - 1)}`,
      );
      return scrubbed(held.replaceAll(address, '0'), names, known).replaceAll(
        /\uF000([\s\S])/g,
        (_, mark: string) => symbols[mark.charCodeAt(0) - 0xf001] ?? '',
      );
    })
    .join('\n');
}

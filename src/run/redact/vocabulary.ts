import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

/** The program and its checks, as built or as written. */
const folders = ['../..', '../../../checks'].map((up) => fileURLToPath(new URL(up, import.meta.url)));

/** What versions of kernels and packages are made of. */
const ofVersions =
  'deb debian bpo ubuntu el fc rhel centos alpine arch gentoo suse amd arm aarch x86 i686 generic lts cloud virt rc git rt dirty smp preempt dynamic hwe';

/**
 * The words that the program itself has in its texts, in lower case. A word of free text that is not among them may
 * be a name of the user's, and nobody can tell.
 */
export async function ownWords(): Promise<ReadonlySet<string>> {
  const words = new Set(ofVersions.split(' '));
  for (const folder of folders) {
    const names = await readdir(folder, { recursive: true });
    for (const name of names.filter((each) => /(?<!\.d)\.(js|ts)$/.test(each))) {
      const text = await readFile(path.join(folder, name), 'utf8');
      // Texts only: a comment is never printed, and an example in one may have a name in it.
      for (const [quoted] of text.matchAll(/'(?:[^'\\\n]|\\.)*'|"(?:[^"\\\n]|\\.)*"|`(?:[^`\\]|\\.)*`/g))
        for (const [word] of quoted.matchAll(/\p{L}+/gu)) words.add(word.toLowerCase());
    }
  }
  return words;
}

import { packageVersion } from '../version.ts';
import { wholeProgram } from '../whole-program.ts';
import { factsOf } from './facts.ts';
import { indexOf, pageOf } from './markdown.ts';
import { manualPage } from './roff.ts';

/** vfs-verify(1), for `npm run build`. */
export function manual(): string {
  return manualPage(factsOf(wholeProgram()), packageVersion());
}

/**
 * The pages in docs/commands as they should be: file's name → text.
 * @param read a page as it is; undefined where there is none.
 */
export function commandPages(read: (name: string) => string | undefined): ReadonlyMap<string, string> {
  const root = factsOf(wholeProgram());
  const pages = root.commands.map(
    (each) => [`${each.name}.md`, pageOf(each, read(`${each.name}.md`))] as const,
  );
  return new Map([...pages, ['README.md', indexOf(root)]]);
}

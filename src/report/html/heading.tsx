import type { Child } from 'hono/jsx';

/** Where a part of the page stands: the whole page's, or one guest's below its name. */
export interface Place {
  /** Before the part's own addresses: `guest.web-`. */
  readonly prefix: string;
  readonly level: 2 | 3;
}

/** The parts of the whole page. */
export const wholePage: Place = { prefix: '', level: 2 };

/** A title of a level. */
export function Heading({ level, id, children }: { level: 2 | 3 | 4; id?: string; children: Child }) {
  const Tag = `h${level}` as const;
  return <Tag {...(id === undefined ? {} : { id })}>{children}</Tag>;
}

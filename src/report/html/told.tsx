import { raw } from 'hono/html';
import type { Child } from 'hono/jsx';
import { printable } from '../printable.ts';

/** One labelled line of evidence; nothing where there is nothing to tell. */
export function Told({ label, children }: { label: string; children?: Child }) {
  if (children === undefined || children === null || children === '') return null;
  return (
    <div>
      <dt>{label}</dt>
      <dd>{children}</dd>
    </div>
  );
}

/** A command to copy: one click or tap selects all of it. */
export function Command({ children }: { children: string }) {
  return (
    <pre class="command">
      <code>{printable(children)}</code>
    </pre>
  );
}

/** A path or another name, broken anywhere. */
export function Name({ children }: { children: string }) {
  return <code class="name">{children}</code>;
}

/** A mode's name, which may be broken after its signs. */
export function ModeName({ mode }: { mode: string }) {
  const parts = printable(mode).split(/(?<=[+:])/);
  return (
    <span class="mode-name">
      {parts.map((part, index) => (
        <>
          {index > 0 ? <wbr /> : null}
          {part}
        </>
      ))}
    </span>
  );
}

/**
 * A plot with its words. The plot itself is hidden from screen readers: the caption and the table beside it
 * say the same.
 * @param svg from plots.ts, whose library escapes what it draws.
 */
export function Figure({ svg, children }: { svg: string; children: Child }) {
  return (
    <figure>
      <figcaption>{children}</figcaption>
      {raw(svg)}
    </figure>
  );
}

/** A bar for a share of 0 to 1. Its width is an attribute: the page's policy forbids inline style. */
export function ShareBar({ share, color }: { share: number; color: string }) {
  const width = share > 0 ? Math.max(0.6, 100 * share) : 0;
  return (
    <svg class="bar" viewBox="0 0 100 8" preserveAspectRatio="none" aria-hidden="true" focusable="false">
      <rect class="bar-ground" width="100" height="8" />
      <rect width={width.toFixed(2)} height="8" fill={color} />
    </svg>
  );
}

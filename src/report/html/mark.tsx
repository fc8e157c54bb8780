import type { Look } from './words.ts';

/** Drawn, not typed: a symbol of a font may be missing, or come as a coloured picture. */
const shapes: Readonly<Record<Look, string>> = {
  pass: 'M3.5 8.5 6.7 11.7 12.5 4.8',
  stale: 'M14 8a6 6 0 1 1-12 0a6 6 0 0 1 12 0 M8 4.6V8l2.4 1.7',
  fail: 'M4 4 12 12 M12 4 4 12',
  known: 'M4 4 12 12 M12 4 4 12 M2 14.4H14',
  unknown: 'M5.2 6a2.8 2.8 0 1 1 4 2.5c-.9.45-1.2.9-1.2 1.7 M8 12.9v.1',
  skip: 'M4 8H12',
};

/** The marks' shapes, once for the page. */
export function MarkShapes() {
  return (
    <svg class="shapes" aria-hidden="true" focusable="false">
      {Object.entries(shapes).map(([look, path]) => (
        <symbol id={`mark-${look}`} viewBox="0 0 16 16">
          <path d={path} />
        </symbol>
      ))}
    </svg>
  );
}

/** A verdict's symbol, beside its word. */
export function Mark({ look }: { look: Look }) {
  return (
    <svg class={`mark ${look}`} aria-hidden="true" focusable="false">
      <use href={`#mark-${look}`} />
    </svg>
  );
}

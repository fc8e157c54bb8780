import type { CommandFacts, Term } from './facts.ts';

// The part of a page in docs/commands that the program itself tells. What is around it is written by hand.
const begin = '<!-- What follows is from the program: npm run docs -->';
const end = '<!-- End of what is from the program -->';

/**
 * A command's page with its usage as the program tells it now. A page that has no place for it gets it at its end; a
 * command that has no page gets one.
 */
export function pageOf(facts: CommandFacts, page: string | undefined): string {
  const usage = `${begin}\n\n${usageOf(facts)}\n\n${end}`;
  if (page === undefined) return `# vfs-verify ${facts.name}\n\n${sentence(facts.description)}\n\n${usage}\n`;
  const [from, to] = [page.indexOf(begin), page.indexOf(end)];
  if (from < 0 || to < from) return `${page.trimEnd()}\n\n${usage}\n`;
  return `${page.slice(0, from)}${usage}${page.slice(to + end.length)}`;
}

/** The list of all pages. */
export function indexOf(root: CommandFacts): string {
  const rows = root.commands.map(({ name, description }) => ({
    term: `[${name}](${name}.md)`,
    means: sentence(description),
  }));
  return [
    '# The commands',
    begin,
    table('command', rows),
    `${sentence(root.description)} Flags of \`vfs-verify\` itself:`,
    flagsOf(root),
    end,
    '',
  ]
    .join('\n\n')
    .trimEnd()
    .concat('\n');
}

function usageOf(facts: CommandFacts): string {
  const { usage, commands } = facts;
  if (commands.length > 0) {
    const parts = commands.map(
      (each) => `### vfs-verify ${each.name}\n\n${sentence(each.description)}\n\n${usageOf(each)}`,
    );
    return parts.join('\n\n');
  }
  const given = facts.arguments.length === 0 ? [] : [table('argument', facts.arguments.map(asCode))];
  return [`\`\`\`text\n${usage}\n\`\`\``, ...given, flagsOf(facts)].join('\n\n');
}

function flagsOf({ flags }: CommandFacts): string {
  return table('flag', flags.map(asCode));
}

function asCode({ term, means }: Term): Term {
  return { term: `\`${term}\``, means };
}

/** A table with its columns in line, as the formatter would have it. */
function table(heading: string, rows: readonly Term[]): string {
  const cells = [
    [heading, 'means'],
    ...rows.map(({ term, means }) => [inCell(term), term.startsWith('[') ? means : inCell(literal(means))]),
  ];
  const widths = [0, 1].map((column) => Math.max(...cells.map((row) => row[column]?.length ?? 0)));
  const line = (row: readonly string[], fill: string) =>
    `| ${widths.map((width, column) => (row[column] ?? '').padEnd(width, fill)).join(' | ')} |`;
  const [head = [], ...body] = cells;
  return [line(head, ' '), line([], '-'), ...body.map((row) => line(row, ' '))].join('\n');
}

function inCell(text: string): string {
  return text.replaceAll('|', '\\|');
}

/** What Markdown would take for its own. */
function literal(text: string): string {
  return text.replaceAll(/[*_<]/g, (mark) => `\\${mark}`);
}

function sentence(text: string): string {
  const first = text.slice(0, 1).toUpperCase() + text.slice(1);
  return /[.!?]$/.test(first) ? first : `${first}.`;
}

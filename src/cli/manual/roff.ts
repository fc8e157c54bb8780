import type { CommandFacts, Term } from './facts.ts';

const exitStatus: readonly Term[] = [
  { term: '0', means: 'it holds' },
  { term: '1', means: 'it differs, or is broken' },
  { term: '2', means: 'could not tell; also bad usage' },
  { term: '3', means: 'a defect of vfs-verify itself' },
];

/**
 * The manual page vfs-verify(1), from what the program's own help says.
 * @param version the program's.
 */
export function manualPage(root: CommandFacts, version: string): string {
  const lines = [
    `.TH VFS\\-VERIFY 1 "" "vfs\\-verify ${version}" "User Commands"`,
    '.SH NAME',
    `vfs\\-verify \\- ${plain('verifies that a directory shared between a host and its guests is coherent')}`,
    '.SH SYNOPSIS',
    ...root.commands.flatMap((each) => (each.commands.length > 0 ? each.commands : [each])).flatMap(synopsis),
    '.SH DESCRIPTION',
    paragraph(root.description),
    '.SH OPTIONS',
    ...root.flags.flatMap(item),
    '.SH COMMANDS',
    ...root.commands.flatMap(section),
    '.SH EXIT STATUS',
    ...exitStatus.flatMap(item),
    '.PP',
    paragraph(
      'explain, lab exec and lab ssh end with the status of the program that they ran. Commands that only report end with 0 when they could answer.',
    ),
    '.SH SEE ALSO',
    paragraph('The folder docs of the package, which begins with docs/tutorial.md.'),
  ];
  return `${lines.join('\n')}\n`;
}

function synopsis({ usage }: CommandFacts): string[] {
  const [program = '', ...rest] = usage.split(' ');
  return [`.B ${plain(program)}`, plain(rest.join(' ')), '.br'];
}

function section(facts: CommandFacts): string[] {
  const own = [
    `.SS ${plain(`vfs-verify ${facts.name}`)}`,
    paragraph(facts.description),
    ...[...facts.arguments, ...facts.flags].flatMap(item),
  ];
  return facts.commands.length === 0 ? own : [...own.slice(0, 2), ...facts.commands.flatMap(section)];
}

function item({ term, means }: Term): string[] {
  return ['.TP', `.B ${plain(term)}`, paragraph(means)];
}

function paragraph(text: string): string {
  const end = /[.!?]$/.test(text) ? text : `${text}.`;
  // A sentence ends a line, so that roff spaces it as it should.
  return plain(end.slice(0, 1).toUpperCase() + end.slice(1)).replaceAll(/([.!?]) (?=[A-Z])/g, '$1\n');
}

/** Text that roff takes for nothing else: no control line, no escape, every character one that it knows. */
function plain(text: string): string {
  return text
    .replaceAll('\\', '\\e')
    .replaceAll('-', '\\-')
    .replaceAll(
      /[^\x20-\x7e]/gu,
      (mark) => `\\[u${mark.codePointAt(0)?.toString(16).toUpperCase().padStart(4, '0')}]`,
    )
    .replace(/^(?=[.'])/, '\\&');
}

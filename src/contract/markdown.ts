import { flags } from './flags.ts';
import type { Row } from './row.ts';
import { rows } from './rows.ts';
import { describeCondition, linesOf } from './words.ts';

const head = `# The contract: what each mode promises

Generated from the data in \`src/contract\` by \`vfs-verify contract --markdown\`; do not edit.

A **scenario** is who does what. For each it is written what the other side may then see, by mode, why, and
where in the kernel's or the daemon's sources that can be read. *Stale* is permitted up to its bound and never
required, and stale bytes equal an earlier version of their page: anything else is wrong in every mode. A
scenario, mode, flag or version that is not here is \`unknown\` to a check, not a pass.

Modes are named as on the command line. What is said of \`never\`, \`auto\` and \`always\` holds for the C daemon's
\`c:none\`, \`c:auto\` and \`c:always\` where they have no line of their own, but for lines with a version of
virtiofsd; \`9p:fscache\` is as \`9p:loose\`;
\`never\` and \`metadata\` with writeback are as without it where they have no line of their own. \`local:bind\` is
no guest at all: both views are mounts of one superblock in one kernel (a bind mount into a container), whatever is
said below of requests and daemons; its reasons and sources are those of one page cache and one inode. Bounds count
from the guest's last refresh of that attribute or name; to what a check measures, a round trip of one request
and one tick of the guest's clock are added.
`;

/** docs/contract.md: every row as a table, and an index before them. */
export function contractMarkdown(): string {
  const topics = groupByTopic();
  const index = [...topics].map(
    ([topic, members]) =>
      `- ${topic}: ${members.map(({ scenario }) => `[${variantOf(scenario)}](#${anchorOf(scenario)})`).join(', ')}`,
  );
  return [head, '## Index\n', `${index.join('\n')}\n`, ...rows.map(section), options()].join('\n');
}

function groupByTopic(): ReadonlyMap<string, readonly Row[]> {
  const topics = new Map<string, Row[]>();
  for (const row of rows) {
    const topic = row.scenario.split('/')[0] as string;
    topics.set(topic, [...(topics.get(topic) ?? []), row]);
  }
  return topics;
}

function variantOf(scenario: string): string {
  return scenario.includes('/') ? scenario.slice(scenario.indexOf('/') + 1) : scenario;
}

/** As GitHub makes them: lower case, slashes dropped. */
function anchorOf(scenario: string): string {
  return scenario.replaceAll('/', '');
}

function section(row: Row): string {
  const table = linesOf(row).map(
    ({ columns, condition, promise }) =>
      `| ${columns.map((column) => `\`${column}\``).join(', ')} | ${condition ?? ''} | ${promise} |`,
  );
  const conditional = (row.variants ?? [])
    .filter(({ because }) => because !== undefined)
    .map(({ when, because, sources }) => {
      const where = sources === undefined ? '' : ` (${sources.join('; ')})`;
      return `- ${describeCondition(when)}: ${because}${where}`;
    });
  return [
    `## ${row.scenario}\n`,
    `${capital(row.title)}.\n`,
    '| modes | only | promise |',
    '| --- | --- | --- |',
    ...table,
    '',
    `${row.because}\n`,
    ...(conditional.length === 0 ? [] : [`${conditional.join('\n')}\n`]),
    `Sources: ${row.sources.join('; ')}\n`,
  ].join('\n');
}

/** What each option of a daemon does to the promises. */
function options(): string {
  const lines = Object.entries(flags).flatMap(([server, known]) =>
    Object.entries(known).map(([flag, { changes, words }]) => {
      const what =
        changes === 'columns'
          ? 'modes of their own above'
          : changes === 'rows'
            ? 'the rows that name it'
            : 'no promise';
      return `| \`${server === 'rust' ? '' : `${server}:`}…+${flag}\` | ${what} | ${words} |`;
    }),
  );
  return [
    '## options\n',
    'Options of the daemons, and what differs with them. With any other one every promise is unknown.\n',
    '| option | changes | how |',
    '| --- | --- | --- |',
    ...lines,
    '',
  ].join('\n');
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

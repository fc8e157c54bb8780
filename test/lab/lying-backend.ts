import { writeFile } from 'node:fs/promises';
import { parseMode } from '../../src/model/mode.ts';
import { backend } from './backend.ts';

/** The lab's own backend in one mode, with faults (src/lab/backend/README.md) and further options of its own. */
export interface Liar {
  /** never, metadata, auto, always. */
  readonly policy: string;
  /** `write-drop lookup-gone=2`; none: it is honest. */
  readonly faults?: string;
  /** `--writeback`, of which the mode's name says nothing. */
  readonly options?: string;
}

/**
 * Writes one program that is all of these daemons: given as `--virtiofsd`, one lab serves each in a mode of its
 * own. The size of a thread pool tells them apart, which the backend does not have and no guest can see.
 */
export async function writeLiars(script: string, liars: readonly Liar[]): Promise<void> {
  const branches = liars.map(
    ({ faults = '', options = '' }, index) =>
      `  ${poolOf(index)}) VFS_BACKEND_FAULT='${faults}' exec '${backend}' ${options} "$@" ;;`,
  );
  const text = [
    '#!/bin/sh',
    'pool=',
    'for word do',
    '  shift',
    '  case $word in',
    '  --thread-pool-size=*) pool=$(echo "$word" | cut -d= -f2) ;;',
    '  *) set -- "$@" "$word" ;;',
    '  esac',
    'done',
    'case $pool in',
    ...branches,
    `  *) exec '${backend}' "$@" ;;`,
    'esac',
    '',
  ];
  await writeFile(script, text.join('\n'), { mode: 0o755 });
}

/** The mode in which a lab with that program is served by the liar with this index. */
export function modeOfLiar({ policy }: Liar, index: number): string {
  return parseMode(`${policy}+thread-pool-size=${poolOf(index)}`).name;
}

/** Two digits, so that none begins with another. */
function poolOf(index: number): number {
  return 10 + index;
}

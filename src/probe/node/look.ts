import { lstat, readdir, readlink, stat } from 'node:fs/promises';
import type { Look, Seen, StatField } from '../../model/observation.ts';
import type { Stat } from '../../model/operation.ts';
import { pathFromBytes, pathToBytes } from '../../model/path.ts';
import { openAt, readAt, unknownFlag } from './files.ts';
import { statOf } from './stat.ts';
import { absolute, held, refusalOf, type Work } from './work.ts';

const usualFields: readonly StatField[] = ['size', 'mtimeNs', 'mode', 'nlink', 'ino'];

/** What of a look plain node cannot see; undefined: nothing. */
export function lackingLook(look: Look): string | undefined {
  switch (look.see) {
    case 'load':
      return 'a mapping';
    case 'getxattr':
      return 'extended attributes';
    case 'pages':
      return 'the state of pages';
    case 'lock':
      return 'locks';
    case 'read':
      return look.how === undefined || look.how === 'read' ? undefined : `read by ${look.how}`;
    case 'content':
      return unknownFlag(look.flags ?? []);
    default:
      return undefined;
  }
}

/** One look: a refusal is something seen too. */
export async function see(look: Look, work: Work): Promise<Seen> {
  try {
    return await seen(look, work);
  } catch (error) {
    return { ...refusalOf(error) };
  }
}

async function seen(look: Look, work: Work): Promise<Seen> {
  switch (look.see) {
    case 'stat': {
      const by = look.follow === true ? stat : lstat;
      return chosen(statOf(await by(absolute(look.path, work), { bigint: true })), look.fields);
    }
    case 'fstat':
      return chosen(statOf(await held(look.file, work).file.stat({ bigint: true })), look.fields);
    case 'name':
      return nameAt(absolute(look.path, work));
    case 'listed': {
      const names = await readdir(absolute(look.path, work), { encoding: 'buffer' });
      return { listed: names.some((each) => each.equals(pathToBytes(look.name))) };
    }
    case 'list': {
      const names = await readdir(absolute(look.path, work), { encoding: 'buffer' });
      return { names: names.length, fnv1a: sumOf(names.sort(Buffer.compare)) };
    }
    case 'read':
      return { ...(await readAt(held(look.file, work), look.offset, look.length)) };
    case 'content': {
      const opened = await openAt(look.path, look.flags ?? ['rdonly'], work);
      try {
        return { ...(await readAt(opened, look.offset, look.length)) };
      } finally {
        await opened.file.close();
      }
    }
    case 'readlink':
      return { target: pathFromBytes(await readlink(absolute(look.path, work), { encoding: 'buffer' })) };
    default:
      throw new Error(`plain node has no look "${look.see}"`);
  }
}

function chosen(from: Stat, fields: readonly StatField[] = usualFields): Seen {
  return Object.fromEntries(fields.map((each) => [each, from[each]]));
}

async function nameAt(path: Buffer): Promise<Seen> {
  try {
    return { exists: true, ino: `${(await lstat(path, { bigint: true })).ino}` };
  } catch (error) {
    if (refusalOf(error).errno === 'ENOENT') return { exists: false };
    throw error;
  }
}

/** FNV-1a (32 bit) over the names, each ended by a NUL. */
function sumOf(names: readonly Buffer[]): string {
  let sum = 0x811c9dc5;
  for (const name of names) for (const byte of [...name, 0]) sum = Math.imul(sum ^ byte, 0x01000193);
  return (sum >>> 0).toString(16).padStart(8, '0');
}

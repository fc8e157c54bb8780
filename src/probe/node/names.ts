import {
  chmod,
  link,
  lstat,
  mkdir,
  readdir,
  readlink,
  rename,
  rmdir,
  stat,
  statfs,
  symlink,
  truncate,
  unlink,
} from 'node:fs/promises';
import type { Operation, Stat } from '../../model/operation.ts';
import { pathFromBytes, pathToBytes } from '../../model/path.ts';
import { statfsOf, statOf } from './stat.ts';
import { absolute, type Work } from './work.ts';

type Named<K extends Operation['do']> = Extract<Operation, { do: K }>;

/** stat(2): the host's own file system has no attributes that are older than it, so `sync` means nothing here. */
export async function lookAt({ path, follow }: Named<'stat'>, work: Work): Promise<Stat> {
  const look = follow === true ? stat : lstat;
  return statOf(await look(absolute(path, work), { bigint: true }));
}

export async function list({ path, raw }: Named<'list'>, work: Work): Promise<{ names: string[] }> {
  const names = await readdir(absolute(path, work), { encoding: 'buffer' });
  return { names: (raw === true ? names : names.sort(Buffer.compare)).map(pathFromBytes) };
}

/** With the very bits that are asked for, as the probe makes it, which has no umask. */
export async function makeDirectory({ path, mode = 0o755 }: Named<'mkdir'>, work: Work): Promise<object> {
  const directory = absolute(path, work);
  await mkdir(directory, { mode });
  const made = Number((await lstat(directory)).mode & 0o7777);
  if ((made & 0o777) !== (mode & 0o777)) await chmod(directory, mode);
  return {};
}

export async function removeDirectory({ path }: Named<'rmdir'>, work: Work): Promise<object> {
  await rmdir(absolute(path, work));
  return {};
}

export async function removeName({ path }: Named<'unlink'>, work: Work): Promise<object> {
  await unlink(absolute(path, work));
  return {};
}

export async function renameTo({ path, to }: Named<'rename'>, work: Work): Promise<object> {
  await rename(absolute(path, work), absolute(to, work));
  return {};
}

export async function linkTo({ path, to }: Named<'link'>, work: Work): Promise<object> {
  await link(absolute(path, work), absolute(to, work));
  return {};
}

export async function makeLink({ target, path }: Named<'symlink'>, work: Work): Promise<object> {
  await symlink(Buffer.from(pathToBytes(target)), absolute(path, work));
  return {};
}

export async function targetOf({ path }: Named<'readlink'>, work: Work): Promise<{ target: string }> {
  return { target: pathFromBytes(await readlink(absolute(path, work), { encoding: 'buffer' })) };
}

export async function cut({ path, length }: Named<'truncate'>, work: Work): Promise<object> {
  await truncate(absolute(path, work), length);
  return {};
}

export async function changeMode({ path, mode }: Named<'chmod'>, work: Work): Promise<object> {
  await chmod(absolute(path, work), mode);
  return {};
}

export async function fileSystem({ path }: Named<'statfs'>, work: Work): Promise<object> {
  return statfsOf(await statfs(pathFromBytes(absolute(path, work))));
}

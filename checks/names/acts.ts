import type { Operation } from '../../src/model/operation.ts';
import { encoded } from './looks.ts';

/** A file that says a text, made anew and closed. */
export function file(path: string, text: string, mode = 0o644): readonly Operation[] {
  return [
    { do: 'open', path, flags: ['creat', 'excl', 'wronly'], mode, as: path },
    { do: 'write', file: path, offset: 0, base64: encoded(text) },
    { do: 'close', file: path },
  ];
}

/** Opens it for both and keeps it, under a handle that begins with the path: `f`, `f:again`. */
export function hold(handle: string): Operation {
  return { do: 'open', path: pathOf(handle), flags: ['rdwr'], as: handle };
}

/** Opens a directory and keeps it. */
export function holdDirectory(handle: string): Operation {
  return { do: 'open', path: pathOf(handle), flags: ['rdonly', 'directory'], as: handle };
}

export function closed(handle: string): Operation {
  return { do: 'close', file: handle };
}

/** More text at the end of a file. */
export function appended(path: string, text: string): readonly Operation[] {
  return [
    { do: 'open', path, flags: ['wronly', 'append'], as: `${path}:end` },
    { do: 'write', file: `${path}:end`, base64: encoded(text) },
    { do: 'close', file: `${path}:end` },
  ];
}

export function rename(path: string, to: string): Operation {
  return { do: 'rename', path, to };
}

export function unlink(path: string): Operation {
  return { do: 'unlink', path };
}

export function mkdir(path: string): Operation {
  return { do: 'mkdir', path };
}

/** The path of a handle. */
export function pathOf(handle: string): string {
  return handle.split(':')[0] ?? handle;
}

/** Whether a path is a directory, or below it. Both absolute, without a slash at the end. */
export function isInside(file: string, directory: string): boolean {
  return directory === '/' || file === directory || file.startsWith(`${directory}/`);
}

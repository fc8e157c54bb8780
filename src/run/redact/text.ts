import type { Pseudonyms } from './pseudonyms.ts';

const uuid = /\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b/gi;
const mac = /\b[0-9a-f]{2}(?:[:-][0-9a-f]{2}){5}\b/gi;
const ip6 = /(?<![\w:])(?=[0-9a-f:]*:[0-9a-f:]*:)[0-9a-f]{0,4}(?::[0-9a-f]{0,4}){2,7}(?:%\w+)?(?![\w:])/gi;
const ip4 = /(?<![\d.])(?:\d{1,3}\.){3}\d{1,3}(?![\d.])/g;
const login = /([\w.+-]+)@([\w.-]+)/g;
const absolute = /(?<![\w.])\/[^\s'"`,;:()[\]{}<>|]*/g;
const letters = /\p{L}[\p{L}\p{M}]*/gu;
const pseudonym = /^(?:n\d+|(?:name|host|user|ip|mac|uuid|word)-\d+)$/;

/**
 * Free text without names and addresses: what has the form of an address is one, what is known as a name is replaced
 * wherever it stands, and of the rest only words stay that the program itself has.
 * @param known words that may stay, in lower case.
 */
export function scrubbed(text: string, names: Pseudonyms, known: (word: string) => boolean): string {
  const kept: string[] = [];
  // What has been replaced is not looked at again: it stands as a character that no text has.
  const keep = (done: string) => `\uE000${kept.push(done) - 1}\uE001`;
  let left = text
    .replaceAll(uuid, (found) => keep(names.of('uuid', found.toLowerCase())))
    .replaceAll(mac, (found) => keep(names.of('mac', found.toLowerCase())))
    .replaceAll(ip4, (found) => keep(isVersion(text, found) ? found : names.of('ip', found)))
    .replaceAll(ip6, (found) => keep(/^:*$/.test(found) ? found : names.of('ip', found.toLowerCase())))
    .replaceAll(login, (_, user: string, host: string) =>
      keep(`${names.of('user', user)}@${pseudonym.test(host) ? host : names.of('host', host)}`),
    );
  for (const name of names.names)
    if (name.length > 2 && !known(name.toLowerCase()))
      left = left.replaceAll(name, () => keep(names.name(name)));
  left = left.replaceAll(absolute, (found) =>
    keep(names.path(found).replaceAll(/\uE000(\d+)\uE001/g, (_, at) => kept[Number(at)] ?? '')),
  );
  left = left.replaceAll(/\uE000\d+\uE001|[\p{L}\p{N}][\p{L}\p{M}\p{N}]*/gu, (word) => {
    if (word.startsWith('\uE000')) return word;
    if (isIdentifier(word)) return names.of('word', word);
    return word.replaceAll(letters, (each) =>
      each.length === 1 || known(each.toLowerCase()) ? each : names.of('word', each),
    );
  });
  while (left.includes('\uE000'))
    left = left.replaceAll(/\uE000(\d+)\uE001/g, (_, at) => kept[Number(at)] ?? '');
  return left;
}

/** A serial number, the id of a container: letters and digits in turns. `x86`, `deb13` and `ext4` are none. */
function isIdentifier(word: string): boolean {
  return word.length >= 6 && (word.match(letters)?.length ?? 0) >= 3;
}

/** `6.18.44.1` behind the word version is no address. */
function isVersion(text: string, found: string): boolean {
  return new RegExp(`version ${found.replaceAll('.', '\\.')}`).test(text);
}

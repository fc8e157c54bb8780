import { KnownError } from '../../model/error.ts';
import { optionBytes, optionSeconds } from '../fio-numbers.ts';
import { optionName } from '../fio-options.ts';

type Reader = (value: string) => string | undefined;

const flag: Reader = (value) => (value === '0' || value === '1' ? value : undefined);
const natural: Reader = (value) => (/^\d{1,15}$/.test(value) ? value : undefined);
const bytes: Reader = (value) => {
  // Several sizes, or one for reads and one for writes, are more than the runner has.
  const read = /[,:-]/.test(value) ? undefined : optionBytes(value);
  return read === undefined || read <= 0 ? undefined : String(Math.round(read));
};
const only =
  (...allowed: readonly string[]): Reader =>
  (value) =>
    allowed.includes(value) ? value : undefined;

/** fio's options that the probe's runner has, as `vfs-probe job` takes them. */
const options: ReadonlyMap<string, Reader> = new Map([
  ['name', (value: string) => value],
  ['rw', only('read', 'write', 'randread', 'randwrite', 'rw', 'readwrite', 'randrw')],
  ['bs', bytes],
  ['size', bytes],
  ['io_size', bytes],
  ['number_ios', natural],
  ['rwmixread', (value: string) => (Number(natural(value)) <= 100 ? value : undefined)],
  ['direct', flag],
  ['fsync', natural],
  ['fdatasync', natural],
  ['end_fsync', flag],
  ['runtime', nanoseconds],
  ['time_based', flag],
  ['ioengine', only('psync', 'mmap')],
  ['invalidate', flag],
  ['randseed', natural],
]);

/** What it does in any case, so that these words change nothing. */
const granted: ReadonlyMap<string, Reader> = new Map([
  ['numjobs', only('1')],
  ['iodepth', only('1')],
  ['thread', flag],
  ['group_reporting', flag],
  ['output_format', only('json', 'json+')],
]);

/**
 * The words of `vfs-probe job` for a job in fio's words: `fio --name=r --rw=randread …`, `rw=randread,bs=4k,…`.
 * @throws KnownError `bad-job` for what the probe's runner does not have: it never runs another job than was meant.
 */
export function probeJob(argv: readonly string[]): string[] {
  const words = argv[0] === 'fio' ? argv.slice(1) : argv;
  const said = new Map<string, string>();
  let files: readonly string[] = [];
  for (const [name, value] of words.flatMap(settings)) {
    if (name === 'filename') {
      files = value.split(/(?<!\\):/).map((each) => each.replaceAll('\\:', ':'));
      continue;
    }
    if (said.has(name)) throw badJob(`"${name}" is said twice: one job with one value of each`);
    const known = options.get(name) ?? granted.get(name);
    const read = known?.(value);
    if (known === undefined) throw badJob(`the probe's runner has no "${name}"`);
    if (read === undefined) throw badJob(`the probe's runner has no ${name}=${value}`);
    said.set(name, read);
  }
  if (files.length === 0 || files.includes('')) throw badJob('the job names no file (filename=PATH)');
  if (!said.has('size')) throw badJob('the job has no size (size=64m)');
  if (said.get('time_based') === '1' && !said.has('runtime') && !said.has('number_ios'))
    throw badJob('a job that is time_based has no end without a runtime (runtime=60)');
  const given = [...said].filter(([name]) => options.has(name)).map(([name, value]) => jobWord(name, value));
  return [...given, '--', ...files];
}

/** `runtime` goes in nanoseconds, and `readwrite` is fio's other name for `rw`. */
function jobWord(name: string, value: string): string {
  if (name === 'runtime') return `runtime_ns=${value}`;
  return `${name}=${name === 'rw' ? value.replace('readwrite', 'rw') : value}`;
}

function nanoseconds(value: string): string | undefined {
  const seconds = optionSeconds(value);
  return seconds === undefined || seconds <= 0 ? undefined : String(Math.round(seconds * 1e9));
}

/** `--rw=randread`, `rw=randread`, or several of the second form joined by commas; a name alone is a flag. */
function settings(word: string): (readonly [string, string])[] {
  const isOption = word.startsWith('--');
  const each = isOption ? [word.slice(2)] : word.split(/,(?=[a-z_]+=)/);
  return each.map((part) => {
    const at = part.indexOf('=');
    if (at < 0 && !isOption)
      throw badJob(`"${part}" is neither NAME=VALUE nor --NAME: job files are not read`);
    return at < 0 ? [optionName(part), '1'] : [optionName(part.slice(0, at)), part.slice(at + 1)];
  });
}

function badJob(what: string): KnownError {
  return new KnownError(
    'bad-job',
    what,
    `It has one job of ${[...options.keys(), 'filename'].sort().join(', ')}, as fio calls them; with fio in the guest any job runs.`,
  );
}

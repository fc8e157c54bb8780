import type { Conclusion } from '../../model/diagnosis.ts';
import { figure, type Stream } from '../stream.ts';
import { conclude, explainCommand, type Trial } from './trial.ts';

/** The engines of fio that read and write files by the kernel of the machine that it runs on. */
const ofFiles = new Set([
  ...[
    'dd',
    'sync',
    'psync',
    'vsync',
    'pvsync',
    'pvsync2',
    'mmap',
    'posixaio',
    'libaio',
    'io_uring',
    'splice',
  ],
  ...['solarisaio', 'windowsaio', 'libzbc', 'libpmem', 'dev-dax'],
]);

/** They do something else than to read or write: fio counts each as a request all the same. */
const ofNoData: ReadonlyMap<string, string> = new Map([
  ['null', 'throws every request away'],
  ['cpuio', 'only keeps the processor busy'],
  ['filecreate', 'creates files'],
  ['fileopen', 'opens files'],
  ['filestat', 'asks for the attributes of files'],
  ['filedelete', 'deletes files'],
  ['dircreate', 'creates directories'],
  ['dirstat', 'asks for the attributes of directories'],
  ['dirdelete', 'deletes directories'],
  ['ftruncate', 'changes the length of files'],
  ['falloc', 'allocates room'],
  ['e4defrag', 'moves extents'],
  ['exec', 'runs another program'],
]);

/** Files of the kernel's own, which nothing stores. */
const ofTheKernel = /^\/dev\/(?:zero|null|full|u?random)$/;

/** Whether the figures are of files, so that caches and disks can be behind them. Engines that are not known may be. */
export function isOfFiles({ engine, options }: Stream): boolean {
  const name = options.get('filename');
  if (name !== undefined && ofTheKernel.test(name.value)) return false;
  return engine === undefined || ofFiles.has(engine.value);
}

/** Why nothing is said of caches and disks; empty for what is of files. */
export function judgeEngine(trial: Trial): Conclusion[] {
  const { stream } = trial;
  const { engine, options } = stream;
  if (isOfFiles(stream)) return [];
  const file = options.get('filename');
  if (file !== undefined && ofTheKernel.test(file.value))
    return [
      conclude(
        trial,
        'no-file',
        'certain',
        `${file.value} is the kernel's own and nothing stores it: no cache and no disk was measured`,
        [figure(stream, 'file', file)],
      ),
    ];
  if (engine === undefined) return [];
  const instead = ofNoData.get(engine.value);
  return [
    conclude(
      trial,
      'no-file',
      instead === undefined ? 'likely' : 'certain',
      instead === undefined
        ? `the engine ${engine.value} is none that reads and writes files by this machine's kernel: what is known of its caches and disks says nothing here`
        : `the engine ${engine.value} ${instead}, and moves no bytes of a file: no cache and no disk was measured`,
      [figure(stream, 'engine', engine)],
      instead === undefined
        ? { unless: ['it does so under another name (external engines)'], settle: explainCommand(trial) }
        : {},
    ),
  ];
}

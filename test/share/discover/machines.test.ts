import { describe, expect, it } from 'vitest';
import { localEndpoint } from '../../../src/endpoint/local.ts';
import { machinesOf } from '../../../src/share/discover/machines.ts';
import { parseSurvey, surveyHost } from '../../../src/share/discover/survey.ts';
import { withDomains } from '../../../src/share/discover/with-domains.ts';
import { qemuByHand, qemuOfLibvirt, qemuWithWindow } from './recorded.ts';

interface Process {
  readonly pid: number;
  readonly parent?: number;
  readonly uid?: number;
  readonly argv: readonly string[];
  readonly cwd?: string;
  readonly sockets?: readonly number[];
  readonly mark?: boolean;
}

/** What the script prints of these processes, and of a table of sockets. */
function printed(processes: readonly Process[], sockets: readonly string[] = []): string {
  const part = (head: string, body: string) => `\nWORD ${head}\n${body}`;
  return [
    part('me', '0\n'),
    part('unix', sockets.map((each) => `${each}\n`).join('')),
    ...processes.flatMap(({ pid, parent = 1, uid = 0, argv, cwd, sockets: held = [], mark }) => [
      part(`words ${pid}`, argv.map((word) => `${word}\0`).join('')),
      part('status', `PPid:\t${parent}\nUid:\t${uid}\t${uid}\t${uid}\t${uid}\n`),
      part('cwd', cwd === undefined ? '' : `${cwd}\n`),
      part('sockets', held.map((each) => `socket:[${each}]\n`).join('')),
      part('mark', mark === undefined ? '' : `${mark ? 1 : 0}\n`),
    ]),
    part('end', ''),
  ].join('');
}

function machines(processes: readonly Process[], sockets?: readonly string[]) {
  return machinesOf(parseSurvey(printed(processes, sockets), 'WORD'));
}

const rust = [
  '/usr/libexec/virtiofsd',
  '--socket-path=run/a,b.sock',
  '--shared-dir',
  'share',
  '--cache=always',
];

describe('the machines of a host', () => {
  it('have the directories of the daemons that listen where their devices connect to', () => {
    const [machine] = machines([
      { pid: 10, argv: qemuByHand, cwd: '/home/me' },
      { pid: 20, argv: rust, cwd: '/home/me' },
      // Its sandbox: the same words, in another root.
      { pid: 21, parent: 20, argv: rust, cwd: '/' },
      { pid: 30, argv: [...rust.slice(0, 1), '--socket-path=/other', '--shared-dir=/other'], cwd: '/' },
    ]);
    expect(machine?.shares).toMatchObject([
      {
        ...{ tag: 'data', hostDir: '/home/me/share', daemonPid: 21, vmmPid: 10, mode: { name: 'always' } },
        modeHow: "the daemon's command line",
      },
      { tag: 'nine', type: '9p', hostDir: '/srv/nine', vmmPid: 10, server: 'QEMU', mode: undefined },
      { tag: 'old', type: '9p', hostDir: '/srv/old' },
    ]);
  });

  it('and their daemons are not the sudo or strace that started them', () => {
    const found = machines([
      { pid: 5, argv: ['sudo', '-E', ...qemuByHand], cwd: '/home/me' },
      { pid: 6, parent: 5, argv: ['sudo', '-E', ...qemuByHand], cwd: '/home/me' },
      { pid: 10, parent: 6, argv: qemuByHand, cwd: '/home/me' },
      { pid: 15, argv: ['strace', '-f', ...rust], cwd: '/home/me' },
      { pid: 20, parent: 15, argv: rust, cwd: '/home/me' },
    ]);
    expect(found.map(({ pid, shares }) => [pid, shares[0]?.daemonPid])).toEqual([[10, 20]]);
  });

  it('have daemons that were given a descriptor, by the socket that it is', () => {
    const argv = ['/usr/lib/qemu/virtiofsd', '--fd=31', '-o', 'source=/srv/one/share,cache=none'];
    const address = '/var/lib/libvirt/qemu/domain-1-one/fs0-fs.sock';
    const row = `0000000000000000: 00000003 00000000 00000000 0001 03   777 ${address}`;
    const seen = machines(
      [
        { pid: 10, argv: qemuOfLibvirt, cwd: '/' },
        { pid: 20, argv, cwd: '/', sockets: [5, 777] },
      ],
      [row],
    );
    expect(seen[0]?.shares[0]).toMatchObject({
      hostDir: '/srv/one/share',
      daemonPid: 20,
      mode: { name: 'c:none' },
    });
  });

  it('are told by libvirt what their processes do not show', () => {
    const unseen = machines([{ pid: 10, argv: qemuOfLibvirt }]);
    expect(unseen[0]?.shares[0]?.hostDir).toBeUndefined();
    const described = {
      ...{
        domain: 'one',
        uuid: 'C7A5FDBD-edaf-9455-926a-d65c16db1809',
        tag: 'data',
        type: 'virtiofs' as const,
      },
      ...{ hostDir: '/srv/one/share', mode: undefined, modeHow: "the domain's description" },
    };
    expect(withDomains(unseen, [described])[0]?.shares[0]).toMatchObject({
      hostDir: '/srv/one/share',
      vmmPid: 10,
    });
    const other = { ...described, uuid: '00000000-edaf-9455-926a-d65c16db1809' };
    expect(withDomains(unseen, [other])[0]?.shares[0]?.hostDir).toBeUndefined();
  });

  it('have the tag that a daemon with a window tells, and are known to be a lab’s by its mark', () => {
    const argv = [
      '/backend',
      '--socket-path=/run/w/m0.w.sock',
      '--shared-dir=/srv',
      '--cache=auto',
      '--tag=m0',
    ];
    const [machine] = machines([
      { pid: 10, argv: qemuWithWindow, mark: true },
      { pid: 20, argv, mark: true },
    ]);
    expect(machine).toMatchObject({ ofLab: true, shares: [{ tag: 'm0', hostDir: '/srv', daemonPid: 20 }] });
  });

  it('are looked for on this machine without an error, whatever runs here', async () => {
    const host = localEndpoint();
    try {
      const survey = await surveyHost(host);
      expect(survey.uid).toBe(process.getuid?.());
      for (const { argv } of survey.processes) expect(argv[0]).not.toBe('');
      expect(Array.isArray(machinesOf(survey))).toBe(true);
    } finally {
      await host.close();
    }
  });
});

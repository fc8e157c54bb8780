import stringWidth from 'string-width';
import { describe, expect, it } from 'vitest';
import type { Result } from '../../src/model/report.ts';
import type { Verdict } from '../../src/model/verdict.ts';
import { renderText } from '../../src/report/text.ts';
import { comparison, fresh, pathResult, reportOf, stale, staleCache, staleVerdict } from './samples.ts';

const plain = { color: false, width: 80 };
const same: Verdict = { kind: 'pass', reason: 'both sides read the same bytes', evidence: comparison };

/** The text of `md5` on one path. */
function textOf(verdict: Verdict, path?: string): string {
  return renderText(reportOf('md5', [pathResult(verdict, path)]), plain);
}

function linesOf(text: string): string[] {
  return text.trimEnd().split('\n');
}

describe('md5 of a file that is the same', () => {
  it('answers on the first line, with digest, size and time, and names the mode', () => {
    expect(textOf(same)).toBe(
      `same  ${fresh}  /mnt/auto/disk.img  4.0 GiB  6.3 s
      guest 650.1 MiB/s   host 671.4 MiB/s
      mode auto (the lab's own daemon) · lab demo · virtiofsd 1.13.2
      guest Linux 6.12.43
`,
    );
  });

  it('moves the digest to a line of its own where one line does not hold it', () => {
    const digest = fresh.repeat(2);
    const side = { digest, bytes: 4096, seconds: 0 };
    const text = textOf({
      ...same,
      evidence: { ...comparison, algorithm: 'sha256', guest: side, host: side },
    });
    expect(linesOf(text).slice(0, 2)).toEqual([
      'same  /mnt/auto/disk.img  4.0 KiB',
      `      sha256 ${digest}`,
    ]);
  });

  it('says that it is also what was expected', () => {
    expect(textOf({ ...same, evidence: { ...comparison, expected: fresh } })).toContain('as expected');
  });

  it('answers for an empty file', () => {
    const side = { digest: 'd41d8cd98f00b204e9800998ecf8427e', bytes: 0, seconds: 0 };
    const text = textOf({ ...same, evidence: { ...comparison, guest: side, host: side } });
    expect(linesOf(text)[0]).toBe('same  d41d8cd98f00b204e9800998ecf8427e  /mnt/auto/disk.img  0 B');
  });
});

describe('md5 of a file that differs', () => {
  it('names the layer, shows the votes and what the mode permits, and ends in what to do', () => {
    expect(textOf(staleVerdict)).toBe(
      `DIFFERENT  /mnt/always/config.db  1.2 MiB  the guest's page cache is stale
      guest     md5 ${stale}
      host      md5 ${fresh}
      differs in 1 range   0x0001c000–0x0001cfff  (4.0 KiB, page 28 of 308)
      looked at again:
        guest, through its cache  A  11111111…
        host, through its cache   B  22222222…
        guest, file evicted       B  22222222…  evicting the file mends it
        host, past its cache      O_DIRECT is refused here (EINVAL)
      Mode always permits this: stale for at most 24 h after the last refresh.
      (Linux 6.12 fs/fuse/dir.c fuse_update_attributes(); virtiofsd 1.13.2
       src/main.rs)
      mode always (the lab's own daemon) · lab demo · virtiofsd 1.13.2
      guest Linux 6.12.43
      measuring changed: opening the file in the guest may have dropped its
        clean pages there, and written its dirty ones back
next: vfs-verify drop /mnt/always/config.db --side guest   (or cache=auto)
`,
    );
  });

  it('prints at most 20 ranges and says how many more there are', () => {
    const ranges = Array.from({ length: 500 }, (_, index) => ({ offset: index * 8192, length: 4096 }));
    const text = textOf({ ...staleVerdict, evidence: { ...staleCache, ranges, rangesTotal: 1500 } });
    expect(text).toContain('differs in 1,500 ranges:');
    expect(text.match(/0x[0-9a-f]+–0x/g)).toHaveLength(20);
    expect(text).toContain('… and 1,480 more');
  });

  it('shows both sizes in bytes where they differ', () => {
    const evidence = { ...staleCache, guest: { digest: stale, bytes: 4096, seconds: 0 } };
    const text = textOf({ ...staleVerdict, evidence });
    expect(text).toMatch(/guest {5}md5 \w+ +4,096 bytes\n/);
    expect(text).toMatch(/host {6}md5 \w+ +1,261,568 bytes\n/);
    expect(linesOf(text)[0]).not.toContain('KiB');
  });

  it('says in those words that both sides agree and both are wrong', () => {
    const expected = 'ffffffffffffffffffffffffffffffff';
    const text = textOf({
      kind: 'fail',
      code: 'agree-and-wrong',
      reason: 'both sides agree and both are wrong',
      evidence: {
        ...comparison,
        expected,
        layer: 'both-wrong',
        votes: [{ who: 'expected', digest: expected }],
      },
    });
    expect(linesOf(text).slice(0, 4)).toEqual([
      'DIFFERENT  /mnt/auto/disk.img  4.0 GiB  both sides agree and both are wrong',
      `      guest     md5 ${fresh}`,
      `      host      md5 ${fresh}`,
      `      expected  md5 ${expected}                neither side`,
    ]);
  });
});

describe('md5 that could not tell', () => {
  const stuck: Verdict = {
    kind: 'unknown',
    code: 'stuck',
    reason: 'no byte arrived for 30 s (--timeout, without progress)',
    observed:
      'virtiofsd (pid 4711) is gone; QEMU does not reconnect it. The reading process 812 in the guest cannot be killed; only a reboot ends it.',
    next: 'start the share again (reboot the guest), then repeat.',
  };

  it('says so first, then why, then what to do', () => {
    expect(textOf(stuck, '/mnt/file')).toBe(
      `UNKNOWN  /mnt/file  no byte arrived for 30 s (--timeout, without progress)
      virtiofsd (pid 4711) is gone; QEMU does not reconnect it. The reading
      process 812 in the guest cannot be killed; only a reboot ends it.
next: start the share again (reboot the guest), then repeat.
`,
    );
  });
});

describe('md5 of several paths', () => {
  it('answers for all of them first', () => {
    const report = reportOf('md5', [pathResult(same), pathResult(staleVerdict, '/mnt/always/config.db')]);
    const lines = linesOf(renderText(report, plain));
    expect(lines[0]).toBe('1 DIFFERENT, 1 same of 2 paths');
    expect(lines.filter((line) => /^(same|DIFFERENT)/.test(line))).toHaveLength(2);
  });
});

describe('md5 of a tree', () => {
  const tree = {
    kind: 'tree',
    path: '/mnt/auto/src',
    hostPath: '/srv/share/src',
    algorithm: 'md5',
    entries: 104_233,
    bytes: 1024 ** 3,
    seconds: 12.3,
    differences: [],
    differencesTotal: 0,
    counts: {},
    share: comparison.share,
    disturbed: [],
  };

  it('counts what was compared where all is the same', () => {
    const text = textOf({ kind: 'pass', reason: 'the same', evidence: tree });
    expect(linesOf(text)[0]).toBe('same  /mnt/auto/src  104,233 names  1.0 GiB  12.3 s');
  });

  it('lists the names that differ and how', () => {
    const differences = [
      { path: 'new\nname', what: 'only-guest' },
      { path: 'old', what: 'only-host' },
      { path: 'link', what: 'target', guest: 'a', host: 'b' },
      { path: 'data', what: 'size', guest: 4096, host: 0 },
      { path: '', what: 'type', guest: 'directory', host: 'file' },
    ];
    const text = textOf({
      kind: 'fail',
      code: 'tree-differs',
      reason: 'the trees differ',
      evidence: { ...tree, differences, differencesTotal: 30 },
    });
    expect(linesOf(text).slice(0, 7)).toEqual([
      'DIFFERENT  /mnt/auto/src  30 of 104,233 names  the trees differ',
      '      only in the guest  new\\nname',
      '      only on the host   old',
      '      another target     link  guest a, host b',
      '      another size       data  guest 4096, host 0',
      '      another type       (the directory itself)  guest directory, host file',
      '      … and 25 more; --json has all that were kept',
    ]);
  });
});

const modes = ['never', 'metadata', 'auto', 'auto+writeback', 'always', 'always+writeback'];
const kept: Verdict = { kind: 'pass', reason: 'kept' };

function checkResult(check: string, mode: string, verdict: Verdict): Result {
  return {
    check,
    mode,
    verdict,
    cases: [
      {
        name: 'whole-file',
        verdict,
        durationMs: 4,
        rerun: `vfs-verify check ${check} --lab --modes ${mode} --seed 91c2`,
      },
    ],
    durationMs: 5,
    bundle: `runs/1/${check}-${mode}`,
  };
}

describe('check', () => {
  it('says that every promise was kept, and where permitted staleness was seen', () => {
    const results = modes.map((mode) =>
      checkResult('md5', mode, mode === 'always' ? { ...kept, stale: true } : kept),
    );
    const lines = linesOf(renderText(reportOf('check', results), plain));
    expect(lines[0]).toBe('every promise was kept; staleness that the mode permits was seen in 1 result');
    expect(lines).toContain('  always            pass·stale');
  });

  it('names what was broken and where, first', () => {
    const results = modes.map((mode) =>
      checkResult('host-append', mode, mode === 'auto' ? staleVerdict : kept),
    );
    const lines = linesOf(renderText(reportOf('check', results), plain));
    expect(lines[0]).toBe('1 promise broken: host-append in mode auto');
    expect(lines).toContain('  auto              FAIL');
    expect(lines.join('\n')).toContain('host-append / auto / whole-file');
    expect(lines.join('\n')).toContain(
      '  again     vfs-verify check host-append --lab --modes auto --seed 91c2',
    );
    expect(lines.at(-1)).toMatch(/^next: /);
  });

  it('points to the page of the check where the verdict names no next step', () => {
    const { next: _, ...verdict } = staleVerdict;
    const lines = linesOf(renderText(reportOf('check', [checkResult('md5', 'auto', verdict)]), plain));
    expect(lines.at(-1)).toContain('checks/md5.md');
  });

  it('never lets a skip pass silently, and takes a run of nothing but skips for unknown', () => {
    const skip: Verdict = { kind: 'skip', reason: 'needs root in the guest' };
    const text = renderText(reportOf('check', [checkResult('md5', 'auto', skip)]), plain);
    expect(linesOf(text)[0]).toBe('could not tell: nothing that was asked for applies here');
    expect(text).toContain('skipped  needs root in the guest: md5/whole-file (auto)');
  });

  it('tells many cases that one trouble kept from running together, and a few one by one', () => {
    const lost = 'the probe on root@guest is gone: the connection was lost';
    const result = (check: string, step: string) =>
      checkResult(check, 'auto', {
        kind: 'unknown',
        code: 'could-not-run',
        reason: `guest, ${step}: ${lost}`,
      });
    const checks = ['md5', 'holes', 'links', 'readdir'];
    const text = (names: readonly string[]) =>
      renderText(
        reportOf(
          'check',
          names.map((name) => result(name, `${name}-open`)),
        ),
        plain,
      );
    expect(text(checks)).toContain(`  observed  ${lost}\n  cases of  md5 / auto, holes / auto, links / auto`);
    expect(text(checks)).not.toContain('again');
    expect(text(checks.slice(0, 3))).toContain('guest, md5-open: the probe');
  });

  it('splits a table that is too wide instead of breaking its lines', () => {
    const results = [
      'md5',
      'host-append',
      'host-rewrite',
      'same-page-writers',
      'readdir',
      'links',
      'holes',
    ].flatMap((check) => modes.map((mode) => checkResult(check, mode, kept)));
    const lines = linesOf(renderText(reportOf('check', results), plain));
    expect(lines.filter((line) => line.startsWith('  host-rewrite'))).toHaveLength(2);
    expect(lines.filter((line) => line.includes('always+writeback'))).toHaveLength(1);
  });
});

describe('every text', () => {
  const nasty = `/mnt/auto/\u001b]0;x\u0007${'名'.repeat(5)}\n -rf\udcff`;
  const samples: Record<string, Verdict> = {
    same,
    staleVerdict,
    nasty: { ...staleVerdict, evidence: { ...staleCache, path: nasty }, next: `look at \u001b[2J${nasty}` },
    long: {
      kind: 'unknown',
      reason:
        'a reason that goes on for rather a long time and says the same thing again and again, and then once more',
    },
  };

  it.each(Object.keys(samples))('%s fits 80 columns and has no control characters but newlines', (name) => {
    const verdict = samples[name] as Verdict;
    for (const command of ['md5', 'check'] as const) {
      const text = renderText(reportOf(command, [pathResult(verdict, nasty)]), plain);
      for (const line of linesOf(text)) expect(stringWidth(line), line).toBeLessThanOrEqual(80);
      expect(text.replaceAll('\n', '')).not.toMatch(/[\p{Cc}\p{Cs}]/u);
    }
  });

  it.each([72, 100, 200])('keeps to %d columns where that is asked for', (width) => {
    const text = renderText(reportOf('md5', [pathResult(staleVerdict)]), { color: false, width });
    for (const line of linesOf(text)) {
      if (!/md5 \w{32}|–0x/.test(line)) expect(stringWidth(line), line).toBeLessThanOrEqual(width);
    }
  });

  it('says the same with colours as without', () => {
    const report = reportOf('md5', [pathResult(same), pathResult(staleVerdict)]);
    const colored = renderText(report, { color: true, width: 80 });
    expect(colored).toContain('\u001b[');
    // biome-ignore lint/suspicious/noControlCharactersInRegex: colours are what is taken away here.
    expect(colored.replaceAll(/\u001b\[\d+m/g, '')).toBe(renderText(report, plain));
  });
});

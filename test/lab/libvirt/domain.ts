import { randomUUID } from 'node:crypto';
import { appendFileSync, chmodSync, copyFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { quoteCommand } from '../../../src/endpoint/quote.ts';
import { guestImage } from '../../../src/lab/guest/image.ts';
import { personalArchive } from '../../../src/lab/guest/personal.ts';
import { findPrograms, type Program } from '../../../src/lab/programs/programs.ts';
import { freePort } from '../../../src/lab/vm/free-port.ts';
import { makeKeys, writeKnownHosts } from '../../../src/lab/vm/keys.ts';

/** A guest of the lab's own image as a domain of libvirt's. */
export interface TestDomain {
  readonly name: string;
  readonly xml: string;
  /** What the virtiofs device `data` shares, and what the 9p device `nine` does. */
  readonly hostDir: string;
  readonly ssh: { readonly port: number; readonly keyFile: string; readonly knownHostsFile: string };
  /** The Rust virtiofsd of the lab's tree, as a script that libvirt can start. */
  readonly virtiofsd: string;
}

/** Makes everything that the domain needs, below this directory; it is not defined here. */
export async function makeDomain(directory: string, name: string): Promise<TestDomain> {
  const programs = await findPrograms({ modes: [], optional: [] }, () => {});
  const image = await guestImage(programs, () => {});
  const hostDir = join(directory, 'share');
  mkdirSync(hostDir);
  const keys = await makeKeys(programs.tree.root, directory);
  const initrd = join(directory, 'initrd');
  copyFileSync(image.initramfs, initrd);
  appendFileSync(
    initrd,
    personalArchive({
      name,
      hostKey: keys.hostKeyBytes,
      authorizedKey: keys.clientKey,
      mounts: [
        {
          tag: 'nine',
          type: '9p',
          path: '/mnt/nine',
          options: 'rw,trans=virtio,version=9p2000.L,cache=none',
        },
      ],
    }),
  );
  const port = await freePort();
  const knownHostsFile = join(directory, 'known_hosts');
  writeKnownHosts(knownHostsFile, { host: '127.0.0.1', port }, keys.hostKey);
  const virtiofsd = script(join(directory, 'virtiofsd'), programs.virtiofsd);
  const qemu = script(join(directory, 'qemu'), programs.qemu);
  const xml = `<domain type='qemu' xmlns:qemu='http://libvirt.org/schemas/domain/qemu/1.0'>
  <name>${name}</name>
  <uuid>${randomUUID()}</uuid>
  <description>spaces  &amp; "quotes", kept as they are</description>
  <memory unit='MiB'>512</memory>
  <memoryBacking>
    <source type='memfd'/>
    <access mode='shared'/>
  </memoryBacking>
  <vcpu>2</vcpu>
  <os>
    <type arch='x86_64' machine='q35'>hvm</type>
    <kernel>${image.kernel}</kernel>
    <initrd>${initrd}</initrd>
    <cmdline>console=ttyS0 panic=-1 quiet no_timer_check cryptomgr.notests lsm= audit=0 mitigations=off transparent_hugepage=never</cmdline>
  </os>
  <features><acpi/></features>
  <cpu mode='maximum'/>
  <devices>
    <emulator>${qemu}</emulator>
    <filesystem type='mount' accessmode='passthrough'>
      <driver type='virtiofs' queue='1024'/>
      <binary path='${virtiofsd}'/>
      <source dir='${hostDir}'/>
      <target dir='data'/>
    </filesystem>
    <filesystem type='mount' accessmode='passthrough'>
      <source dir='${hostDir}'/>
      <target dir='nine'/>
    </filesystem>
    <serial type='file'><source path='${join(directory, 'console.log')}'/></serial>
    <memballoon model='none'/>
  </devices>
  <qemu:commandline>
    <qemu:arg value='-netdev'/>
    <qemu:arg value='user,id=net,restrict=on,hostfwd=tcp:127.0.0.1:${port}-10.0.2.15:22'/>
    <qemu:arg value='-device'/>
    <qemu:arg value='virtio-net-pci,netdev=net,romfile=,bus=pcie.0,addr=0x10'/>
  </qemu:commandline>
</domain>
`;
  return {
    name,
    xml,
    hostDir,
    ssh: { port, keyFile: keys.clientKeyFile, knownHostsFile },
    virtiofsd,
  };
}

/** libvirt starts a file, and a program of the lab's tree is a loader with words before its own. */
function script(file: string, { argv }: Program): string {
  writeFileSync(file, `#!/bin/sh\n${quoteCommand(argv)} "$@"\n`);
  chmodSync(file, 0o755);
  return file;
}

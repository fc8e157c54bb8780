/**
 * What the machine itself must have, in one place. Debian's names; `proof` (a program or a file) is how the
 * same thing is found where it did not come in its package. The guest's own programs are not here: the lab
 * makes a tree of its own.
 * @typedef {'demo' | 'build' | 'test'} Purpose
 * @typedef {{ name: string, for: readonly Purpose[], why: string, proof: string }} SystemPackage
 */

/** @type {readonly Purpose[]} */
const always = ['demo', 'build', 'test'];
/** @type {readonly Purpose[]} */
const secondArchitecture = process.arch === 'x64' ? ['build', 'test'] : [];

/** @type {readonly SystemPackage[]} */
export const systemPackages = [
  { name: 'gcc', for: always, why: 'compiles the probe', proof: 'gcc' },
  { name: 'libc6-dev', for: always, why: 'the probe is linked statically', proof: '/usr/include/stdio.h' },
  {
    name: 'libssl-dev',
    for: always,
    why: "the probe's MD5 and SHA-256",
    proof: '/usr/include/openssl/md5.h',
  },
  { name: 'libxxhash-dev', for: always, why: "the probe's XXH3", proof: '/usr/include/xxhash.h' },
  {
    name: 'debian-archive-keyring',
    for: ['demo', 'test'],
    why: 'verifies the packages of that tree',
    proof: '/usr/share/keyrings/debian-archive-keyring.gpg',
  },
  { name: 'mmdebstrap', for: ['demo', 'test'], why: "makes the lab's tree of programs", proof: 'mmdebstrap' },
  {
    name: 'gcc-aarch64-linux-gnu',
    for: secondArchitecture,
    why: 'compiles the probe for aarch64 guests',
    proof: 'aarch64-linux-gnu-gcc',
  },
  {
    name: 'libc6-dev-arm64-cross',
    for: secondArchitecture,
    why: "the aarch64 probe's C library",
    proof: '/usr/aarch64-linux-gnu/include/stdio.h',
  },
  {
    name: 'qemu-user-static',
    for: process.arch === 'x64' ? ['test'] : [],
    why: 'runs the aarch64 probe in a test',
    proof: 'qemu-aarch64-static',
  },
  { name: 'busybox', for: ['test'], why: 'the smallest shell that the probe must do with', proof: 'busybox' },
  { name: 'e2fsprogs', for: ['test'], why: 'makes the disk of a lab that has one', proof: '/sbin/mkfs.ext4' },
  { name: 'btrfs-progs', for: ['test'], why: 'the same, with quotas', proof: '/usr/bin/btrfs' },
  {
    name: 'chromium',
    for: ['test'],
    why: 'opens the HTML report as its readers do',
    proof: '/usr/bin/chromium',
  },
  { name: 'poppler-utils', for: ['test'], why: 'reads what that report prints', proof: 'pdftotext' },
  {
    name: 'python3-prometheus-client',
    for: ['test'],
    why: "reads what explain's --metrics writes, by the specification's own parser",
    proof: '/usr/lib/python3/dist-packages/prometheus_client/openmetrics/parser.py',
  },
  { name: 'strace', for: ['test'], why: "shows the probe's system calls to a test", proof: 'strace' },
  {
    name: 'libvirt-daemon',
    for: ['test'],
    why: 'a libvirt of its own for the test of --via libvirt',
    proof: '/usr/sbin/libvirtd',
  },
  {
    name: 'libvirt-daemon-driver-qemu',
    for: ['test'],
    why: "that libvirt's driver",
    proof: '/usr/lib/x86_64-linux-gnu/libvirt/connection-driver/libvirt_driver_qemu.so',
  },
  { name: 'libvirt-clients', for: ['test'], why: "virsh, libvirt's client", proof: 'virsh' },
  { name: 'man-db', for: ['test'], why: 'renders the manual page', proof: 'man' },
  { name: 'zsh', for: ['test'], why: 'completes our commands in a test', proof: 'zsh' },
  { name: 'fish', for: ['test'], why: 'likewise', proof: 'fish' },
  { name: 'sudo', for: ['test'], why: 'the real one, for tests of --sudo', proof: 'sudo' },
  { name: 'podman', for: ['test'], why: 'a real container, for tests of exec:', proof: 'podman' },
  {
    name: 'openssh-client',
    for: ['test'],
    why: 'ssh-keygen and ssh-agent for tests of ssh',
    proof: 'ssh-keygen',
  },
];

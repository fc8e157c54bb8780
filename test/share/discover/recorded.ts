// Command lines as they were seen on real hosts, shortened where it does not matter.

/** A QEMU that somebody started by hand: one vhost-user share, one of 9p in each of its two forms. */
export const qemuByHand = [
  ...[
    'qemu-system-x86_64',
    '-name',
    'build,debug-threads=on',
    '-uuid',
    '6D2F1B0C-9E0B-4E52-9C0A-7F7F6B8E5A01',
  ],
  ...['-m', '4G', '-object', 'memory-backend-memfd,id=mem,size=4G,share=on', '-numa', 'node,memdev=mem'],
  ...['-netdev', 'user,id=net,restrict=on,hostfwd=tcp::2222-:22,hostfwd=tcp:127.0.0.1:8080-10.0.2.15:80'],
  ...[
    '-chardev',
    'socket,id=char0,path=run/a,,b.sock',
    '-device',
    'vhost-user-fs-pci,chardev=char0,tag=data',
  ],
  ...['-fsdev', 'local,id=f0,path=/srv/nine,security_model=none'],
  ...['-device', 'virtio-9p-pci,fsdev=f0,mount_tag=nine'],
  ...['-virtfs', 'local,path=/srv/old,mount_tag=old,security_model=mapped-xattr,readonly=on'],
  ...['-qmp', 'unix:/run/build.qmp,server=on,wait=off'],
];

/** What libvirt 9.0 starts: options as JSON, daemons by a descriptor. */
export const qemuOfLibvirt = [
  ...['/usr/bin/qemu-system-x86_64', '-name', 'guest=one,debug-threads=on', '-S'],
  ...[
    '-object',
    '{"qom-type":"secret","id":"masterKey0","format":"raw","file":"/var/lib/libvirt/qemu/domain-1-one/master-key.aes"}',
  ],
  ...[
    '-object',
    '{"qom-type":"memory-backend-memfd","id":"pc.ram","share":true,"x-use-canonical-path-for-ramblock-id":false,"size":536870912}',
  ],
  ...['-uuid', 'c7a5fdbd-edaf-9455-926a-d65c16db1809'],
  ...['-chardev', 'socket,id=charmonitor,fd=22,server=on,wait=off'],
  ...['-mon', 'chardev=charmonitor,id=monitor,mode=control'],
  ...['-chardev', 'socket,id=chr-vu-fs0,path=/var/lib/libvirt/qemu/domain-1-one/fs0-fs.sock'],
  ...[
    '-device',
    '{"driver":"vhost-user-fs-pci","id":"fs0","chardev":"chr-vu-fs0","queue-size":1024,"tag":"data","bus":"pci.1","addr":"0x0"}',
  ],
  ...['-fsdev', 'local,security_model=passthrough,id=fsdev-fs1,path=/srv/one/share'],
  ...[
    '-device',
    '{"driver":"virtio-9p-pci","id":"fs1","fsdev":"fsdev-fs1","mount_tag":"nine","bus":"pci.2","addr":"0x0"}',
  ],
];

/** A lab's machine with a DAX window: the daemon says the tag. */
export const qemuWithWindow = [
  ...['/t/ld-linux-x86-64.so.2', '--library-path', '/t/lib', '/t/qemu-system-x86_64', '-L', '/t/share/qemu'],
  ...['-chardev', 'socket,id=m0,path=/run/w/m0.w.sock'],
  ...[
    '-device',
    'vhost-user-test-device-pci,virtio-id=26,num_vqs=2,vq_size=256,config_size=40,id=fs-m0,chardev=m0',
  ],
];

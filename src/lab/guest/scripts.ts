/** What the guest prints on its console begins with this word, so that it can be told from the kernel's. */
export const consoleWord = 'vfs-verify-lab:';

/** On the kernel's command line: only show that this machine boots, then switch off. */
export const trialWord = 'vfs-verify.trial';

/** Where the guest finds what is its own: written by `personalArchive`, read by `initScript`. */
export const mountsFile = 'etc/vfs-verify/mounts';
/** A line is a module's name, and the type of the mounts without which it is not needed. */
export const modulesFile = 'etc/vfs-verify/modules';
export const modulesDirectory = 'usr/lib/vfs-verify/modules';
export const hostKeyFile = 'etc/dropbear/host_key';

/**
 * The guest's /init. Under emulation every process costs some 10 ms, so it starts few, and mounts the
 * shares side by side. Busybox's shell carries out its own applets without starting a program.
 */
export const initScript = `#!/bin/busybox sh
export PATH=/usr/sbin:/usr/bin:/sbin:/bin
say() { echo "${consoleWord} $*"; }

mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs devtmpfs /dev
read -r commandLine < /proc/cmdline
case " $commandLine " in
*" ${trialWord} "*) say ready; poweroff -f ;;
esac

mkdir -p /dev/pts /dev/shm
mount -t devpts -o mode=620,ptmxmode=666 devpts /dev/pts
mount -t tmpfs -o mode=1777 tmpfs /dev/shm
mount -t tmpfs -o mode=1777 tmpfs /tmp
mount -t tmpfs -o mode=755 tmpfs /run
mount -t debugfs debugfs /sys/kernel/debug 2>/dev/null
mount -t tracefs tracefs /sys/kernel/tracing 2>/dev/null

types=" "
while read -r tag type rest; do types="$types$type "; done < /${mountsFile}
while read -r module type; do
  case "$types" in *" $type "*) ;; *) [ -n "$type" ] && continue ;; esac
  insmod "/${modulesDirectory}/$module.ko" || say "failed: the kernel module $module cannot be inserted"
done < /${modulesFile}

while read -r tag type path options; do
  {
    why=$(mount -t "$type" -o "$options" "$tag" "$path" 2>&1) || say "failed: $path: $why"
  } &
done < /${mountsFile}

hostname -F /etc/hostname
ifconfig lo 127.0.0.1
ifconfig eth0 10.0.2.15 netmask 255.255.255.0 || say "failed: the guest has no network device"
dropbear -s -r /${hostKeyFile} || say "failed: the ssh server did not start"
wait
read -r seconds rest < /proc/uptime
say "ready after $seconds s"
exec init
`;

/** Inserts what mounts of the type `$1` need besides, where it was not asked for at boot. */
export const insertModulesScript = `
while read -r module type; do
  [ "$type" = "$1" ] && ! [ -d "/sys/module/$module" ] && insmod "/${modulesDirectory}/$module.ko"
done < /${modulesFile}
true`;

/** Busybox's init takes care of ended processes and of poweroff; there is nothing else for it to do. */
export const inittab = `::restart:/sbin/init
`;

/**
 * Stands in for a program that is too large for a quick boot: at the first use of any of them, all are
 * unpacked from the second disk, each over its stand-in.
 */
export const standInScript = `#!/bin/sh
export PATH=/usr/sbin:/usr/bin:/sbin:/bin
self=$0
lock=/run/vfs-verify.programs
tries=0
# One unpacks, others wait; for ten seconds at most, in case that one was killed.
until mkdir $lock.lock 2>/dev/null; do
  tries=$((tries + 1))
  [ $tries -gt 100 ] && break
  sleep 0.1
done
if ! [ -e $lock.there ]; then
  [ -b /dev/vda ] || insmod /${modulesDirectory}/virtio_blk.ko
  if ! (cd / && cpio -idu < /dev/vda 2> $lock.words); then
    echo "$self: the programs on /dev/vda cannot be unpacked" >&2
    rmdir $lock.lock
    exit 127
  fi
  : > $lock.there
fi
rmdir $lock.lock 2>/dev/null
exec "$self" "$@"
`;

/**
 * What runs on a side to take the probe in: POSIX sh, with what busybox has. It says everything in lines that
 * begin with a word of the client's choosing ($1), since a login shell may have said something before.
 *
 * Then, in turn: `ready ARCH DIR` (send that architecture's program) or `compile ARCH DIR` (send the source),
 * the client's `SIZE` line and as many bytes, `start`, and from there on the probe's own lines. Or `failed
 * WHY …`, once, and the end.
 *
 * The private directory has a name that nobody can know before and is made by one call that fails if it is
 * there. A place is taken when a program really ran in it and the probe's size really fitted into it.
 * `read` takes its line byte by byte, but `head` may read too far: the client sends nothing more until it has
 * seen the probe's first line.
 *
 * $2: bytes of the largest program. $3: architectures that the client has, between spaces.
 */
export const installScript = `
umask 077
word=$1 largest=$2 known=$3
say() { printf '%s %s\\n' "$word" "$*"; }
dir= tried= full=
trap '[ -z "$dir" ] || rm -rf "$dir"' EXIT
trap 'exit 1' HUP INT TERM PIPE
fail() { say failed "$@"; exit 1; }

arch=$(uname -m) || arch=unknown
case $arch in amd64) arch=x86_64 ;; arm64) arch=aarch64 ;; esac
what=ready
case " $known " in
*" $arch "*) ;;
*)
  cc=
  for each in cc gcc clang; do
    if [ -z "$cc" ] && command -v "$each" >/dev/null 2>&1; then cc=$each; fi
  done
  [ -n "$cc" ] || fail no-arch "$arch"
  what=compile
  ;;
esac

for place in "\${XDG_RUNTIME_DIR:-}" /dev/shm /run /tmp /var/tmp "\${HOME:-}"; do
  case $place in /?*) ;; *) continue ;; esac
  if [ ! -d "$place" ]; then tried="$tried $place (not there)"; continue; fi
  dir=$(mktemp -d "$place/vfs-probe-XXXXXXXXXX" 2>/dev/null) || {
    dir=$place/vfs-probe-$word
    mkdir "$dir" 2>/dev/null || { dir=; tried="$tried $place (not writable)"; continue; }
  }
  if ! { printf '#!/bin/sh\\nexit 0\\n' >"$dir/try" && chmod 700 "$dir/try"; } 2>/dev/null; then
    tried="$tried $place (full)" full=1
  elif ! "$dir/try" 2>/dev/null; then
    tried="$tried $place (noexec)"
  elif ! dd if=/dev/zero of="$dir/try" bs=4096 count=$((largest / 4096 + 1)) 2>/dev/null; then
    tried="$tried $place (full)" full=1
  else
    rm -f "$dir/try"
    break
  fi
  rm -rf "$dir"
  dir=
done
if [ -z "$dir" ]; then
  [ -z "$full" ] || fail no-space "$tried"
  fail no-place "$tried"
fi

say "$what" "$arch" "$dir"
IFS= read -r size || exit 1
case $size in '' | *[!0-9]*) exit 1 ;; esac
file=$dir/vfs-probe
[ "$what" = ready ] || file=$dir/vfs-probe.c
if command -v head >/dev/null 2>&1 && [ "$(printf ab | head -c 1 2>/dev/null)" = a ]; then
  head -c "$size" >"$file" 2>/dev/null
else
  dd bs=1 count="$size" of="$file" 2>/dev/null
fi || fail no-space " $dir"
[ "$(wc -c <"$file")" -eq "$size" ] || exit 1
if [ "$what" = compile ]; then
  libs='-pthread -lcrypto'
  if ! "$cc" -O2 -static -o "$dir/vfs-probe" "$file" $libs >/dev/null 2>&1 &&
    ! "$cc" -O2 -o "$dir/vfs-probe" "$file" $libs >"$dir/log" 2>&1; then
    tail -n 20 "$dir/log" >&2
    fail compile "$arch"
  fi
  rm -f "$file" "$dir/log"
fi
chmod 700 "$dir/vfs-probe"
"$dir/vfs-probe" --version >/dev/null || fail run "$arch"
say start
exec "$dir/vfs-probe" serve --unlink "$dir/vfs-probe"
`;

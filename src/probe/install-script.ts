/**
 * What runs on a side to take the probe in: POSIX sh, with what busybox has, and few processes, since each
 * costs a slow guest its time. It says everything in lines that begin with a word of the client's choosing
 * ($1), since a login shell may have said something before:
 *
 * - `ready ENCODING ARCH DIR` (send that architecture's program) or `compile ENCODING ARCH DIR` (send the
 *   source): the client answers with a line that holds a number, and as many bytes. ENCODING is gzip or plain.
 *   It may be said again, for another directory, where the one before was full or did not run programs.
 * - `start`: from there on come the probe's own lines. At once, where the very program is installed there.
 * - `failed WHY …`, once, and the end.
 *
 * The private directory has a name that nobody can know before and is made by one call that fails if it is
 * there. `read` takes its line byte by byte, but `head` may read too far: the client sends nothing more until
 * it has been asked. What cannot be written is read all the same, so that the next line is a line.
 *
 * Where busybox is there and nothing else has a name of its own, its parts are called by way of it.
 *
 * $2: architectures that the client has, between spaces. $3: paths at which the same programs may be installed
 * (installedDirectory), likewise; one that is another architecture's does not say its version.
 */
export const installScript = `
umask 077
word=$1 known=$2
say() { printf '%s %s\\n' "$word" "$*"; }
for program in $3; do
  if [ -x "$program" ] && "$program" --version >/dev/null 2>&1; then
    say start
    exec "$program" serve
  fi
done
if ! uname -m >/dev/null 2>&1 && command -v busybox >/dev/null 2>&1; then
  for each in uname mktemp mkdir chmod rm cat wc head dd tail gzip; do
    if busybox "$each" --help >/dev/null 2>&1; then eval "$each() { busybox $each \\"\\$@\\"; }"; fi
  done
fi
dir= tried= full=
trap '[ -z "$dir" ] || rm -rf "$dir"' EXIT
trap 'exit 1' HUP INT TERM PIPE
fail() { say failed "$@"; exit 1; }

system=$(uname -s) || system=Linux
[ "$system" = Linux ] || fail no-linux "$system"
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
encoding=plain unpack=cat
if command -v gzip >/dev/null 2>&1; then encoding=gzip unpack='gzip -dc'; fi

receive() {
  { head -c "$size" || dd bs=1 count="$size"; } 2>/dev/null | { $unpack >"$1" || { cat >/dev/null; false; }; } 2>/dev/null &&
    { [ $encoding = gzip ] || [ "$(wc -c <"$1")" -eq "$size" ]; }
}
compile() {
  "$cc" -O2 -static -o "$program" "$program.c" -pthread -lcrypto -lm >/dev/null 2>&1 ||
    "$cc" -O2 -o "$program" "$program.c" -pthread -lcrypto -lm >"$program.log" 2>&1 ||
    { tail -n 20 "$program.log" >&2; fail compile "$arch"; }
  rm -f "$program.c" "$program.log"
}

for place in "\${XDG_RUNTIME_DIR:-}" /dev/shm /run /tmp /var/tmp "\${HOME:-}"; do
  case $place in /?*) ;; *) continue ;; esac
  if [ ! -d "$place" ]; then tried="$tried $place (not there)"; continue; fi
  dir=$(mktemp -d "$place/vfs-probe-XXXXXXXXXX" 2>/dev/null) || {
    dir=$place/vfs-probe-$word
    mkdir "$dir" 2>/dev/null || { dir=; tried="$tried $place (not writable)"; continue; }
  }
  program=$dir/vfs-probe
  say "$what" "$encoding" "$arch" "$dir"
  IFS= read -r size || exit 1
  case $size in '' | *[!0-9]*) exit 1 ;; esac
  if [ "$what" = ready ]; then file=$program; else file=$program.c; fi
  if ! receive "$file"; then
    tried="$tried $place (full)" full=1
  else
    [ "$what" = ready ] || compile
    chmod 700 "$program"
    if "$program" --version >/dev/null 2>&1; then
      say start
      exec "$program" serve --unlink "$program"
    fi
    if [ -x "$program" ]; then why='does not run it'; else why=noexec; fi
    tried="$tried $place ($why)"
  fi
  rm -rf "$dir"
  dir=
done
[ -z "$full" ] || fail no-space "$tried"
fail no-place "$tried"
`;

/**
 * The program that plays one actor of a reproducer: Python 3.8 or newer and its standard library. It reads one
 * operation a line (JSON, the words of src/model/operation.ts) and writes one answer a line. Where Python has
 * no call for what the kernel can do (statx without asking the server, mappings past the end, cachestat), libc
 * is called directly.
 */
export const actorProgram = String.raw`
import base64, ctypes, errno, fcntl, hashlib, json, mmap, os, select, shutil, stat, struct, sys, time
libc = ctypes.CDLL(None, use_errno=True)
ROOT = sys.argv[1]
os.chdir(ROOT)
FILES, MAPS, WATCHES = {}, {}, {}

class Refused(Exception):
    pass

def call(result):
    if result in (-1, ctypes.c_void_p(-1).value, 2**64 - 1):
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
    return result

def fd(op, name="file"):
    if op[name] not in FILES:
        raise OSError(errno.EBADF, "not open")
    return FILES[op[name]]

# --- names and attributes ---

def statx(dirfd, path, op, follow=False):
    buf = ctypes.create_string_buffer(256)
    flags = {"dont": 0x4000, "force": 0x2000}.get(op.get("sync"), 0)
    flags |= 0x1000 if path == b"" else 0
    flags |= 0 if follow else 0x100
    call(libc.statx(dirfd, path, flags, 0x7ff, buf))
    blksize, attrs, nlink, uid, gid, mode = struct.unpack_from("=IQIIIH", buf.raw, 4)[0:6]
    ino, size, blocks = struct.unpack_from("=QQQ", buf.raw, 32)
    mtime = struct.unpack_from("=qI", buf.raw, 112)
    kinds = {stat.S_IFREG: "file", stat.S_IFDIR: "directory", stat.S_IFLNK: "link"}
    return {"type": kinds.get(stat.S_IFMT(mode), "other"), "size": size, "mode": stat.S_IMODE(mode),
            "nlink": nlink, "ino": str(ino), "mtimeNs": str(mtime[0] * 10**9 + mtime[1]), "blocks512": blocks}

AT_FDCWD = -100

def do_stat(op):
    return statx(AT_FDCWD, os.fsencode(op["path"]), op, op.get("follow", False))

def do_fstat(op):
    return statx(fd(op), b"", op, True)

def do_mkdir(op): os.mkdir(op["path"], op.get("mode", 0o777))
def do_rmdir(op): os.rmdir(op["path"])
def do_unlink(op): os.unlink(op["path"])
def do_link(op): os.link(op["path"], op["to"])
def do_symlink(op): os.symlink(op["target"], op["path"])
def do_readlink(op): return {"target": os.readlink(op["path"])}
def do_truncate(op): os.truncate(op["path"], op["length"])
def do_chmod(op): os.chmod(op["path"], op["mode"])
def do_chown(op): os.chown(op["path"], op.get("uid", -1), op.get("gid", -1))
def do_chdir(op): os.chdir(op["path"])
def do_list(op): return {"names": sorted(os.listdir(op["path"]), key=os.fsencode)}
def do_getxattr(op): return {"base64": base64.b64encode(os.getxattr(op["path"], op["name"])).decode()}
def do_setxattr(op): os.setxattr(op["path"], op["name"], base64.b64decode(op["base64"]))
def do_removexattr(op): os.removexattr(op["path"], op["name"])
def do_listxattr(op): return {"names": sorted(os.listxattr(op["path"]))}
def do_resolve(op): return {"path": os.path.realpath(op["path"])}

def do_become(op):
    os.setgroups([])
    os.setresgid(op["gid"], op["gid"], op["gid"])
    os.setresuid(op["uid"], op["uid"], op["uid"])

def do_remove_tree(op):
    shutil.rmtree(op["path"])

def do_rename(op):
    flags = sum({"noreplace": 1, "exchange": 2}[each] for each in op.get("flags", []))
    if flags == 0:
        os.rename(op["path"], op["to"])
    else:
        call(libc.renameat2(AT_FDCWD, os.fsencode(op["path"]), AT_FDCWD, os.fsencode(op["to"]), flags))

def do_utimens(op):
    spec = b"".join(struct.pack("=qq", *divmod(int(op[name]), 10**9)) if name in op
                    else struct.pack("=qq", 0, (1 << 30) - 2) for name in ("atimeNs", "mtimeNs"))
    call(libc.utimensat(AT_FDCWD, os.fsencode(op["path"]), spec, 0))

# --- open files ---

def do_open(op):
    named = {"tmpfile": "O_TMPFILE"}
    flags = sum(getattr(os, named.get(each, "O_" + each.upper())) for each in op["flags"])
    if op["as"] in FILES:
        raise Refused("opened already")
    FILES[op["as"]] = os.open(op["path"], flags | os.O_CLOEXEC, op.get("mode", 0o666))

def do_close(op):
    os.close(fd(op))
    del FILES[op["file"]]

def aligned(length):
    return mmap.mmap(-1, max(length, 1))

def pieces(op, length):
    sizes, left = [], length
    for each in op.get("pieces", [1, 511, 4093, 64]):
        sizes.append(min(each, left))
        left -= sizes[-1]
    return [each for each in sizes + [left] if each > 0]

def do_read(op):
    file, length, offset, how = fd(op), op["length"], op.get("offset"), op.get("how", "read")
    buf = memoryview(aligned(length))[:length]
    if how == "mmap":
        start = offset - offset % 4096
        address = mapped(file, start, offset - start + length, 1, 1)
        try:
            size = max(0, min(length, do_fstat(op)["size"] - offset))
            return content(ctypes.string_at(address + offset - start, size))
        finally:
            libc.munmap(ctypes.c_void_p(address), ctypes.c_size_t(offset - start + length))
    if how in ("read", "vectored"):
        views, at = [], 0
        for size in pieces(op, length) if how == "vectored" else [length]:
            views.append(buf[at:at + size])
            at += size
        got = os.readv(file, views) if offset is None else os.preadv(file, views, offset)
        return content(bytes(buf[:got]))
    if how == "splice":
        out, (r, w) = b"", os.pipe()
        while len(out) < length:
            at = None if offset is None else offset + len(out)
            got = os.splice(file, w, length - len(out), offset_src=at)
            if got == 0:
                break
            out += os.read(r, got)
        os.close(r), os.close(w)
        return content(out)
    if how == "sendfile":
        to = os.memfd_create("repro")
        at = os.lseek(file, 0, os.SEEK_CUR) if offset is None else offset
        done = 0
        while done < length:
            got = os.sendfile(to, file, at + done, length - done)
            if got == 0:
                break
            done += got
        data = os.pread(to, length, 0)
        os.close(to)
        return content(data)
    through = fd(op, "through")
    done = 0
    while done < length:
        got = os.copy_file_range(file, through, length - done, offset + done, done)
        if got == 0:
            break
        done += got
    return content(os.pread(through, done, 0))

def do_write(op):
    file, offset, how = fd(op), op.get("offset"), op.get("how", "write")
    data = base64.b64decode(op["base64"])
    buf = memoryview(aligned(len(data)))[:len(data)]
    buf[:] = data
    if how == "mmap":
        start = offset - offset % 4096
        address = mapped(file, start, offset - start + len(data), 3, 1)
        ctypes.memmove(address + offset - start, data, len(data))
        libc.munmap(ctypes.c_void_p(address), ctypes.c_size_t(offset - start + len(data)))
        return {"bytes": len(data)}
    if how in ("write", "vectored"):
        views, at = [], 0
        for size in pieces(op, len(data)) if how == "vectored" else [len(data)]:
            views.append(buf[at:at + size])
            at += size
        bits = {"append": 16, "dsync": 2, "sync": 4, "nowait": 8, "hipri": 1}
        flags = sum(bits[each] for each in op.get("flags", []))
        if offset is None and flags == 0:
            return {"bytes": os.writev(file, views)}
        return {"bytes": os.pwritev(file, views, -1 if offset is None else offset, flags)}
    if how == "splice":
        done, (r, w) = 0, os.pipe()
        while done < len(data):
            put = os.write(w, data[done:done + 65536])
            while put > 0:
                got = os.splice(r, file, put, offset_dst=None if offset is None else offset + done)
                put -= got
                done += got
        os.close(r), os.close(w)
        return {"bytes": done}
    through = fd(op, "through")
    os.pwrite(through, data, 0)
    return {"bytes": os.copy_file_range(through, file, len(data), 0, offset)}

def do_copy(op):
    file, to, how = fd(op), fd(op, "to"), op.get("how", "copy-file-range")
    done = 0
    while done < op["length"]:
        left = op["length"] - done
        at = None if op.get("offset") is None else op["offset"] + done
        put = None if op.get("toOffset") is None else op["toOffset"] + done
        if how == "sendfile":
            got = os.sendfile(to, file, at, left)
        elif how == "splice":
            r, w = os.pipe()
            got = os.splice(file, w, min(left, 65536), offset_src=at)
            moved = 0
            while moved < got:
                moved += os.splice(r, to, got - moved, offset_dst=None if put is None else put + moved)
            os.close(r), os.close(w)
        else:
            got = os.copy_file_range(file, to, left, at, put)
        if got == 0:
            break
        done += got
    return {"bytes": done}

def do_fill(op):
    first, length = op["range"]["offset"], op["range"]["length"]
    data, at, file = pattern(op, first, length), 0, fd(op)
    while at < length:
        chunk = min(op.get("chunk", 1 << 20), length - at)
        buf = memoryview(aligned(chunk))[:chunk]
        buf[:] = data[at:at + chunk]
        done = 0
        while done < chunk:
            done += os.pwrite(file, buf[done:], first + at + done)
        at += chunk
        time.sleep(op.get("pauseUs", 0) / 1e6)
    return {"bytes": length}

def do_fsync(op): (os.fdatasync if op.get("data") else os.fsync)(fd(op))
def do_syncfs(op): call(libc.syncfs(fd(op)))
def do_ftruncate(op): os.ftruncate(fd(op), op["length"])
def do_fchmod(op): os.fchmod(fd(op), op["mode"])

def do_fallocate(op):
    bits = {"keep-size": 1, "punch-hole": 3, "collapse-range": 8, "zero-range": 16, "insert-range": 32}
    flags = 0
    for each in op.get("flags", []):
        flags |= bits[each]
    call(libc.fallocate(fd(op), flags, ctypes.c_long(op["offset"]), ctypes.c_long(op["length"])))

def do_seek(op):
    whence = {"set": 0, "cur": 1, "end": 2, "data": 3, "hole": 4}[op["whence"]]
    return {"offset": os.lseek(fd(op), op["offset"], whence)}

def do_advise(op):
    names = ["normal", "random", "sequential", "willneed", "dontneed"]
    area = op.get("range", {})
    os.posix_fadvise(fd(op), area.get("offset", 0), area.get("length", 0), names.index(op["advice"]))

def do_pages(op):
    area = op.get("range", {})
    where = struct.pack("=QQ", area.get("offset", 0), area.get("length", 0))
    out = ctypes.create_string_buffer(40)
    # cachestat(2), Linux 6.5
    if libc.syscall(451, fd(op), where, out, 0) != 0:
        return {"by": "refused"}
    cached, dirty, writeback = struct.unpack_from("=QQQ", out.raw)
    return {"by": "cachestat", "cached": cached, "dirty": dirty, "writeback": writeback}

def do_evict(op):
    before = do_pages(op)
    if not op.get("evenDirty") and before.get("dirty", 0) + before.get("writeback", 0) > 0:
        return {"evicted": False}
    do_advise({**op, "advice": "dontneed"})
    return {"evicted": True}

def do_hash(op):
    kind = hashlib.sha256 if op["algorithm"] == "sha256" else hashlib.md5
    whole, done = kind(), 0
    flags = os.O_RDONLY | (os.O_DIRECT if op.get("direct") else 0)
    file = os.open(op["path"], flags) if "path" in op else fd(op)
    area = op.get("range", {})
    at, left = area.get("offset", 0), area.get("length", 1 << 62)
    while left > 0:
        buf = memoryview(aligned(1 << 20))
        got = os.preadv(file, [buf[:min(left, 1 << 20)]], at)
        if got == 0:
            break
        whole.update(buf[:got])
        at, left, done = at + got, left - got, done + got
    if "path" in op:
        os.close(file)
    return {"digest": whole.hexdigest(), "bytes": done}

# --- mappings ---

libc.mmap.restype = ctypes.c_void_p
libc.mmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int, ctypes.c_int, ctypes.c_int, ctypes.c_long]

def mapped(file, offset, length, protection, share):
    return call(libc.mmap(None, length, protection, share, file, offset))

def do_map(op):
    protection = 1 if op["protection"] == "read" else 3
    share = 1 if op["share"] == "shared" else 2
    MAPS[op["as"]] = (mapped(fd(op), op["offset"], op["length"], protection, share), op["length"])

def held(op):
    if op["map"] not in MAPS:
        raise OSError(errno.EBADF, "not mapped")
    return MAPS[op["map"]]

def do_load(op): return content(ctypes.string_at(held(op)[0] + op["offset"], op["length"]))

def do_store(op):
    data = base64.b64decode(op["base64"])
    ctypes.memmove(held(op)[0] + op["offset"], data, len(data))

def do_msync(op):
    address, length = held(op)
    how = {"async": 1, "invalidate": 2, "sync": 4}[op.get("how", "sync")]
    call(libc.msync(ctypes.c_void_p(address), ctypes.c_size_t(length), how))

def do_unmap(op):
    address, length = held(op)
    call(libc.munmap(ctypes.c_void_p(address), ctypes.c_size_t(length)))
    del MAPS[op["map"]]

# --- locks and events ---

def do_lock(op):
    kind, until = op["mode"], time.monotonic() + op.get("waitMs", 0) / 1000
    while True:
        try:
            if op["family"] == "flock":
                bits = {"shared": fcntl.LOCK_SH, "exclusive": fcntl.LOCK_EX, "unlock": fcntl.LOCK_UN}[kind]
                fcntl.flock(fd(op), bits | fcntl.LOCK_NB)
            else:
                fcntl.fcntl(fd(op), fcntl.F_SETLK if op["family"] == "posix" else 37, flock_of(op))
            return None
        except OSError as error:
            if error.errno not in (errno.EAGAIN, errno.EACCES) or "waitMs" not in op:
                raise
            if time.monotonic() > until:
                raise OSError(errno.ETIMEDOUT, "not granted")
            time.sleep(0.01)

def flock_of(op):
    kind = {"shared": fcntl.F_RDLCK, "exclusive": fcntl.F_WRLCK, "unlock": fcntl.F_UNLCK}[op["mode"]]
    area = op.get("range", {})
    return struct.pack("hhqqixxxx", kind, 0, area.get("offset", 0), area.get("length", 0), 0)

def do_test_lock(op):
    request = flock_of(op)
    got = fcntl.fcntl(fd(op), fcntl.F_GETLK if op["family"] == "posix" else 36, request)
    return {"free": struct.unpack("hhqqixxxx", got)[0] == fcntl.F_UNLCK}

EVENTS = {"access": 1, "modify": 2, "attrib": 4, "close-write": 8, "close-nowrite": 16, "open": 32,
          "moved-from": 64, "moved-to": 128, "create": 256, "delete": 512, "delete-self": 1024, "move-self": 2048}

def do_watch(op):
    watch = call(libc.inotify_init1(os.O_NONBLOCK))
    bits = sum(EVENTS[each] for each in op.get("events", EVENTS))
    paths = {call(libc.inotify_add_watch(watch, os.fsencode(each), bits)): each for each in op["paths"]}
    WATCHES[op["as"]] = (watch, paths)

def do_events(op):
    watch, paths = WATCHES[op["watch"]]
    seen, end = [], time.monotonic() + op["limitMs"] / 1000
    while time.monotonic() < end and len(seen) < op.get("count", 1 << 30):
        if not select.select([watch], [], [], op["quietMs"] / 1000)[0]:
            break
        data = os.read(watch, 65536)
        while data:
            number, bits, _, size = struct.unpack_from("iIII", data)
            name = data[16:16 + size].rstrip(b"\0")
            kinds = [each for each, bit in EVENTS.items() if bits & bit]
            seen.append([paths.get(number), kinds, os.fsdecode(name)])
            data = data[16 + size:]
    return {"events": seen}

def do_unwatch(op): os.close(WATCHES.pop(op["watch"])[0])

# --- several at once, waiting, watching ---

def do_wait(op): time.sleep(op["ms"] / 1000)

def do_many(op):
    values = []
    for each in op["list"]:
        got = answer(each)
        if "errno" in got and not op.get("anyway"):
            return {"values": values, "stopped": got["errno"]}
        values.append(got.get("value", got))
    return {"values": values}

def seen_by(look):
    kind = look["see"]
    try:
        if kind in ("stat", "fstat"):
            found = do_stat(look) if kind == "stat" else do_fstat(look)
            return {each: found.get(each) for each in look.get("fields", ["size", "mtimeNs", "mode", "nlink", "ino"])}
        if kind == "name":
            try:
                return {"exists": True, "ino": do_stat(look)["ino"]}
            except FileNotFoundError:
                return {"exists": False}
        if kind == "listed":
            return {"listed": look["name"] in os.listdir(look["path"])}
        if kind == "list":
            return {"names": len(os.listdir(look["path"]))}
        if kind == "read":
            return do_read(look)
        if kind == "load":
            return do_load(look)
        if kind == "content":
            flags = sum(getattr(os, "O_" + each.upper()) for each in look.get("flags", ["rdonly"]))
            file = os.open(look["path"], flags)
            try:
                return content(os.pread(file, look["length"], look["offset"]))
            finally:
                os.close(file)
        if kind == "readlink":
            return do_readlink(look)
        if kind == "getxattr":
            return do_getxattr(look)
        if kind == "pages":
            return do_pages(look)
        do_lock({**look, "do": "lock"})
        do_lock({**look, "do": "lock", "mode": "unlock"})
        return {"locked": True}
    except OSError as error:
        return {"errno": errno.errorcode.get(error.errno, str(error.errno))}

def holds(look, seen):
    until = look.get("until", {})
    wanted, unwanted = until.get("is"), until.get("isNot")
    same = lambda given: all(seen.get(name) == value for name, value in given.items())
    return (wanted is None or same(wanted)) and (unwanted is None or not same(unwanted))

def do_observe(op):
    seen = [[] for _ in op["looks"]]
    begin = time.monotonic()
    reached = None
    waits = any("until" in look for look in op["looks"])
    while True:
        values = [seen_by(look) for look in op["looks"]]
        for each, value in zip(seen, values):
            if not each or each[-1][1] != value:
                each.append([round((time.monotonic() - begin) * 1000), value])
        if waits and reached is None and all(map(holds, op["looks"], values)):
            reached = time.monotonic()
        now = time.monotonic()
        if reached is not None and now - reached >= op.get("thenMs", 0) / 1000:
            return {"reached": True, "looks": seen}
        if now - begin > op["limitMs"] / 1000:
            return {"reached": False, "looks": seen}
        time.sleep(op.get("everyUs", 1000) / 1e6)

def do_drop_caches(op):
    with open("/proc/sys/vm/drop_caches", "w") as file:
        file.write(str(op["what"]))

# --- what bytes say of themselves: cells of 64 bytes ---

def mix(h):
    h &= 0xffffffff
    h = ((h ^ h >> 16) * 0x85ebca6b) & 0xffffffff
    h = ((h ^ h >> 13) * 0xc2b2ae35) & 0xffffffff
    return h ^ h >> 16

def cell(key, offset):
    state = key["seed"] ^ key["fileId"] ^ (key["generation"] << 16 | key["writer"]) ^ (offset // 64 & 0xffffffff)
    body = struct.pack("<IHHQI", key["fileId"], key["writer"], key["generation"], offset, key["seed"])
    for _ in range(9):
        body += struct.pack("<I", mix(state))
        state = (state + 0x9e3779b9) & 0xffffffff
    check = 0x811c9dc5
    for byte in body:
        check = ((check ^ byte) * 0x01000193) & 0xffffffff
    return struct.pack("<II", 0x31566656, check) + body

def pattern(key, offset, length):
    first = offset // 64 * 64
    data = b"".join(cell(key, at) for at in range(first, offset + length, 64))
    return data[offset - first:offset - first + length]

def content(data):
    return {"bytes": len(data), "md5": hashlib.md5(data).hexdigest(), "is": told(data)}

def told(data):
    runs = []
    for at in range(0, len(data), 64):
        piece = data[at:at + 64]
        if not any(piece):
            word = "zeros"
        elif piece[:4] == b"VfV1" and len(piece) >= 24:
            number, writer, generation, offset = struct.unpack_from("<IHHQ", piece, 8)
            word = "generation %d of file %x" % (generation, number)
        else:
            word = "other bytes"
        if runs and runs[-1][0] == word:
            runs[-1][2] = at + len(piece)
        else:
            runs.append([word, at, at + len(piece)])
    return ", ".join("%d-%d %s" % (a, b - 1, word) for word, a, b in runs[:8]) or "nothing"

def answer(op):
    try:
        return {"value": globals()["do_" + op["do"].replace("-", "_")](op) or {}}
    except OSError as error:
        return {"errno": errno.errorcode.get(error.errno, str(error.errno))}

print("{}", flush=True)
for line in sys.stdin:
    print(json.dumps(answer(json.loads(line))), flush=True)
`.trimStart();

/** The operations that it can carry out. */
export const playable: ReadonlySet<string> = new Set(
  [...actorProgram.matchAll(/^def do_([a-z_]+)\(op\)/gm)].map(([, name]) =>
    (name ?? '').replaceAll('_', '-'),
  ),
);

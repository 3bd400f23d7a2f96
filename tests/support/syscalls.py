"""The system calls that change files: their numbers, where their paths stand, and a seccomp filter that names them.

For x86_64 and aarch64 Linux. See `tracer.py`, which counts them and makes them fail.
"""

import platform
import struct
from collections.abc import Collection

# What of a call's arguments is a place: "p1" a path, "d0p1" a directory's descriptor and a path below it, "f0" a
# descriptor. Of two names the new one is the place, except for renames, which have both.
_PLACES = {
    "write": "f0",
    "open": "p0",
    "creat": "p0",
    "openat": "d0p1",
    "openat2": "d0p1",
    "pwrite64": "f0",
    "writev": "f0",
    "pwritev": "f0",
    "pwritev2": "f0",
    "sendfile": "f0",
    "copy_file_range": "f2",
    "flock": "f0",
    "fsync": "f0",
    "fdatasync": "f0",
    "syncfs": "f0",
    "sync_file_range": "f0",
    "truncate": "p0",
    "ftruncate": "f0",
    "fallocate": "f0",
    "rename": "p0 p1",
    "renameat": "d0p1 d2p3",
    "renameat2": "d0p1 d2p3",
    "mkdir": "p0",
    "mkdirat": "d0p1",
    "mknod": "p0",
    "mknodat": "d0p1",
    "link": "p1",
    "linkat": "d2p3",
    "symlink": "p1",
    "symlinkat": "d1p2",
    "unlink": "p0",
    "rmdir": "p0",
    "unlinkat": "d0p1",
    "chmod": "p0",
    "fchmod": "f0",
    "fchmodat": "d0p1",
    "fchmodat2": "d0p1",
    "chown": "p0",
    "fchown": "f0",
    "lchown": "p0",
    "fchownat": "d0p1",
    "utime": "p0",
    "utimes": "p0",
    "futimesat": "d0p1",
    "utimensat": "d0p1",
    "setxattr": "p0",
    "lsetxattr": "p0",
    "fsetxattr": "f0",
}
_X86_64 = (
    "write=1 open=2 pwrite64=18 writev=20 sendfile=40 flock=73 fsync=74 fdatasync=75 truncate=76 ftruncate=77 "
    "rename=82 mkdir=83 rmdir=84 creat=85 link=86 unlink=87 symlink=88 chmod=90 fchmod=91 chown=92 fchown=93 "
    "lchown=94 utime=132 mknod=133 setxattr=188 lsetxattr=189 fsetxattr=190 utimes=235 openat=257 mkdirat=258 "
    "mknodat=259 fchownat=260 futimesat=261 unlinkat=263 renameat=264 linkat=265 symlinkat=266 fchmodat=268 "
    "sync_file_range=277 utimensat=280 fallocate=285 pwritev=296 syncfs=306 renameat2=316 copy_file_range=326 "
    "pwritev2=328 openat2=437 fchmodat2=452"
)
_AARCH64 = (
    "setxattr=5 lsetxattr=6 fsetxattr=7 flock=32 mknodat=33 mkdirat=34 unlinkat=35 symlinkat=36 linkat=37 renameat=38 "
    "truncate=45 ftruncate=46 fallocate=47 fchmod=52 fchmodat=53 fchownat=54 fchown=55 openat=56 write=64 writev=66 "
    "pwrite64=68 pwritev=70 sendfile=71 fsync=82 fdatasync=83 sync_file_range=84 utimensat=88 syncfs=267 "
    "renameat2=276 copy_file_range=285 pwritev2=287 openat2=437 fchmodat2=452"
)
_MACHINES = {"x86_64": (0xC000003E, _X86_64), "aarch64": (0xC00000B7, _AARCH64)}

RENAMES = frozenset({"rename", "renameat", "renameat2"})
SYNCS = frozenset({"fsync", "fdatasync", "syncfs", "sync_file_range"})
OPENS = frozenset({"open", "openat", "openat2", "creat"})
WRITES = frozenset({"write", "pwrite64", "writev", "pwritev", "pwritev2", "sendfile", "copy_file_range", "fallocate"})
NEW_NAMES = frozenset({"mkdir", "mkdirat", "mknod", "mknodat", "link", "linkat", "symlink", "symlinkat"}) | RENAMES
LOCKS = frozenset({"flock"})
CHANGES = frozenset(_PLACES) - LOCKS

_FLAGS = {"open": 1, "openat": 2}  # the argument that says what a file is opened for
_WRITING = 0o1 | 0o2 | 0o100 | 0o1000  # O_WRONLY, O_RDWR, O_CREAT, O_TRUNC
_ALLOW, _TRACE = 0x7FFF0000, 0x7FF00000


def supported() -> bool:
    """Say whether the calls of this machine are known."""
    return platform.machine() in _MACHINES


def numbers() -> dict[int, str]:
    """Return the name of each call that we know, by its number on this machine."""
    pairs = (item.split("=") for item in _MACHINES[platform.machine()][1].split())
    return {int(number): name for name, number in pairs}


def places(name: str) -> list[tuple[int | None, int | None]]:
    """Return of each place of call `name` which arguments are a descriptor and a path; None where there is none."""
    found: list[tuple[int | None, int | None]] = []
    for part in _PLACES[name].split():
        if part[0] == "d":
            found.append((int(part[1]), int(part[3])))
        else:
            found.append((None, int(part[1])) if part[0] == "p" else (int(part[1]), None))
    return found


def seccomp_filter(names: Collection[str], *, reading: bool) -> bytes:
    """Return a program (struct sock_filter[]) that stops at calls of `names`; at opens for reading if `reading`."""
    audit, _ = _MACHINES[platform.machine()]
    load, equal, any_bit, end = 0x20, 0x15, 0x45, 0x06  # BPF_LD|W|ABS, BPF_JMP|JEQ, BPF_JMP|JSET, BPF_RET
    program = [(load, 0, 0, 4), (equal, 1, 0, audit), (end, 0, 0, _ALLOW), (load, 0, 0, 0)]
    for number, name in numbers().items():
        if name not in names:
            continue
        if name in _FLAGS and not reading:
            flags = 16 + 8 * _FLAGS[name]
            program += [(equal, 0, 4, number), (load, 0, 0, flags), (any_bit, 0, 1, _WRITING)]
            program += [(end, 0, 0, _TRACE), (end, 0, 0, _ALLOW)]
        else:
            program += [(equal, 0, 1, number), (end, 0, 0, _TRACE)]
    program.append((end, 0, 0, _ALLOW))
    return b"".join(struct.pack("HBBI", *one) for one in program)

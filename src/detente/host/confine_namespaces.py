"""Namespaces of our own (unshare(2)): a file system with the mounts of a box and nothing else, and process 1 in it."""

from __future__ import annotations

import ctypes
import os
import signal
import struct

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

_NEWNS, _NEWCGROUP, _NEWUTS, _NEWIPC = 0x00020000, 0x02000000, 0x04000000, 0x08000000
_NEWUSER, _NEWPID, _NEWNET = 0x10000000, 0x20000000, 0x40000000
_NOSUID, _NODEV, _NOEXEC, _BIND, _REC, _PRIVATE = 2, 4, 8, 4096, 16384, 1 << 18
_MOUNT_SETATTR, _PIVOT_ROOT = 442, {"x86_64": 155}.get(os.uname().machine, 41)
_AT_FDCWD, _AT_RECURSIVE, _DETACH = -100, 0x8000, 2
_ATTR_RDONLY, _ATTR_NOSUID, _ATTR_NODEV = 1, 2, 4
_DEVICES = ("null", "zero", "full", "random", "urandom")
_LINKS = {"fd": "/proc/self/fd", "stdin": "/proc/self/fd/0", "stdout": "/proc/self/fd/1", "stderr": "/proc/self/fd/2"}
_AF_INET, _DATAGRAM, _SET_FLAGS, _IFF_UP = 2, 2, 0x8914, 1  # netdevice(7)

_libc = ctypes.CDLL(None, use_errno=True)


def enter(mounts: Iterable[Sequence[str]], scratch: str, *, mapped: bool, net: bool) -> None:
    """Go into namespaces with these `mounts` (kind, source, target), built on the empty directory `scratch`.

    This returns in process 1 of them only; who called waits for it, outside, and ends with its status.
    `mapped`: we are not root, and stay who we are in a user namespace. Raise OSError where it cannot be.
    """
    uid, gid = os.getuid(), os.getgid()
    flags = _NEWNS | _NEWPID | _NEWIPC | _NEWUTS | _NEWCGROUP
    flags |= (_NEWUSER if mapped else 0) | (0 if net else _NEWNET)
    _checked(_libc.unshare(flags), "unshare")
    if mapped:
        for name, text in (("setgroups", "deny"), ("uid_map", f"{uid} {uid} 1"), ("gid_map", f"{gid} {gid} 1")):
            with open(f"/proc/self/{name}", "w", encoding="ascii") as file:
                file.write(text)
    first = os.fork()
    if first:
        _, status = os.waitpid(first, 0)
        code = os.waitstatus_to_exitcode(status)
        os._exit(code if code >= 0 else 128 - code)
    _libc.prctl(1, signal.SIGKILL, 0, 0, 0)  # PR_SET_PDEATHSIG
    if not net:
        _loopback()
    _build(mounts, scratch)


def _build(mounts: Iterable[Sequence[str]], root: str) -> None:
    _mount("none", "/", None, _REC | _PRIVATE)
    _mount("tmpfs", root, "tmpfs", _NOSUID | _NODEV, "mode=0755,size=16m")
    for kind, source, target in mounts:
        _put(kind, source, root + target)
    os.makedirs(root + "/proc", exist_ok=True)
    _mount("proc", root + "/proc", "proc", _NOSUID | _NODEV | _NOEXEC)
    os.makedirs(root + "/dev", exist_ok=True)
    for name in _DEVICES:
        _put("device", "/dev/" + name, f"{root}/dev/{name}")
    for name, text in _LINKS.items():
        os.symlink(text, f"{root}/dev/{name}")
    _attributes(root, _ATTR_RDONLY | _ATTR_NOSUID | _ATTR_NODEV)
    os.chdir(root)
    _checked(_libc.syscall(_PIVOT_ROOT, b".", b"."), "pivot_root")
    _checked(_libc.umount2(b".", _DETACH), "umount")
    os.chdir("/")


def _put(kind: str, source: str, target: str) -> None:
    os.makedirs(os.path.dirname(target), exist_ok=True)
    if kind == "link":
        os.symlink(source, target)
        return
    if os.path.isdir(source):
        os.makedirs(target, exist_ok=True)
    elif not os.path.exists(target):
        os.close(os.open(target, os.O_CREAT | os.O_WRONLY | os.O_CLOEXEC, 0o644))
    _mount(source, target, None, _BIND | _REC)
    keep = _ATTR_NOSUID if kind == "device" else _ATTR_NOSUID | _ATTR_NODEV
    _attributes(target, keep | (_ATTR_RDONLY if kind == "ro" else 0), recursive=True)


def _attributes(place: str, wanted: int, *, recursive: bool = False) -> None:
    """Set attributes of a mount, of all below it too, and leave the others (mount_setattr(2), Linux 5.12)."""
    attribute = struct.pack("=QQQQ", wanted, 0, 0, 0)
    flags = ctypes.c_uint(_AT_RECURSIVE if recursive else 0)
    answer = _libc.syscall(
        _MOUNT_SETATTR, _AT_FDCWD, os.fsencode(place), flags, attribute, ctypes.c_size_t(len(attribute))
    )
    _checked(answer, place)


def _mount(source: str, target: str, kind: str | None, flags: int, data: str | None = None) -> None:
    words = [None if word is None else os.fsencode(word) for word in (source, target, kind)]
    answer = _libc.mount(*words, ctypes.c_ulong(flags), None if data is None else data.encode())
    _checked(answer, f"mounting {target}")


def _loopback() -> None:
    """Bring up this namespace's own 127.0.0.1: builds test with it."""
    place = _libc.socket(_AF_INET, _DATAGRAM, 0)
    _checked(_libc.ioctl(place, ctypes.c_ulong(_SET_FLAGS), struct.pack("16sH14x", b"lo", _IFF_UP)), "loopback")
    os.close(place)


def _checked(answer: int, what: str) -> None:
    if answer != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{what}: {os.strerror(number)}")

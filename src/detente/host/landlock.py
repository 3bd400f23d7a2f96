"""Landlock (landlock(7), Linux 5.13): a process takes rights from itself and all that it starts, for good.

Two steps, so that a child can be restricted between fork and exec: `prepare` in the parent does all the work and
gives a file descriptor; `enforcer(fd)` gives a function that makes two system calls and nothing else.
What Landlock never covers, whatever the kernel: stat, readlink, chmod, chown and times of files by their path.
"""

import ctypes
import os
import stat
import struct
from collections.abc import Callable, Sequence

_CREATE, _ADD, _RESTRICT = 444, 445, 446  # system calls; the same numbers on every architecture
_VERSION = 1  # LANDLOCK_CREATE_RULESET_VERSION
_PATH_BENEATH = 1
_NO_NEW_PRIVS = 38  # prctl(2)

EXECUTE, _WRITE_FILE, _READ_FILE, _READ_DIR = 1 << 0, 1 << 1, 1 << 2, 1 << 3
_REMOVE_DIR, _REMOVE_FILE = 1 << 4, 1 << 5
_MAKE_CHAR, _MAKE_DIR, _MAKE_REG, _MAKE_SOCK, _MAKE_FIFO, _MAKE_BLOCK, _MAKE_SYM = (1 << bit for bit in range(6, 13))
_REFER, _TRUNCATE, _IOCTL_DEV = 1 << 13, 1 << 14, 1 << 15
_ON_FILES = EXECUTE | _WRITE_FILE | _READ_FILE | _TRUNCATE | _IOCTL_DEV
READ = _READ_FILE | _READ_DIR
# Devices can be made by nobody: these two are handled with WRITE and granted never.
_DEVICES = _MAKE_CHAR | _MAKE_BLOCK
WRITE = (
    _WRITE_FILE | _REMOVE_DIR | _REMOVE_FILE | _MAKE_DIR | _MAKE_REG | _MAKE_SOCK | _MAKE_FIFO | _MAKE_SYM
    | _REFER | _TRUNCATE | _IOCTL_DEV
)  # fmt: skip
_SINCE = {_REFER: 2, _TRUNCATE: 3, _IOCTL_DEV: 5}  # ABI versions; the others came with the first
TCP_SINCE = 4
SCOPES_SINCE = 6
_TCP = 0b11  # bind, connect
_SCOPES = 0b11  # abstract unix sockets, signals

_libc = ctypes.CDLL(None, use_errno=True)


def abi() -> int:
    """Return the version of Landlock's interface that this kernel offers, 0 where it has none (or it is off)."""
    return max(0, int(_libc.syscall(_CREATE, None, ctypes.c_size_t(0), ctypes.c_uint(_VERSION))))


def prepare(
    *,
    read: Sequence[str] | None = None,
    write: Sequence[str] | None = None,
    execute: Sequence[str] | None = None,
    tcp: bool = True,
    scopes: bool = False,
) -> int:
    """Return the file descriptor of a ruleset for `enforcer`; the caller closes it.

    `read`, `write`, `execute` are files and directories (with all below them) where alone that may be done
    afterwards; None leaves it as it is. What does not exist is passed over. `write` does not include reading.
    Without `tcp` no TCP connection and port can be had, with `scopes` no signal and no abstract unix socket
    reaches out, as far as the kernel's ABI has them (TCP_SINCE, SCOPES_SINCE). Raise OSError where it fails.
    """
    version = abi()
    if version == 0:
        raise OSError("this kernel has no Landlock")
    asked = ((READ, read, READ), (WRITE, write, WRITE | _DEVICES), (EXECUTE, execute, EXECUTE))
    known = ~sum(right for right, since in _SINCE.items() if since > version)
    handled = sum(all_of for _, paths, all_of in asked if paths is not None) & known
    attribute = struct.pack(
        "=QQQ",
        handled,
        _TCP if not tcp and version >= TCP_SINCE else 0,
        _SCOPES if scopes and version >= SCOPES_SINCE else 0,
    )
    size = 24 if version >= SCOPES_SINCE else 16 if version >= TCP_SINCE else 8
    ruleset = _checked(_libc.syscall(_CREATE, attribute, ctypes.c_size_t(size), ctypes.c_uint(0)))
    try:
        rights: dict[str, int] = {}
        for right, paths, _ in asked:
            for path in paths or ():
                rights[path] = rights.get(path, 0) | right
        for path, right in rights.items():
            _allow(ruleset, path, right & handled)
    except BaseException:
        os.close(ruleset)
        raise
    return ruleset


def enforcer(ruleset: int) -> Callable[[], None]:
    """Return a function for the child, between fork and exec, that puts `ruleset` in force; it may raise OSError."""
    prctl, syscall, get_errno = _libc.prctl, _libc.syscall, ctypes.get_errno
    number, descriptor, flags = ctypes.c_long(_RESTRICT), ctypes.c_int(ruleset), ctypes.c_uint(0)

    def enforce() -> None:
        if prctl(_NO_NEW_PRIVS, 1, 0, 0, 0) or syscall(number, descriptor, flags):
            raise OSError(get_errno(), "Landlock cannot be put in force")

    return enforce


def _allow(ruleset: int, path: str, rights: int) -> None:
    try:
        place = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except (FileNotFoundError, NotADirectoryError, PermissionError):
        return
    try:
        if not stat.S_ISDIR(os.fstat(place).st_mode):
            rights &= _ON_FILES
        if rights:
            rule = struct.pack("=Qi", rights, place)
            _checked(_libc.syscall(_ADD, ruleset, _PATH_BENEATH, rule, ctypes.c_uint(0)))
    finally:
        os.close(place)


def _checked(answer: int) -> int:
    if answer < 0:
        number = ctypes.get_errno()
        raise OSError(number, f"Landlock: {os.strerror(number)}")
    return int(answer)

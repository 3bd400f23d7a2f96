"""Put a filter of system calls in force (seccomp(2)): for this process and all that it starts, for good."""

import ctypes
import struct
from collections.abc import Callable

_SET_SECCOMP, _NO_NEW_PRIVS, _FILTER = 22, 38, 2  # prctl(2)


def enforcer(program: bytes) -> Callable[[], None]:
    """Return a function for the child, between fork and exec, that puts `program` in force; it may raise OSError.

    `program` is what `filters.assemble` gives.
    """
    libc = ctypes.CDLL(None, use_errno=True)
    prctl, get_errno = libc.prctl, ctypes.get_errno
    text = ctypes.create_string_buffer(program, len(program))
    header = ctypes.create_string_buffer(struct.pack("@HP", len(program) // 8, ctypes.addressof(text)))

    def enforce(_alive: object = text) -> None:
        if prctl(_NO_NEW_PRIVS, 1, 0, 0, 0) or prctl(_SET_SECCOMP, _FILTER, header, 0, 0):
            raise OSError(get_errno(), "the system call filter cannot be put in force")

    return enforce

"""Put a directory in the place of another one, in one step where the kernel and the file system can (renameat2(2))."""

import errno
import os

_AT_FDCWD = -100
_RENAME_EXCHANGE = 2
_CANNOT = (errno.ENOSYS, errno.EINVAL, errno.ENOTSUP)


def exchange(one: str, other: str) -> None:
    """Let the directories `one` and `other` have each other's names; both must be there. Raise OSError.

    Without support for it `other` has no name for a moment: a kill just then leaves it missing, and `one` whole.
    """
    import ctypes

    libc = ctypes.CDLL(None, use_errno=True)
    renameat2 = getattr(libc, "renameat2", None)
    if renameat2 is not None:
        flags = ctypes.c_uint(_RENAME_EXCHANGE)
        if renameat2(_AT_FDCWD, os.fsencode(one), _AT_FDCWD, os.fsencode(other), flags) == 0:
            return
        code = ctypes.get_errno()
        if code not in _CANNOT:
            raise OSError(code, os.strerror(code), one, None, other)
    in_two_steps(one, other)


def in_two_steps(one: str, other: str) -> None:
    """Do what `exchange` does with renames that every file system has."""
    aside = f"{one}-{os.urandom(4).hex()}"
    os.rename(other, aside)
    os.rename(one, other)
    os.rename(aside, one)

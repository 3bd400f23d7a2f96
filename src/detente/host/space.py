"""How much room the file system of a path has, what it allows, and how that is said."""

import contextlib
import os

from detente.errors import DiskError

_NOEXEC = os.ST_NOEXEC
_FEW = 10_000  # files that can still be made; above that, a full disk is full of bytes
_BLOCK = 4096


def existing(path: str) -> str:
    """Return `path`, or the nearest directory above it that exists."""
    path = os.path.abspath(path)
    while not os.path.exists(path) and path != "/":
        path = os.path.dirname(path)
    return path


def mount_point(path: str) -> str:
    """Return where the file system that holds (or would hold) `path` is mounted."""
    path = os.path.realpath(existing(path))
    while not os.path.ismount(path):
        path = os.path.dirname(path)
    return path


def free(path: str) -> int:
    """Return the bytes that we may still write on the file system of `path`."""
    info = os.statvfs(existing(path))
    return (info.f_bfree if os.geteuid() == 0 else info.f_bavail) * info.f_frsize


def executable(path: str) -> bool:
    """Say whether programs on the file system of `path` may run (it is not mounted noexec)."""
    return not os.statvfs(existing(path)).f_flag & _NOEXEC


def check_executable(path: str) -> None:
    """Raise DiskError where nothing that lies at `path` could be run."""
    if not executable(path):
        mount = mount_point(path)
        raise DiskError(
            f"no program can run from {path}: {mount} is mounted noexec; nothing was changed",
            hint=f"mount -o remount,exec {mount}, or point XDG_DATA_HOME to another file system",
        )


def check_room(path: str, needed: int) -> None:
    """Raise DiskError where the file system of `path` has fewer than `needed` bytes."""
    left = free(path)
    if left < needed:
        raise DiskError(
            f"the disk is full: at least {in_words(needed)} are needed, and {in_words(left)} are free"
            f" on {mount_point(path)}; nothing was changed",
            hint="free some space (`detente collect` removes what nothing needs) and repeat the command",
        )


def lack(path: str) -> tuple[str, str]:
    """Return what ran out on the file system of `path` ("the disk is full"), and what is left there, in words.

    A file system says ENOSPC for both: it has no bytes left, or it can hold no more files.
    """
    with contextlib.suppress(OSError):
        info = os.statvfs(existing(path))
        mount = mount_point(path)
        left = free(path)
        if info.f_files and info.f_ffree < _FEW and info.f_ffree * _BLOCK < left:
            return "there are no inodes left", f"{info.f_ffree} inodes are free on {mount}"
        return "the disk is full", f"{in_words(left)} are free on {mount}"
    return "the disk is full", ""


def in_words(number: float) -> str:
    """Return a size of `number` bytes for a person (powers of 1000)."""
    for unit in ("B", "kB", "MB"):
        if number < 1000:
            return f"{number:.0f} {unit}" if unit == "B" or number >= 10 else f"{number:.1f} {unit}"
        number /= 1000
    return f"{number:.1f} GB"

"""The store's lock: whoever adds to the store or links into it holds it shared, `collect` holds it alone.

So nothing that a command is about to use goes away under its hands, and many commands fetch at once.
"""

import contextlib
import os
from collections.abc import Callable, Iterator

from detente.host import fs
from detente.host.paths import Paths
from detente.store import witness

DOWNLOADS = "downloads"  # below the data, not the cache: two profiles may share a cache, and not this lock


@contextlib.contextmanager
def shared(paths: Paths, on_wait: Callable[[], None]) -> Iterator[None]:
    """Hold the store together with others; what dead commands left behind is swept away first, where we are alone."""
    fs.make_directory(paths.data)
    with contextlib.suppress(fs.Busy), fs.lock(_path(paths), wait=False):
        sweep(paths)
    with fs.lock(_path(paths), shared=True, on_wait=on_wait):
        yield


@contextlib.contextmanager
def alone(paths: Paths, on_wait: Callable[[], None]) -> Iterator[None]:
    """Hold the store alone, after `on_wait` where others are at work in it."""
    with fs.lock(_path(paths), on_wait=on_wait):
        yield


def sweep(paths: Paths) -> None:
    """Remove what killed commands staged or were fetching. The caller holds the store alone."""
    for parent in (paths.store, paths.environments, paths.generations):
        fs.sweep(parent)
    _close_entries(paths)
    witnesses = [os.path.join(paths.data, witness.FOLDER, kind) for kind in witness.KINDS]
    cached = [os.path.join(paths.cache, name) for name in ("locks", "stand-ins")]
    for parent in (paths.data, paths.builds, paths.cache, *cached, *witnesses):
        fs.sweep(parent, fs.TEMPORARY)
    with contextlib.suppress(OSError):
        fs.remove_tree(os.path.join(paths.data, DOWNLOADS))


def _close_entries(paths: Paths) -> None:
    """Seal the entries that a killed command had opened to give them bytecode, and remove what it left in there."""
    try:
        with os.scandir(paths.store) as items:
            found = [item for item in items if item.is_dir(follow_symlinks=False) and not item.name.startswith(".")]
    except FileNotFoundError:
        return
    for item in found:
        with contextlib.suppress(OSError):
            if item.stat(follow_symlinks=False).st_mode & 0o200:
                fs.sweep(os.path.join(item.path, witness.MARKS), fs.TEMPORARY)
                fs.seal(item.path)


def holders(paths: Paths) -> str:
    """Return who holds the lock that we have to wait for, as the end of a sentence; "" where it cannot be seen."""
    ours = os.getpid()
    found = _holders(_path(paths))
    if ours in found:  # then it is the other one that we wait for
        found = _holders(os.path.join(paths.data, "profile.lock"))
    named = [f"{pid} ({command})" for pid in sorted(found - {ours}) if (command := _command(pid))]
    return f": process {', '.join(named[:3])}; if it hangs, kill it: nothing breaks" if named else ""


def _holders(lock: str) -> set[int]:
    """Return the processes that have the file `lock` locked (proc_locks(5)): by its inode, which is one of a few."""
    try:
        inode = os.stat(lock).st_ino
        with open("/proc/locks", encoding="ascii") as stream:
            rows = [line.split() for line in stream]
    except OSError:
        return set()
    held = [row for row in rows if row[1] == "FLOCK" and row[5].rpartition(":")[2] == str(inode)]
    return {int(row[4]) for row in held if _has_open(row[4], lock)}


def _has_open(pid: str, path: str) -> bool:
    with contextlib.suppress(OSError):
        for name in os.listdir(f"/proc/{pid}/fd"):
            with contextlib.suppress(OSError):
                if os.path.samefile(f"/proc/{pid}/fd/{name}", path):
                    return True
    return False


def _command(pid: int) -> str:
    """Return the command line of process `pid`, from the word detente on where it has one; "" where it has ended."""
    try:
        with open(f"/proc/{pid}/cmdline", "rb") as stream:
            words = os.fsdecode(stream.read()).rstrip("\0").split("\0")
    except OSError:
        return ""
    for place, word in enumerate(words):
        if os.path.basename(word) == "detente":
            return " ".join(["detente", *words[place + 1 :]])
    return os.path.basename(words[0])


def _path(paths: Paths) -> str:
    return os.path.join(paths.data, "store.lock")

"""What lies below a directory: bytes on the disk and inodes, hard links counted once."""

import os
import shutil
import stat
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple


class Usage(NamedTuple):
    """`bytes` are whole blocks, as du(1) counts them."""

    bytes: int
    inodes: int


def usage(root: Path, *, without: Sequence[str] = ()) -> Usage:
    """Return what `root` and all below it take, but for the paths `without` (relative to `root`)."""
    left_out = {str(root / one) for one in without}
    seen: set[tuple[int, int]] = set()
    total = 0
    todo = [str(root)]
    while todo:
        path = todo.pop()
        if path in left_out:
            continue
        info = os.lstat(path)
        if (info.st_dev, info.st_ino) not in seen:
            seen.add((info.st_dev, info.st_ino))
            total += info.st_blocks * 512
        if stat.S_ISDIR(info.st_mode):
            todo += [entry.path for entry in os.scandir(path)]
    return Usage(total, len(seen))


def empty(root: Path, *, keep: Sequence[str] = ()) -> None:
    """Delete everything below `root` but the paths `keep` (relative to it) and what leads to them."""
    kept = {root / one for one in keep}
    above = {parent for path in kept for parent in path.parents}
    todo = [root]
    while todo:
        for path in todo.pop().iterdir():
            if path in kept:
                continue
            if path in above:
                todo.append(path)
            else:
                delete(path)


def delete(path: Path) -> None:
    """Delete `path`, read-only directories included."""
    if path.is_symlink() or not path.is_dir():
        path.unlink()
        return
    for folder, _, _ in os.walk(path):  # from the top: each is made writable before what is in it is looked at
        os.chmod(folder, 0o700)
    shutil.rmtree(path)

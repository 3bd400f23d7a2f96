"""A little room kept back, so that going back and removing work on a full disk too.

A new generation takes a few files and some kB. Where the disk has not even those, the reserve is given up for it; it
is made again by a later change that finds room.
"""

import contextlib
import os

from detente.host import fs, space
from detente.host.paths import Paths

NAME = "reserve"
_FILES = 32  # inodes: a generation takes one for each command and manual page
_BYTES = 8192  # in each
_ENOUGH = 4 << 20  # free bytes without which nothing is put aside


def keep(paths: Paths) -> None:
    """Put aside what is missing of the reserve, unless room is scarce already. Never fails."""
    folder = os.path.join(paths.data, NAME)
    with contextlib.suppress(OSError):
        have = set(os.listdir(folder)) if os.path.isdir(folder) else set()
        if len(have) >= _FILES or space.free(paths.data) < _ENOUGH:
            return
        fs.make_directory(folder, 0o700)
        for name in map(str, range(_FILES)):
            if name not in have:
                # random, since some file systems store zeros in no room
                fs.write_file(os.path.join(folder, name), os.urandom(_BYTES), 0o600)


def give_up(paths: Paths) -> bool:
    """Free the reserve; say whether there was any."""
    folder = os.path.join(paths.data, NAME)
    try:
        fs.remove_tree(folder)
    except OSError:
        return False
    return True

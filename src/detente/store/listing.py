"""What an environment consists of, item by item: written down when it is made, compared by `verify`.

A link is `> target`, a directory `/`, a file of the environment's own its mode and digest, a file that a *real* entry
shares with it `real`.
"""

import json
import os
import stat

from detente.store.witness import digest

REAL = "real"
FOLDER = "/"


def of(root: str, *, without: str = "") -> dict[str, str]:
    """Return what is below the directory `root`, each path with what it is; the item `without` is left out."""
    found: dict[str, str] = {}
    waiting = [""]
    while waiting:
        below = waiting.pop()
        with os.scandir(os.path.join(root, below)) as items:
            for item in items:
                path = f"{below}/{item.name}" if below else item.name
                if item.is_symlink():
                    found[path] = "> " + os.readlink(item.path)
                elif item.is_dir(follow_symlinks=False):
                    found[path] = FOLDER
                    waiting.append(path)
                elif path != without:
                    found[path] = _file(item)
    return found


def _file(item: "os.DirEntry[str]") -> str:
    info = item.stat(follow_symlinks=False)
    if not stat.S_ISREG(info.st_mode):
        return "special"
    if info.st_nlink > 1:
        return REAL
    with open(item.path, "rb") as stream:
        return f"{stat.S_IMODE(info.st_mode):04o} {digest(stream.read())}"


def encode(found: dict[str, str]) -> bytes:
    """Return the text of a listing."""
    return (json.dumps(found, indent=0, sort_keys=True) + "\n").encode()


def decode(text: bytes) -> dict[str, str]:
    """Return what `encode` was given; raise ValueError where it is none."""
    value = json.loads(text)
    if not isinstance(value, dict) or not all(isinstance(item, str) for item in value.values()):
        raise ValueError("it is no listing")
    return value

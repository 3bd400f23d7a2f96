"""What was learned and stays true until files change: JSON in the cache, kept with the stamp of what it came from."""

from __future__ import annotations

import contextlib
import json
import os
from typing import TYPE_CHECKING, Any

from detente import __version__
from detente.host import fs

if TYPE_CHECKING:
    from collections.abc import Iterable

SCHEMA = 1


def stamp(paths: Iterable[str]) -> list[Any]:
    """Return what changes when one of `paths` does: of files and links themselves, of directories their names."""
    found: list[Any] = [SCHEMA, __version__]
    for path in paths:
        try:
            info = os.stat(path)
            found.append([path, info.st_mtime_ns, info.st_size, info.st_ino])
        except OSError:
            found.append([path])
    return found


def within(folders: Iterable[str]) -> list[str]:
    """Return `folders` and every file directly in them, in order: `stamp` of these notices a file that is edited."""
    found = []
    for folder in folders:
        found.append(folder)
        with contextlib.suppress(OSError):
            found += sorted(os.path.join(folder, name) for name in os.listdir(folder))
    return found


def read(path: str, stamped: list[Any]) -> Any:
    """Return what `write` kept at `path` with the same stamp; None where it is another, missing or broken.

    What another person wrote is not believed: names in it may become a command line of root's.
    """
    try:
        with open(path, "rb") as stream:
            if os.fstat(stream.fileno()).st_uid not in (os.geteuid(), 0):
                return None
            kept = json.loads(stream.read().decode("utf-8", "surrogateescape"))
        return kept["data"] if kept["stamp"] == stamped else None
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return None


def write(path: str, stamped: list[Any], data: Any) -> None:
    """Keep `data` (JSON) at `path`; where that cannot be, it is learned anew next time."""
    text = json.dumps({"stamp": stamped, "data": data}, ensure_ascii=False, separators=(",", ":"))
    with contextlib.suppress(OSError):
        fs.make_directory(os.path.dirname(path))
        fs.replace_file(path, text.encode("utf-8", "surrogateescape"))

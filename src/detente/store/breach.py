"""Words for what is wrong with a wheel, and the rules for the names of its members. No input or output."""

import re
import stat
from collections.abc import Iterable
from typing import NoReturn

from detente.errors import HostileWheel
from detente.names import is_name

MOST_NAME = 255  # bytes of one component (NAME_MAX)

_VERSION = re.compile(r"[A-Za-z0-9_.!+]+\Z")

# what turns or hides text on a terminal: bidirectional controls, invisible characters, line separators
_DECEIVING = frozenset(
    "\u061c\u200b\u200e\u200f\u2028\u2029\u202a\u202b\u202c\u202d\u202e\u2060\u2066\u2067\u2068\u2069\ufeff"
)


def shown(name: str) -> str:
    """Return `name` so that a terminal shows it harmlessly."""
    return name if name.isprintable() and name.isascii() else ascii(name)[1:-1]


def refuse(label: str, breaches: Iterable[str]) -> NoReturn:
    """Raise HostileWheel for the wheel `label`, the first breach in the sentence and all (or 20) as context."""
    found = list(breaches)
    more = [f"and {len(found) - 20} more"] if len(found) > 20 else []
    raise HostileWheel(
        f"{shown(label)} is not a sound wheel: {found[0]}",
        hint=_way_out(label),
        context=[] if len(found) == 1 else found[:20] + more,
    )


def _way_out(filename: str) -> str:
    name, _, rest = filename.partition("-")
    version = rest.partition("-")[0]
    if not is_name(name) or not _VERSION.match(version):
        return "tell whoever gave you that file"
    return f"ask for another version, and tell the project: detente install '{name}!={version}'"


def name_breach(name: str) -> str | None:
    """Say why `name` may not be a path inside a wheel, or None."""
    where = shown(name)
    if not name:
        return "a member has no name"
    if "\\" in name:
        return f"{where} has a backslash in its name"
    if not name.isprintable() or not name.isascii():
        for char in name:
            code = ord(char)
            if code < 32 or 127 <= code < 160 or char in _DECEIVING or 0xD800 <= code < 0xE000:
                return f"{where} has the control character U+{code:04X} in its name"
    if name.startswith("/"):
        return f"{where} is an absolute path"
    for part in name.removesuffix("/").split("/"):
        if part in ("", ".", ".."):
            return f"{where} leaves its directory" if part == ".." else f"{where} is not a plain path"
        if len(part) > MOST_NAME // 4 and len(part.encode()) > MOST_NAME:
            return f"{where} has a name longer than {MOST_NAME} bytes"
    return None


def kind_of(kind: int) -> str:
    """Name a file type of stat(2) (`S_IFMT` of a mode)."""
    names = {
        stat.S_IFLNK: "symbolic link",
        stat.S_IFDIR: "directory without a slash",
        stat.S_IFIFO: "named pipe",
        stat.S_IFCHR: "device",
        stat.S_IFBLK: "device",
        stat.S_IFSOCK: "socket",
        stat.S_IFREG: "file with a directory's name",
    }
    return names.get(kind, "file of an unknown kind")

"""What a Contents index of Debian says about Python: which system package has which metadata, module and program. Pure.

A line is a path without its first slash, spaces, and the packages that have it: `usr/bin/black  python/black`.
"""

import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from detente.names import is_command, is_name, normalized

METADATA, MODULE, PORTION, COMMAND = "metadata", "module", "portion", "command"
"""Kinds of findings. A portion is a piece of a namespace package: a directory with modules and no `__init__`."""

PRIVATE, PUBLIC = "private", "public"
"""Where metadata lies: in a directory of one application, or where the distro's Python looks."""

_PLACE = re.compile(r"usr/lib/python3(?:\.\d+)?/dist-packages/")
_BIN = re.compile(r"(?:usr/)?s?bin/([^/]+)\Z|usr/games/([^/]+)\Z")
# Neither part has a hyphen: writers escape it. `colorcet-None.egg-info` was seen, so a version starts with a digit.
_INFO = re.compile(r"(?P<name>[^/-]+)(?:-(?:(?P<version>\d[^/-]*)|[^/-]*))?(?:-py3[\d.]*)?\.(?:dist|egg)-info\Z")
# Directories of one application: /usr/share/dput, /usr/share/games/pysolfc, /usr/lib/borgbackup2.
_APPLICATION = re.compile(r"usr/(?:share|lib)/(?:[^/]+/){0,3}")
# Below these lie examples, test data, other interpreters, and code that is another project's copy.
_ELSEWHERE = re.compile(
    r"(?:\A|/)(?:dist-packages|site-packages|doc|tests?|testdata|examples?|gocode|_?vendor"
    r"|python[\d.]+|pypy[\d.]*|petscdir|slepcdir)/"
)
_FILE = re.compile(r"(?P<name>[^/.]+)(?:\.py|(?:\.[^/]*)?\.so)\Z")


class Finding(NamedTuple):
    """`packages` have it. For metadata `version` is what the file's name says, and `where` is PUBLIC or PRIVATE."""

    kind: str
    name: str
    packages: tuple[str, ...]
    version: str = ""
    where: str = ""


def findings(lines: Iterable[str]) -> Iterator[Finding]:
    """Yield what `lines` say, in their order; the same finding can come often. Other lines are passed over."""
    for line in lines:
        if "-info" in line or "/dist-packages/" in line or "bin/" in line or "games/" in line:
            path, _, column = line.rstrip().rpartition(" ")
            found = _finding(path.rstrip())
            if found is not None:
                packages = tuple(name.rpartition("/")[2] for name in column.split(","))
                yield found._replace(packages=packages)


def _finding(path: str) -> Finding | None:
    place = _PLACE.match(path)
    if place is not None:
        return _importable(path[place.end() :])
    program = _BIN.match(path)
    if program is not None:
        name = program[1] or program[2]
        return Finding(COMMAND, name, ()) if is_command(name) else None
    return _private(path)


def _importable(rest: str) -> Finding | None:
    """Judge a path below `dist-packages`."""
    top, slash, below = rest.partition("/")
    if top.endswith(("-info", ".egg")):
        return _metadata(top, below, PUBLIC)
    if not slash:
        single = _FILE.match(top)
        return Finding(MODULE, single["name"], ()) if single and single["name"].isidentifier() else None
    if not top.isidentifier() or top == "__pycache__":
        return None
    if below == "__init__.py" or (below.startswith("__init__.") and below.endswith(".so")):
        return Finding(MODULE, top, ())
    return Finding(PORTION, top, ()) if below.endswith((".py", ".so")) else None


def _private(path: str) -> Finding | None:
    """Judge a path of one application's own directory."""
    head, mark, below = path.partition("-info/")
    folder, slash, last = (head + mark.rstrip("/")).rpartition("/")
    place = folder + slash
    if _APPLICATION.fullmatch(place) is None or _ELSEWHERE.search(place):
        return None
    return _metadata(last, below, PRIVATE)


def _metadata(last: str, below: str, where: str) -> Finding | None:
    """Read the name of a `.dist-info` or `.egg-info`, itself or by the one file that each has."""
    if below not in {"", "METADATA", "PKG-INFO"}:
        return None
    words = _INFO.match(last)
    if words is None or not is_name(words["name"]):
        return None
    return Finding(METADATA, normalized(words["name"]), (), words["version"] or "", where)

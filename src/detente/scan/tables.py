"""The tables of names: one that comes with détente for each release, else one made from apt's own Contents lists."""

from __future__ import annotations

import contextlib
import os
import re
from bisect import bisect_left
from typing import TYPE_CHECKING

from detente.distro import table

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from detente.distro.base import Known, Release

_FOLDER = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "distro", "data")
_CODENAME = re.compile(r"[a-z0-9-]+\Z")
_FEW = 32  # from so many words on it is quicker to read the whole table once
_BLOCK = 4096


def shipped(release: Release) -> str:
    """Return the path of the table that comes with détente for `release`, "" if there is none.

    The codename decides: the children of Debian keep it, and have the packages of the release.
    """
    if not _CODENAME.match(release.codename):
        return ""
    path = os.path.join(_FOLDER, f"{release.codename}.txt")
    return path if os.path.exists(path) else ""


def known(release: Release, names: Iterable[str]) -> dict[str, Known]:
    """Return what the table of `release` says of the distributions `names` (normalized); {} without a table."""
    found = _found(release, table.NAME, names)
    return {name: table.read(line) for name, line in found.items()}


def of_command(release: Release, command: str) -> list[Known]:
    """Return the rows whose commands include `command`."""
    line = _found(release, table.COMMAND, [command]).get(command)
    return list(known(release, table.words(line)).values()) if line else []


def of_module(release: Release, module: str) -> list[str]:
    """Return the system packages that let the distro's Python import the top-level `module`."""
    line = _found(release, table.MODULE, [module]).get(module)
    return table.words(line) if line else []


def in_package(release: Release, package: str) -> list[Known]:
    """Return the rows whose metadata or commands are in the system package `package`."""
    rows = known(release, names(release)).values()
    return [row for row in rows if package in (row.package, row.application)]


def modules_of(release: Release, package: str) -> list[str]:
    """Return the top-level modules that the distro's Python can import once `package` is there."""
    rows = (line for line in _all(release) if line.startswith(f"{table.MODULE} "))
    return [line[2 : line.index("\t")] for line in rows if package in table.words(line)]


def matching(release: Release, word: str) -> list[Known]:
    """Return the rows whose name or commands contain `word`, for `search`."""
    rows = (table.read(line) for line in _all(release) if line.startswith(f"{table.NAME} ") and word in line)
    return [row for row in rows if word in row.name or any(word in command for command in row.commands)]


def names(release: Release) -> frozenset[str]:
    """Return every distribution's name in the table."""
    start = f"{table.NAME} "
    return frozenset(line[2 : line.index("\t")] for line in _all(release) if line.startswith(start))


def _found(release: Release, kind: str, words: Iterable[str]) -> dict[str, str]:
    """Return the line about each of `words` that the table has."""
    wanted = {word: table.key(kind, word) for word in words}
    found = {}
    if len(wanted) > _FEW:
        lines = _all(release)
        for word, start in wanted.items():
            place = bisect_left(lines, start)
            if place < len(lines) and lines[place].startswith(start):
                found[word] = lines[place]
        return found
    with _opened(release) as stream:
        for word, start in wanted.items():
            line = _halved(stream, start.encode("utf-8", "surrogateescape")) if stream is not None else b""
            if line:
                found[word] = line.decode()
    return found


def _all(release: Release) -> list[str]:
    with _opened(release) as stream:
        return os.pread(stream, os.fstat(stream).st_size, 0).decode().splitlines() if stream is not None else []


@contextlib.contextmanager
def _opened(release: Release) -> Iterator[int | None]:
    """Yield the table's file descriptor, None where there is none."""
    path = shipped(release) or _own(release)
    try:
        stream = os.open(path, os.O_RDONLY | os.O_CLOEXEC) if path else None
    except OSError:
        stream = None  # the cache may go at any time
    try:
        yield stream
    finally:
        if stream is not None:
            os.close(stream)


def _own(release: Release) -> str:
    """Return the path of the table that was made from the machine's own lists, "" where there are none."""
    if not release.cache:
        return ""
    from detente.scan import contents_lists  # most releases have a table

    return contents_lists.built(release, _elsewhere)


def _elsewhere() -> list[Known]:
    """Return the rows of all shipped tables."""
    found = []
    for name in sorted(os.listdir(_FOLDER)):
        with open(os.path.join(_FOLDER, name), encoding="utf-8") as stream:
            found += [table.read(line.rstrip("\n")) for line in stream if line.startswith(f"{table.NAME} ")]
    return found


def _halved(stream: int, start: bytes) -> bytes:
    """Return the line that begins with `start`, b"" if there is none: of the sorted file only some blocks are read."""
    low, high = 0, os.fstat(stream).st_size
    while high - low > _BLOCK:  # the line begins at `low` or after it, and before `high`
        begin = _next_line(stream, (low + high) // 2)
        if begin >= high:
            break
        head = os.pread(stream, len(start), begin)
        if head == start:
            return _line(stream, begin)
        if head < start:
            low = begin
        else:
            high = begin
    place = (b"\n" + os.pread(stream, high - low + len(start), low)).find(b"\n" + start)
    return _line(stream, low + place) if place >= 0 else b""


def _next_line(stream: int, place: int) -> int:
    """Return where the first line begins that begins after `place`; the end of the file if none does."""
    return place + len(_line(stream, place)) + 1


def _line(stream: int, place: int) -> bytes:
    """Return what there is from `place` to the end of its line."""
    line = b""
    while block := os.pread(stream, _BLOCK, place + len(line)):
        part, newline, _ = block.partition(b"\n")
        line += part
        if newline:
            break
    return line

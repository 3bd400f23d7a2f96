"""What the tables say, against what is really in the archives: a random sample of .deb files, unpacked.

The tables come from lists of paths. Here names and versions come from the metadata's own words, applications from
`entry_points.txt`, and identity from files that are the same, byte for byte, in the index's archive.
"""

import configparser
import random
import re
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from email.parser import HeaderParser
from pathlib import Path
from typing import Any, NamedTuple

import tables_debs
import tables_index
from detente.names import normalized

_METADATA = re.compile(r"(?P<place>.*/)(?P<info>[^/]+\.(?:dist|egg)-info)(?:/(?:METADATA|PKG-INFO))?\Z")
_PUBLIC = re.compile(r"usr/lib/python3(?:\.\d+)?/dist-packages/\Z")
_ENTRY_POINTS = re.compile(r"(?P<place>.*/)(?P<info>[^/]+\.(?:dist|egg)-info)/entry_points\.txt\Z")
_PROGRAM = re.compile(r"(?:usr/)?s?bin/([^/]+)\Z|usr/games/([^/]+)\Z")


class Truth(NamedTuple):
    """One distribution, as its metadata in a .deb describes it. `public`: where the distro's Python looks."""

    name: str
    version: str
    summary: str
    addresses: frozenset[str]
    author: str
    scripts: frozenset[str]
    public: bool
    place: str


class Unpacked(NamedTuple):
    """A .deb: what it brings, its programs, and the digests of its Python files."""

    package: str
    brings: list[Truth]
    programs: frozenset[str]
    digests: frozenset[bytes]


def unpack(package: str, address: str, cache: Path) -> Unpacked:
    """Return what is in the .deb at `address`."""
    words: dict[tuple[str, str], bytes] = {}
    scripts: dict[tuple[str, str], frozenset[str]] = {}
    programs, digests = set(), set()
    for path, data in tables_debs.files(address, cache):
        if path.endswith(".py"):
            digests.add(tables_index.digest(data))
        if (program := _PROGRAM.match(path)) is not None:
            programs.add(program[1] or program[2])
        if (points := _ENTRY_POINTS.match(path)) is not None:
            scripts[points["place"], points["info"]] = _scripts(data)
        elif (metadata := _METADATA.match(path)) is not None and data:
            words[metadata["place"], metadata["info"]] = data
    brings = []
    for key, data in words.items():
        header = HeaderParser().parsestr(data.decode("utf-8", "replace"))
        if not header["Name"]:
            continue
        told = [header["Home-page"], *(one.rpartition(",")[2] for one in header.get_all("Project-URL", []))]
        brings.append(
            Truth(
                normalized(header["Name"].strip()),
                (header["Version"] or "").strip(),
                (header["Summary"] or "").strip(),
                frozenset(one.strip().rstrip("/") for one in told if one) - {"", "UNKNOWN"},
                (header["Author-email"] or header["Author"] or "").strip(),
                scripts.get(key, frozenset()),
                _PUBLIC.match(key[0]) is not None,
                key[0],
            )
        )
    return Unpacked(package, brings, frozenset(programs), frozenset(digests - {b""}))


def _scripts(data: bytes) -> frozenset[str]:
    points = configparser.RawConfigParser(delimiters=("=",), strict=False, allow_no_value=True)
    points.optionxform = lambda optionstr: optionstr  # type: ignore[method-assign]
    points.read_string(data.decode("utf-8", "replace"))
    return frozenset(name for part in ("console_scripts", "gui_scripts") if part in points for name in points[part])


def sample(release: Any, size: int, seed: int) -> list[str]:
    """Return `size` names of system packages that need Python or are called so, chosen by chance; `seed` repeats it."""
    archives = release.suite.archives()
    python = [
        name
        for name, package in release.packages.items()
        if name in archives and (name.startswith("python3-") or "python3" in package.depends)
    ]
    return sorted(random.Random(seed).sample(sorted(python), size))


def look(release: Any, packages: Iterable[str], cache: Path) -> Iterator[Unpacked]:
    """Yield what is in the .debs of `packages`."""
    archives = release.suite.archives()
    with ThreadPoolExecutor(4) as crew:
        yield from crew.map(lambda name: unpack(name, archives[name], cache), packages)

"""The distro's public index: fetched from the mirror that this machine's apt uses, kept in the cache directory."""

import functools
import lzma
import os
import re
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Container, Iterator
from pathlib import Path

from detente.distro.contents import Finding, findings
from detente.distro.matching import Package

COMPONENTS = ("main", "contrib", "non-free", "non-free-firmware")
ARCHITECTURES = ("amd64", "arm64")
# What is worth reading of seven million lines: a filter in C before the parser in Python.
_WANTED = r"-info|/dist-packages/|^(usr/)?s?bin/|^usr/games/|^usr/(lib|share)/[^/]*/.*\.py "
_SOURCE = re.compile(r"usr/(?:lib/python3(?:\.\d+)?/dist-packages|share/[^/]+|lib/[^/]+)/(.+\.pyi?)\Z")
_METADATA = re.compile(r"\.(?:dist|egg)-info(?:/METADATA|/PKG-INFO)? ")
_NAME = re.compile(r"[a-z0-9][a-z0-9+.-]+")


def mirror() -> str:
    """Return the mirror of Debian that apt on this machine uses; raise LookupError where it uses none."""
    wanted = "$(ORIGIN)|$(LABEL)|$(COMPONENT)|$(REPO_URI)"
    words = ["apt-get", "indextargets", "--format", wanted, "Created-By: Packages"]
    lines = subprocess.run(words, capture_output=True, text=True, check=True).stdout.splitlines()
    for line in lines:
        if line.startswith("Debian|Debian|main|http"):
            return line.split("|", 3)[3].rstrip("/")
    raise LookupError("apt on this machine knows no mirror of Debian: give one with --mirror URL")


class Suite:
    """One release: `name` is its codename. Each file is fetched once."""

    def __init__(self, name: str, address: str, cache: Path) -> None:
        self.name = name
        self.address = address.rstrip("/")
        self._folder = cache / name
        self._folder.mkdir(parents=True, exist_ok=True)

    def findings(self) -> Iterator[Finding]:
        """Yield what all Contents of the suite say about Python."""
        for path in self._contents():
            yield from findings(_lines(path))

    def sources(self, packages: Container[str]) -> dict[str, set[str]]:
        """Return, for each of `packages`, the paths of its Python modules, from where it imports them."""
        found: dict[str, set[str]] = {}
        for path in self._contents():
            for line in _lines(path):
                name, _, column = line.rstrip().rpartition(" ")
                place = _SOURCE.match(name.rstrip())
                for package in column.split(",") if place is not None else ():
                    if (owner := package.rpartition("/")[2]) in packages and place is not None:
                        found.setdefault(owner, set()).add(place[1])
        return found

    def metadata(self) -> Iterator[tuple[str, str]]:
        """Yield path and packages of everything that looks like metadata, wherever it lies: to judge the parser by."""
        for path in self._contents():
            for line in _lines(path):
                if _METADATA.search(line) is not None:
                    place, _, packages = line.rstrip().rpartition(" ")
                    yield place.rstrip(), packages

    def packages(self) -> dict[str, Package]:
        """Return the system packages of the suite; of those that differ by architecture, the first one's."""
        found: dict[str, Package] = {}
        for component in COMPONENTS:
            for architecture in ARCHITECTURES:
                path = self._fetched(f"{component}/binary-{architecture}/Packages.xz")
                if path is not None:
                    for name, package, _ in _stanzas(path):
                        found.setdefault(name, package)
        return found

    @functools.cache  # noqa: B019 - one suite lives as long as the program
    def archives(self) -> dict[str, str]:
        """Return system package to the address of its .deb, for the first architecture."""
        path = self._fetched(f"main/binary-{ARCHITECTURES[0]}/Packages.xz")
        assert path is not None
        return {name: f"{self.address}/{place}" for name, _, place in _stanzas(path)}

    def date(self) -> str:
        """Return the date that the suite's Release file bears."""
        path = self._fetched("Release")
        assert path is not None
        return next(line[6:] for line in path.read_text("utf-8").splitlines() if line.startswith("Date: "))

    def _contents(self) -> Iterator[Path]:
        for component in COMPONENTS:
            for architecture in ("all", *ARCHITECTURES):
                path = self._fetched(f"{component}/Contents-{architecture}.gz")
                if path is not None:
                    yield path

    def _fetched(self, name: str) -> Path | None:
        """Return the file `name` of the suite, None where the suite has no such file."""
        path = self._folder / name.replace("/", "_")
        if not path.exists():
            try:
                data = fetched(f"{self.address}/dists/{self.name}/{name}")
            except urllib.error.HTTPError as err:
                if err.code != 404:
                    raise
                data = b""
            path.write_bytes(data)
        return path if path.stat().st_size else None


def fetched(address: str) -> bytes:
    """Return what an address of the mirror has, after a few tries; raise OSError."""
    for pause in (1, 4, 16, 0):
        try:
            with urllib.request.urlopen(address, timeout=60) as answer:  # noqa: S310 - apt's configuration names it
                data: bytes = answer.read()
                return data
        except urllib.error.HTTPError:
            raise
        except OSError:
            if not pause:
                raise
            time.sleep(pause)
    raise AssertionError


def _lines(path: Path) -> Iterator[str]:
    """Yield the lines that may be about Python; raise CalledProcessError where the file is no whole gzip file."""
    with (
        subprocess.Popen(["gzip", "-dc", str(path)], stdout=subprocess.PIPE) as unpack,
        subprocess.Popen(
            ["grep", "-aE", "-e", _WANTED],
            env={"LC_ALL": "C", "PATH": os.defpath},
            stdin=unpack.stdout,
            stdout=subprocess.PIPE,
            text=True,
            errors="surrogateescape",
        ) as sift,
    ):
        assert sift.stdout is not None
        yield from sift.stdout
    for child, accepted in ((unpack, {0}), (sift, {0, 1})):
        if child.returncode not in accepted:
            raise subprocess.CalledProcessError(child.returncode, child.args)


def _stanzas(path: Path) -> Iterator[tuple[str, Package, str]]:
    """Yield name, facts and the place of the archive of each package that a Packages file has."""
    for stanza in lzma.decompress(path.read_bytes()).decode().split("\n\n"):
        field: dict[str, str] = {}
        for line in stanza.split("\n"):
            key, colon, value = line.partition(": ")
            if colon and not line.startswith(" "):
                field[key] = value
        if "Package" not in field:
            continue
        name = field["Package"]
        needs = f"{field.get('Pre-Depends', '')},{field.get('Depends', '')}"
        depends = frozenset(word[0] for part in re.split(r"[,|]", needs) if (word := _NAME.match(part.strip())))
        source = field.get("Source", name).partition(" ")[0]
        yield name, Package(field["Version"], source, depends, field.get("Homepage", "")), field["Filename"]

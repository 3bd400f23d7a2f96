"""Writing the members of a wheel, in one pass: each is hashed, noted and given its mode as it goes by."""

import hashlib
import os
import re
from collections.abc import Sequence
from typing import NamedTuple

from detente.store import elf
from detente.store.archive import Archive
from detente.store.breach import refuse, shown
from detente.store.layout import Place

MODIFIED = 315_619_200  # 1980-01-02 UTC: one time for every file, so that the same wheel is the same tree

_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_MOST_PTH = 1 << 20  # bytes; a larger one counts as code unread
_CUSTOMIZE = ("sitecustomize", "usercustomize")
_SITE = re.compile(r"lib(?:64)?/python[^/]*/(?:site|dist)-packages/(.+)\Z")


class Found(NamedTuple):
    """What only the content of the members shows; the first three fields are those of `model.StoreEntry`.

    `executable` are the paths in the entry of files that may be executed; `unhashed` maps a file that RECORD has no
    hash for to its SHA-256 in hexadecimal.
    """

    scripts: dict[str, bool]
    startup: dict[str, str]
    real: str
    executable: list[str]
    unhashed: dict[str, str]

    def noted(self) -> dict[str, object]:
        """Return what `entry.json` keeps for `verify` alone."""
        return {"executable": sorted(self.executable), "unhashed": self.unhashed}


def write(archive: Archive, places: Sequence[Place], into: str) -> Found:
    """Write `places` below the directory `into`; raise HostileWheel where a member is not what RECORD says.

    Nothing is written through a link: every directory and file is made anew. OSError passes through.
    """
    writer = _Writer(archive, into)
    try:
        for place in places:
            writer.write(place)
    finally:
        writer.close()
    real = _why_real(into, writer.programs, places)
    return Found(writer.scripts, writer.startup, real, writer.executable, writer.unhashed)


def read(archive: Archive, places: Sequence[Place]) -> None:
    """Read `places` and write nothing; raise HostileWheel where a member is not what RECORD says."""
    for place in places:
        digest = hashlib.new(place.row.algorithm or "sha256")
        for piece in archive.pieces(place.member):
            digest.update(piece)
        _compare(archive, place, digest.digest())


def _compare(archive: Archive, place: Place, digest: bytes) -> None:
    if place.row.algorithm and digest != place.row.digest:
        refuse(archive.label, [f"{shown(place.member.name)} has not the hash that RECORD says"])


class _Writer:
    """Writes members below `into`, and notes what can only be seen in their content."""

    def __init__(self, archive: Archive, into: str) -> None:
        self._archive = archive
        self._root = os.open(into, _FOLDER)
        self._folder = -1
        self._folder_name = ""
        self._made: set[str] = set()
        self.scripts: dict[str, bool] = {}
        self.startup: dict[str, str] = {}
        self.programs: list[Place] = []
        self.executable: list[str] = []
        self.unhashed: dict[str, str] = {}
        self._make("lib")

    def close(self) -> None:
        """Close what is open."""
        for fd in (self._folder, self._root):
            if fd >= 0:
                os.close(fd)
        self._folder = self._root = -1

    def write(self, place: Place) -> None:
        """Write one member as a new file with an explicit mode, its hash compared with RECORD's."""
        folder = f"{place.part}/{place.folder}" if place.folder else place.part
        if folder != self._folder_name:
            self._enter(folder)
        member, row = place.member, place.row
        runs = place.part == "scripts" or member.mode & 0o111
        try:
            fd = os.open(place.base, _NEW, 0o600, dir_fd=self._folder)
        except FileExistsError:
            refuse(self._archive.label, [f"{shown(member.name)} has a name that this file system takes for another's"])
        digest = hashlib.new(row.algorithm or "sha256")
        first = None
        try:
            for piece in self._archive.pieces(member):
                if first is None:
                    first = piece
                digest.update(piece)
                if piece:
                    _write_all(fd, piece)
            os.fchmod(fd, 0o555 if runs else 0o444)
            os.utime(fd, (MODIFIED, MODIFIED))
        finally:
            os.close(fd)
        if runs:
            self.executable.append(f"{place.part}/{place.path}")
        if not row.algorithm:
            self.unhashed[f"{place.part}/{place.path}"] = digest.hexdigest()
        _compare(self._archive, place, digest.digest())
        self._note(place, first or b"")

    def _enter(self, folder: str) -> None:
        if folder not in self._made:
            self._make(folder)
        if self._folder >= 0:
            os.close(self._folder)
            self._folder = -1
        self._folder = os.open(folder, _FOLDER, dir_fd=self._root)
        self._folder_name = folder

    def _make(self, folder: str) -> None:
        parent = folder.rpartition("/")[0]
        if parent and parent not in self._made:
            self._make(parent)
        try:
            os.mkdir(folder, 0o755, dir_fd=self._root)
        except FileExistsError:
            refuse(self._archive.label, [f"{shown(folder)} has a name that this file system takes for another's"])
        os.chmod(folder, 0o755, dir_fd=self._root)
        self._made.add(folder)

    def _note(self, place: Place, first: bytes) -> None:
        if first[:4] == b"\x7fELF":
            self.programs.append(place)
        if place.part == "scripts":
            self.scripts[place.base] = first.startswith(b"#!python")
            return
        site = _site_path(place)
        if site and _may_run_at_start(site):
            member = place.member
            small = member.size <= _MOST_PTH
            if not site.endswith(".pth") or not small or _matters(self._archive.read(member, _MOST_PTH)):
                digest = hashlib.sha256()
                for piece in self._archive.pieces(member):
                    digest.update(piece)
                self.startup[place.path] = digest.hexdigest()


def _write_all(fd: int, piece: bytes) -> None:
    done = os.write(fd, piece)
    while done < len(piece):
        done += os.write(fd, memoryview(piece)[done:])


def _site_path(place: Place) -> str:
    """Return where below site-packages `place` will be seen, also by way of the data scheme; "" if not there."""
    if place.part == "lib":
        return place.path
    match = _SITE.match(place.path) if place.part == "data" else None
    return match[1] if match else ""


def _may_run_at_start(site: str) -> bool:
    """Say whether `site` looks at a file of this path when an interpreter starts (site module; PEP 829)."""
    top, slash, rest = site.partition("/")
    if slash:
        return top in _CUSTOMIZE and rest.split(".")[0] == "__init__"
    return top.endswith((".pth", ".start")) or top.split(".")[0] in _CUSTOMIZE


def _matters(content: bytes) -> bool:
    """Say whether a `.pth` file has a line that `site` executes, or one that adds a directory to the search path.

    Such a directory may hold a sitecustomize, its own or another wheel's, and that runs at once.
    """
    for encoding in ("utf-8", "latin-1"):  # it may be read in any that the person's locale names
        text = content.decode(encoding, "replace").removeprefix("\ufeff")
        if any(line.strip() and not line.startswith("#") for line in text.splitlines()):
            return True
    return False


def _why_real(into: str, programs: Sequence[Place], places: Sequence[Place]) -> str:
    """Say why a link to the entry would not do (see elf.py), or return ""."""
    if not programs:
        return ""
    provided: dict[str, set[str]] = {}
    for place in places:
        provided.setdefault(place.part, set()).add(place.base)
    for place in programs:
        path = os.path.join(into, place.part, place.path)
        reason = elf.leaves_its_tree(path, place.path, provided[place.part])
        if reason:
            return reason
    return ""

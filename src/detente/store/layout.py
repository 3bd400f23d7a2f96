"""Where each member of a wheel goes, and whether the wheel tells the truth about itself. Nothing is written here.

A wheel is refused whole: every rule that it breaks is collected first (binary distribution format, RECORD,
entry points; packaging.python.org/specifications).
"""

import hashlib
import os
from typing import NamedTuple

from detente.store import distinfo
from detente.store.archive import Archive
from detente.store.breach import refuse, shown
from detente.store.distinfo import Row, WheelName
from detente.store.zipdirectory import Member

_SCHEMES = {"purelib": "lib", "platlib": "lib", "scripts": "scripts", "data": "data", "headers": "headers"}
_SIGNATURES = ("RECORD.jws", "RECORD.p7s")
_MOST_TEXT = 8 << 20  # bytes of METADATA, WHEEL or entry_points.txt; none of a thousand much-used wheels has a tenth
_MOST_RECORD = 128 << 20
_MOST_ROW = 5_000  # bytes of RECORD for each member: a path cannot be longer than _MOST_PATH
_SPARE_ROWS = 100_000  # rows of RECORD beyond one for each member, before they are made into values
_MOST_PATH = 4095  # PATH_MAX without its end
CACHES = "/__pycache__/"


class Place(NamedTuple):
    """A member and where it goes: `part` of the entry, `folder` and `base` below it. `row` is RECORD's."""

    member: Member
    part: str
    folder: str
    base: str
    row: Row

    @property
    def path(self) -> str:
        """The path below the part."""
        return f"{self.folder}/{self.base}" if self.folder else self.base


class Contents(NamedTuple):
    """A wheel that was found sound, before its members are read.

    `places` leaves out directories, and bytecode caches, which are made anew (`left_out` counts those).
    `record` is RECORD's bytes; `metadata` and `format` the fields of METADATA and WHEEL.
    """

    places: list[Place]
    left_out: int
    record: bytes
    metadata: dict[str, list[str]]
    format: dict[str, list[str]]
    commands: dict[str, str]

    def described(self) -> dict[str, str | int]:
        """Return what `entry.json` keeps of it beside the entry's own fields."""

        def field(source: dict[str, list[str]], key: str) -> str:
            return source.get(key, [""])[0]

        return {
            "project": field(self.metadata, "name"),
            "summary": field(self.metadata, "summary"),
            "requires_python": field(self.metadata, "requires-python"),
            "generator": field(self.format, "generator"),
            "record_sha256": hashlib.sha256(self.record).hexdigest(),
            "left_out": self.left_out,
        }


def examine(archive: Archive, wheel: WheelName, name: str, version: str, into: str) -> Contents:
    """Check all that can be checked without unpacking; raise HostileWheel naming each breach.

    `wheel` is the file name's parts, `name` and `version` what was asked for, `into` where it will be unpacked.
    """
    breaches: list[str] = []
    if not distinfo.same_name(wheel.name, name):
        breaches.append(f"its file name says {wheel.name}, but {name} was asked for")
    if not distinfo.same_version(wheel.version, version):
        breaches.append(f"its file name says version {wheel.version}, but {version} was asked for")
    by_name = {member.name: member for member in archive.members}
    folder = _dist_info(archive, wheel, breaches)

    def content(file: str, *, needed: bool = True) -> bytes:
        path = f"{folder}/{file}"
        member = by_name.get(path)
        if member is None:
            if needed:
                breaches.append(f"it has no {shown(path)}")
            return b""
        rows = len(archive.members) + 20
        return archive.read(member, min(_MOST_RECORD, rows * _MOST_ROW) if file == "RECORD" else _MOST_TEXT)

    record = content("RECORD")
    metadata = distinfo.parse_headers(content("METADATA"))
    form = distinfo.parse_headers(content("WHEEL"))
    if f"{folder}/METADATA" in by_name:
        _check_metadata(metadata, wheel, f"{folder}/METADATA", breaches)
    if f"{folder}/WHEEL" in by_name:
        wrong_format = distinfo.wheel_version_breach(form, f"{folder}/WHEEL")
        breaches += [wrong_format] if wrong_format else []
    commands, wrong = distinfo.parse_commands(content("entry_points.txt", needed=False), f"{folder}/entry_points.txt")
    breaches += wrong
    places: list[Place] = []
    left_out = 0
    if f"{folder}/RECORD" in by_name:
        rows = _rows(record, folder, by_name, breaches)
        places, left_out = _places(archive.members, rows, folder, len(os.fsencode(into)), breaches)
    if breaches:
        refuse(archive.label, breaches)
    return Contents(places, left_out, record, metadata, form, commands)


def _dist_info(archive: Archive, wheel: WheelName, breaches: list[str]) -> str:
    """Return the name of the one `.dist-info` directory; refuse at once where there is not exactly one."""
    found = sorted(
        {
            top
            for member in archive.members
            for top, slash, _ in (member.name.partition("/"),)
            if slash and _is_info(top)
        }
    )
    if len(found) != 1:
        what = f"it has {len(found)} .dist-info directories: {', '.join(map(shown, found))}"
        refuse(archive.label, [*breaches, what if found else "it has no .dist-info directory"])
    stem = found[0].removesuffix(".dist-info")
    if not _same_stem(stem, wheel):
        breaches.append(f"{shown(found[0])} is not named after {wheel.name} {wheel.version}")
    return found[0]


def _is_info(top: str) -> bool:
    return top.lower().endswith(".dist-info")  # importlib.metadata takes it in any case


def _same_stem(stem: str, wheel: WheelName) -> bool:
    """Say whether `<name>-<version>` names the wheel, however it is spelled."""
    name, _, version = stem.rpartition("-")
    return distinfo.same_name(name, wheel.name) and distinfo.same_version(version, wheel.version)


def _check_metadata(fields: dict[str, list[str]], wheel: WheelName, file: str, breaches: list[str]) -> None:
    try:
        name = distinfo.only(fields, "Name", file)
        version = distinfo.only(fields, "Version", file)
    except ValueError as err:
        breaches.append(str(err))
        return
    if not distinfo.same_name(name, wheel.name):
        breaches.append(f"{shown(file)} says that it is {shown(name)}, its file name says {wheel.name}")
    if not distinfo.same_version(version, wheel.version):
        breaches.append(f"{shown(file)} says version {shown(version)}, its file name says {wheel.version}")


def _rows(record: bytes, folder: str, by_name: dict[str, Member], breaches: list[str]) -> dict[str, Row]:
    """Return RECORD's rows, after comparing them with the members in both directions."""
    file = f"{folder}/RECORD"
    lines = record.count(b"\n")
    if lines > len(by_name) + _SPARE_ROWS:
        breaches.append(f"{shown(file)} has {lines} lines for {len(by_name)} members")
        return {}
    try:
        rows, wrong = distinfo.parse_record(record, file)
    except ValueError as err:
        breaches.append(str(err))
        return {}
    breaches += wrong
    unhashed = {file, *(f"{folder}/{name}" for name in _SIGNATURES)}
    for path, row in rows.items():
        member = by_name.get(path)
        if member is None:
            if path.endswith("/") or path in unhashed:
                continue
            breaches.append(f"{shown(path)} is in RECORD, but not in the archive")
        elif path not in unhashed and not member.is_folder:
            if not row.digest:
                breaches.append(f"{shown(path)} has no hash in RECORD")
            if row.size >= 0 and row.size != member.size:
                breaches.append(f"{shown(path)} has {member.size} bytes, and {row.size} in RECORD")
    refused = {text.split(" in ", 1)[0] for text in wrong}
    breaches += [
        f"{shown(path)} is not in RECORD"
        for path, member in by_name.items()
        if path not in rows and not member.is_folder and path not in unhashed and shown(path) not in refused
    ]
    nothing = Row("", b"", -1)
    return {**rows, **dict.fromkeys(unhashed, nothing)}


def _places(
    members: list[Member], rows: dict[str, Row], folder: str, prefix: int, breaches: list[str]
) -> tuple[list[Place], int]:
    places: list[Place] = []
    left_out = 0
    owners: dict[str, str] = {}
    folders: dict[str, str] = {}
    for member in members:
        if member.is_folder:
            folders.setdefault(f"lib/{member.name[:-1]}", member.name)
            continue
        where = shown(member.name)
        part, path, wrong = part_of(member.name, folder)
        if wrong:
            breaches.append(wrong)
            continue
        if part == "lib" and path.endswith(".pyc") and CACHES in "/" + path:
            left_out += 1
            continue
        whole = f"{part}/{path}"
        if prefix + 1 + len(whole.encode()) > _MOST_PATH:
            breaches.append(f"{where} has a path too long for this machine")
        if whole in owners:
            breaches.append(f"{where} and {shown(owners[whole])} would be one file")
        owners[whole] = member.name
        parent = whole.rpartition("/")[0]
        while parent and parent not in folders:
            folders[parent] = member.name
            parent = parent.rpartition("/")[0]
        row = rows.get(member.name)
        if row is not None:
            below, _, base = path.rpartition("/")
            places.append(Place(member, part, below, base, row))
    breaches += [
        f"{shown(owners[path])} is a file, and {shown(folders[path])} lies below it"
        for path in owners
        if path in folders
    ]
    return places, left_out


def part_of(name: str, folder: str) -> tuple[str, str, str | None]:
    """Return the part of the entry and the path in it where the member `name` goes, or what is wrong with it."""
    top, slash, rest = name.partition("/")
    if not slash or not top.endswith(".data"):
        return "lib", name, None
    if top != folder.removesuffix(".dist-info") + ".data":
        return "", "", f"{shown(name)} lies in the data directory of another wheel"
    scheme, _, path = rest.partition("/")
    part = _SCHEMES.get(scheme)
    if part is None or not path:
        return "", "", f"{shown(name)} belongs to no known scheme ({', '.join(sorted(_SCHEMES))})"
    if part == "lib" and _is_info(path.partition("/")[0]):
        return "", "", f"{shown(name)} would be a second .dist-info directory"
    if part == "scripts" and (path[0] == "-" or "/" in path):
        return "", "", f"{shown(name)} cannot be a command"
    return part, path, None

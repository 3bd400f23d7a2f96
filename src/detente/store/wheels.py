"""Taking wheels into the store: checked strictly, unpacked in one pass, described by `entry.json`.

    lib/        what goes to site-packages      scripts/    files of the scripts scheme, as they came
    data/       the data scheme                 headers/    C headers
    entry.json  what the wheel is; written last
"""

import hashlib
import json
import os
import re

from detente.errors import IntegrityError
from detente.host import fs
from detente.model import StoreEntry
from detente.names import normalized
from detente.store import distinfo, elf, layout
from detente.store.archive import Archive
from detente.store.breach import refuse, shown
from detente.store.distinfo import WheelName
from detente.store.layout import Contents, Place

SCHEMA = 1
RECORD = "entry.json"
MODIFIED = 315_619_200  # 1980-01-02 UTC: one time for every file, so that the same wheel is the same tree

_UNSAFE = re.compile(r"[^A-Za-z0-9._+-]+")
_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_MOST_STARTUP = 256 << 20  # bytes
_TYPES = {key: getattr(kind, "__origin__", kind) for key, kind in StoreEntry.__annotations__.items()}
_CUSTOMIZE = ("sitecustomize", "usercustomize")
_SITE = re.compile(r"lib(?:64)?/python[^/]*/(?:site|dist)-packages/(.+)\Z")


def entry_directory(name: str, version: str, filename: str, sha256: str) -> str:
    """Return the name in the store of the wheel `filename` with the digest `sha256`.

    Raise HostileWheel where `filename` is no wheel's file name.
    """
    return _entry_name(name, version, _parsed(filename).tag, sha256)


def _entry_name(name: str, version: str, tag: str, sha256: str) -> str:
    parts = (normalized(name)[:80], version[:40], tag[:60], sha256[:20])
    return _UNSAFE.sub("_", "-".join(parts)).lstrip(".")


def _parsed(filename: str) -> WheelName:
    try:
        return distinfo.parse_filename(filename)
    except ValueError as err:
        refuse(filename, [str(err)])


def unpack(archive: str, into: str, *, name: str, version: str, filename: str, sha256: str) -> StoreEntry:
    """Check the wheel file `archive` and unpack it into the empty directory `into`; return its entry.

    `sha256` is that of the file, compared by the caller. Files are 0444 or 0555, directories stay 0755 for the
    bytecode. Raise HostileWheel, naming each member at fault, where the wheel breaks a rule, and DiskError where
    the file system refuses; what then lies in `into` is worthless, and nothing lies outside.
    """
    wheel = _parsed(filename)
    try:
        with Archive(archive, filename) as opened:
            contents = layout.examine(opened, wheel, name, version, into)
            writer = _Writer(opened, into)
            try:
                for place in contents.places:
                    writer.write(place)
            finally:
                writer.close()
        entry = StoreEntry(
            directory=_entry_name(name, version, wheel.tag, sha256),
            name=normalized(name),
            version=version,
            tag=wheel.tag,
            sha256=sha256,
            commands=contents.commands,
            scripts=writer.scripts,
            startup=writer.startup,
            real=_why_real(into, writer.programs, contents.places),
            data=any(place.part == "data" for place in contents.places),
            files=len(contents.places),
            size=sum(place.member.size for place in contents.places),
        )
        _write_record(into, entry, filename, contents)
    except OSError as err:
        raise fs.disk_error(err, f"unpacking {shown(filename)}") from err
    return entry


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
        digest = hashlib.new(row.algorithm) if row.algorithm else None
        first = None
        try:
            for piece in self._archive.pieces(member):
                if first is None:
                    first = piece
                if digest is not None:
                    digest.update(piece)
                if piece:
                    _write_all(fd, piece)
            os.fchmod(fd, 0o555 if runs else 0o444)
            os.utime(fd, (MODIFIED, MODIFIED))
        finally:
            os.close(fd)
        if digest is not None and digest.digest() != row.digest:
            refuse(self._archive.label, [f"{shown(member.name)} has not the hash that RECORD says"])
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
            content = self._archive.read(place.member, _MOST_STARTUP)
            if not site.endswith(".pth") or _runs_code(content):
                self.startup[place.path] = hashlib.sha256(content).hexdigest()


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


def _runs_code(content: bytes) -> bool:
    """Say whether a `.pth` file has a line that `site` executes, in any of the encodings it may be read in."""
    for encoding in ("utf-8", "latin-1"):
        text = content.decode(encoding, "replace").removeprefix("\ufeff")
        if any(line.startswith(("import ", "import\t")) for line in text.splitlines()):
            return True
    return False


def _why_real(into: str, programs: list[Place], places: list[Place]) -> str:
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


def _write_record(into: str, entry: StoreEntry, filename: str, contents: Contents) -> None:
    def field(source: dict[str, list[str]], key: str) -> str:
        return source.get(key, [""])[0]

    record = {
        "schema": SCHEMA,
        **entry._asdict(),
        "filename": filename,
        "project": field(contents.metadata, "name"),
        "summary": field(contents.metadata, "summary"),
        "requires_python": field(contents.metadata, "requires-python"),
        "generator": field(contents.format, "generator"),
        "record_sha256": hashlib.sha256(contents.record).hexdigest(),
        "left_out": contents.left_out,
    }
    path = os.path.join(into, RECORD)
    fs.write_file(path, (json.dumps(record, indent=1, sort_keys=True) + "\n").encode(), 0o444)
    os.utime(path, (MODIFIED, MODIFIED))


def read_entry(path: str) -> StoreEntry:
    """Read the entry at directory `path`; raise IntegrityError where it is damaged or from a newer detente."""
    file = os.path.join(path, RECORD)
    try:
        with open(file, encoding="utf-8") as stream:
            value = json.load(stream)
        schema = value["schema"]
        if type(schema) is int and schema > SCHEMA:
            raise IntegrityError(
                f"{file} was written by a newer detente", hint="use that one, or look with: detente history"
            )
        fields = {key: value[key] for key in StoreEntry._fields}
        for key, item in fields.items():
            if type(item) is not _TYPES[key]:
                raise ValueError(f"{key} is not what it must be")
        return StoreEntry(**fields)
    except (OSError, ValueError, KeyError, TypeError) as err:
        raise IntegrityError(
            f"the store entry {os.path.basename(path)} cannot be read",
            hint=f"see what is wrong: ls -l {file}",
            context=[f"{type(err).__name__}: {err}"],
        ) from err

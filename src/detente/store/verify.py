"""Compare a store entry with its digests: the bytes of every file, and that there is nothing else.

Its witness anchors `entry.json`, which anchors RECORD, which anchors the files; the marks anchor the bytecode. Modes,
links and everything that the wheel did not have are found by looking at each item of the tree once.
"""

import hashlib
import json
import os
import stat
from collections.abc import Callable
from typing import NamedTuple

from detente.errors import IntegrityError
from detente.host import fs
from detente.host.paths import Paths
from detente.model import StoreEntry
from detente.plan.damage import BYTECODE, CHANGED, ENTRY, EXTRA, LINK, MISSING, MODE, UNREADABLE, Finding
from detente.store import distinfo, witness
from detente.store.bytecode import MARKS
from detente.store.layout import CACHES, part_of
from detente.store.wheels import RECORD, read_entry

_PIECE = 1 << 20
UNSAFE = 0o7222  # setuid, setgid, sticky; writable by anybody
_FLAGS = os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK

Says = Callable[[str, str, str], None]  # path, kind, what


class Checked(NamedTuple):
    """What became of a check: the findings, and how many files of how many bytes were read."""

    findings: tuple[Finding, ...]
    files: int = 0
    size: int = 0


class Expected(NamedTuple):
    """What a file must be: a digest of `algorithm`, or any bytes where that is "". `size` is -1 where unknown."""

    algorithm: str
    digest: bytes
    size: int
    kind: str  # of the finding where it is not so
    runs: bool | None  # whether it may be executed; None: nobody knows


def check(paths: Paths, name: str) -> Checked:
    """Compare entry `name` with its digests, reading all of it; renew its witness where nothing is wrong.

    Only looks otherwise, and raises nothing.
    """
    top = os.path.join(paths.store, name)
    findings: list[Finding] = []

    def say(path: str, kind: str, what: str) -> None:
        findings.append(Finding(ENTRY, name, path, kind, what))

    if not os.path.isdir(top) or os.path.islink(top):
        say("", MISSING, "is missing" if not os.path.lexists(top) else "is no directory")
        return Checked(tuple(findings))
    try:
        files, size = _check(paths, name, top, say, findings)
    except OSError as err:  # what goes away under our eyes, or a disk that cannot read it
        if fs.is_passing(err):
            raise
        path = str(err.filename or "").removeprefix(top).lstrip("/")
        say(path, UNREADABLE, f"cannot be read ({err.strerror})")
        files = size = 0
    return Checked(tuple(findings), files, size)


def _check(paths: Paths, name: str, top: str, say: Says, findings: list[Finding]) -> tuple[int, int]:
    """Do what `check` does with the directory `top`; return how many files of how many bytes were read."""
    before = witness.tree(top)
    known = witness.read(paths, witness.STORE, name)
    marks: dict[str, str] = {}
    expected, wheel_record = _expectations(top, name, known, say, marks)
    if expected is None:
        return 0, 0
    files, size = _compare(top, expected, say)
    if not findings and witness.tree(top) == before:
        record = witness.digest(read_plain(os.path.join(top, RECORD)))
        wheel = read_entry(top).sha256
        found = witness.Witness(record, marks, before, wheel, wheel_record)
        if found != known and witness.read(paths, witness.STORE, name) == known:  # else it was just compiled
            witness.write(paths, witness.STORE, name, found)
    return files, size


def _expectations(
    top: str, name: str, known: witness.Witness | None, say: Says, marks: dict[str, str]
) -> tuple[dict[str, Expected] | None, str]:
    """Return every file that the entry must have, by its path, and RECORD's digest; None where nothing says so.

    `marks` gets the digest of each mark that can be believed.
    """
    try:
        text = read_plain(os.path.join(top, RECORD))
        entry = read_entry(top)
        more = json.loads(text)
        digest = str(more["record_sha256"])
        runs = _runs(more)
        unhashed = {str(key): str(value) for key, value in more.get("unhashed", {}).items()}
    except (OSError, ValueError, LookupError, TypeError, AttributeError, IntegrityError) as err:
        say(RECORD, UNREADABLE, f"cannot be read ({err})")
        return None, ""
    if known is not None and known.record != witness.digest(text):
        say(RECORD, CHANGED, "is not what it was when the wheel was unpacked")
        return None, ""
    if entry.directory != name or not name.endswith(entry.sha256[:20]):
        say(RECORD, CHANGED, "is that of another entry")
        return None, ""
    rows = _rows(top, digest, say)
    if rows is None:
        return None, ""
    expected = {RECORD: Expected("", b"", -1, CHANGED, False)}
    folder = next(iter(rows)).partition("/")[0]  # _rows puts RECORD itself first
    for member, row in rows.items():
        part, path, _ = part_of(member, folder)
        if member.endswith("/") or (part == "lib" and path.endswith(".pyc") and CACHES in "/" + path):
            continue
        place = f"{part}/{path}"
        must = Expected(row.algorithm, row.digest, row.size, CHANGED, None if runs is None else place in runs)
        if not row.algorithm and place in unhashed:
            must = must._replace(algorithm="sha256", digest=bytes.fromhex(unhashed[place]))
        elif not row.algorithm and not os.path.lexists(os.path.join(top, place)):
            continue  # a signature that RECORD names and the wheel does not have
        expected[place] = must
    _check_derived(top, entry, say)
    _add_bytecode(top, known, expected, marks, say)
    return expected, digest


def executables(top: str) -> frozenset[str] | None:
    """Return the files of the entry at `top` that may be executed, None where its record does not say."""
    return _runs(json.loads(read_plain(os.path.join(top, RECORD))))


def _runs(record: dict[str, object]) -> frozenset[str] | None:
    listed = record.get("executable")
    return frozenset(map(str, listed)) if isinstance(listed, list) else None


def _rows(top: str, digest: str, say: Says) -> dict[str, distinfo.Row] | None:
    """Return RECORD's rows, its own first, or say that it cannot be believed."""
    lib = os.path.join(top, "lib")
    found = sorted(item for item in os.listdir(lib) if item.endswith(".dist-info")) if os.path.isdir(lib) else []
    file = f"lib/{found[0]}/RECORD" if len(found) == 1 else "lib"
    try:
        if len(found) != 1:
            raise ValueError(f"it has {len(found)} .dist-info directories")
        text = read_plain(os.path.join(top, file))
        rows, wrong = distinfo.parse_record(text, file)
    except (OSError, ValueError) as err:
        say(file, UNREADABLE, f"cannot be read ({err})")
        return None
    if hashlib.sha256(text).hexdigest() != digest or wrong:
        say(file, CHANGED, "is not the RECORD that the wheel had")
        return None
    return {
        f"{found[0]}/RECORD": distinfo.Row("sha256", bytes.fromhex(digest), len(text)),
        **{path: row for path, row in rows.items() if path != f"{found[0]}/RECORD"},
    }


def _check_derived(top: str, entry: StoreEntry, say: Says) -> None:
    """Compare what `entry.json` says with what it was taken from: an edit of it alone is found without a witness."""
    folder = next(item for item in os.listdir(os.path.join(top, "lib")) if item.endswith(".dist-info"))
    try:
        points = read_plain(os.path.join(top, "lib", folder, "entry_points.txt"))
    except OSError:
        points = b""
    scripts = os.path.join(top, "scripts")
    names = set(os.listdir(scripts)) if os.path.isdir(scripts) else set()
    if distinfo.parse_commands(points, "")[0] != entry.commands or names != entry.scripts.keys():
        say(RECORD, CHANGED, "names other commands than the wheel has")


def _add_bytecode(
    top: str, known: witness.Witness | None, expected: dict[str, Expected], marks: dict[str, str], say: Says
) -> None:
    """Add the marks, and the bytecode that they answer for, to what is `expected`."""
    folder = os.path.join(top, MARKS)
    for mark in sorted(os.listdir(folder)) if os.path.isdir(folder) and not os.path.islink(folder) else ():
        path = f"{MARKS}/{mark}"
        try:
            text = read_plain(os.path.join(folder, mark))
            listed = {f"lib/{file}": bytes.fromhex(digest) for file, digest in json.loads(text)["files"].items()}
        except (OSError, ValueError, LookupError, TypeError, AttributeError):
            say(path, BYTECODE, "has no digests that can be read")
            expected[path] = Expected("", b"", -1, BYTECODE, False)
            continue
        marks[mark] = witness.digest(text)
        if known is not None and known.marks.get(mark) != marks[mark]:
            say(path, BYTECODE, "is not what was written when the modules were compiled")
        expected[path] = Expected("", b"", -1, BYTECODE, False)
        for file, digest in listed.items():
            if CACHES in "/" + file and file.endswith(".pyc"):
                expected.setdefault(file, Expected("sha256", digest, -1, BYTECODE, False))


def _compare(top: str, expected: dict[str, Expected], say: Says) -> tuple[int, int]:
    """Look at everything below `top`, and read every file that is `expected`; return files and bytes."""
    folders = {""}
    for path in expected:
        parent = path.rpartition("/")[0]
        while parent and parent not in folders:
            folders.add(parent)
            parent = parent.rpartition("/")[0]
    folders |= {"lib", MARKS} | {f"{path}/__pycache__" for path in folders if path.split("/")[0] == "lib"}
    seen: set[str] = set()
    files = total = 0
    if os.lstat(top).st_mode & UNSAFE:
        say("", MODE, "can be written")
    waiting = [""]
    while waiting:
        below = waiting.pop()
        with os.scandir(os.path.join(top, below)) as items:
            for item in items:
                path = f"{below}/{item.name}" if below else item.name
                info = item.stat(follow_symlinks=False)
                if stat.S_ISDIR(info.st_mode):
                    if path not in folders:
                        say(path, EXTRA, "is a directory that the wheel does not have")
                        continue
                    if info.st_mode & UNSAFE:
                        say(path, MODE, f"has the mode {stat.S_IMODE(info.st_mode):04o}")
                    waiting.append(path)
                    continue
                must = expected.get(path)
                if must is None:
                    if path.startswith("lib/") and CACHES in "/" + path and path.endswith((".pyc", ".part")):
                        say(path, BYTECODE, "belongs to no finished compilation")
                    else:
                        say(path, EXTRA, "is not in the wheel")
                    continue
                seen.add(path)
                if not stat.S_ISREG(info.st_mode):
                    say(path, LINK, "is no plain file any more")
                    continue
                if info.st_mode & UNSAFE or (must.runs is not None and must.runs != bool(info.st_mode & 0o111)):
                    say(path, MODE, f"has the mode {stat.S_IMODE(info.st_mode):04o}")
                if must.size >= 0 and must.size != info.st_size:
                    say(path, must.kind, f"has {info.st_size} bytes instead of {must.size}")
                elif must.algorithm and not _has(item.path, must, info.st_size):
                    say(path, must.kind, "has other bytes than its digest says")
                files += 1
                total += info.st_size
    for path in sorted(expected.keys() - seen):
        say(path, BYTECODE if expected[path].kind == BYTECODE else MISSING, "is missing")
    return files, total


def _has(path: str, must: Expected, size: int) -> bool:
    """Say whether the file of `size` bytes has those that it must have. hashlib lets other threads run meanwhile."""
    digest = hashlib.new(must.algorithm)
    try:
        fd = _opened(path)
    except OSError:
        return False
    try:
        if size <= _PIECE:
            digest.update(os.read(fd, size + 1))
        else:
            piece = bytearray(_PIECE)
            view = memoryview(piece)
            while count := os.readv(fd, [piece]):
                digest.update(view[:count])
    finally:
        os.close(fd)
    return digest.digest() == must.digest


def _opened(path: str) -> int:
    """Open `path` for reading, no link; raise DiskError where that says nothing about the file, else OSError."""
    try:
        return os.open(path, _FLAGS)
    except OSError as err:
        if fs.is_passing(err):
            raise fs.disk_error(err, f"reading {path}") from err
        raise


def read_plain(path: str) -> bytes:
    """Return the bytes of the plain file `path`; raise OSError where it is another kind of thing."""
    fd = _opened(path)
    with os.fdopen(fd, "rb") as stream:
        if not stat.S_ISREG(os.fstat(fd).st_mode):
            raise OSError(22, "it is no plain file", path)
        return stream.read()

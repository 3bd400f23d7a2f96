"""Witnesses: what stands outside a directory of ours and says how it was when it was last found whole.

`witnesses/store/<entry>` holds the digests of `entry.json` and of the marks, which hold those of RECORD and of the
bytecode, and RECORD those of the files: so who changes a file and every list inside the entry is still found out.
It also holds a digest of inode, size, mode and times of all that is in the entry. As long as that is the same, nothing
was changed, and nothing needs to be read: no program can set the time of an inode's last change (stat(2), ctime).
`witnesses/envs/` and `witnesses/generations/` hold the records themselves, so that a damaged one can be made anew.

A change in the same tick of the kernel's clock (milliseconds) as the one before may keep its time before Linux 6.13;
`verify` reads the files and finds it.

Out of reach: who writes with the person's rights can write a new witness as well. Against that only the wheel helps,
whose digest the lock has. Without a witness (made by an older detente, lost) the records inside are believed.
"""

import contextlib
import json
import os
import stat
from array import array
from collections.abc import Iterable
from typing import NamedTuple

from detente.host import fs
from detente.host.paths import Paths
from detente.plan.plan import Link, Plan

FOLDER = "witnesses"
ENTRY_RECORD, MARKS = "entry.json", "bytecode"  # of an entry (wheels.py, bytecode.py)
KINDS = STORE, ENVIRONMENTS, GENERATIONS = "store", "envs", "generations"
_SCHEMA = 1
_ALL = (1 << 63) - 1


class Witness(NamedTuple):
    """`record` is the digest of the directory's record; the rest is an entry's alone.

    `marks` maps a cache tag to the digest of its mark, `tree` is the digest of what stat(2) says of everything in it,
    `wheel` and `wheel_record` are the SHA-256 of the wheel it came from and of its RECORD. Environments and
    generations have `texts` instead: their records, by file name.
    """

    record: str
    marks: dict[str, str]
    tree: str = ""
    wheel: str = ""
    wheel_record: str = ""
    texts: dict[str, str] | None = None


def digest(data: bytes) -> str:
    """Return the BLAKE2b digest of `data`, in hexadecimal."""
    from _blake2 import blake2b  # not by way of `hashlib`, whose OpenSSL takes longer to load than this takes to run

    return blake2b(data, digest_size=32).hexdigest()


def tree(path: str) -> str:
    """Return a digest that differs once anything at or below `path` has changed, been added, moved or removed."""
    numbers: list[int] = []
    note = numbers.extend
    info = os.lstat(path)
    note((info.st_ino & _ALL, info.st_mode, info.st_size, info.st_mtime_ns, info.st_ctime_ns))
    waiting = [path] if stat.S_ISDIR(info.st_mode) else []
    while waiting:
        with os.scandir(waiting.pop()) as items:
            for item in items:
                info = item.stat(follow_symlinks=False)
                mode = info.st_mode
                note((info.st_ino & _ALL, mode, info.st_size, info.st_mtime_ns, info.st_ctime_ns))
                if stat.S_ISDIR(mode):
                    waiting.append(item.path)
    return digest(array("q", numbers).tobytes())


def read(paths: Paths, kind: str, name: str) -> Witness | None:
    """Return the witness of the directory `name` of `kind`, None where there is none that can be read."""
    try:
        with open(_place(paths, kind, name), encoding="utf-8") as stream:
            value = json.load(stream)
        if value.pop("schema") != _SCHEMA:
            return None
        found = Witness(**value)
        texts = (found.record, found.tree, found.wheel, found.wheel_record, *found.marks, *found.marks.values())
        texts += (*(found.texts or {}).values(),)
        return found if all(type(text) is str for text in texts) else None
    except (OSError, ValueError, LookupError, TypeError, AttributeError, RecursionError):
        return None


def write(paths: Paths, kind: str, name: str, witness: Witness) -> None:
    """Keep `witness`; where the disk refuses, none is kept, and the directory is read whole next time."""
    place = _place(paths, kind, name)
    text = json.dumps({"schema": _SCHEMA, **witness._asdict()}) + "\n"
    try:
        fs.make_directory(os.path.dirname(place))
        fs.replace_file(place, text.encode(), 0o600)
    except OSError:
        forget(paths, kind, [name])


def forget(paths: Paths, kind: str, names: Iterable[str]) -> None:
    """Remove the witnesses of directories that go."""
    for name in names:
        with contextlib.suppress(OSError):
            os.unlink(_place(paths, kind, name))


def attest(paths: Paths, final: str, *records: str) -> None:
    """Write the witness of an environment or generation just published at `final`; its record is first in `records`."""
    texts = {}
    try:
        for name in records:
            with open(os.path.join(final, name), encoding="utf-8", errors="surrogateescape") as stream:
                texts[name] = stream.read()
    except OSError:
        return
    first = texts[records[0]].encode("utf-8", "surrogateescape")
    found = Witness(digest(first), {}, texts=texts)
    write(paths, os.path.basename(os.path.dirname(final)), os.path.basename(final), found)


def attest_entry(paths: Paths, name: str) -> None:
    """Write the witness of entry `name`, just made by the caller, or found whole before bytecode was added."""
    top = os.path.join(paths.store, name)
    try:
        with open(os.path.join(top, ENTRY_RECORD), "rb") as stream:
            text = stream.read()
        value = json.loads(text)
        marks = {}
        for mark in os.listdir(os.path.join(top, MARKS)) if os.path.isdir(os.path.join(top, MARKS)) else ():
            with open(os.path.join(top, MARKS, mark), "rb") as stream:
                marks[mark] = digest(stream.read())
        found = Witness(digest(text), marks, tree(top), str(value["sha256"]), str(value["record_sha256"]))
    except (OSError, ValueError, LookupError):
        forget(paths, STORE, [name])
        return
    write(paths, STORE, name, found)


def unchanged(paths: Paths, name: str) -> bool:
    """Say whether nothing in entry `name` has changed since it was last found whole, without reading its files."""
    known = read(paths, STORE, name)
    try:
        return known is not None and bool(known.tree) and known.tree == tree(os.path.join(paths.store, name))
    except OSError:
        return False


def attest_mark(paths: Paths, name: str, mark: str) -> None:
    """Add the `mark` that was just written to the witness of entry `name`, whose tree is not looked at."""
    known = read(paths, STORE, name)
    if known is None:
        return
    try:
        with open(os.path.join(paths.store, name, MARKS, mark), "rb") as stream:
            marks = {**known.marks, mark: digest(stream.read())}
    except OSError:
        return
    write(paths, STORE, name, known._replace(marks=marks))


def suspects(paths: Paths, plan: Plan) -> list[str]:
    """Return the entries that `plan` links into new environments, and that may have changed."""
    names = {entry for step in plan.steps if isinstance(step, Link) for entry in step.environment.entries}
    return [name for name in sorted(names) if not unchanged(paths, name)]


def _place(paths: Paths, kind: str, name: str) -> str:
    return os.path.join(paths.data, FOLDER, kind, name)

"""Mutations of what lies in a profile: each changes one thing as damage or an attacker would, and can be undone."""

import contextlib
import functools
import hashlib
import json
import os
import random
import shutil
import stat
from base64 import urlsafe_b64encode
from collections.abc import Callable, Iterator
from pathlib import Path

Mutation = Callable[[Path, random.Random], bool]  # changes the tree at a path; False where it has nothing to change


@contextlib.contextmanager
def opened(top: Path) -> Iterator[None]:
    """Let the owner write the directories of a tree meanwhile; those not changed further get their modes back."""
    modes = {path: stat.S_IMODE(path.stat().st_mode) for path in _folders(top)}
    for path, mode in modes.items():
        path.chmod(mode | 0o700)
    try:
        yield
    finally:
        for path, mode in modes.items():
            if path.is_dir() and not path.is_symlink() and stat.S_IMODE(path.stat().st_mode) == mode | 0o700:
                path.chmod(mode)


def _opening(mutation: Mutation) -> Mutation:
    """Return `mutation` as somebody does it who is not root, but the owner."""

    @functools.wraps(mutation)
    def changed(top: Path, rng: random.Random) -> bool:
        with opened(top):
            return mutation(top, rng)

    return changed


@contextlib.contextmanager
def undone(*tops: Path) -> Iterator[None]:
    """Put everything at and below `tops` back to what it was: bytes, links, modes and times of modification."""
    before = [{path: _kept(path) for path in (top, *sorted(top.rglob("*")))} for top in tops]
    try:
        yield
    finally:
        for top, kept in zip(tops, before, strict=True):
            for path in _folders(top):
                path.chmod(0o755)
            for path in sorted(top.rglob("*"), reverse=True):
                if path not in kept or stat.S_IFMT(path.lstat().st_mode) != stat.S_IFMT(kept[path][0].st_mode):
                    shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink()
            for path, (info, content) in kept.items():
                _put_back(path, info, content)
            for path, (info, _) in reversed(kept.items()):
                if stat.S_ISDIR(info.st_mode):
                    _settle(path, info)


def _kept(path: Path) -> tuple[os.stat_result, bytes]:
    info = path.lstat()
    if stat.S_ISLNK(info.st_mode):
        return info, os.fsencode(os.readlink(path))
    return info, path.read_bytes() if stat.S_ISREG(info.st_mode) else b""


def _put_back(path: Path, info: os.stat_result, content: bytes) -> None:
    if stat.S_ISLNK(info.st_mode):
        if not path.is_symlink() or os.fsencode(os.readlink(path)) != content:
            path.unlink(missing_ok=True)
            path.symlink_to(os.fsdecode(content))
        return
    if stat.S_ISDIR(info.st_mode):
        path.mkdir(exist_ok=True)
        return
    if not path.exists() or path.read_bytes() != content:
        if path.exists():
            path.chmod(0o600)
        path.write_bytes(content)
    _settle(path, info)


def _settle(path: Path, info: os.stat_result) -> None:
    """Give `path` mode and time of modification of `info`."""
    if path.lstat().st_mode != info.st_mode:
        path.chmod(stat.S_IMODE(info.st_mode))
    if path.lstat().st_mtime_ns != info.st_mtime_ns:
        os.utime(path, ns=(info.st_atime_ns, info.st_mtime_ns))


def _files(top: Path, *, pyc: bool | None = None) -> list[Path]:
    found = [path for path in sorted(top.rglob("*")) if path.is_file() and not path.is_symlink()]
    return found if pyc is None else [path for path in found if (path.suffix == ".pyc") == pyc]


def _folders(top: Path) -> list[Path]:
    """Return the directories of a tree, not those that links lead to."""
    return [top, *(path for path in sorted(top.rglob("*")) if path.is_dir() and not path.is_symlink())]


def edit(path: Path, data: bytes) -> None:
    """Write `data` as whoever hides it would: mode and time of modification stay."""
    info = path.stat()
    path.chmod(0o644)
    path.write_bytes(data)
    path.chmod(stat.S_IMODE(info.st_mode))
    os.utime(path, ns=(info.st_atime_ns, info.st_mtime_ns))


def flip(top: Path, rng: random.Random) -> bool:
    """Flip one bit of one file."""
    path = rng.choice([item for item in _files(top) if item.stat().st_size])
    data = bytearray(path.read_bytes())
    data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
    edit(path, bytes(data))
    return True


def flip_bytecode(top: Path, rng: random.Random) -> bool:
    """Flip one bit of compiled code: nobody sees it in the source."""
    found = _files(top, pyc=True)
    if not found:
        return False
    path = rng.choice(found)
    data = bytearray(path.read_bytes())
    data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
    edit(path, bytes(data))
    return True


@_opening
def swap_bytecode(top: Path, rng: random.Random) -> bool:
    """Put the compiled code of one module in the place of another's."""
    found = _files(top, pyc=True)
    if len(found) < 2:
        return False
    one, other = rng.sample(found, 2)
    if one.read_bytes() == other.read_bytes():
        return False
    edit(one, other.read_bytes())
    return True


@_opening
def plant_bytecode(top: Path, rng: random.Random) -> bool:
    """Add compiled code that no module of the wheel has."""
    caches = sorted(top.rglob("__pycache__"))
    if not caches:
        return False
    (rng.choice(caches) / f"planted{rng.randrange(99)}.cpython-3{rng.randrange(8, 15)}.pyc").write_bytes(b"\0" * 64)
    return True


def truncate(top: Path, rng: random.Random) -> bool:
    """Cut off the end of a file."""
    path = rng.choice([item for item in _files(top) if item.stat().st_size])
    data = path.read_bytes()
    edit(path, data[: rng.randrange(len(data))])
    return True


def empty(top: Path, rng: random.Random) -> bool:
    """Leave nothing of a file, as a power cut does."""
    path = rng.choice([item for item in _files(top) if item.stat().st_size])
    edit(path, b"")
    return True


def append(top: Path, rng: random.Random) -> bool:
    """Add a line to a file."""
    path = rng.choice(_files(top))
    edit(path, path.read_bytes() + b"\nimport os\n")
    return True


@_opening
def delete(top: Path, rng: random.Random) -> bool:
    """Remove a file."""
    rng.choice(_files(top)).unlink()
    return True


@_opening
def delete_folder(top: Path, rng: random.Random) -> bool:
    """Remove a directory with all that is in it."""
    shutil.rmtree(rng.choice([path for path in _folders(top)[1:] if any(path.iterdir())]))
    return True


@_opening
def add(top: Path, rng: random.Random) -> bool:
    """Add a file."""
    folder = rng.choice(_folders(top))
    (folder / rng.choice(("extra.py", "sitecustomize.py", "extra.pth", ".hidden", "extra.so"))).write_text(
        "import os\n"
    )
    return True


@_opening
def add_folder(top: Path, rng: random.Random) -> bool:
    """Add a directory with a module."""
    folder = rng.choice(_folders(top)) / "planted"
    folder.mkdir()
    (folder / "__init__.py").write_text("")
    return True


def loosen(top: Path, rng: random.Random) -> bool:
    """Let everybody write a file or a directory."""
    path = rng.choice([item for item in (top, *sorted(top.rglob("*"))) if not item.is_symlink()])
    path.chmod(stat.S_IMODE(path.stat().st_mode) | rng.choice((0o200, 0o020, 0o002)))
    return True


def setuid(top: Path, rng: random.Random) -> bool:
    """Let a file run with its owner's rights."""
    path = rng.choice(_files(top))
    path.chmod(0o4755)
    return True


@_opening
def link(top: Path, rng: random.Random) -> bool:
    """Put a symbolic link in the place of a file, to a copy with the same bytes."""
    path = rng.choice(_files(top))
    copy = top.parent / ".copy-of-a-file"
    copy.write_bytes(path.read_bytes())
    path.unlink()
    path.symlink_to(copy)
    return True


@_opening
def swap(top: Path, rng: random.Random) -> bool:
    """Let two files have each other's names."""
    one, other = rng.sample(_files(top), 2)
    if one.read_bytes() == other.read_bytes():
        return False
    aside = one.with_name(".aside")
    one.rename(aside)
    other.rename(one)
    aside.rename(other)
    return True


@_opening
def replace(top: Path, rng: random.Random) -> bool:
    """Put another file of the same size in the place of one, by a rename."""
    path = rng.choice([item for item in _files(top) if item.stat().st_size])
    info = path.stat()
    other = path.with_name(".other")
    other.write_bytes(bytes(byte ^ 1 for byte in path.read_bytes()))
    other.chmod(stat.S_IMODE(info.st_mode))
    os.utime(other, ns=(info.st_atime_ns, info.st_mtime_ns))
    other.rename(path)
    return True


@_opening
def edit_record(top: Path, rng: random.Random) -> bool:
    """Edit a file and its row in RECORD."""
    return _with_record(top, rng) is not None


@_opening
def edit_all_lists(top: Path, rng: random.Random) -> bool:
    """Edit a file, its row in RECORD, and RECORD's digest in the entry's own record: every list inside agrees."""
    record = _with_record(top, rng)
    if record is None:
        return False
    own = top / "entry.json"
    value = json.loads(own.read_bytes())
    value["record_sha256"] = hashlib.sha256(record.read_bytes()).hexdigest()
    edit(own, (json.dumps(value, indent=1, sort_keys=True) + "\n").encode())
    return True


def _with_record(top: Path, rng: random.Random) -> Path | None:
    record = next(iter(sorted(top.glob("lib/*.dist-info/RECORD"))), None)
    sources = [path for path in _files(top / "lib", pyc=False) if path.suffix == ".py"] if record else []
    if record is None or not sources:
        return None
    path = rng.choice(sources)
    edit(path, path.read_bytes() + b"\nimport os\n")
    digest = urlsafe_b64encode(hashlib.sha256(path.read_bytes()).digest()).rstrip(b"=").decode()
    name = str(path.relative_to(top / "lib"))
    lines = [
        f"{name},sha256={digest},{path.stat().st_size}" if line.partition(",")[0] == name else line
        for line in record.read_text().splitlines()
    ]
    edit(record, ("\n".join(lines) + "\n").encode())
    return record


@_opening
def edit_mark(top: Path, rng: random.Random) -> bool:
    """Edit compiled code and its digest in the mark of its Python version."""
    marks = sorted((top / "bytecode").glob("*"))
    if not marks:
        return False
    mark = rng.choice(marks)
    value = json.loads(mark.read_bytes())
    if not value["files"]:
        return False
    name = rng.choice(sorted(value["files"]))
    path = top / "lib" / name
    edit(path, path.read_bytes() + b"\0")
    value["files"][name] = hashlib.sha256(path.read_bytes()).hexdigest()
    edit(mark, (json.dumps(value, indent=0) + "\n").encode())
    return True


@_opening
def plant_mark(top: Path, rng: random.Random) -> bool:
    """Add compiled code for another Python, and a mark that answers for it."""
    folders = sorted(path.parent for path in top.glob("lib/*/__init__.py"))
    if not folders:
        return False
    tag = f"cpython-3{rng.randrange(20, 90)}"
    cache = rng.choice(folders) / "__pycache__"
    cache.mkdir(exist_ok=True)
    path = cache / f"__init__.{tag}.pyc"
    path.write_bytes(b"\0" * 64)
    path.chmod(0o444)
    files = {str(path.relative_to(top / "lib")): hashlib.sha256(path.read_bytes()).hexdigest()}
    (top / "bytecode").mkdir(exist_ok=True)
    (top / "bytecode" / tag).write_text(json.dumps({"schema": 1, "files": files}))
    (top / "bytecode" / tag).chmod(0o444)
    return True


def edit_commands(top: Path, rng: random.Random) -> bool:
    """Let the entry's record name another function for a command, or another command."""
    own = top / "entry.json"
    value = json.loads(own.read_bytes())
    value["commands"]["planted"] = f"os:system{rng.randrange(9)}"
    edit(own, (json.dumps(value, indent=1, sort_keys=True) + "\n").encode())
    return True


def break_record(top: Path, rng: random.Random) -> bool:
    """Make the entry's record unreadable."""
    own = top / "entry.json"
    edit(own, rng.choice((b"", b"{", b"[]", b'{"schema": 1}', own.read_bytes()[:-9])))
    return True


@_opening
def retarget(top: Path, rng: random.Random) -> bool:
    """Let a link lead elsewhere."""
    links = [path for path in sorted(top.rglob("*")) if path.is_symlink()]
    if not links:
        return False
    path = rng.choice(links)
    path.unlink()
    path.symlink_to(rng.choice(("/tmp", "/nonexistent", "../..")))
    return True


@_opening
def unlink(top: Path, rng: random.Random) -> bool:
    """Remove a link."""
    links = [path for path in sorted(top.rglob("*")) if path.is_symlink()]
    if not links:
        return False
    rng.choice(links).unlink()
    return True


@_opening
def unlink_to_copy(top: Path, rng: random.Random) -> bool:
    """Put a copy in the place of a link, where it can be edited later."""
    links = [path for path in sorted(top.rglob("*")) if path.is_symlink() and path.is_file()]
    if not links:
        return False
    path = rng.choice(links)
    data = path.read_bytes()
    path.unlink()
    path.write_bytes(data)
    return True


@_opening
def add_link(top: Path, rng: random.Random) -> bool:
    """Add a link."""
    folder = rng.choice(_folders(top))
    (folder / f"planted{rng.randrange(9)}").symlink_to("/bin/sh")
    return True


_ANYWHERE: tuple[Mutation, ...] = (
    flip, truncate, empty, append, delete, delete_folder, add, add_folder, loosen, setuid, link, swap, replace,
)  # fmt: skip
OF_ENTRIES: tuple[Mutation, ...] = (
    *_ANYWHERE, flip_bytecode, swap_bytecode, plant_bytecode, edit_record, edit_all_lists, edit_mark, plant_mark,
    edit_commands,
    break_record, add_link,
)  # fmt: skip
OF_ENVIRONMENTS: tuple[Mutation, ...] = (*_ANYWHERE, retarget, unlink, unlink_to_copy, add_link)
OF_GENERATIONS: tuple[Mutation, ...] = (flip, truncate, empty, append, delete, add, link, retarget, unlink, add_link)

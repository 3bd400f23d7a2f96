"""Unpack a source archive so that nothing lands outside its directory, whatever the archive says.

Only plain files, directories and links that stay inside exist afterwards; owners, special bits and devices
do not. The standard library's own filter is missing from some of the Pythons that we run on, so this is ours:
links are made last, when nothing can be written through them any more.
"""

import errno
import os
import shutil
import stat
from collections.abc import Iterator
from typing import IO, NamedTuple

from detente.errors import IntegrityError
from detente.host import fs

# What a compressed stream that is none gives (no number), and members that contradict each other.
_CONTRADICTIONS = (None, errno.ENOENT, errno.ENOTDIR, errno.EISDIR, errno.EEXIST, errno.EINVAL)
_EARLIEST = 315619200  # 2 January 1980: a wheel is a zip file, which knows no earlier date


class _Member(NamedTuple):
    """`kind` is `file`, `directory`, `link` (symbolic) or `same` (hard link); `target` is where a link points."""

    name: str
    kind: str
    executable: bool
    time: float
    target: str
    content: IO[bytes] | None


def unpack(archive: str, into: str, title: str) -> str:
    """Unpack `archive` into the new directory `into`; return its one top directory, else `into`.

    Raise IntegrityError, naming `title` and the member, for what is no tar or zip archive and for one that
    would write outside; DiskError where the disk refuses.
    """
    try:
        os.mkdir(into, 0o755)
        with open(archive, "rb") as file:
            read = _zip_members if file.read(4) == b"PK\x03\x04" else _tar_members
        links = [member for member in read(archive, title) if _write(member, into, title)]
        for member in links:
            _link(member, into, title)
        inside = os.listdir(into)
    except OSError as err:
        if err.errno in _CONTRADICTIONS:
            raise _damaged(title, err) from err
        raise fs.disk_error(err, f"unpacking {title}") from err
    except _faults() as err:
        raise _damaged(title, err) from err
    top = os.path.join(into, inside[0]) if len(inside) == 1 else into
    return top if os.path.isdir(top) and not os.path.islink(top) else into


def _write(member: _Member, into: str, title: str) -> bool:
    """Write a file or directory; True for a link, whose turn comes later."""
    path = _inside(member.name, into, title)
    if member.kind == "link":
        return True
    if path == into:
        return False
    folder = path if member.kind == "directory" else os.path.dirname(path)
    os.makedirs(folder, exist_ok=True)
    if member.kind == "directory":
        return False
    if os.path.lexists(path):
        os.unlink(path)  # as every unpacker does: the last of two members wins
    with open(path, "xb") as file:
        if member.kind == "same":
            with open(_inside(member.target, into, title), "rb") as first:
                shutil.copyfileobj(first, file)
        elif member.content is not None:
            with member.content as content:
                shutil.copyfileobj(content, file)
    os.chmod(path, 0o755 if member.executable else 0o644)
    time = max(member.time, _EARLIEST)
    os.utime(path, (time, time))
    return False


def _link(member: _Member, into: str, title: str) -> None:
    """Make a symbolic link that leads to something inside; one that leads nowhere is left out."""
    path = _inside(member.name, into, title)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    if os.path.lexists(path):
        return
    if not _is_below(os.path.realpath(os.path.dirname(path)), os.path.realpath(into)):
        raise _refused(member.name, title, "lies behind a link that leads outside")
    os.symlink(member.target, path)
    try:
        real = os.path.realpath(path, strict=True)
    except OSError:
        os.unlink(path)
        return
    if not _is_below(real, os.path.realpath(into)):
        os.unlink(path)
        raise _refused(member.name, title, f"links to {member.target}")


def _inside(name: str, into: str, title: str) -> str:
    parts = [part for part in name.split("/") if part not in ("", ".")]
    if name.startswith("/") or ".." in parts or "\0" in name:
        raise _refused(name, title, "lies outside it")
    return os.path.join(into, *parts)


def _is_below(path: str, folder: str) -> bool:
    return path == folder or path.startswith(folder + "/")


def _faults() -> tuple[type[Exception], ...]:
    """Return the many ways in which the standard library says that an archive is damaged."""
    import lzma
    import tarfile
    import zipfile
    import zlib

    return tarfile.TarError, zipfile.BadZipFile, zlib.error, lzma.LZMAError, EOFError, ValueError, RuntimeError


def _damaged(title: str, err: Exception) -> IntegrityError:
    return IntegrityError(
        f"the archive of {title} is damaged or of an unknown kind",
        hint="fetch it again, or tell its authors",
        context=(f"{type(err).__name__}: {err}",),
    )


def _refused(name: str, title: str, why: str) -> IntegrityError:
    return IntegrityError(
        f"the archive of {title} was refused: its member {name!r} {why}",
        hint="do not build it, and tell its authors",
    )


def _tar_members(archive: str, title: str) -> Iterator[_Member]:
    import tarfile

    with tarfile.open(archive, "r:*") as tar:
        for info in tar:
            kind, content = "", None
            if info.isreg():
                kind, content = "file", tar.extractfile(info)
            elif info.isdir():
                kind = "directory"
            elif info.issym():
                kind = "link"
            elif info.islnk():
                kind = "same"
            if not kind:
                raise _refused(info.name, title, "is a device or a pipe")
            yield _Member(info.name, kind, bool(info.mode & 0o100), float(info.mtime), info.linkname, content)


def _zip_members(archive: str, title: str) -> Iterator[_Member]:
    import time
    import zipfile

    with zipfile.ZipFile(archive) as packed:
        for info in packed.infolist():
            mode = info.external_attr >> 16 if info.create_system == 3 else 0
            try:
                when = time.mktime((*info.date_time, 0, 0, -1))
            except (ValueError, OverflowError):
                when = _EARLIEST
            if info.flag_bits & 1:
                raise _refused(info.filename, title, "is encrypted")
            if info.is_dir():
                yield _Member(info.filename, "directory", True, when, "", None)
            elif stat.S_ISLNK(mode):
                target = packed.read(info).decode("utf-8", "surrogateescape")
                yield _Member(info.filename, "link", False, when, target, None)
            else:
                yield _Member(info.filename, "file", bool(mode & 0o100), when, "", packed.open(info))

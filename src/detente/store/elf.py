"""Which ELF file needs a library of another wheel, found by a path that a link would lead astray.

The dynamic loader expands `$ORIGIN` to the directory a file was loaded from. Where that directory is reached
through a link into the store, `$ORIGIN/..` is the parent in the store, not in the environment: harmless
while the library lies in the same wheel, and a failure where another wheel has it. For a program `$ORIGIN`
is always in the store, since the kernel resolves links first (/proc/self/exe). Layout: elf(5).
"""

import os
import re
import struct
from collections.abc import Container
from typing import NamedTuple

_INTERP, _LOAD, _DYNAMIC = 3, 1, 2
_NEEDED, _STRTAB, _STRSZ, _RPATH, _RUNPATH = 1, 5, 10, 15, 29
_MOST_HEADERS = 4096
_MOST_BYTES = 16 << 20  # of a dynamic section or its strings
_ORIGIN = re.compile(r"\$(?:ORIGIN\b|\{ORIGIN\})")
# what comes from the system, never from a wheel: the C library and compiler run-time, what the manylinux
# policies (PEP 600) let every wheel expect, drivers, and the desktop
_SYSTEM = re.compile(
    r"(?:ld-linux|ld64?|ld-musl|linux-vdso|libc\.musl|libpython|libcuda|libnvidia-|libnvcuvid"
    r"|libxcb|libX|libxkb|libwayland-|libdrm|libvulkan)[^/]*\Z|"
    r"lib(?:c|m|pthread|dl|rt|util|nsl|resolv|crypt|anl|BrokenLocale|mvec|gcc_s|stdc\+\+|atomic|z|expat|zstd"
    r"|ICE|SM|GL|GLX|EGL|OpenGL|gobject-2\.0|gthread-2\.0|glib-2\.0|gio-2\.0|gbm|udev|dbus-1|fontconfig|freetype"
    r"|asound|pulse|gssapi_krb5)\.so(?:\.[0-9.]+)?\Z"
)


class Dynamic(NamedTuple):
    """What the loader is told: the libraries needed, the paths to search, whether it is a program."""

    needed: tuple[str, ...]
    paths: tuple[str, ...]
    program: bool


def leaves_its_tree(path: str, label: str, provided: Container[str]) -> str | None:
    """Say why the ELF file `path` works only beside other wheels' files, or None.

    `label` names it in the answer; `provided` are the file names that its own wheel has. Damaged files, and
    what is no ELF file, give None. OSError passes through.
    """
    dynamic = read_dynamic(path)
    if dynamic is None:
        return None
    missing = [name for name in dynamic.needed if "/" not in name and name not in provided and not _SYSTEM.match(name)]
    if not missing:
        return None
    # a few libraries (libc, libQt6Core) are programs too, but found by the path that they are loaded by
    program = dynamic.program and ".so" not in os.path.basename(path)
    for place in dynamic.paths:
        parts = place.rstrip("/").split("/")
        if parts[-1].endswith(".libs"):  # auditwheel's and its kin's: only ever the wheel's own
            continue
        if _ORIGIN.match(place) and (program or ".." in parts):
            return f"{label} needs {missing[0]} from {place}"
    return None


def read_dynamic(path: str) -> Dynamic | None:
    """Read the dynamic section of `path`; None where there is none, or it makes no sense."""
    fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
    try:
        return _dynamic(fd)
    except (struct.error, IndexError):
        return None
    finally:
        os.close(fd)


def _dynamic(fd: int) -> Dynamic | None:
    head = os.pread(fd, 64, 0)
    if head[:4] != b"\x7fELF" or head[4] not in (1, 2) or head[5] not in (1, 2):
        return None
    wide, order = head[4] == 2, "<" if head[5] == 1 else ">"
    offset, size, count = _header_table(head, wide, order)
    segment = struct.Struct(order + ("IIQQQQQQ" if wide else "IIIIIIII"))
    if size < segment.size or count > _MOST_HEADERS:
        return None
    table = os.pread(fd, size * count, offset)
    loads, dynamic, program = [], None, False
    for index in range(len(table) // size):
        fields = segment.unpack_from(table, index * size)
        # p_offset, p_vaddr, p_filesz
        place = (fields[2], fields[3], fields[5]) if wide else (fields[1], fields[2], fields[4])
        if fields[0] == _LOAD:
            loads.append(place)
        elif fields[0] == _DYNAMIC:
            dynamic = place
        elif fields[0] == _INTERP:
            program = True
    if dynamic is None:
        return None
    pair = struct.Struct(order + ("qQ" if wide else "iI"))
    section = os.pread(fd, min(dynamic[2], _MOST_BYTES), min(dynamic[0], 1 << 62))
    entries = []
    for key, value in pair.iter_unpack(section[: len(section) // pair.size * pair.size]):
        if key == 0:
            break
        entries.append((key, value))
    return _named(fd, entries, loads, program)


def _header_table(head: bytes, wide: bool, order: str) -> tuple[int, int, int]:
    """Return offset, entry size and count of the program headers."""
    if wide:
        (offset,) = struct.unpack_from(order + "Q", head, 32)
        size, count = struct.unpack_from(order + "HH", head, 54)
    else:
        (offset,) = struct.unpack_from(order + "I", head, 28)
        size, count = struct.unpack_from(order + "HH", head, 42)
    return min(offset, 1 << 62), size, count


def _named(fd: int, entries: list[tuple[int, int]], loads: list[tuple[int, int, int]], program: bool) -> Dynamic | None:
    values = dict(entries)
    address = values.get(_STRTAB)
    if address is None:
        return None
    for offset, start, length in loads:
        if start <= address < start + length:
            strings = os.pread(fd, min(values.get(_STRSZ, 0), _MOST_BYTES), min(offset + address - start, 1 << 62))
            break
    else:
        return None

    def text(at: int) -> str:
        return strings[at : strings.find(b"\0", at)].decode("utf-8", "replace") if at < len(strings) else ""

    # DT_RPATH counts only where there is no DT_RUNPATH (ld.so(8))
    kind = _RUNPATH if _RUNPATH in values else _RPATH
    return Dynamic(
        tuple(text(value) for key, value in entries if key == _NEEDED),
        tuple(path for key, value in entries if key == kind for path in text(value).split(":") if path),
        program,
    )

"""Wheels whose archive two readers would read differently, or that is not what it says (APPNOTE 4.3 to 4.5)."""

import struct
from collections.abc import Callable, Iterator
from typing import Any

from support.crafted import INFO, STORED, Item, changed, deflated
from support.crafted import archive as packed
from support.hostile_wheels import DEMO, MAIN, POINTS, Case, parts, whole

EVIL = b"def main():\n    print('evil')\n"
UNICODE_PATH = struct.pack("<HHBL", 0x7075, 5 + 7, 1, 0) + b"evil.py"
_END = b"PK\x05\x06"


def spoiled(**what: Any) -> bytes:
    """Return the wheel with other fields of the member `demo.py`; RECORD speaks of the honest one."""
    return packed([changed(DEMO, **what), *parts()[1:]])


def both(**what: Any) -> bytes:
    """Return the wheel with the same override in both headers of `demo.py`."""
    return spoiled(local=what, central=what)


def swapped(old: bytes, new: bytes, data: bytes) -> bytes:
    """Return `data` with the last `old` replaced."""
    assert old in data
    head, _, tail = data.rpartition(old)
    return head + new + tail


def cases() -> Iterator[Case]:
    """Yield every case of this kind."""
    for group, rows in (
        ("archive", _ARCHIVE),
        ("headers", _HEADERS),
        ("Zip64", _WIDE),
        ("content", _CONTENT),
        ("bomb", _BOMBS),
    ):
        for name, (make, says, *more) in rows.items():
            yield Case(group, name, make, says, advisory=more[0] if more else "")


def _overlapping() -> bytes:
    inner = packed([changed(DEMO, content=EVIL)])[: -(46 + len("demo.py") + 22)]
    items = [Item("a.bin", inner, method=STORED), *parts([Item("a.bin", inner)])[1:]]
    return packed([items[0], changed(DEMO, offset=30 + len("a.bin")), *items[1:]])


def _shared() -> bytes:
    items = parts([Item("twin.py", MAIN)])
    return packed([changed(item, offset=0) if item.name == "twin.py" else item for item in items])


def _only_local() -> bytes:
    """A member that only those see who read from front to back."""
    hidden = packed([Item("evil.py", EVIL)])[: -(46 + len("evil.py") + 22)]
    items = parts()
    return packed([changed(items[0], gap=hidden), *items[1:]])


def _local_twice() -> bytes:
    """Two local headers of one name, of which the directory knows the second (CVE-2025-54368)."""
    first = packed([changed(DEMO, content=EVIL)])[: -(46 + len("demo.py") + 22)]
    items = parts()
    return packed([changed(items[-1], gap=first), *items[:-1]])


def _comments(comment: bytes) -> bytes:
    """Comments on the directory's entries, which some readers step over wrongly."""
    data = whole()
    at = data.index(b"PK\x01\x02")
    named = at + 46 + len("demo.py")
    grown = data[:named] + comment + data[named:]
    grown = grown[: at + 32] + struct.pack("<H", len(comment)) + grown[at + 34 :]
    end = grown.rindex(_END)
    size = struct.unpack_from("<L", grown, end + 12)[0] + len(comment)
    return grown[: end + 12] + struct.pack("<L", size) + grown[end + 16 :]


def _entry_in_comment() -> bytes:
    entry = packed([Item("evil.py", EVIL)])
    at = entry.index(b"PK\x01\x02")
    return _comments(entry[at : entry.index(_END)])


def _extended() -> bytes:
    """A Zip64 end record with room for data of its own."""
    data = whole(wide=True)
    at = data.rindex(b"PK\x06\x06")
    grown = data[: at + 56] + b"evil-bytes!!" + data[at + 56 :]
    return grown[: at + 4] + struct.pack("<Q", 44 + 12) + grown[at + 12 :]


def _extra(*values: int, key: int = 1) -> bytes:
    body = b"".join(struct.pack("<Q", value) for value in values)
    return struct.pack("<HH", key, len(body)) + body


def _patched(offset: int, form: str, value: int, mark: bytes, **how: Any) -> bytes:
    data = whole(**how)
    at = data.rindex(mark) + offset
    return data[:at] + struct.pack(form, value) + data[at + struct.calcsize(form) :]


Rows = dict[str, tuple[Callable[[], bytes], str] | tuple[Callable[[], bytes], str, str]]

_ARCHIVE: Rows = {
    "no archive": (lambda: b"hello", "no zip archive"),
    "nothing": (lambda: b"", "no zip archive: 0 bytes"),
    "a page of a captive portal": (lambda: b"<html><body>log in</body></html>" * 9, "starts with <html>"),
    "a cut in a member": (lambda: whole()[:60], "cut off"),
    "a cut in the directory": (lambda: whole()[:-60], "cut off"),
    "a cut in the end record": (lambda: whole()[:-3], "cut off"),
    "a missing comment": (lambda: whole(comment=b"long comment")[:-4], "cut off in its end record"),
    "a script before it": (lambda: b"#!/bin/sh\nevil\n" + whole(), "central directory is not where"),
    "a script before it, counted": (lambda: whole(before=b"#!/bin/sh\n"), "lie before its first member demo.py"),
    "bytes after it": (lambda: whole(after=b"evil"), "4 bytes follow its end record"),
    "an archive after it": (
        lambda: whole() + packed([Item("demo.py", EVIL)]),
        "central directory is not where",
        "CVE-2025-54368",
    ),
    "an archive before it": (
        lambda: packed([Item("demo.py", EVIL)]) + whole(),
        "central directory is not where",
        "CVE-2025-54368",
    ),
    "an archive in its comment": (lambda: whole(comment=packed([DEMO])), "two end records"),
    "an end record in its comment": (lambda: whole(comment=_END + bytes(30)), "two end records"),
    "bytes between directory and end": (lambda: swapped(_END, b"evil" + _END, whole()), "directory is not where"),
    "bytes between members": (
        lambda: packed([changed(DEMO, gap=b"evil"), *parts()[1:]]),
        "belong to nothing follow demo.py",
    ),
    "bytes after the last member": (
        lambda: packed([*parts()[:-1], changed(parts()[-1], gap=b"evil")]),
        f"belong to nothing follow {INFO}/RECORD",
    ),
    "a member only in its local header": (_only_local, "belong to nothing follow demo.py", "CVE-2025-54368"),
    "two local headers of one name": (_local_twice, f"belong to nothing follow {INFO}/RECORD", "CVE-2025-54368"),
    "members that overlap": (_overlapping, "a.bin overlaps"),
    "two names for the same bytes": (_shared, "overlaps"),
    "a member behind the directory": (lambda: spoiled(offset=1 << 20), "demo.py"),
    "more members than entries": (lambda: whole(end={"count": 9}), "claims 9 members"),
    "fewer members than entries": (lambda: whole(end={"count": 2}), "follow the last entry"),
    "members by the ten thousand": (lambda: whole(end={"count": 60000}), "claims 60000 members"),
    "one of several disks": (lambda: whole(end={"disk": 1}), "several parts"),
    "counts that differ": (lambda: _patched(8, "<H", 1, _END), "several parts"),
    "a directory elsewhere": (lambda: whole(end={"offset": 7}), "directory is not where"),
    "a directory of another size": (lambda: whole(end={"size": 7}), "directory is not where"),
    "a damaged entry": (lambda: swapped(b"PK\x01\x02", b"PK\x01\x00", whole()), "directory is damaged"),
    "an entry in a comment": (_entry_in_comment, "demo.py", "GHSA-pqhf-p39g-3x64"),
    "a comment on an entry": (lambda: _comments(b"evil"), "demo.py has a comment", "GHSA-pqhf-p39g-3x64"),
}

_HEADERS: Rows = {
    "another name": (lambda: spoiled(local={"name": b"evil.py"}), "another name in its own header: evil.py"),
    "a longer name": (lambda: spoiled(local={"name": b"demo.pyx"}), "demo.py"),
    "a name in capitals": (lambda: spoiled(local={"name": b"DEMO.PY"}), "another name in its own header: DEMO.PY"),
    "another method": (lambda: spoiled(local={"method": 0}), "demo.py has another method"),
    "other flags": (lambda: spoiled(local={"flags": 0x800}), "demo.py has another method or other flags"),
    "another size": (lambda: spoiled(local={"size": 3}), "demo.py has other sizes"),
    "another packed size": (lambda: spoiled(local={"packed": 3}), "demo.py has other sizes"),
    "another CRC": (lambda: spoiled(local={"crc": 3}), "demo.py has other sizes or another CRC"),
    "no sizes": (lambda: spoiled(local={"size": 0, "packed": 0, "crc": 0}), "demo.py has other sizes"),
    "a second name in the directory": (lambda: spoiled(central_extra=UNICODE_PATH), "demo.py has a second name"),
    "a second name in the header": (lambda: spoiled(local_extra=UNICODE_PATH), "demo.py has a second name"),
    "two second names": (lambda: spoiled(local_extra=UNICODE_PATH * 2), "demo.py has a damaged extra field"),
    "a damaged extra field": (lambda: spoiled(central_extra=b"\x01\x00\xff\xff"), "demo.py has a damaged extra field"),
    "a damaged extra field in the header": (lambda: spoiled(local_extra=b"\x99\x00\xff\xff"), "demo.py has a damaged"),
    "a wrong descriptor": (lambda: spoiled(descriptor="wrong"), "demo.py has a wrong data descriptor"),
    "no descriptor": (lambda: both(flags=8), "demo.py has a wrong data descriptor"),
    "a descriptor by one header": (lambda: spoiled(descriptor="signed", central={"flags": 0}), "demo.py has another"),
    "a descriptor nobody announced": (
        lambda: packed([changed(DEMO, gap=b"PK\x07\x08" + bytes(12)), *parts()[1:]]),
        "belong to nothing follow demo.py",
    ),
    "encryption": (lambda: both(flags=1), "demo.py is encrypted"),
    "strong encryption": (lambda: both(flags=0x41), "demo.py is encrypted"),
    "an encrypted directory": (lambda: both(flags=0x2000), "demo.py is encrypted"),
    "patched data": (lambda: both(flags=0x20), "demo.py uses features"),
    "deflate64": (lambda: spoiled(method=9), "demo.py uses the compression method 9"),
    "bzip2": (lambda: spoiled(method=12), "demo.py uses the compression method 12"),
    "LZMA": (lambda: spoiled(method=14), "demo.py uses the compression method 14"),
    "Zstandard": (lambda: spoiled(method=93), "demo.py uses the compression method 93"),
    "an unknown method": (lambda: spoiled(method=99), "demo.py uses the compression method 99"),
}

_WIDE: Rows = {
    "no record": (lambda: whole(end={"offset": 0xFFFFFFFF}), "Zip64 record that is not there"),
    "no locator": (lambda: swapped(b"PK\x06\x07", b"PK\x06\x00", whole(wide=True)), "Zip64"),
    "a locator to nowhere": (lambda: swapped(b"PK\x06\x06", b"PK\x06\x00", whole(wide=True)), "is not where"),
    "a locator past the end": (lambda: _patched(8, "<Q", 1 << 40, b"PK\x06\x07", wide=True), "points nowhere"),
    "a locator to another disk": (lambda: _patched(4, "<L", 1, b"PK\x06\x07", wide=True), "points nowhere"),
    "records that disagree": (
        lambda: whole(wide=True)[:-22] + whole([Item("x.py", b"")])[-22:],
        "two end records disagree",
    ),
    "a record of another count": (lambda: _patched(32, "<Q", 2, b"PK\x06\x06", wide=True), "several parts"),
    "a record of another offset": (lambda: _patched(48, "<Q", 2, b"PK\x06\x06", wide=True), "directory is not where"),
    "a record with data of its own": (_extended, "Zip64 end record"),
    "a size that is missing": (lambda: spoiled(central={"size": 0xFFFFFFFF}), "demo.py lacks its Zip64 sizes"),
    "sizes nobody asked for, others": (lambda: spoiled(local_extra=_extra(3, 3)), "demo.py"),
    "sizes nobody asked for, others, in the directory": (lambda: spoiled(central_extra=_extra(3, 3)), "demo.py"),
    "one size nobody asked for": (lambda: spoiled(local_extra=_extra(1 << 40)), "demo.py"),
    "sizes twice": (lambda: spoiled(local_extra=_extra(3, 3) + _extra(4, 4)), "demo.py has a damaged extra field"),
    "an offset elsewhere": (lambda: spoiled(offset=0xFFFFFFFF, central_extra=_extra(1 << 33)), "demo.py"),
    "sizes of exabytes": (lambda: spoiled(central={"size": 0xFFFFFFFF}, central_extra=_extra(1 << 60)), "demo.py"),
}

_CONTENT: Rows = {
    "a wrong CRC": (lambda: both(crc=5), "demo.py is damaged: its CRC is wrong"),
    "a larger size": (lambda: both(size=500), "demo.py has"),
    "a smaller size": (lambda: both(size=5), "demo.py has"),
    "bytes after the stream": (lambda: spoiled(packed=deflated(MAIN) + b"evil"), "demo.py has not the size"),
    "a second stream": (lambda: spoiled(packed=deflated(MAIN) + deflated(EVIL)), "demo.py has not the size"),
    "a stream without end": (lambda: spoiled(packed=deflated(MAIN)[:-2]), "demo.py"),
    "no stream": (lambda: spoiled(packed=b"\xff\xff\xff"), "demo.py is damaged"),
    "an empty stream": (lambda: spoiled(packed=b""), "demo.py"),
    "two sizes of a stored member": (lambda: spoiled(method=STORED, central={"size": 7}), "two sizes differ"),
    "another content": (lambda: packed([changed(DEMO, content=EVIL), *parts()[1:]]), "demo.py"),
}


def _heavy(name: str, size: int, **how: Any) -> bytes:
    return whole([Item(name, bytes(size), **how)])


def _lying(size: int, claimed: int) -> bytes:
    claim = {"size": claimed}
    return whole([Item("zeros.bin", bytes(size), central=claim, local=claim)])


def _crowd() -> bytes:
    """500,001 empty members, made in one go."""
    names = [b"d/%06d" % number for number in range(500_001)]
    local = struct.pack("<4s5H3L2H", b"PK\x03\x04", 20, 0, 0, 0, 33, 0, 0, 0, 8, 0)
    head = struct.pack("<4s6H3L5HL", b"PK\x01\x02", 788, 20, 0, 0, 0, 33, 0, 0, 0, 8, 0, 0, 0, 0, 0o100644 << 16)
    table = b"".join(head + struct.pack("<L", 38 * at) + name for at, name in enumerate(names))
    body = b"".join(local + name for name in names)
    count = len(names)
    end = struct.pack("<4sQ2H2L4Q", b"PK\x06\x06", 44, 45, 45, 0, 0, count, count, len(table), len(body))
    end += struct.pack("<4sLQL", b"PK\x06\x07", 0, len(body) + len(table), 1)
    return body + table + end + struct.pack("<4s4H2LH", _END, 0, 0, 0xFFFF, 0xFFFF, 0xFFFFFFFF, 0xFFFFFFFF, 0)


_BOMBS: Rows = {
    "400 MB from 400 KB": (lambda: _heavy("zeros.bin", 400 << 20), "mostly zeros.bin: that is a zip bomb"),
    "9 MB that say 100 bytes": (lambda: _lying(9 << 20, 100), "zeros.bin has"),
    "40 MB that say 5 MB": (lambda: _lying(40 << 20, 5 << 20), "zeros.bin"),
    "70 members that say 1 GB each": (
        lambda: whole(
            [Item(f"{n}.bin", b"", packed=b"", central={"size": 1 << 30}, local={"size": 1 << 30}) for n in range(70)]
        ),
        "zip bomb",
    ),
    "a RECORD of 120 MB": (lambda: whole(edit=lambda text: text + b"x,,\n" * (30 << 20)), f"{INFO}/RECORD"),
    "METADATA of 100 MB": (
        lambda: whole(metadata=b"Metadata-Version: 2.1\nName: demo\nVersion: 1.0\n" + b"A:\n" * (33 << 20)),
        f"{INFO}/METADATA",
    ),
    "entry points of 100 MB": (
        lambda: packed_points(b"[console_scripts]\ndemo = demo:main\n" + b"[a]\n" * (25 << 20)),
        f"{INFO}/entry_points.txt",
    ),
    "600,000 members": (_crowd, "500001 members, more than"),
}


def packed_points(text: bytes) -> bytes:
    """Return a wheel with these entry points and a module."""
    from support.crafted import wheel

    return wheel([DEMO, changed(POINTS, content=text)])

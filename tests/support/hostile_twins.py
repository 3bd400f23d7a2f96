"""The nearest wheels that keep the rules: each installs, and its command runs."""

import hashlib
import struct
from collections.abc import Callable
from pathlib import Path

from support.crafted import DATA, FILENAME, INFO, METADATA, STORED, Item, changed, hashed, record, wheel
from support.crafted import archive as packed
from support.hostile_wheels import DEMO, MAIN, POINTS, parts, whole

_INFO_ZIP = struct.pack("<HHBL", 0x7075, 5 + 7, 1, 0) + b"demo.py"
_SCRIPT = b"#!/bin/sh\necho script\n"


def _edited(old: str, new: str) -> Callable[[], bytes]:
    return lambda: whole(edit=lambda text: text.replace(old.encode(), new.encode()))


def _first(**what: object) -> bytes:
    return packed([changed(DEMO, **what), *parts()[1:]])


def _signed() -> bytes:
    return packed([*parts(), Item(f"{INFO}/RECORD.jws", b"{}"), Item(f"{INFO}/RECORD.p7s", b"x")])


def _points(text: str) -> bytes:
    content = f"[console_scripts]\ndemo = demo:main\n{text}\n".encode()
    return wheel([DEMO, changed(POINTS, content=content)])


def _dense() -> bytes:
    """As much compressed as a wheel may be below the size from which its ratio counts."""
    return whole([Item("zeros.bin", bytes(100 << 20))])


def _listed_caches() -> bytes:
    own = parts()[:-1]
    cache = Item("__pycache__/demo.cpython-311.pyc", b"x")
    return packed([*own, cache, Item(f"{INFO}/RECORD", record([*own, cache]))])


TWINS: dict[str, Callable[[], bytes]] = {
    "nothing special": whole,
    "directories as members": lambda: whole([Item("more/", method=STORED, mode=0o40755), Item("more/a.py", MAIN)]),
    "made on Windows": lambda: _first(system=0, mode=0, attributes=0x20),
    "dated never": lambda: _first(date=0),
    "dated 2107": lambda: _first(date=0xFFFF),
    "signed data descriptors": lambda: _first(descriptor="signed"),
    "plain data descriptors": lambda: _first(descriptor="plain"),
    "a comment on the archive": lambda: whole(comment=b"made by hand"),
    "stored members": lambda: _first(method=STORED),
    "Zip64 end records": lambda: whole(wide=True),
    "Zip64 sizes": lambda: _first(wide=True),
    "a wheel inside, stored": lambda: whole([Item("inner.zip", whole(), method=STORED)]),
    "the same name twice over": lambda: _first(local_extra=_INFO_ZIP, central_extra=_INFO_ZIP),
    "padding in an extra field": lambda: _first(local_extra=b"\0\0\0"),
    "an extra field": lambda: _first(local_extra=b"\xfe\xca\x02\0xx", central_extra=b"\xfe\xca\0\0"),
    "a name beyond ASCII": lambda: whole([Item("démo/π.py", MAIN)]),
    "a comma and quotes in a name": lambda: whole([Item('more/a,"b".txt', MAIN)]),
    "two names that differ in case": lambda: whole([Item("More.py", MAIN), Item("more.py", MAIN)]),
    "a name of 255 bytes": lambda: whole([Item("x" * 255, MAIN)]),
    "dots in names": lambda: whole([Item("more/..a..py", MAIN), Item("...", MAIN)]),
    "a mode of 0": lambda: _first(mode=0),
    "a mode of set-user-id": lambda: _first(mode=0o106777),
    "signatures": _signed,
    "bytecode": _listed_caches,
    "a RECORD without itself": _edited(f"{INFO}/RECORD,,\n", ""),
    "a RECORD without sizes": _edited(f",{len(MAIN)}\n", ",\n"),
    "a RECORD with Windows' line ends": _edited("\n", "\r\n"),
    "a RECORD with SHA-512": _edited(hashed(MAIN), hashed(MAIN, "sha512")),
    "a RECORD with SHA256 in capitals": _edited(hashed(MAIN), hashed(MAIN).replace("sha256", "SHA256")),
    "a RECORD in hexadecimal": _edited(hashed(MAIN), "sha256=" + hashlib.sha256(MAIN).hexdigest()),
    "a RECORD with one row twice": lambda: whole(edit=lambda text: text + text.splitlines(keepends=True)[0]),
    "a RECORD with a directory": lambda: whole(edit=lambda text: text + b"more/,,\n"),
    "METADATA in another encoding": lambda: whole(metadata=METADATA + b"\xe9\n"),
    "METADATA of a megabyte": lambda: whole(metadata=METADATA + b"word " * (200 << 10)),
    "a name spelled otherwise": lambda: whole(metadata=METADATA.replace(b"Name: demo", b"Name: Demo")),
    "a version spelled otherwise": lambda: whole(metadata=METADATA.replace(b"Version: 1.0", b"Version: 1.0.0")),
    "every scheme": lambda: whole(
        [
            Item(f"{DATA}/purelib/pure.py", MAIN),
            Item(f"{DATA}/platlib/plat.py", MAIN),
            Item(f"{DATA}/scripts/demo-script", _SCRIPT),
            Item(f"{DATA}/data/share/doc/demo/page", b"page"),
            Item(f"{DATA}/headers/demo.h", b"int x;"),
        ]
    ),
    "a command with dots and a hyphen": lambda: _points("demo-1.x_y = demo:main"),
    "an object with dots and an extra": lambda: _points("demo-2 = demo.sub : Class.run [extra]"),
    "another group with what it likes": lambda: _points("[demo.plugins]\nx y; = what(ever)"),
    "100 MB of zeros": _dense,
}


def write(name: str, folder: Path) -> Path:
    """Write the twin called `name` into `folder`, and return its path."""
    path = folder / FILENAME
    path.write_bytes(TWINS[name]())
    return path

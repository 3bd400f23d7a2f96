"""Wheels written byte by byte, so that every rule of the format can be broken one at a time."""

import base64
import hashlib
import struct
import zlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

STORED, DEFLATED = 0, 8
NAME, VERSION = "demo", "1.0"
FILENAME = "demo-1.0-py3-none-any.whl"
INFO = "demo-1.0.dist-info"
DATA = "demo-1.0.data"

METADATA = (
    b"Metadata-Version: 2.1\nName: demo\nVersion: 1.0\nSummary: A demonstration\nRequires-Python: >=3.8\n\nText\n"
)
WHEEL = b"Wheel-Version: 1.0\nGenerator: by hand\nRoot-Is-Purelib: true\nTag: py3-none-any\n"


@dataclass(frozen=True)
class Item:
    """One member. `local` and `central` override fields of the two headers: name, method, flags, crc, packed, size.

    `descriptor`: "" for none, "signed", "plain" or "wrong". `gap` are bytes after it. `offset` replaces the
    central header's. `packed` replaces the compressed bytes.
    """

    name: str | bytes
    content: bytes = b""
    method: int = DEFLATED
    mode: int = 0o100644
    system: int = 3
    attributes: int = 0
    date: int = 0x21  # 1980-01-01
    descriptor: str = ""
    gap: bytes = b""
    packed: bytes | None = None
    offset: int | None = None
    wide: bool = False
    local_extra: bytes = b""
    central_extra: bytes = b""
    local: Mapping[str, Any] = field(default_factory=dict)
    central: Mapping[str, Any] = field(default_factory=dict)

    @property
    def raw(self) -> bytes:
        return self.name if isinstance(self.name, bytes) else self.name.encode()


def deflated(content: bytes) -> bytes:
    """Return `content` as raw deflate data."""
    writer = zlib.compressobj(6, zlib.DEFLATED, -15)
    return writer.compress(content) + writer.flush()


def archive(
    items: Iterable[Item],
    *,
    before: bytes = b"",
    after: bytes = b"",
    comment: bytes = b"",
    wide: bool = False,
    end: Mapping[str, int] | None = None,
) -> bytes:
    """Return a zip archive of `items`, with whatever is wrong in them.

    `before` moves all offsets as an honest prefix does; `wide` writes Zip64 end records; `end` overrides numbers
    of the end record: count, size, offset, disk.
    """
    body, table, count = bytearray(before), bytearray(), 0
    for item in items:
        packed = item.packed
        if packed is None:
            packed = deflated(item.content) if item.method == DEFLATED else item.content
        flags = (0 if item.raw.isascii() else 0x800) | (8 if item.descriptor else 0)
        true = {
            "name": item.raw,
            "method": item.method,
            "flags": flags,
            "crc": zlib.crc32(item.content),
            "packed": len(packed),
            "size": len(item.content),
        }
        blank = {"crc": 0, "packed": 0, "size": 0} if item.descriptor else {}
        extra, wide_sizes = item.local_extra, b""
        if item.wide:
            wide_sizes = struct.pack("<HHQQ", 1, 16, len(item.content), len(packed))
            blank = {"packed": 0xFFFFFFFF, "size": 0xFFFFFFFF}
        own = {**true, **blank, **item.local}
        offset = len(body) if item.offset is None else item.offset
        body += struct.pack(
            "<4s5H3L2H",
            b"PK\x03\x04",
            20,
            own["flags"],
            own["method"],
            0,
            item.date,
            own["crc"],
            own["packed"],
            own["size"],
            len(own["name"]),
            len(extra + wide_sizes),
        )
        body += own["name"] + extra + wide_sizes + packed
        if item.descriptor:
            crc = true["crc"] ^ (item.descriptor == "wrong")
            mark = b"" if item.descriptor == "plain" else b"PK\x07\x08"
            body += mark + struct.pack("<LLL", crc, len(packed), len(item.content))
        body += item.gap
        seen = {**true, **item.central}
        attributes = item.mode << 16 | item.attributes
        table += struct.pack(
            "<4s6H3L5H2L",
            b"PK\x01\x02",
            item.system << 8 | 20,
            20,
            seen["flags"],
            seen["method"],
            0,
            item.date,
            seen["crc"],
            seen["packed"],
            seen["size"],
            len(seen["name"]),
            len(item.central_extra),
            0,
            0,
            0,
            attributes,
            offset,
        )
        table += seen["name"] + item.central_extra
        count += 1
    numbers = {"count": count, "size": len(table), "offset": len(body), "disk": 0, **(end or {})}
    whole = bytes(body + table)
    if wide:
        record = struct.pack("<4sQ2H2L4Q", b"PK\x06\x06", 44, 45, 45, 0, 0, count, count, len(table), len(body))
        whole += record + struct.pack("<4sLQL", b"PK\x06\x07", 0, len(whole), 1)
        numbers = {"count": 0xFFFF, "size": 0xFFFFFFFF, "offset": 0xFFFFFFFF, "disk": 0}
    whole += struct.pack(
        "<4s4H2LH",
        b"PK\x05\x06",
        numbers["disk"],
        0,
        numbers["count"] & 0xFFFF,
        numbers["count"] & 0xFFFF,
        numbers["size"],
        numbers["offset"],
        len(comment),
    )
    return whole + comment + after


def hashed(content: bytes, algorithm: str = "sha256") -> str:
    """Return the hash of `content` as RECORD writes it."""
    digest = hashlib.new(algorithm, content).digest()
    return f"{algorithm}={base64.urlsafe_b64encode(digest).rstrip(b'=').decode()}"


def quoted(path: str) -> str:
    """Return `path` as a field of RECORD."""
    return '"' + path.replace('"', '""') + '"' if any(char in path for char in ',"\n\r') else path


def record(items: Sequence[Item], info: str = INFO) -> bytes:
    """Return an honest RECORD of `items`."""
    rows = [
        f"{quoted(item.raw.decode('utf-8', 'replace'))},{hashed(item.content)},{len(item.content)}"
        for item in items
        if not item.raw.endswith(b"/")
    ]
    return "\n".join([*rows, f"{info}/RECORD,,", ""]).encode()


def items_of(
    files: Mapping[str, bytes] | Sequence[Item] = (),
    *,
    info: str = INFO,
    metadata: bytes | None = METADATA,
    wheel: bytes | None = WHEEL,
) -> list[Item]:
    """Return the members of a wheel with `files`, all but its RECORD."""
    own = [Item(name, content) for name, content in files.items()] if isinstance(files, Mapping) else list(files)
    if metadata is not None:
        own.append(Item(f"{info}/METADATA", metadata))
    if wheel is not None:
        own.append(Item(f"{info}/WHEEL", wheel))
    return own


def wheel(
    files: Mapping[str, bytes] | Sequence[Item] = (),
    *,
    info: str = INFO,
    edit: Callable[[bytes], bytes] = bytes,
    **how: Any,
) -> bytes:
    """Return a wheel with `files` and an honest RECORD that `edit` may then change; `how` goes to `archive`."""
    parts = {key: how.pop(key) for key in ("metadata", "wheel") if key in how}
    own = items_of(files, info=info, **parts)
    return archive([*own, Item(f"{info}/RECORD", edit(record(own, info)))], **how)


def changed(item: Item, **what: Any) -> Item:
    """Return `item` with other fields."""
    return replace(item, **what)

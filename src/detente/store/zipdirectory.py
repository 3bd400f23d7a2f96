"""The directory of a zip archive, read strictly: one meaning, whoever reads it, or no meaning at all.

End record, Zip64 record, central directory and the places of the members must agree and fill the file without
a gap or an overlap. What a single member holds is `archive.py`'s. Layout: PKWARE's APPNOTE 4.3, 4.4.
"""

import os
import stat
import struct
from typing import NamedTuple, NoReturn

from detente.store.breach import kind_of, name_breach, refuse, shown

MOST_MEMBERS = 500_000
MOST_BYTES = 64 << 30  # unpacked
FREE_BYTES = 128 << 20  # below this no ratio is asked for
MOST_RATIO = 120  # unpacked to packed, of the whole archive; the densest real wheels reach about 30

STORED, DEFLATED = 0, 8
DESCRIPTOR = 0x8
MAX32 = 0xFFFFFFFF
ZIP64, UNICODE_PATH = 0x0001, 0x7075
LOCAL_SIZE = 30  # bytes of a local header without its name

_UTF8 = 0x800
_ENCRYPTED = 0x1 | 0x40 | 0x2000
_KNOWN_FLAGS = 0x6 | DESCRIPTOR | _UTF8  # 0x6: deflate's levels
_MAX16 = 0xFFFF
_MOST_DIRECTORY = 256 << 20  # bytes
_WINDOW = 1 << 20
_END = struct.Struct("<4s4H2LH")
_END64 = struct.Struct("<4sQ2H2L4Q")
_LOCATOR = struct.Struct("<4sLQL")
_CENTRAL = struct.Struct("<4s6H3L5H2L")


class Member(NamedTuple):
    """One file or folder of the archive. `offset` to `end` is all that belongs to it; `mode` is Unix's or 0."""

    name: str
    raw: bytes
    offset: int
    end: int
    flags: int
    method: int
    crc: int
    packed: int
    size: int
    mode: int

    @property
    def is_folder(self) -> bool:
        """Say whether it only stands for a directory."""
        return self.name.endswith("/")


class Source:
    """The bytes of an archive: `path` opened, read in large pieces. `label` is what errors call it."""

    def __init__(self, path: str, label: str) -> None:
        self.label = label
        self._fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        self._start, self._buffer = 0, b""
        info = os.fstat(self._fd)
        self.size = info.st_size
        if not stat.S_ISREG(info.st_mode):
            self.close()
            self.refuse("it is not a regular file")

    def close(self) -> None:
        """Close the file."""
        os.close(self._fd)

    def refuse(self, *breaches: str) -> NoReturn:
        """Raise HostileWheel for what was found."""
        refuse(self.label, breaches)

    def bytes_at(self, start: int, end: int) -> memoryview:
        """Return bytes [start, end) of the file: few calls, since neighbours are mostly asked for in order."""
        low = start - self._start
        if low < 0 or end - self._start > len(self._buffer):
            want = max(_WINDOW, end - start)
            self._buffer = os.pread(self._fd, want, start)
            self._start, low = start, 0
            while len(self._buffer) < end - start:
                more = os.pread(self._fd, want, start + len(self._buffer))
                if not more:
                    self.refuse(f"it ends after {start + len(self._buffer)} bytes, in the middle of a member")
                self._buffer += more
        return memoryview(self._buffer)[low : low + end - start]


def read_directory(source: Source) -> list[Member]:
    """Return the members in the order of their bytes; raise HostileWheel where a rule is broken."""
    at, end = _end_record(source)
    _, disk, first_disk, here, count, size, offset, _ = _END.unpack(end)
    stop = at
    if at >= _LOCATOR.size and bytes(source.bytes_at(at - _LOCATOR.size, at)[:4]) == b"PK\x06\x07":
        plain = (disk, first_disk, here, count, size, offset)
        stop, (disk, first_disk, here, count, size, offset) = _end64(source, at - _LOCATOR.size, plain)
    elif count == _MAX16 or MAX32 in (size, offset):
        source.refuse("its end record points to a Zip64 record that is not there")
    if disk or first_disk or here != count:
        source.refuse("it is one part of an archive in several parts")
    if offset + size != stop:
        source.refuse(
            "its central directory is not where the end record says: "
            f"{offset} + {size} bytes, but it must end at {stop}"
        )
    if count > MOST_MEMBERS:
        source.refuse(f"it has {count} members, more than {MOST_MEMBERS}")
    if not count * _CENTRAL.size <= size <= _MOST_DIRECTORY:
        source.refuse(f"it claims {count} members in a directory of {size} bytes")
    members = _entries(source, bytes(source.bytes_at(offset, stop)), count, offset)
    _check_members(source, members)
    return members


def _end_record(source: Source) -> tuple[int, memoryview]:
    """Return where the one end record lies, and its bytes."""
    tail_start = max(0, source.size - _END.size - _MAX16)
    tail = bytes(source.bytes_at(tail_start, source.size)) if source.size else b""
    found, other, at = [], -1, tail.rfind(b"PK\x05\x06")
    while at >= 0:
        if len(tail) - at >= _END.size:
            if at + _END.size + struct.unpack_from("<H", tail, at + 20)[0] == len(tail):
                found.append(at)
            elif other < 0:
                other = at
        at = tail.rfind(b"PK\x05\x06", 0, at)
    if len(found) > 1 or (found and b"PK\x05\x06" in tail[found[0] + _END.size :]):
        source.refuse("it has two end records, so that two readers would see two archives")
    if not found:
        if other >= 0:
            past = len(tail) - other - _END.size - struct.unpack_from("<H", tail, other + 20)[0]
            source.refuse(f"{past} bytes follow its end record" if past > 0 else "it is cut off in its end record")
        head = bytes(source.bytes_at(0, min(16, source.size))) if source.size else b""
        if head.startswith(b"PK\x03\x04"):
            source.refuse(f"it is cut off after {source.size} bytes: the archive has no end record")
        start = head.split(b"\n")[0].decode("ascii", "replace").strip()
        source.refuse(f"it is no zip archive: {source.size} bytes" + (f", starts with {shown(start)}" if start else ""))
    at = tail_start + found[0]
    return at, source.bytes_at(at, at + _END.size)


def _end64(source: Source, at: int, plain: tuple[int, ...]) -> tuple[int, tuple[int, ...]]:
    """Return where the directory must end, and the end record's numbers, by its Zip64 form (APPNOTE 4.3.14)."""
    _, disk, where, disks = _LOCATOR.unpack(source.bytes_at(at, at + _LOCATOR.size))
    if disk or disks > 1 or where + _END64.size > at:
        source.refuse("its Zip64 locator points nowhere")
    mark, length, _, _, *wide = _END64.unpack(source.bytes_at(where, where + _END64.size))
    if mark != b"PK\x06\x06" or where + 12 + length != at:
        source.refuse("its Zip64 end record is not where the locator says")
    if length + 12 != _END64.size:  # room for data that only some readers see
        source.refuse("its Zip64 end record holds data of its own")
    numbers = tuple(wide)
    for narrow, full, limit in zip(plain, numbers, (_MAX16,) * 4 + (MAX32,) * 2, strict=True):
        if narrow not in (limit, full):
            source.refuse("its two end records disagree")
    return where, numbers


def _entries(source: Source, table: bytes, count: int, limit: int) -> list[Member]:
    found: list[Member] = []
    at = 0
    for _ in range(count):
        if at + _CENTRAL.size > len(table):
            source.refuse("its central directory is cut off")
        (mark, _, _, flags, method, _, _, crc, packed, size, names, extras, comments, disk, _, attributes, offset) = (
            _CENTRAL.unpack_from(table, at)
        )
        at += _CENTRAL.size
        raw = table[at : at + names]
        extra = table[at + names : at + names + extras]
        at += names + extras + comments
        if mark != b"PK\x01\x02" or at > len(table):
            source.refuse("its central directory is damaged")
        try:
            name = raw.decode()
        except UnicodeDecodeError:
            source.refuse(f"{shown(raw.decode('latin-1'))} is not in UTF-8")
        if not flags & _UTF8 and not raw.isascii():
            source.refuse(f"{shown(name)} does not say that its name is in UTF-8")
        if comments:  # no wheel has one, and readers have taken it for the next entry (GHSA-pqhf-p39g-3x64)
            source.refuse(f"{shown(name)} has a comment in the central directory")
        if extra or MAX32 in (size, packed, offset):
            size, packed, offset, disk = wide_sizes(source, name, raw, extra, (size, packed, offset, disk))
        if disk:
            source.refuse(f"{shown(name)} lies on another disk")
        mode = attributes >> 16
        if attributes & 0x10 and not name.endswith("/"):
            mode = mode or stat.S_IFDIR
        found.append(Member(name, raw, offset, 0, flags, method, crc, packed, size, mode))
    if at != len(table):
        source.refuse(f"{len(table) - at} bytes follow the last entry of its central directory")
    found.sort(key=lambda member: member.offset)
    ends = [member.offset for member in found[1:]] + [limit]
    return [member._replace(end=end) for member, end in zip(found, ends, strict=True)]


def wide_sizes(source: Source, name: str, raw: bytes, extra: bytes, plain: tuple[int, ...]) -> list[int]:
    """Return size, packed size, offset and disk, from the Zip64 field where the plain ones say so."""
    fields = extra_fields(source, name, extra)
    other = fields.get(UNICODE_PATH)
    if other is not None and other[5:] != raw:
        source.refuse(f"{shown(name)} has a second name: {shown(other[5:].decode('utf-8', 'replace'))}")
    values = list(plain)
    field, at = fields.get(ZIP64, b""), 0
    for index, (limit, width) in enumerate(((MAX32, 8), (MAX32, 8), (MAX32, 8), (_MAX16, 4))):
        if plain[index] == limit:
            if at + width > len(field):
                source.refuse(f"{shown(name)} lacks its Zip64 sizes")
            values[index] = int.from_bytes(field[at : at + width], "little")
            at += width
    if not at and field and not _repeats(field, plain):
        source.refuse(f"{shown(name)} has Zip64 sizes that nobody asked for")
    return values


def _repeats(field: bytes, plain: tuple[int, ...]) -> bool:
    """Say whether a Zip64 field that is not needed says what the plain numbers say: some readers believe it."""
    numbers = [int.from_bytes(field[at : at + 8], "little") for at in range(0, min(len(field), 24), 8)]
    return len(field) in (8, 16, 24, 28) and numbers == list(plain[: len(numbers)])


def extra_fields(source: Source, name: str, extra: bytes) -> dict[int, bytes]:
    """Return the extra fields of member `name` by their number (APPNOTE 4.5)."""
    fields: dict[int, bytes] = {}
    at = 0
    while at + 4 <= len(extra):
        key, length = struct.unpack_from("<HH", extra, at)
        if at + 4 + length > len(extra) or (key in fields and key in (ZIP64, UNICODE_PATH)):
            source.refuse(f"{shown(name)} has a damaged extra field")
        fields[key] = extra[at + 4 : at + 4 + length]
        at += 4 + length
    return fields


def _check_members(source: Source, members: list[Member]) -> None:
    breaches, seen, folded = [], set(), 0
    position = 0
    for member in members:
        where = shown(member.name)
        wrong = name_breach(member.name)
        if wrong:
            breaches.append(wrong)
        if member.name in seen:
            breaches.append(f"{where} is there twice")
        seen.add(member.name)
        if member.offset != position:
            if position:
                breaches.append(f"{where} overlaps its neighbour")
            else:
                breaches.append(f"{member.offset} bytes lie before its first member {where}")
        if member.end - member.offset < LOCAL_SIZE + len(member.raw) + member.packed:
            breaches.append(f"{where} overlaps what follows it")
        position = member.end
        if member.flags & _ENCRYPTED:
            breaches.append(f"{where} is encrypted")
        elif member.flags & ~_KNOWN_FLAGS:
            breaches.append(f"{where} uses features no wheel has (flags {member.flags:#x})")
        if member.method not in (STORED, DEFLATED):
            breaches.append(f"{where} uses the compression method {member.method}, which no wheel has")
        elif member.method == STORED and member.packed != member.size:
            breaches.append(f"{where} is stored, but its two sizes differ")
        kind = stat.S_IFMT(member.mode)
        if kind not in (0, stat.S_IFDIR if member.is_folder else stat.S_IFREG):
            breaches.append(f"{where} is a {kind_of(kind)}")
        if member.is_folder and member.size:
            breaches.append(f"{where} is a directory with content")
        folded += member.size
    if folded > MOST_BYTES or (folded > FREE_BYTES and folded > source.size * MOST_RATIO):
        largest = max(members, key=lambda member: member.size)
        breaches.append(
            f"its {source.size} bytes would become {folded}, mostly {shown(largest.name)}: that is a zip bomb"
        )
    if breaches:
        source.refuse(*breaches)

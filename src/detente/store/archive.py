"""Reading the members of a wheel's zip archive strictly: what we check is what every other tool would unpack.

Each member's own header must say what the directory says of it (zipdirectory.py), its content must have that
size and CRC, and nothing may stand between it and the next one. Nothing is written here.
"""

import struct
import zlib
from collections.abc import Iterator
from typing import Self

from detente.store.breach import shown
from detente.store.zipdirectory import (
    DEFLATED,
    DESCRIPTOR,
    LOCAL_SIZE,
    STORED,
    UNICODE_PATH,
    ZIP64,
    Member,
    Source,
    extra_fields,
    read_directory,
    wide_sizes,
)

_WINDOW = 1 << 20
_PIECE = 4 << 20  # members above this are read and written in pieces
_LOCAL = struct.Struct("<4s5H3L2H")


class Archive:
    """An open wheel file; `members` are in the order of their bytes. Raise HostileWheel where it is unsound.

    `label` is what errors call it. OSError passes through. Use as a context manager.
    """

    def __init__(self, path: str, label: str) -> None:
        self.label = label
        self._source = Source(path, label)
        try:
            self.members = read_directory(self._source)
        except BaseException:
            self._source.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._source.close()

    def read(self, member: Member, limit: int) -> bytes:
        """Return the whole content of `member`; raise HostileWheel where it is over `limit` bytes."""
        if member.size > limit:
            self._source.refuse(f"{shown(member.name)} has {member.size} bytes, more than {limit}")
        return b"".join(self.pieces(member))

    def pieces(self, member: Member) -> Iterator[bytes]:
        """Yield the content of `member`, checked against both headers and its CRC when it has ended."""
        begin = self._content(member)
        if member.packed <= _PIECE and member.size <= _PIECE:
            yield self._small(member, begin)
        else:
            yield from self._large(member, begin)

    def _content(self, member: Member) -> int:
        """Compare the local header of `member` with the central one; return where its content begins."""
        source, where = self._source, shown(member.name)
        head = member.offset + LOCAL_SIZE
        # the whole of a small member at once, so that what follows finds it in the window
        source.bytes_at(member.offset, min(member.end, head + len(member.raw) + _PIECE + 512))
        header: tuple[bytes, *tuple[int, ...]] = _LOCAL.unpack(source.bytes_at(member.offset, head))
        mark, (_, flags, method, _, _, crc, packed, size, names, extras) = header[0], header[1:]
        begin = head + names + extras
        if mark != b"PK\x03\x04" or begin + member.packed > member.end:
            source.refuse(f"{where} is not where the central directory says")
        if source.bytes_at(head, head + names) != member.raw:
            other = bytes(source.bytes_at(head, head + names)).decode("utf-8", "replace")
            source.refuse(f"{where} has another name in its own header: {shown(other)}")
        if (flags ^ member.flags) & ~0x6 or method != member.method:
            source.refuse(f"{where} has another method or other flags in its own header")
        if extras:
            extra = bytes(source.bytes_at(head + names, begin))
            fields = extra_fields(source, member.name, extra)
            other_name = fields.get(UNICODE_PATH)
            if other_name is not None and other_name[5:] != member.raw:
                source.refuse(f"{where} has a second name in its own header")
            if ZIP64 in fields:
                size, packed, _, _ = wide_sizes(source, member.name, member.raw, extra, (size, packed, 0, 0))
        later = flags & DESCRIPTOR
        blank = later and not (crc or packed or size)
        if not blank and (crc, packed, size) != (member.crc, member.packed, member.size):
            source.refuse(f"{where} has other sizes or another CRC in its own header")
        self._check_gap(member, begin + member.packed, bool(later))
        return begin

    def _check_gap(self, member: Member, at: int, later: bool) -> None:
        """Nothing but a right data descriptor may stand between a member and the next one."""
        gap = member.end - at
        if not later:
            if gap:
                self._source.refuse(f"{gap} bytes that belong to nothing follow {shown(member.name)}")
            return
        width = 8 if gap in (20, 24) else 4
        right = b"".join(
            number.to_bytes(size, "little")
            for number, size in ((member.crc, 4), (member.packed, width), (member.size, width))
            if number < 1 << 8 * size
        )
        if bytes(self._source.bytes_at(at, min(member.end, at + 32))) not in (right, b"PK\x07\x08" + right):
            self._source.refuse(f"{shown(member.name)} has a wrong data descriptor")

    def _small(self, member: Member, begin: int) -> bytes:
        packed = self._source.bytes_at(begin, begin + member.packed)
        if member.method == STORED:
            content = bytes(packed)
        else:
            reader = zlib.decompressobj(-15)
            try:
                content = reader.decompress(packed, member.size + 1)
            except zlib.error:
                self._source.refuse(f"{shown(member.name)} is damaged")
            if not reader.eof or reader.unused_data or len(content) != member.size:
                self._source.refuse(f"{shown(member.name)} has not the size that its header says")
        if zlib.crc32(content) != member.crc:
            self._source.refuse(f"{shown(member.name)} is damaged: its CRC is wrong")
        return content

    def _large(self, member: Member, begin: int) -> Iterator[bytes]:
        where = shown(member.name)
        end = begin + member.packed
        reader = zlib.decompressobj(-15)
        crc = total = 0
        for at in range(begin, end, _WINDOW):
            piece = bytes(self._source.bytes_at(at, min(at + _WINDOW, end)))
            while piece:
                if member.method == STORED:
                    content, piece = piece, b""
                else:
                    try:
                        content = reader.decompress(piece, _PIECE)
                    except zlib.error:
                        self._source.refuse(f"{where} is damaged")
                    piece = reader.unconsumed_tail
                    if reader.unused_data or (reader.eof and at + _WINDOW < end):
                        self._source.refuse(f"{where} has bytes after the end of its content")
                total += len(content)
                if total > member.size:
                    self._source.refuse(f"{where} is larger than its header says")
                crc = zlib.crc32(content, crc)
                yield content
        while member.method == DEFLATED and not reader.eof:
            content = reader.decompress(b"", _PIECE)
            if not content:
                break
            total += len(content)
            if total > member.size:
                self._source.refuse(f"{where} is larger than its header says")
            crc = zlib.crc32(content, crc)
            yield content
        if total != member.size or (member.method == DEFLATED and not reader.eof):
            self._source.refuse(f"{where} has not the size that its header says")
        if crc != member.crc:
            self._source.refuse(f"{where} is damaged: its CRC is wrong")

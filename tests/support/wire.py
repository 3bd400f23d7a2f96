"""What a server can write that is no decent answer: each takes the wire (`Fault.raw`) until it is told to stop."""

import threading
import zlib
from collections.abc import Callable
from functools import cache

from support.answers import Raw

JSON = "application/vnd.pypi.simple.v1+json"
_OK = b"HTTP/1.1 200 OK\r\nContent-Type: "
_MANY = 1 << 20

Write = Callable[[bytes], object]


def said(data: bytes) -> Raw:
    """Write `data` and hang up."""
    return lambda write, _: write(data) and None


def endless(kind: str = JSON, start: bytes = b'{"files": [') -> Raw:
    """Answer 200 and then write blanks for ever, as fast as they are taken, without saying how many."""

    def run(write: Write, over: threading.Event) -> None:
        write(_OK + kind.encode() + b"\r\nConnection: close\r\n\r\n" + start)
        while not over.is_set():
            write(b" " * _MANY)

    return run


def large_page(size: int) -> Raw:
    """Answer a well-formed JSON page of about `size` bytes, all of them rows of one file."""
    row = b'{"filename": "demo-0.1-py3-none-any.whl", "url": "x", "hashes": {"sha256": "%s"}},' % (b"0" * 64)
    rows = row * (_MANY // len(row))

    def run(write: Write, over: threading.Event) -> None:
        head, tail = b'{"meta": {"api-version": "1.1"}, "name": "demo", "files": [', row[:-1] + b"]}"
        count = size // len(rows)
        length = len(head) + count * len(rows) + len(tail)
        write(_OK + JSON.encode() + f"\r\nContent-Length: {length}\r\n\r\n".encode() + head)
        for _ in range(count):
            if over.is_set():
                return
            write(rows)
        write(tail)

    return run


def interim() -> Raw:
    """Say "102 Processing" for ever."""

    def run(write: Write, over: threading.Event) -> None:
        while not over.wait(0.001):
            write(b"HTTP/1.1 102 Processing\r\n\r\n" * 100)

    return run


def continuing() -> Raw:
    """Say "100 Continue" for ever."""

    def run(write: Write, over: threading.Event) -> None:
        while not over.wait(0.001):
            write(b"HTTP/1.1 100 Continue\r\n\r\n" * 100)

    return run


def headers(size: int) -> Raw:
    """Answer with headers of `size` bytes."""
    line = b"X-Padding: " + b"a" * 1000 + b"\r\n"
    return said(_OK + JSON.encode() + b"\r\n" + line * (size // len(line)) + b"Content-Length: 0\r\n\r\n")


def old_style(body: bytes) -> Raw:
    """Answer as HTTP/0.9 did: the body, and nothing before it."""
    return said(body)


def chunk_of(size: bytes, kind: str = JSON) -> Raw:
    """Announce a chunk of `size` (hexadecimal, or nonsense) and send little of it."""
    return said(_OK + kind.encode() + b"\r\nTransfer-Encoding: chunked\r\n\r\n" + size + b"\r\n{}\r\n")


def length(text: bytes, body: bytes = b"{}", kind: str = JSON) -> Raw:
    """Answer with `text` as Content-Length."""
    return said(_OK + kind.encode() + b"\r\nContent-Length: " + text + b"\r\n\r\n" + body)


def until_the_end(body: bytes, kind: str = JSON) -> Raw:
    """Answer `body` without a length: the end of the connection is its end."""
    return said(_OK + kind.encode() + b"\r\nConnection: close\r\n\r\n" + body)


def slowly(body: bytes, kind: str = JSON, *, part: int = 1, pace: float = 1.0) -> Raw:
    """Answer `body` in parts, one each `pace` seconds; it ends where the connection does."""

    def run(write: Write, over: threading.Event) -> None:
        write(_OK + kind.encode() + b"\r\nConnection: close\r\n\r\n")
        for start in range(0, len(body), part):
            write(body[start : start + part])
            if over.wait(pace):
                return

    return run


@cache
def bomb(size: int) -> bytes:
    """Return `size` blanks as one gzip stream, a thousandth of the size."""
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    part = packer.compress(b" " * (1 << 24)) + packer.flush(zlib.Z_FULL_FLUSH)  # ends on a byte: it can be repeated
    return b"\x1f\x8b\x08" + b"\0" * 6 + b"\xff" + part * (size >> 24) + packer.flush() + b"\0" * 8

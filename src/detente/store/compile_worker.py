"""Compile the modules of store entries. Run by the target interpreter, never imported by detente.

    python -I -S compile_worker.py NUMBER COUNT CACHE_TAG  <  entry and target by turns, each ended by a NUL byte

Worker NUMBER of COUNT takes its share of every `<entry>/lib`, and writes bytecode to `<target>/lib`, which may be the
same directory. Modules that do not compile are left alone.
On standard output, once the input has ended: `compiled N`, a line feed, and for each module the directory's number
in the input, the path of its bytecode below lib/ and its SHA-256, each ended by a NUL byte; or `error ERRNO PATH`
where the disk refuses.
Needs Python 3.8; standard library only.
"""

from __future__ import annotations

import gc
import importlib.util
import marshal
import os
import sys
import zlib

try:
    from _hashlib import openssl_sha256 as sha256  # `hashlib` would load all the other algorithms, too
except ImportError:
    from hashlib import sha256

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

_UNCHECKED_HASH = (1).to_bytes(4, "little")  # PEP 552: by hash, never compared with the source
_MOST_SOURCE = 32 << 20


def modules(top: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield (size, path below `top`) of every module; paths are bytes."""
    waiting = [b""]
    while waiting:
        below = waiting.pop()
        with os.scandir(os.path.join(top, below)) as items:
            for item in items:
                path = os.path.join(below, item.name)
                if item.is_dir(follow_symlinks=False):
                    if item.name != b"__pycache__":
                        waiting.append(path)
                elif item.name.endswith(b".py") and item.is_file(follow_symlinks=False):
                    yield item.stat(follow_symlinks=False).st_size, path


def share(directory: bytes, number: int, count: int) -> list[bytes]:
    """Return the paths below `directory`/lib that are this worker's: the largest first, dealt like cards."""
    found = sorted(modules(os.path.join(directory, b"lib")), reverse=True)
    turn = zlib.crc32(os.path.basename(directory))  # so that the largest of each entry is not always worker 0's
    return [
        path for index, (size, path) in enumerate(found) if (index + turn) % count == number and size < _MOST_SOURCE
    ]


def compiled(source: bytes, path: bytes) -> bytes | None:
    """Return the bytes of the .pyc of `source`, or None. Its file name is relative: the importer sets the real one."""
    try:
        code = compile(source, os.fsdecode(os.path.join(b"lib", path)), "exec", dont_inherit=True, optimize=0)
        body = marshal.dumps(code)
    except Exception:  # noqa: BLE001 - whatever a damaged, templated or Python 2 file makes the compiler raise
        return None
    return importlib.util.MAGIC_NUMBER + _UNCHECKED_HASH + importlib.util.source_hash(source) + body


def put_module(target: bytes, path: bytes, data: bytes, tag: bytes) -> bytes:
    """Write the bytecode of the module `path` below the directory `target`, read-only; return its own path there."""
    folder, name = os.path.split(path)
    own = os.path.join(folder, b"__pycache__", name[:-2] + tag + b".pyc")
    place = os.path.join(target, own)
    os.makedirs(os.path.dirname(place), exist_ok=True)
    fd = os.open(place, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    try:
        view = memoryview(data)
        while view:
            view = view[os.write(fd, view) :]
        os.fchmod(fd, 0o444)
    finally:
        os.close(fd)
    return own


def compile_share(directory: bytes, target: bytes, number: int, count: int, tag: bytes) -> list[tuple[bytes, bytes]]:
    """Compile this worker's share of `directory` to `target`; return path and digest of what was written."""
    done = []
    for path in share(directory, number, count):
        with open(os.path.join(directory, b"lib", path), "rb") as stream:
            source = stream.read()
        data = compiled(source, path)
        if data is not None:
            own = put_module(os.path.join(target, b"lib"), path, data, tag)
            done.append((own, sha256(data).hexdigest().encode()))
    return done


def orders() -> Iterator[tuple[bytes, bytes]]:
    """Yield the pairs that standard input names, as they come."""
    rest = b""
    words: list[bytes] = []
    while True:
        piece = os.read(0, 65536)
        if not piece:
            return
        *whole, rest = (rest + piece).split(b"\0")
        words += whole
        while len(words) > 1:
            yield words.pop(0), words.pop(0)


def main() -> int:
    """Do what the module's first lines say; return the exit status."""
    number, count, tag = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
    if sys.implementation.cache_tag != tag:
        sys.stderr.write(f"it writes {sys.implementation.cache_tag}, not {tag}\n")
        return 3
    gc.disable()
    done: list[bytes] = []
    try:
        for place, (directory, target) in enumerate(orders()):
            for path, digest in compile_share(directory, target, number, count, tag.encode()):
                done += (b"%d" % place, path, digest)
    except OSError as err:
        path = err.filename if isinstance(err.filename, bytes) else b""
        sys.stdout.buffer.write(b"error %d %s" % (err.errno or 0, path))
        return 0
    sys.stdout.buffer.write(b"compiled %d\n" % (len(done) // 3))
    sys.stdout.buffer.write(b"".join(item + b"\0" for item in done))
    return 0


if __name__ == "__main__":
    sys.exit(main())

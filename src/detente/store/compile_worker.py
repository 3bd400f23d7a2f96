"""Compile the modules of store entries. Run by the target interpreter, never imported by detente.

    python -I -S compile_worker.py NUMBER COUNT CACHE_TAG  <  directories, each ended by a NUL byte

Worker NUMBER of COUNT takes its share of every `<directory>/lib`. Modules that do not compile are left alone.
On standard output, once the input has ended: `compiled N`, or `error ERRNO PATH` where the disk refuses.
Needs Python 3.8; standard library only.
"""

from __future__ import annotations

import gc
import importlib.util
import marshal
import os
import sys
import time
import zlib

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

_UNCHECKED_HASH = (1).to_bytes(4, "little")  # PEP 552: by hash, never compared with the source
_MOST_SOURCE = 32 << 20
_ATTEMPTS = 40


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


def put(path: bytes, data: bytes) -> None:
    """Put `data` at `path` in one rename, read-only."""
    part = path + b".%d.part" % os.getpid()
    if os.path.lexists(part):  # an earlier try could write, but not rename; it is read-only by now
        os.unlink(part)
    fd = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    try:
        view = memoryview(data)
        while view:
            view = view[os.write(fd, view) :]
        os.fchmod(fd, 0o444)
    finally:
        os.close(fd)
    os.rename(part, path)


def put_module(directory: bytes, path: bytes, data: bytes, tag: bytes) -> None:
    """Write the bytecode of the module `path`; a directory that was sealed meanwhile is opened again."""
    folder, name = os.path.split(os.path.join(directory, b"lib", path))
    cache = os.path.join(folder, b"__pycache__")
    target = os.path.join(cache, name[:-2] + tag + b".pyc")
    for attempt in range(_ATTEMPTS):
        try:
            try:
                os.mkdir(cache, 0o755)
                os.chmod(cache, 0o755)
            except FileExistsError:
                pass
            put(target, data)
            return
        except (PermissionError, FileNotFoundError):
            # another process has finished with this entry: it sealed it, or swept what it took for a dead one's
            if attempt == _ATTEMPTS - 1:
                raise
            time.sleep(0.001 * attempt)
            os.chmod(folder, 0o755)
            if os.path.isdir(cache):
                os.chmod(cache, 0o755)


def compile_share(directory: bytes, number: int, count: int, tag: bytes) -> int:
    """Compile this worker's share of `directory`; return how many modules."""
    done = 0
    for path in share(directory, number, count):
        with open(os.path.join(directory, b"lib", path), "rb") as stream:
            source = stream.read()
        data = compiled(source, path)
        if data is not None:
            put_module(directory, path, data, tag)
            done += 1
    return done


def directories() -> Iterator[bytes]:
    """Yield what standard input names, as it comes."""
    rest = b""
    while True:
        piece = os.read(0, 65536)
        if not piece:
            return
        *whole, rest = (rest + piece).split(b"\0")
        yield from whole


def main() -> int:
    """Do what the module's first lines say; return the exit status."""
    number, count, tag = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
    if sys.implementation.cache_tag != tag:
        sys.stderr.write(f"it writes {sys.implementation.cache_tag}, not {tag}\n")
        return 3
    gc.disable()
    done = 0
    try:
        for directory in directories():
            done += compile_share(directory, number, count, tag.encode())
    except OSError as err:
        path = err.filename if isinstance(err.filename, bytes) else b""
        sys.stdout.buffer.write(b"error %d %s" % (err.errno or 0, path))
        return 0
    sys.stdout.buffer.write(b"compiled %d" % done)
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""Bytecode inside store entries: compiled once by the interpreter that will read it, for every environment.

It is never compared with its source (PEP 552, unchecked hash), since neither changes. A file
`<entry>/bytecode/<cache tag>`, the mark, says that an entry has all of one Python version's, and holds its digests.
"""

import contextlib
import errno
import fcntl
import json
import os
import signal
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Self

from detente.errors import ToolError
from detente.host import fs, proc
from detente.host.paths import Paths
from detente.model import Command, Interpreter
from detente.store import witness

MARKS = "bytecode"
JOBS = min(8, len(os.sched_getaffinity(0)))  # workers for one interpreter

_WORKER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "compile_worker.py")
_PIPE_BYTES = 1 << 20
_COMPILER_CRASHES = (signal.SIGSEGV, signal.SIGABRT, signal.SIGBUS, signal.SIGILL)


def compiled_tags(directory: str) -> frozenset[str]:
    """Return the cache tags (`cpython-311`) whose bytecode the entry at `directory` has."""
    try:
        return frozenset(name for name in os.listdir(os.path.join(directory, MARKS)) if "." not in name)
    except FileNotFoundError:
        return frozenset()


def compile_entries(
    paths: Paths, interpreter: Interpreter, names: Sequence[str], *, jobs: int, on_wait: Callable[[], None]
) -> int:
    """Give the entries `names` of the store their bytecode for `interpreter`; return the number of modules.

    It is made aside, synced, and moved in under the profile's lock; entries that have it, or are gone, are passed
    over. The caller holds the store's lock, shared. Raise ToolError where `interpreter` cannot be run, DiskError where
    the file system refuses.
    """
    bare = [name for name in names if os.path.isdir(os.path.join(paths.store, name))]
    bare = [name for name in bare if interpreter.cache_tag not in compiled_tags(os.path.join(paths.store, name))]
    if not bare or not interpreter.cache_tag:
        return 0
    try:
        staged = fs.Staged(paths.store)
        try:
            with Compiler(interpreter, jobs=jobs) as compiler:
                for name in bare:
                    compiler.add(os.path.join(paths.store, name), os.path.join(staged.path, name))
                digests = compiler.finish()
            fs.sync_filesystem(paths.store)
            with fs.lock(os.path.join(paths.data, "profile.lock"), on_wait=on_wait):
                _deliver(paths, staged.path, digests, interpreter.cache_tag)
        finally:
            staged.discard()
    except OSError as err:
        raise fs.disk_error(err, "writing bytecode", near=paths.store) from err
    return sum(map(len, digests.values()))


def compile_staged(interpreter: Interpreter, directories: Sequence[str], *, jobs: int) -> int:
    """Compile and mark entries that lie under a staged name still; return the number of modules. Errors as above."""
    if not interpreter.cache_tag:
        return 0
    try:
        with Compiler(interpreter, jobs=jobs) as compiler:
            for directory in directories:
                compiler.add(directory, directory)
            digests = compiler.finish()
        for directory, found in digests.items():
            _mark(directory, interpreter.cache_tag, found)
    except OSError as err:
        raise fs.disk_error(err, "writing bytecode", near=directories[0]) from err
    return sum(map(len, digests.values()))


def _deliver(paths: Paths, stage: str, digests: Mapping[str, Mapping[str, str]], tag: str) -> None:
    """Move what lies in `stage` into its entries, and mark these. Nobody else changes entries meanwhile.

    A mark is written when what it answers for is on the disk, and when nothing staged is left to be moved.
    """
    given: dict[str, Mapping[str, str]] = {}
    whole = []
    for directory, files in digests.items():
        name = os.path.basename(directory)
        if tag in compiled_tags(directory) or not os.path.isdir(directory):
            continue  # another command was faster
        if witness.unchanged(paths, name):
            whole.append(name)
        given[directory] = files
        os.chmod(directory, 0o755)  # the first to be opened and the last to be sealed: so a sweep knows it (locks.py)
        _move_in(os.path.join(stage, name), directory, files)
    if not given:
        return
    fs.sync_filesystem(stage)
    fs.remove_tree(stage)
    for directory, files in given.items():
        _mark(directory, tag, files)
        fs.seal(directory)
    for directory in given:
        name = os.path.basename(directory)
        if name in whole:
            witness.attest_entry(paths, name)
        else:
            witness.attest_mark(paths, name, tag)


def _move_in(stage: str, entry: str, files: Mapping[str, str]) -> None:
    opened = set()
    for path in files:
        folder = os.path.join(entry, "lib", os.path.dirname(path))
        if folder not in opened:
            opened.add(folder)
            os.chmod(os.path.dirname(folder), 0o755)
            with contextlib.suppress(FileExistsError):
                os.mkdir(folder)
            os.chmod(folder, 0o755)
        os.rename(os.path.join(stage, "lib", path), os.path.join(entry, "lib", path))


def _mark(directory: str, cache_tag: str, digests: Mapping[str, str]) -> None:
    marks = os.path.join(directory, MARKS)
    text = json.dumps({"schema": 1, "files": dict(sorted(digests.items()))}, indent=0) + "\n"
    fs.make_directory(marks)
    os.chmod(marks, 0o755)
    fs.replace_file(os.path.join(marks, cache_tag), text.encode(), 0o444)


class Compiler:
    """Workers of one interpreter that compile entries.

    Use as a context manager, from a thread that outlives it (a worker dies with the thread that started it).
    Leaving the block without `finish` ends the workers.
    """

    def __init__(self, interpreter: Interpreter, *, jobs: int) -> None:
        self._interpreter = interpreter
        self._jobs = max(1, jobs)
        self._workers: list[_Worker] = []
        self._entries: list[str] = []

    def __enter__(self) -> Self:
        try:
            for number in range(self._jobs):
                self._workers.append(_Worker(self._interpreter, number, self._jobs))
        except BaseException:
            self._end()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._end()

    def add(self, directory: str, into: str) -> None:
        """Let the workers compile the modules of the entry at `directory` to `into`; does not wait for them."""
        if not os.path.isdir(os.path.join(directory, "lib")):
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), directory)
        self._entries.append(directory)
        for worker in self._workers:
            worker.send(os.fsencode(directory) + b"\0" + os.fsencode(into) + b"\0")

    def finish(self) -> dict[str, dict[str, str]]:
        """Wait for the workers; return for each entry the digests of its bytecode, by path below lib/.

        Raise ToolError where a worker failed, OSError where the file system refused. Where a source crashes the
        compiler itself, no entry has bytecode, and all of them work.
        """
        found: dict[str, dict[str, str]] = {directory: {} for directory in self._entries}
        for worker in self._workers:
            worker.close()
        for worker in self._workers:
            status, out, said = worker.answer()
            if -status in _COMPILER_CRASHES:
                return {}
            for place, path, digest in self._listed(status, out, said):
                found[self._entries[place]][path] = digest
        return found

    def _listed(self, status: int, out: bytes, said: bytes) -> Iterator[tuple[int, str, str]]:
        word, _, rest = out.partition(b" ")
        if status == 0 and word == b"compiled":
            parts = iter(rest.partition(b"\n")[2].split(b"\0"))
            for place, path, digest in zip(parts, parts, parts, strict=False):
                yield int(place), os.fsdecode(path), digest.decode()
            return
        if status == 0 and word == b"error":
            number, _, path = rest.partition(b" ")
            raise OSError(int(number), os.strerror(int(number)), os.fsdecode(path))
        raise ToolError(
            f"{self._interpreter.path} failed to compile modules (status {status})",
            hint=f"see whether it runs: {self._interpreter.path} -I -S -c pass",
            context=said.decode("utf-8", "replace").splitlines()[-5:],
        )

    def _end(self) -> None:
        for worker in self._workers:
            worker.kill()
        self._workers.clear()


class _Worker:
    """One running compile_worker.py."""

    def __init__(self, interpreter: Interpreter, number: int, count: int) -> None:
        argv = (interpreter.path, "-I", "-S", "-X", "utf8", "-W", "ignore", _WORKER)
        theirs, self._pipe = os.pipe2(os.O_CLOEXEC)
        try:
            with contextlib.suppress(OSError):  # a larger pipe, so that `add` does not wait
                fcntl.fcntl(self._pipe, fcntl.F_SETPIPE_SZ, _PIPE_BYTES)
            command = Command((*argv, str(number), str(count), interpreter.cache_tag))
            self._child = proc.start(command, stdin=theirs)
        except BaseException:
            self.close()
            raise
        finally:
            os.close(theirs)

    def send(self, data: bytes) -> None:
        """Write to the worker's input; where it has ended already, `answer` says why."""
        with contextlib.suppress(BrokenPipeError):
            while data:
                data = data[os.write(self._pipe, data) :]

    def close(self) -> None:
        """Say that nothing more will come."""
        if self._pipe >= 0:
            os.close(self._pipe)
            self._pipe = -1

    def answer(self) -> tuple[int, bytes, bytes]:
        """Wait for its end; return exit status, output and errors."""
        out, said = self._child.communicate()
        return self._child.returncode, out, said

    def kill(self) -> None:
        """End it now; harmless where it has ended."""
        self.close()
        self._child.kill()
        self._child.wait()
        for pipe in (self._child.stdout, self._child.stderr):
            if pipe is not None:
                pipe.close()

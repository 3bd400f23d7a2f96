"""Bytecode inside store entries: compiled once by the interpreter that will read it, for every environment.

It is never compared with its source (PEP 552, unchecked hash), since neither changes. A file
`<entry>/bytecode/<cache tag>` says that an entry has all of one Python version's.
"""

import contextlib
import errno
import fcntl
import os
import signal
import time
from collections.abc import Sequence
from typing import Self

from detente.errors import ToolError
from detente.host import fs, proc
from detente.model import Command, Interpreter

MARKS = "bytecode"
JOBS = min(8, len(os.sched_getaffinity(0)))  # workers for one interpreter

_WORKER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "compile_worker.py")
_PIPE_BYTES = 1 << 20
_ATTEMPTS = 40
_COMPILER_CRASHES = (signal.SIGSEGV, signal.SIGABRT, signal.SIGBUS, signal.SIGILL)


def compiled_tags(directory: str) -> frozenset[str]:
    """Return the cache tags (`cpython-311`) whose bytecode the entry at `directory` has."""
    try:
        return frozenset(name for name in os.listdir(os.path.join(directory, MARKS)) if "." not in name)
    except FileNotFoundError:
        return frozenset()


def compile_entries(interpreter: Interpreter, directories: Sequence[str], *, jobs: int) -> int:
    """Compile the modules of the entries at `directories`; return how many. Entries that have it are passed over.

    Raise ToolError where `interpreter` cannot be run, DiskError where the file system refuses.
    """
    wanted = [path for path in directories if interpreter.cache_tag not in compiled_tags(path)]
    if not wanted:
        return 0
    with Compiler(interpreter, jobs=jobs) as compiler:
        for directory in wanted:
            compiler.add(directory)
        return compiler.finish()


class Compiler:
    """Workers that compile entries while others are still being fetched.

    Use as a context manager, from a thread that outlives it (a worker dies with the thread that started it);
    `add` may be called from any thread, one at a time. Leaving the block without `finish` ends the workers.
    """

    def __init__(self, interpreter: Interpreter, *, jobs: int) -> None:
        self._interpreter = interpreter
        self._jobs = max(1, jobs)
        self._workers: list[_Worker] = []
        self._entries: list[tuple[str, bool]] = []

    def __enter__(self) -> Self:
        try:
            for number in range(self._jobs if self._interpreter.cache_tag else 0):
                self._workers.append(_Worker(self._interpreter, number, self._jobs))
        except BaseException:
            self._end()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._end()

    def add(self, directory: str) -> None:
        """Let the workers compile the entry at `directory`, staged or published; does not wait for them."""
        if not self._workers or self._interpreter.cache_tag in compiled_tags(directory):
            return
        published = not os.path.basename(directory).startswith(fs.STAGING)
        self._entries.append((directory, published))
        if published:
            try:
                _open_up(directory)
            except OSError as err:
                raise fs.disk_error(err, f"compiling in {directory}") from err
        for worker in self._workers:
            worker.send(os.fsencode(directory) + b"\0")

    def finish(self) -> int:
        """Wait for the workers, mark the entries and seal those that were sealed; return the number of modules.

        Raise ToolError where a worker failed, DiskError where the file system refused. An entry whose source
        crashes the compiler itself stays without a mark, and works.
        """
        done, whole = 0, True
        try:
            for worker in self._workers:
                worker.close()
            for worker in self._workers:
                status, out, said = worker.answer()
                if -status in _COMPILER_CRASHES:
                    whole = False
                else:
                    done += self._count(status, out, said)
            if whole:
                self._mark()
        except OSError as err:
            raise fs.disk_error(err, "writing bytecode") from err
        finally:
            self._end()
        return done

    def _count(self, status: int, out: bytes, said: bytes) -> int:
        word, _, rest = out.partition(b" ")
        if status == 0 and word == b"compiled":
            return int(rest)
        if status == 0 and word == b"error":
            number, _, path = rest.partition(b" ")
            raise OSError(int(number), os.strerror(int(number)), os.fsdecode(path))
        raise ToolError(
            f"{self._interpreter.path} failed to compile modules (status {status})",
            hint=f"see whether it runs: {self._interpreter.path} -I -S -c pass",
            context=said.decode("utf-8", "replace").splitlines()[-5:],
        )

    def _mark(self) -> None:
        published = [directory for directory, sealed in self._entries if sealed]
        if published:  # the mark must not survive a power cut that the bytecode did not
            fs.sync_filesystem(published[0])
        for directory, _ in self._entries:
            _mark(directory, self._interpreter.cache_tag)

    def _seal(self) -> None:
        for directory, sealed in self._entries:
            if sealed:
                with contextlib.suppress(FileNotFoundError):
                    fs.seal(directory)
        self._entries.clear()

    def _end(self) -> None:
        for worker in self._workers:
            worker.kill()
        self._workers.clear()
        self._seal()


def _mark(directory: str, cache_tag: str) -> None:
    marks = os.path.join(directory, MARKS)
    for attempt in range(_ATTEMPTS):
        try:
            fs.make_directory(marks)
            fs.replace_file(os.path.join(marks, cache_tag), b"", 0o444)
        except PermissionError:  # another process finished with this entry, and sealed it
            if attempt == _ATTEMPTS - 1:
                raise
            time.sleep(0.001 * attempt)
            os.chmod(directory, 0o755)
            if os.path.isdir(marks):
                os.chmod(marks, 0o755)
        else:
            return


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


def _open_up(directory: str) -> None:
    """Make the directories of a published entry writable, and remove what a killed worker left."""
    if not os.path.isdir(os.path.join(directory, "lib")):
        raise OSError(errno.ENOENT, os.strerror(errno.ENOENT), directory)
    for folder, _, files in os.walk(directory):
        os.chmod(folder, 0o755)
        if os.path.basename(folder) == "__pycache__":
            for name in files:
                if name.endswith(".part"):
                    os.unlink(os.path.join(folder, name))

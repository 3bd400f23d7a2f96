"""Watching a program that reads from a server: a real child, a real connection, small time limits."""

import contextlib
import fcntl
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from detente.errors import NetworkError
from detente.host import proc
from detente.host.watch import Watch
from detente.model import Command

_READER = "import socket,sys; s=socket.create_connection(('127.0.0.1',int(sys.argv[1]))); d=[]\nwhile True:\n x={read}"


@contextlib.contextmanager
def reader(data: bytes, pause: float, *, keep: bool = False) -> Iterator["subprocess.Popen[bytes]"]:
    """A child that reads from a server which sends `data` again and again, `pause` seconds between."""
    over = threading.Event()

    def serve() -> None:
        with contextlib.suppress(OSError), server.accept()[0] as connection:
            while not over.wait(pause):
                connection.sendall(data)

    with socket.create_server(("127.0.0.1", 0)) as server:
        threading.Thread(target=serve, daemon=True).start()
        code = _READER.format(read="d.append(s.recv(65536))" if keep else "s.recv(65536)")
        child = subprocess.Popen([sys.executable, "-c", code, str(server.getsockname()[1])])
        try:
            yield child
        finally:
            over.set()
            child.kill()
            child.wait()


def watched(watch: Watch, pid: int, seconds: float) -> None:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        watch(pid)
        time.sleep(0.05)


def test_a_byte_now_and_then_is_no_answer() -> None:
    with (
        reader(b"x", 0.2) as child,
        pytest.raises(NetworkError, match=r"the index does not answer in time: only \d byte"),
    ):
        watched(Watch("the index", patience=1.5), child.pid, 10)


def test_what_comes_slowly_but_comes_goes_on() -> None:
    with reader(b"x" * 2000, 0.2, keep=True) as child:
        watched(Watch("the index", patience=1.5), child.pid, 4)


def test_much_that_ends_up_nowhere_is_no_answer() -> None:
    with reader(b"x" * 1_000_000, 0.05) as child, pytest.raises(NetworkError, match="nothing of use"):
        watched(Watch("the index", patience=1.5), child.pid, 40)


def test_a_page_that_fills_the_memory_is_too_large() -> None:
    with reader(b"x" * 4_000_000, 0.01, keep=True) as child, pytest.raises(NetworkError, match="too large"):
        watched(Watch("the index", patience=5, memory=60 << 20), child.pid, 20)


def test_a_program_without_connections_may_take_its_time() -> None:
    child = subprocess.Popen(["sleep", "20"])
    try:
        watched(Watch("the index", patience=0.3), child.pid, 1.5)
    finally:
        child.kill()
        child.wait()


def test_who_waits_for_a_lock_while_a_connection_is_open_may_take_its_time(tmp_path: Path) -> None:
    """Another one builds what it needs: no server is to blame."""
    wait = "import fcntl,socket,sys; s=socket.create_connection(('127.0.0.1',int(sys.argv[1])))\n"
    wait += "fcntl.flock(open(sys.argv[2],'w'),fcntl.LOCK_EX); print('mine')"
    with socket.create_server(("127.0.0.1", 0)) as server, open(tmp_path / "lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        argv = [sys.executable, "-c", wait, str(server.getsockname()[1]), lock.name]
        child = subprocess.Popen(argv, stdout=subprocess.PIPE)
        try:
            watched(Watch("the index", patience=0.5), child.pid, 2.5)
            fcntl.flock(lock, fcntl.LOCK_UN)
            assert child.communicate(timeout=10)[0] == b"mine\n"
        finally:
            child.kill()
            child.wait()


def test_a_child_is_ended_by_what_its_watch_raises() -> None:
    begun, seen = time.monotonic(), []

    def watch(pid: int) -> None:
        seen.append(pid)
        raise NetworkError("enough", hint=None)

    with pytest.raises(NetworkError, match="enough"):
        proc.run(Command(("sleep", "20")), watch=watch)
    assert time.monotonic() - begun < 5
    assert len(seen) == 1


def test_a_watched_child_is_fed_and_heard_whole() -> None:
    looks: list[int] = []
    text = "line\n" * 100_000
    answer = proc.run(Command(("sh", "-c", "sleep 1; cat"), stdin=text), watch=looks.append)
    assert answer.stdout == text
    assert looks

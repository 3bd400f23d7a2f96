"""The tracer itself: it counts what changes files, and what it is told to do takes place instead of the call."""

import errno
import sys
from pathlib import Path

import pytest

from support import tracer
from support.tracer import Fault, Traced

pytestmark = pytest.mark.skipif(bool(tracer.unsupported()), reason=tracer.unsupported())

_CHANGES = """
import os, threading
os.mkdir("one")
os.symlink("one", "two")
threads = [threading.Thread(target=os.mkdir, args=(f"thread{n}",)) for n in range(3)]
for thread in threads:
    thread.start()
    thread.join()
if os.fork() == 0:
    os.rename("two", "three")
    os._exit(0)
os.wait()
os.stat("three")
open("three/file", "w").close()
open("three/file").close()
"""
_NAMES = ["mkdir", "symlink", "mkdir", "mkdir", "mkdir", "rename", "openat"]


def traced(folder: Path, code: str = _CHANGES, fault: Fault | None = None) -> Traced:
    argv = [sys.executable, "-I", "-S", "-c", code]
    return tracer.run(argv, root=folder, env={}, cwd=folder, fault=fault, timeout=60)


def test_changes_of_all_threads_and_children_count_in_one_row_and_looking_does_not(tmp_path: Path) -> None:
    done = traced(tmp_path)
    assert done.status == 0, done.err
    assert [name.removesuffix("at") if name != "openat" else name for name, _ in done.calls] == _NAMES
    assert done.calls[5][1] in (str(tmp_path / "two"), str(tmp_path / "three"))
    assert done.calls[6][1] == str(tmp_path / "three/file")


def test_what_lies_elsewhere_does_not_count(tmp_path: Path) -> None:
    (tmp_path / "root").mkdir()
    done = tracer.run([sys.executable, "-I", "-S", "-c", _CHANGES], root=tmp_path / "root", env={}, cwd=tmp_path)
    assert (done.status, done.calls) == (0, [])


@pytest.mark.parametrize("point", range(1, len(_NAMES) + 1))
def test_a_kill_comes_before_the_call_takes_place(tmp_path: Path, point: int) -> None:
    done = traced(tmp_path, fault=Fault("kill", point))
    assert done.reached
    assert done.status == -9
    made = ["one", "two", "thread0", "thread1", "thread2", "three", "one/file"][: point - 1]
    if "three" in made:
        made.remove("two")
    assert sorted(str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*")) == sorted(made)


def test_an_errno_is_what_the_program_sees_once_or_from_then_on(tmp_path: Path) -> None:
    code = """
import os
for name in "abcd":
    try:
        os.mkdir(name)
    except OSError as err:
        print(err.errno)
"""
    once = traced(tmp_path, code, Fault("fail", 2, errno.ENOSPC))
    assert once.out == f"{errno.ENOSPC}\n"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a", "c", "d"]
    for path in tmp_path.iterdir():
        path.rmdir()
    assert traced(tmp_path, code, Fault("fail", 3, errno.EROFS, sticky=True)).out == f"{errno.EROFS}\n" * 2
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a", "b"]


def test_an_interrupt_reaches_the_whole_group_and_who_stays_behind_is_named(tmp_path: Path) -> None:
    code = """
import os, signal, time
if os.fork() == 0:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    time.sleep(60)
time.sleep(0.2)
try:
    os.mkdir("one")
    time.sleep(60)
except KeyboardInterrupt:
    os._exit(130)
"""
    done = traced(tmp_path, code, Fault("interrupt", 1))
    assert done.status == 130
    assert 0 <= done.seconds < 20
    assert len(done.left) == 1
    assert done.left[0].startswith("python")


def test_an_orphan_goes_on_after_the_program_is_killed(tmp_path: Path) -> None:
    code = """
import os, time
if os.fork() == 0:
    os.mkdir("one")
    time.sleep(0.2)
    os.mkdir("two")
    os._exit(0)
time.sleep(60)
"""
    done = traced(tmp_path, code, Fault("orphan", 1))
    assert (done.status, done.left) == (-9, [])
    assert sorted(path.name for path in tmp_path.iterdir()) == ["one", "two"]


def test_a_point_that_is_not_there_is_said_to_be_not_reached(tmp_path: Path) -> None:
    done = traced(tmp_path, fault=Fault("kill", 1000))
    assert (done.status, done.reached, done.call) == (0, False, "")

import os
import signal
import subprocess
import sys
import threading
import time
from collections import Counter

import pytest

from detente.apply import crew
from detente.apply.crew import work_off
from detente.errors import Interrupted


@pytest.mark.parametrize("hands", [1, 2, 5, 40])
def test_every_job_is_done_once(hands: int) -> None:
    done: Counter[int] = Counter()
    stop = threading.Event()

    def work(job: int) -> None:
        time.sleep(0.0005)
        done[job] += 1

    work_off(range(30), work, hands, stop)
    assert done == Counter(range(30))
    assert not stop.is_set()


def test_no_job_is_nothing_to_do() -> None:
    work_off([], lambda job: pytest.fail("there is none"), 3, threading.Event())
    work_off([], lambda job: pytest.fail("there is none"), 0, threading.Event())


def test_so_many_hands_work_at_a_time_and_no_more() -> None:
    together = threading.Barrier(3)
    working: list[int] = []
    most: list[int] = []

    def work(job: int) -> None:
        working.append(job)
        together.wait(10)  # breaks unless three are here at once
        most.append(len(working))
        together.wait(10)
        working.remove(job)
        together.wait(10)

    work_off(range(9), work, 3, threading.Event())
    assert set(most) == {3}


@pytest.mark.parametrize("error", [ValueError("no"), KeyboardInterrupt(), SystemExit(3)])
def test_the_first_error_is_raised_and_the_rest_is_not_begun(error: BaseException) -> None:
    stop = threading.Event()
    done = []

    def work(job: int) -> None:
        if job == 2:
            raise error
        done.append(job)

    with pytest.raises(type(error)) as caught:
        work_off(range(10), work, 1, stop)
    assert caught.value is error
    assert stop.is_set()
    assert done == [0, 1]


def test_of_two_errors_the_earlier_one_is_raised() -> None:
    stop = threading.Event()

    def work(job: str) -> None:
        if job == "early":
            raise ValueError(job)
        assert stop.wait(10)
        raise ValueError(job)

    with pytest.raises(ValueError, match="early"):
        work_off(["late", "early"], work, 2, stop)


def test_work_under_way_is_told_to_stop_and_waited_for() -> None:
    stop = threading.Event()
    ended = []

    def work(job: int) -> None:
        if job == 0:
            raise ValueError("no")
        stop.wait(10)
        ended.append(job)

    with pytest.raises(ValueError, match="no"):
        work_off([1, 2, 0], work, 3, stop)
    assert sorted(ended) == [1, 2]


def test_jobs_that_are_left_because_of_a_stop_are_never_taken_for_done() -> None:
    stop = threading.Event()
    stop.set()
    with pytest.raises(Interrupted):
        work_off([1], lambda job: None, 1, stop)
    later = threading.Event()
    with pytest.raises(Interrupted):
        work_off([1, 2], lambda job: later.set(), 1, later)


def test_a_crew_without_hands_is_one_pair_of_hands() -> None:
    done: list[int] = []
    work_off([1, 2], done.append, 0, threading.Event())
    assert done == [1, 2]


@pytest.mark.parametrize("allowed", [0, 1, 2])
def test_where_no_more_threads_can_be_started_fewer_do_the_work(monkeypatch: pytest.MonkeyPatch, allowed: int) -> None:
    started = []
    real = threading.Thread.start

    def start(thread: threading.Thread) -> None:
        if len(started) == allowed:
            raise RuntimeError("can't start new thread")
        started.append(thread)
        real(thread)

    monkeypatch.setattr(threading.Thread, "start", start)
    stop = threading.Event()
    done: Counter[int] = Counter()
    if not allowed:
        with pytest.raises(RuntimeError, match="can't start new thread"):
            work_off(range(9), lambda job: done.update([job]), 4, stop)
        assert stop.is_set()
        return
    work_off(range(9), lambda job: done.update([job]), 4, stop)
    assert done == Counter(range(9))
    assert len(started) == allowed


STALLED = """
import os, sys, threading, time
sys.path.insert(0, sys.argv[1])
from detente.apply.crew import work_off
def work(job):
    print("working", flush=True)
    time.sleep(60)
stop = threading.Event()
try:
    work_off([1, 2], work, 2, stop)
except KeyboardInterrupt:
    print("stopped" if stop.is_set() else "not told", flush=True)
    os._exit(0)  # as the command line does: the threads hold nothing that matters
"""


def test_ctrl_c_ends_within_a_second_though_the_work_is_stalled() -> None:
    source = os.path.dirname(os.path.dirname(os.path.dirname(crew.__file__)))
    words = [sys.executable, "-I", "-c", STALLED, source]
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        assert [child.stdout.readline(), child.stdout.readline()] == ["working\n", "working\n"]
        begun = time.monotonic()
        child.send_signal(signal.SIGINT)
        out, err = child.communicate(timeout=20)
        took = time.monotonic() - begun
    assert (child.returncode, out, err) == (0, "stopped\n", "")
    assert took < 5  # 1 s is what we promise; a busy machine may be late

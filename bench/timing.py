"""Run a program to its end and say what it cost: time on the clock, and time of processors."""

import os
import signal
import subprocess
import tempfile
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

_GLANCE = 0.002  # seconds
_TOO_LONG = 900.0  # seconds: a peer that hangs ends its own trial, and not the bench


class Call(NamedTuple):
    """A command line, the whole environment it gets, and where it runs."""

    argv: Sequence[str]
    environ: Mapping[str, str]
    cwd: Path


class Sample(NamedTuple):
    """Milliseconds: by the clock, and of all processors, children included that were waited for (wait4(2))."""

    wall: float
    cpu: float


class Failed(Exception):
    """A program did not end as it must; the text has its words."""


def timed(call: Call, *, expected: int = 0) -> Sample:
    """Run `call` to its end and return what it cost; raise Failed where its status is not `expected`."""
    with tempfile.TemporaryFile() as said:
        started = time.perf_counter()
        child = subprocess.Popen(
            call.argv, env=call.environ, cwd=call.cwd, stdin=subprocess.DEVNULL, stdout=said, stderr=said
        )
        watch = threading.Timer(_TOO_LONG, os.kill, (child.pid, signal.SIGKILL))
        watch.start()
        try:
            _, status, used = os.wait4(child.pid, 0)
            ended = time.perf_counter()
        finally:
            watch.cancel()
        child.returncode = os.waitstatus_to_exitcode(status)  # Popen must not wait for it again
        if child.returncode != expected:
            said.seek(0)
            words = said.read().decode("utf-8", "replace").strip()
            line = " ".join([Path(call.argv[0]).name, *call.argv[1:]])
            raise Failed(f"{line} ended with {child.returncode}, not {expected}\n{words}")
    return Sample((ended - started) * 1000, (used.ru_utime + used.ru_stime) * 1000)


def overlapped(first: Call, then: Call) -> tuple[Sample, Sample]:
    """Run `first`, and `then` as soon as its program is there; return what `first` cost, and all until `then` had run.

    So a tool that goes on with something after its result can be used is taken at its word.
    """
    os.sync()
    answers: list[Sample | Failed] = []

    def install() -> None:
        try:
            answers.append(timed(first))
        except Failed as err:
            answers.append(err)

    started = time.perf_counter()
    worker = threading.Thread(target=install)
    worker.start()
    program = Path(then.argv[0])
    while worker.is_alive() and not program.exists():
        time.sleep(_GLANCE)
    try:
        run = timed(then)
    except Failed:  # too early
        worker.join()
        run = timed(then)
    until = (time.perf_counter() - started) * 1000
    worker.join()
    whole = answers[0]
    if isinstance(whole, Failed):
        raise whole
    return whole, Sample(until, whole.cpu + run.cpu)


def settled(call: Call) -> Sample:
    """Run `call` with nothing left to write back: what one tool left unwritten is not the next one's to pay."""
    os.sync()
    return timed(call)

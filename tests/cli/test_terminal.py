"""What a person at a real terminal sees: progress only when something is slow, and questions."""

import os
import pty
import re
import select
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.index import Fault, Index
from support.machine import Machine
from support.wheels import make_wheel


@pytest.fixture
def slow(machine: Machine, wares: Path) -> Iterator[Machine]:
    """A machine whose index takes two seconds to answer."""
    with Index(wares) as index:
        index.fault("/simple/demo/", Fault(stall=2.0))
        machine.environ["PIP_INDEX_URL"] = index.url
        yield machine


def at_a_terminal(machine: Machine, *words: str, answer: str = "", wait_for: str = "") -> tuple[int, str]:
    """Run detente on a pseudo-terminal, type `answer` once `wait_for` is seen; return status and all that was shown."""
    pid, terminal = pty.fork()
    if pid == 0:
        os.chdir(machine.home)
        argv = machine.argv(*words)
        os.execve(argv[0], argv, {**machine.environ, "TERM": "xterm"})
    seen, typed, ends = "", False, time.monotonic() + 60
    while time.monotonic() < ends:
        ready, _, _ = select.select([terminal], [], [], 0.2)
        if ready:
            try:
                piece = os.read(terminal, 4096)
            except OSError:  # the other end is closed
                break
            if not piece:
                break
            seen += piece.decode()
        if wait_for and not typed and wait_for in seen:
            os.write(terminal, answer.encode())
            typed = True
    os.close(terminal)
    _, status = os.waitpid(pid, 0)
    return os.waitstatus_to_exitcode(status), seen


def test_progress_is_shown_when_something_is_slow_and_wiped_away(slow: Machine) -> None:
    status, seen = at_a_terminal(slow, "install", "demo")
    assert status == 0
    assert "resolving" in seen
    assert "installed demo 2.0" in seen
    assert seen.rindex("\r\033[K") > seen.rindex("…"), "the line is taken away at the end"


def test_no_progress_when_it_is_quick_or_quiet(slow: Machine, machine: Machine) -> None:
    status, seen = at_a_terminal(slow, "install", "demo", "-q")
    assert (status, seen) == (0, "")
    status, seen = at_a_terminal(machine, "list")
    assert "\r\033[K" not in seen
    assert re.search(r"demo +2\.0", seen)


@pytest.mark.parametrize(("answer", "expected", "commands"), [("y\n", 0, ["starter"]), ("\n", 5, [])])
def test_a_question_is_asked_and_the_default_is_no(
    machine: Machine, tmp_path: Path, answer: str, expected: int, commands: list[str]
) -> None:
    wheel = make_wheel(
        tmp_path, "starter", "1.0", commands=["starter"], pth={"starter.pth": "import os; os.getpid()\n"}
    )
    status, seen = at_a_terminal(machine, "install", str(wheel), answer=answer, wait_for="[y/N]")
    assert "starter.pth" in seen
    assert (status, machine.commands()) == (expected, commands)


def test_ctrl_c_at_the_question_ends_with_130(machine: Machine, tmp_path: Path) -> None:
    wheel = make_wheel(
        tmp_path, "starter", "1.0", commands=["starter"], pth={"starter.pth": "import os; os.getpid()\n"}
    )
    status, seen = at_a_terminal(machine, "install", str(wheel), answer="\x03", wait_for="[y/N]")
    assert status == 130
    assert "Traceback" not in seen
    assert machine.commands() == []

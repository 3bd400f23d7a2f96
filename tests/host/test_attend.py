"""A program that a person watches: it has our streams, its complaints are known, interrupts are only remembered."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from detente.errors import ToolError
from detente.host import proc
from detente.model import Command, Completed

SOURCE = Path(__file__).resolve().parents[2] / "src"


def test_its_complaints_are_passed_on_and_known(capfd: pytest.CaptureFixture[str]) -> None:
    answer, signals = proc.attend(Command(("/bin/sh", "-c", "echo out; echo E: wrong >&2; exit 7")))
    assert (answer.returncode, answer.stderr, signals) == (7, "E: wrong\n", 0)
    assert capfd.readouterr() == ("out\n", "E: wrong\n")


def test_its_output_goes_where_it_is_told(capfd: pytest.CaptureFixture[str]) -> None:
    proc.attend(Command(("/bin/sh", "-c", "echo out")), output=2)
    assert capfd.readouterr() == ("", "out\n")


def test_input_that_is_no_terminal_stays_for_whoever_called_us() -> None:
    child = attending("cat >&2; echo end >&2")
    out, err = child.communicate("the next line of a loop\n", timeout=20)
    assert (err, child.returncode) == ("end\n", 0), out


def test_whoever_it_leaves_behind_is_not_waited_for() -> None:
    start = time.monotonic()
    answer, _ = proc.attend(Command(("/bin/sh", "-c", "sleep 30 & echo $! >&2")))
    assert time.monotonic() - start < 10
    os.kill(int(answer.stderr), signal.SIGKILL)


def test_what_is_missing_is_a_tool_error() -> None:
    with pytest.raises(ToolError, match="cannot start"):
        proc.attend(Command(("/nonexistent/apt-get",)))


def test_what_is_written_to_dev_stderr_is_known_as_well(capfd: pytest.CaptureFixture[str]) -> None:
    script = "echo first >&2; echo second >>/dev/stderr; echo third >/dev/stderr; echo fourth >&2"
    answer, _ = proc.attend(Command(("/bin/sh", "-c", script)))
    assert "fourth\n" in answer.stderr
    assert capfd.readouterr().err == answer.stderr


def test_its_stderr_is_no_pipe_because_sudo_would_pass_on_no_answers() -> None:
    answer, _ = proc.attend(Command(("/bin/sh", "-c", "test -f /dev/fd/2 && echo a file >&2")))
    assert answer.stderr == "a file\n"


_ATTEND = """
import sys
sys.path.insert(0, sys.argv[1])
from detente.host import proc
from detente.model import Command
print(proc.attend(Command(("/bin/sh", "-c", sys.argv[2]))), flush=True)
"""


def attending(script: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-I", "-c", _ATTEND, str(SOURCE), script],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True,
    )  # fmt: skip


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_an_interrupt_of_ours_is_remembered_and_the_program_comes_to_its_end(number: int) -> None:
    child = attending("echo ready >&2; sleep 1; echo whole >&2")
    assert child.stderr is not None
    assert child.stderr.readline() == "ready\n"
    os.kill(child.pid, number)
    out, err = child.communicate(timeout=20)
    assert err == "whole\n"
    assert out.rstrip().endswith(f", {int(number)})")
    assert child.returncode == 0


def test_an_interrupt_that_reached_it_alone_is_an_interrupt() -> None:
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        assert proc.attend(Command(("/bin/sh", "-c", f"kill -{int(number)} $$")))[1] == number
    assert proc.attend(Command(("/bin/sh", "-c", "kill -KILL $$"))) == (Completed(-9, "", ""), 0)


def test_it_outlives_us_because_a_killed_package_manager_leaves_its_records_torn(tmp_path: Path) -> None:
    child = attending(f"echo ready >&2; sleep 1; echo to nobody >&2; touch {tmp_path}/whole")
    assert child.stderr is not None
    assert child.stderr.readline() == "ready\n"
    child.kill()
    child.communicate()
    ends = time.monotonic() + 15
    while not (tmp_path / "whole").exists():
        assert time.monotonic() < ends
        time.sleep(0.05)

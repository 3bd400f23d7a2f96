"""SIGKILL in the middle: the old state or the new one, whole; and the same command again succeeds.

The program counts its own file-changing calls (sys.addaudithook, PEP 578: one count over all its threads, before
the call takes place) and kills itself at the n-th. First it runs to the end to learn how many there are.
"""

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from support.index import Index
from support.machine import Machine

POINTS = 20
_CHANGES = {"os.rename", "os.mkdir", "os.symlink", "os.link", "os.remove", "os.rmdir", "os.chmod", "os.truncate"}
_PRELUDE = f"""
import os, sys, signal
_left = int(os.environ.pop("KILL_AT"))
_count = 0
_names = {_CHANGES!r}
def _look(event, arguments):
    global _left, _count
    if event in _names or (event == "open" and isinstance(arguments[2], int) and arguments[2] & 3):
        _count += 1
        if _count == _left:
            os.kill(os.getpid(), signal.SIGKILL)
sys.addaudithook(_look)
import atexit
atexit.register(lambda: sys.stderr.write(f"\\nCOUNT {{_count}}\\n"))
"""


def run(machine: Machine, point: int, *words: str) -> "subprocess.CompletedProcess[str]":
    """Run detente so that it kills itself at file-changing call number `point`; 0 never does."""
    argv = machine.argv(*words)
    argv[4] = _PRELUDE + argv[4]
    argv.insert(1, "-B")  # writing bytecode of our own would change the count
    return subprocess.run(
        argv, env={**machine.environ, "KILL_AT": str(point)}, cwd=machine.home, capture_output=True, text=True
    )


def killed_at(
    fresh: Callable[[], Machine], point: int, *words: str
) -> tuple[Machine, "subprocess.CompletedProcess[str]"]:
    """Kill at `point`; where threads made fewer calls this time, at the last call that such a run makes.

    Nothing is let pass: whoever calls insists on the kill.
    """
    for _ in range(5):
        machine = fresh()
        killed = run(machine, point, *words)
        if killed.returncode != 0:
            break
        point = min(point - 1, int(killed.stderr.rpartition("COUNT ")[2]))
    return machine, killed


def states(machine: Machine) -> tuple[str, ...]:
    """Return what each command on PATH answers: the state as a person sees it."""
    seen = []
    for command in ("demo", "other"):
        if (machine.bin / command).exists():
            answer = machine.call(command)
            assert answer.status == 0, f"{command} is broken: {answer.err}"
            seen.append(answer.out.strip().replace("\n", ", "))
    return tuple(seen)


NONE: tuple[str, ...] = ()
OLD = ("demo 1.0, dep 1.5",)
NEW = ("demo 2.0, dep 1.5",)
BOTH = ("demo 2.0, dep 1.5", "other 1.0, dep 1.0")

CASES: list[tuple[str, list[list[str]], list[str], tuple[str, ...], tuple[str, ...]]] = [
    ("install", [], ["install", "demo", "other"], NONE, BOTH),
    ("change", [["install", "demo==1.0"]], ["install", "demo==2.0"], OLD, NEW),
    ("remove", [["install", "demo", "other"]], ["remove", "demo", "other"], BOTH, NONE),
    ("rollback", [["install", "demo==1.0"], ["install", "demo==2.0"]], ["rollback", "1"], NEW, OLD),
    ("collect", [["install", "demo==1.0"], ["install", "demo==2.0"]], ["collect", "--keep", "1"], NEW, NEW),
]


@pytest.fixture
def prepared(tmp_path: Path, shared_index: Index) -> Callable[[list[list[str]]], Callable[[], Machine]]:
    """A way to bring a machine to a state once and to start each point from a copy of it."""

    def prepare(before: list[list[str]]) -> Callable[[], Machine]:
        home, saved = tmp_path / "home", tmp_path / "saved"
        machine = Machine(home, shared_index)
        for words in before:
            machine.ok(*words)
        shutil.copytree(home, saved, symlinks=True)

        def fresh() -> Machine:
            subprocess.run(["rm", "-rf", "--one-file-system", str(home)], check=True)
            subprocess.run(["cp", "-a", str(saved), str(home)], check=True)
            return Machine(home, shared_index)

        return fresh

    return prepare


@pytest.mark.faults
@pytest.mark.parametrize(("name", "before", "words", "old", "new"), CASES, ids=[case[0] for case in CASES])
def test_a_kill_leaves_old_or_new_and_the_same_command_then_succeeds(
    prepared: Callable[[list[list[str]]], Callable[[], Machine]],
    name: str,
    before: list[list[str]],
    words: list[str],
    old: tuple[str, ...],
    new: tuple[str, ...],
) -> None:
    fresh = prepared(before)
    whole = run(fresh(), 0, *words)
    assert whole.returncode == 0, whole.stderr
    total = int(whole.stderr.rpartition("COUNT ")[2])
    assert total >= POINTS // 2, "too few calls were counted to be all of them"
    points = sorted({max(1, round(total * n / POINTS)) for n in range(1, POINTS + 1)})
    for point in points:
        machine, killed = killed_at(fresh, point, *words)
        assert killed.returncode == -9, f"point {point} of {total} was not reached"
        # Between the switch and the last link outside, commands come and go one by one; each one there works.
        seen = states(machine)
        assert set(seen) <= {*old, *new}, f"killed at {point} of {total}: {seen}"
        again = machine.run(*words)
        assert again.status == 0, f"after a kill at {point} of {total}: {again.err}"
        assert states(machine) == new, f"after a kill at {point} of {total}"
        assert not _leftovers(machine), f"after a kill at {point} of {total}"


def _leftovers(machine: Machine) -> list[str]:
    """Return staged directories that the next command should have swept."""
    return [str(path) for path in machine.data.glob("*/.staging-*")]


@pytest.mark.faults
def test_an_interrupt_ends_within_a_second_with_130(machine: Machine, wares: Path) -> None:
    import signal
    import time

    from support.index import Fault

    with Index(wares) as index:
        machine.environ["PIP_INDEX_URL"] = index.url
        for prefix in ("/simple/", "/files/"):
            index.fault(prefix, Fault(stall=30))
            child = machine.start("install", "demo")
            time.sleep(2.0)
            started = time.monotonic()
            child.send_signal(signal.SIGINT)
            _, err = child.communicate(timeout=20)
            assert time.monotonic() - started < 1.0
            assert child.returncode == 130, err
            assert "interrupted" in err
            assert "Traceback" not in err
            index.mend()
            assert machine.commands() == []

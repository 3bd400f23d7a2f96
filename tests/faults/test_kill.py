"""A sample of the kill sweep (tests/proof/kill.py has all of it): killed, interrupted, refused at file-changing calls.

Old or new, whole; the same command again succeeds; what is said is true.
"""

import random
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from proof.cases import CASES, Case, cases
from proof.cases import wares as fill
from proof.kill import CHAIN, points
from proof.trials import ACTIONS, Bench, Verdict
from support import tracer
from support.index import Fault, Index
from support.machine import Machine

pytestmark = pytest.mark.faults
traced = pytest.mark.skipif(bool(tracer.unsupported()), reason=tracer.unsupported())

_KILL = {"install": 60, "build": 100, "editable": 100, "setup": 2500, "undo": 9, "force": 14}  # the others: each 7th
_RENAMES = ("change", "remove", "rollback", "collect", "force", "return")
_OTHERS = [name for name in ACTIONS if name != "SIGKILL"]
_SPARSE = {"change": 90, "force": 150, "remove": 15, "rollback": 15, "collect": 40, "return": 20}


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    folder = tmp_path_factory.mktemp("kill")
    with Index(fill(folder / "wares")) as index:
        yield Bench(folder, index)


def report(verdicts: list[Verdict]) -> str:
    return "\n".join(str(one) for one in verdicts if one.problems)


@traced
@pytest.mark.parametrize("case", cases(), ids=lambda case: case.name)
def test_a_kill_leaves_old_or_new_and_the_same_command_then_succeeds(bench: Bench, case: Case) -> None:
    calls = bench.calls(case, "SIGKILL")
    chosen = points(calls, _KILL.get(case.name, 7), renames=case.name in _RENAMES)
    assert len(chosen) >= 3
    assert not report([bench.trial(case, "SIGKILL", point) for point in chosen])


@traced
@pytest.mark.parametrize("action", _OTHERS)
def test_what_is_interrupted_or_refused_says_truly_what_is_and_is_made_good_by_the_same_command(
    bench: Bench, action: str
) -> None:
    verdicts = []
    for case in CASES:
        if case.name in _SPARSE:
            verdicts += [bench.trial(case, action, n) for n in points(bench.calls(case, action), _SPARSE[case.name])]
    assert len(verdicts) >= len(_SPARSE)
    assert not report(verdicts)


@traced
@pytest.mark.parametrize(
    "case", [case for case in CASES if case.name in ("change", "collect")], ids=lambda one: one.name
)
def test_kills_during_the_recovery_do_not_add_up(bench: Bench, case: Case) -> None:
    count = len(bench.calls(case, "SIGKILL"))
    chance = random.Random(case.name)
    verdicts = [bench.kills_in_recovery(case, [chance.randint(1, count) for _ in range(CHAIN)]) for _ in range(2)]
    assert not report(verdicts)


_OPENED = [
    ("collect", "/record.json", 4),  # of the current generation, while it is counted what that one needs
    ("change", "/data/share/man/man1", 3),  # of the entry, while it is looked what is shown of it
    ("change", "/store.lock", 1),  # after the switch, for what is left to do
    ("remove", ".local/share/applications", 1),  # after the switch, while links of ours are looked for
    ("return", "/quarantine", 2),  # after the switch, while what was there before is given back
]


@traced
@pytest.mark.parametrize(("name", "where", "last"), _OPENED, ids=[one[0] for one in _OPENED])
def test_what_cannot_be_opened_for_once_is_not_taken_for_something_that_is_not_there(
    bench: Bench, name: str, where: str, last: int
) -> None:
    case = next(case for case in CASES if case.name == name)
    found = [n for n, (_, path) in enumerate(bench.calls(case, "EMFILE"), 1) if where in path]
    assert len(found) >= last
    assert not report([bench.trial(case, "EMFILE", point) for point in found[-last:]])


_INTERRUPT_AFTER_THE_CHANGE = """
import os, signal, sys
def _look(frame, event, _):
    if event == "return" and frame.f_code.co_name == "execute":
        sys.setprofile(None)
        os.kill(os.getpid(), signal.SIGINT)
sys.setprofile(_look)
"""


def test_an_interrupt_that_comes_after_the_change_does_not_say_that_nothing_was_changed(machine: Machine) -> None:
    argv = machine.argv("install", "demo")
    argv[4] = _INTERRUPT_AFTER_THE_CHANGE + argv[4]
    done = subprocess.run(argv, env=machine.environ, cwd=machine.home, capture_output=True, text=True, timeout=60)
    said = "error: interrupted; all is installed, and it starts slower until the same command made its bytecode\n"
    assert (done.returncode, done.stderr) == (130, said)
    assert done.stdout.startswith("installed demo 2.0")
    assert machine.call("demo").status == 0


def test_an_interrupt_ends_within_a_second_with_130(machine: Machine, wares: Path) -> None:
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

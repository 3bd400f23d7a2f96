"""remove, history, rollback, collect: the ways back."""

import os
import time
from pathlib import Path

from support.apt_root import APT, AptRoot
from support.machine import Machine
from support.wheels import make_wheel


def test_remove_takes_commands_and_leaves_the_rest(machine: Machine) -> None:
    machine.ok("install", "demo", "other")
    assert "removed demo 2.0" in machine.ok("remove", "Demo").out
    assert machine.commands() == ["other"]
    assert [row["name"] for row in machine.json("list")] == ["other"]


def test_removing_what_is_gone_already_is_no_error_but_a_wrong_name_is(machine: Machine) -> None:
    machine.ok("install", "demo")
    machine.ok("remove", "demo")
    assert "not installed any more" in machine.ok("remove", "demo").err
    assert "no application is called dmeo" in machine.refused(3, "remove", "dmeo").err


def test_rollback_walks_back_and_a_number_goes_anywhere(machine: Machine) -> None:
    machine.ok("install", "demo==1.0")
    machine.ok("install", "demo==2.0")
    machine.ok("install", "other")
    machine.ok("rollback")
    assert machine.commands() == ["demo", "demo-admin"]
    assert machine.call("demo").out.startswith("demo 2.0")
    machine.ok("rollback")
    assert machine.call("demo").out.startswith("demo 1.0")
    machine.ok("rollback")
    assert machine.commands() == []
    machine.ok("rollback", "3")
    assert machine.commands() == ["demo", "demo-admin", "other"]
    assert "nothing" not in machine.ok("history").out
    machine.refused(3, "rollback", "99")


def test_rollback_says_to_which_generation_it_goes_and_which_one_that_is_now(machine: Machine) -> None:
    machine.ok("install", "demo==1.0")
    machine.ok("install", "demo==2.0")
    assert "would go back to generation 1 (now 3)\n" in machine.ok("rollback", "-n").out
    assert machine.ok("rollback").out.endswith("back to generation 1 (now 3)\n")
    assert "back to the empty beginning (now 4)\n" in machine.ok("rollback").out


def test_rollback_says_that_system_packages_stay_where_there_are_any(machine: Machine, tmp_path: Path) -> None:
    debian = AptRoot(tmp_path / "root") if APT else None
    machine.ok("install", "demo")
    answer = machine.ok("rollback", DETENTE_DISTRO=str(debian.path) if debian else "none")
    assert answer.out.endswith("; system packages stay as they are\n") == bool(debian)


def test_rollback_of_one_application_leaves_the_others(machine: Machine) -> None:
    machine.ok("install", "demo==1.0")
    machine.ok("install", "demo==2.0")
    machine.ok("install", "other")
    machine.ok("rollback", "demo")
    assert machine.call("demo").out.startswith("demo 1.0")
    assert "other" in machine.commands()


def test_rollback_needs_no_network(machine: Machine) -> None:
    machine.ok("install", "demo")
    machine.ok("remove", "demo")
    machine.ok("rollback", PIP_INDEX_URL="http://127.0.0.1:1/simple/")
    assert machine.call("demo").out.startswith("demo 2.0")


def test_rollback_with_nothing_to_go_back_to_says_so(machine: Machine) -> None:
    assert "nothing to go back to" in machine.refused(3, "rollback").err


def test_history_says_who_when_what(machine: Machine) -> None:
    machine.ok("install", "demo==1.0")
    machine.ok("install", "demo")
    newest, oldest = machine.json("history")
    assert newest["changes"] == ["demo 1.0 → 2.0"]
    assert oldest["changes"] == ["+demo 1.0"]
    assert oldest["command"] == ["install", "demo==1.0"]
    assert newest["current"] is True


def test_collect_keeps_what_can_be_gone_back_to_and_says_what_it_freed(machine: Machine) -> None:
    machine.ok("install", "demo==1.0")
    machine.ok("install", "demo==2.0")
    assert "nothing to collect" in machine.ok("collect").out
    would = machine.ok("collect", "--keep", "1", "-n").out
    assert "1 environment" in would
    data = machine.json("collect", "--keep", "1")
    assert data["freed"] > 0
    names = sorted(path.name.split("-")[0] + path.name.split("-")[1] for path in (machine.data / "store").iterdir())
    assert names == ["demo2.0", "dep1.5"]
    assert machine.call("demo").out == "demo 2.0\ndep 1.5\n"
    machine.refused(3, "rollback")
    assert "nothing to collect" in machine.ok("collect", "--keep", "1").out


def test_collect_leaves_what_a_running_program_uses(machine: Machine, tmp_path: Path, wares: Path) -> None:
    import subprocess

    source = (
        "import sys\n\ndef main():\n    print('up', flush=True)\n    sys.stdin.read()\n"
        "    import late_part\n    print(late_part.WORD)\n"
    )
    wheel = make_wheel(
        tmp_path,
        "server",
        "1.0",
        commands={"server": "server:main"},
        files={"server.py": source, "late_part.py": "WORD = 'late'\n"},
    )
    machine.ok("install", str(wheel))
    child = subprocess.Popen(
        [machine.bin / "server"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=machine.environ
    )
    assert child.stdout is not None
    assert child.stdout.readline() == "up\n"
    machine.ok("remove", "server")
    machine.ok("collect", "--keep", "1")
    out, _ = child.communicate("go", timeout=20)
    assert out == "late\n"
    assert machine.json("collect", "--keep", "1")["changed"] is True
    assert list((machine.data / "store").iterdir()) == []


def test_a_generation_that_was_made_but_never_switched_to_is_no_history(machine: Machine) -> None:
    machine.ok("install", "demo==1.0")
    machine.ok("install", "demo==2.0")
    os.unlink(machine.data / "current")
    os.symlink("generations/1", machine.data / "current")  # as a kill just before the switch leaves it
    assert [row["generation"] for row in machine.json("history")] == [1]
    machine.ok("install", "demo==2.0")
    assert machine.call("demo").out.startswith("demo 2.0")
    assert [row["generation"] for row in machine.json("history")] == [3, 1]


def test_removed_everything_leaves_nothing_outside(machine: Machine) -> None:
    machine.ok("install", "demo", "other")
    machine.ok("remove", "demo", "other")
    machine.ok("collect", "--keep", "1")
    assert machine.commands() == []
    assert list((machine.data / "envs").iterdir()) == []


def test_reading_commands_are_quick(machine: Machine) -> None:
    machine.ok("install", "demo")
    best = 9.0
    for _ in range(5):
        started = time.monotonic()
        machine.ok("list")
        best = min(best, time.monotonic() - started)
    assert best < 0.25, "a generous bound for a noisy machine; the bench has the real one"


def test_collect_without_a_current_generation_takes_nothing(machine: Machine) -> None:
    machine.ok("install", "demo")
    (machine.data / "current").unlink()
    answer = machine.run("collect", "--keep", "1")
    assert answer.status == 1
    assert "does not say which is current" in answer.err
    assert list((machine.data / "envs").iterdir()) != []
    (machine.data / "current").symlink_to("generations/1")
    assert machine.call("demo").status == 0

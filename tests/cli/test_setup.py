"""`detente setup`: detente installed by itself, from a checkout, like any application."""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.index import Index
from support.machine import GIT, NO_GIT, SOURCE, Machine

SERVED = os.environ.get("DETENTE_TEST_WHEELS", "")
pytestmark = pytest.mark.skipif(not SERVED, reason="needs the wheels that ./check keeps")


@pytest.fixture
def own(tmp_path: Path, wares: Path) -> Iterator[Machine]:
    """A machine whose index also has what detente itself needs, and no engine but the one that comes with it."""
    folder = tmp_path / "index"
    folder.mkdir()
    for path in (*Path(SERVED).iterdir(), *wares.iterdir()):
        (folder / path.name).symlink_to(path)
    with Index(folder) as index:
        yield Machine(tmp_path / "home", index)


def setup(machine: Machine, *words: str) -> None:
    """Run setup with the engine of the tests; afterwards the machine has only its own."""
    machine.ok("setup", *words)
    machine.environ = {name: value for name, value in machine.environ.items() if name != "DETENTE_UV"}


@pytest.mark.skipif(not GIT, reason=NO_GIT)
def test_it_is_a_command_on_path_that_installs_others(own: Machine) -> None:
    before = subprocess.run(["git", "status", "--short"], cwd=SOURCE.parent, capture_output=True, text=True).stdout
    setup(own)
    assert own.commands() == ["detente"]
    assert own.call("detente", "install", "demo").status == 0
    assert own.call("demo").out == "demo 2.0\ndep 1.5\n"
    assert own.call("detente", "setup").status == 0
    after = subprocess.run(["git", "status", "--short"], cwd=SOURCE.parent, capture_output=True, text=True).stdout
    assert after == before, "the checkout is not written to"


def test_it_survives_the_loss_of_the_interpreter_it_was_first_run_with(own: Machine, tmp_path: Path) -> None:
    real = os.path.realpath("/usr/bin/python3")
    python = tmp_path / "python" / os.path.basename(real)
    python.parent.mkdir()
    python.symlink_to(real)
    setup(own, "--python", str(python))
    own.call("detente", "install", "demo")
    python.unlink()
    assert "demo" in own.call("detente", "list").out
    assert own.call("detente", "install", "other").status == 0
    assert own.call("other").out == "other 1.0\ndep 1.0\n"


def test_undo_takes_the_command_back_and_leaves_applications(own: Machine) -> None:
    setup(own)
    own.call("detente", "install", "demo")
    assert own.call("detente", "setup", "--undo").status == 0
    assert own.commands() == ["demo", "demo-admin"]
    assert own.call("demo").status == 0


def test_the_wheel_has_all_that_an_installed_one_needs(own: Machine) -> None:
    setup(own)
    (entry,) = (own.data / "store").glob("detente-*")
    have = {str(path.relative_to(entry / "lib")) for path in (entry / "lib" / "detente").rglob("*.py")}
    want = {str(path.relative_to(SOURCE)) for path in (SOURCE / "detente").rglob("*.py")}
    assert have == want


def test_going_back_does_not_take_detente_itself_away(own: Machine) -> None:
    setup(own)
    own.call("detente", "install", "demo")
    assert own.call("detente", "rollback", "0").status == 0
    assert own.commands() == ["detente"]
    assert own.call("detente", "rollback", "2").status == 0
    assert own.commands() == ["demo", "demo-admin", "detente"]
    assert own.call("detente", "rollback", "detente").status == 3


def test_another_detente_on_path_is_kept_and_the_way_before_it_is_named(own: Machine, tmp_path: Path) -> None:
    other = tmp_path / "bin/detente"
    other.parent.mkdir()
    other.write_text("#!/bin/sh\n")
    other.chmod(0o755)
    own.environ["PATH"] += f":{other.parent}"
    answer = own.refused(5, "setup")
    assert answer.err.endswith("detente setup --force\n")
    own.ok("setup", "--force")
    assert own.commands() == ["detente"]

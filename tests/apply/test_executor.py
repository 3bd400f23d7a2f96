"""A plan is run only on the state that it was made for."""

from pathlib import Path

import pytest

from detente.apply import executor
from detente.errors import StalePlan
from detente.host.paths import user_paths
from detente.plan import planner
from detente.plan.request import Remove, Rollback
from detente.scan import state
from support.machine import Machine


def test_a_stale_plan_is_refused_and_changes_nothing(machine: Machine) -> None:
    machine.ok("install", "demo", "other")
    paths = user_paths(machine.environ)
    plan = planner.plan(Remove(("demo",)), state.look(paths, machine.environ, ["remove", "demo"]))
    machine.ok("remove", "other")
    before = machine.state()
    with pytest.raises(StalePlan, match="another command changed the profile"):
        executor.execute(plan, paths, lambda: None)
    assert machine.state() == before


def test_planning_again_after_a_change_gives_nothing_to_do(machine: Machine) -> None:
    machine.ok("install", "demo", "other")
    machine.ok("remove", "other")
    paths = user_paths(machine.environ)
    facts = state.look(paths, machine.environ, ["rollback", "2"], past=True)
    assert planner.plan(Rollback(number=2), facts).empty
    plan = planner.plan(Rollback(), facts)
    executor.execute(plan, paths, lambda: None)
    assert machine.commands() == ["demo", "demo-admin", "other"]


def test_exposed_links_that_went_missing_come_back_with_any_change(machine: Machine) -> None:
    machine.ok("install", "demo")
    (machine.bin / "demo").unlink()
    machine.ok("install", "other")
    assert machine.call("demo").status == 0


def test_the_same_install_mends_a_link_that_went_missing(machine: Machine) -> None:
    machine.ok("install", "demo")
    (machine.bin / "demo").unlink()
    machine.ok("install", "demo")
    assert machine.call("demo").status == 0


def test_thirty_two_at_once_are_all_in_the_end(machine: Machine, tmp_path: Path) -> None:
    names = [f"demo=={version}" for version in ("1.0", "2.0")] + ["other", "fancy"]
    children = [machine.start("install", names[n % 4], "--as", f"@{n // 4}") for n in range(32)]
    for child in children:
        _, err = child.communicate(timeout=300)
        assert child.returncode == 0, err
    keys = {row["name"] for row in machine.json("list")}
    assert keys == {f"{name}@{n}" for name in ("demo", "other", "fancy") for n in range(8)}
    assert machine.call("other@7").out == "other 1.0\ndep 1.0\n"

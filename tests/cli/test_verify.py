"""`detente verify`: what is damaged is named, with whom it concerns, and comes back; and it never spreads."""

import json
import os
import random
import time
from pathlib import Path

import pytest

from store.test_elf import binary
from support import tampering
from support.index import Index
from support.machine import Machine, kill_group
from support.wheels import make_wheel

PLANTED = "planted by somebody"


def entry(machine: Machine, name: str) -> Path:
    """Return the one entry in the store whose name begins so."""
    (found,) = (machine.data / "store").glob(f"{name}-*")
    return found


def plant(machine: Machine, name: str = "dep-1.5") -> Path:
    """Edit a module of a dependency, its time and mode put back; return the file."""
    module = entry(machine, name) / f"lib/{name.partition('-')[0]}/__init__.py"
    tampering.edit(module, module.read_bytes() + f"__version__ = '{PLANTED}'\n".encode())
    return module


def wait_for_bytecode(place: Path) -> None:
    """Wait for what may come a moment after the command has ended."""
    for _ in range(80):
        if list((place / "bytecode").glob("*")):
            return
        time.sleep(0.25)
    pytest.fail(f"{place.name} has no bytecode")


def damage(machine: Machine, *words: str) -> list[dict[str, object]]:
    """Return what verify finds; insist that its status says so."""
    answer = machine.run("verify", *words, "--json")
    value = json.loads(answer.out)
    assert answer.status == (1 if value["data"]["findings"] else 0), answer.err
    assert value["ok"] is (answer.status == 0)
    findings: list[dict[str, object]] = value["data"]["findings"]
    return findings


def test_nothing_installed_is_nothing_damaged(machine: Machine) -> None:
    assert "all as it was made: 0 store entries" in machine.ok("verify").out


def test_what_was_just_installed_is_as_it_was_made(machine: Machine) -> None:
    machine.ok("install", "demo", "fancy")
    machine.ok("run", "other")
    machine.ok("remove", "fancy")
    machine.ok("rollback")
    assert "all as it was made" in machine.ok("verify").out
    assert machine.ok("verify", "-q").out == ""


def test_a_finding_names_the_file_and_whose_it_is(machine: Machine) -> None:
    machine.ok("install", "demo", "other")
    plant(machine)
    answer = machine.run("verify")
    assert answer.status == 1
    assert "(of demo)" in answer.out
    assert "lib/dep/__init__.py has" in answer.out
    assert "hint: bring it back: detente verify --repair" in answer.err
    (finding,) = damage(machine)
    assert finding["path"] == "lib/dep/__init__.py"
    assert finding["applications"] == ["demo"]


def test_one_application_can_be_asked_for(machine: Machine) -> None:
    machine.ok("install", "demo", "fancy")
    plant(machine)
    assert len(damage(machine, "demo")) == 1
    assert damage(machine, "fancy") == []
    assert damage(machine, "Fancy") == []
    machine.refused(3, "verify", "nosuch")


def test_looking_changes_nothing(machine: Machine) -> None:
    machine.ok("install", "demo")
    module = plant(machine)
    machine.run("verify")
    answer = machine.run("verify", "--repair", "-n")
    assert answer.status == 1
    assert "would fetch dep-1.5-py3-none-any.whl" in answer.out
    assert PLANTED in module.read_text()


def test_repair_fetches_what_is_damaged_and_puts_it_in_its_place(machine: Machine) -> None:
    machine.ok("install", "demo")
    module = plant(machine)
    with tampering.opened(entry(machine, "dep-1.5")):
        (entry(machine, "dep-1.5") / "lib/evil.py").write_text("import os\n")
    assert "done: fetch dep-1.5-py3-none-any.whl" in machine.ok("verify", "--repair").out
    assert PLANTED not in module.read_text()
    assert damage(machine) == []
    assert machine.call("demo").out.splitlines() == ["demo 2.0", "dep 1.5"]
    kept = [path for path in (machine.home / ".local/state/detente/quarantine").rglob("*") if path.is_file()]
    assert {path.name for path in kept} == {"of", "__init__.py", "evil.py"}


def test_bytecode_and_modes_come_back_without_network(machine: Machine) -> None:
    machine.ok("install", "demo")
    place = entry(machine, "dep-1.5")
    wait_for_bytecode(place)
    assert tampering.edit_mark(place, random.Random(1))
    assert tampering.loosen(entry(machine, "demo"), random.Random(1))
    assert {finding["kind"] for finding in damage(machine)} == {"bytecode", "mode"}
    machine.ok("verify", "--repair", "--offline", PIP_INDEX_URL="http://127.0.0.1:9/")
    assert damage(machine) == []
    assert list(place.rglob("*.pyc"))


def test_without_network_a_wheel_cannot_come_back_and_that_is_said(machine: Machine) -> None:
    machine.ok("install", "demo")
    module = plant(machine)
    answer = machine.run("verify", "--repair", "--offline")
    assert answer.status == 1
    assert "is not in the store, and fetching is off" in answer.err
    assert PLANTED in module.read_text()
    machine.ok("verify", "--repair")
    assert damage(machine) == []


def test_what_was_built_is_built_again_and_keeps_its_name(machine: Machine) -> None:
    machine.ok("install", "fromsource")
    place = entry(machine, "fromsource")
    with tampering.opened(place):
        (place / "lib/fromsource/__init__.py").unlink()
    assert machine.ok("verify", "--repair").out.startswith("done: build fromsource")
    assert entry(machine, "fromsource") == place
    assert damage(machine) == []
    assert machine.call("fromsource").status == 0


@pytest.mark.parametrize("spoil", [tampering.edit_all_lists, tampering.break_record, tampering.delete_folder])
def test_what_is_damaged_is_never_linked_into_a_new_environment(machine: Machine, spoil: tampering.Mutation) -> None:
    machine.ok("install", "fancy")
    machine.ok("install", "demo")
    plant(machine)
    assert spoil(entry(machine, "dep-1.5"), random.Random(3))
    answer = machine.ok("install", "plugin", "--commands-from", "dep", "--with", "dep")
    assert "is damaged" in answer.err or spoil is tampering.break_record
    assert PLANTED not in machine.call("dep-tool").out
    assert damage(machine) == []


def test_run_links_nothing_damaged_either(machine: Machine) -> None:
    machine.ok("install", "demo")
    plant(machine)
    answer = machine.ok("run", "demo==1.0")
    assert answer.out.splitlines() == ["demo 1.0", "dep 1.5"]


def test_without_network_what_is_damaged_is_rather_refused(machine: Machine) -> None:
    machine.ok("install", "demo")
    machine.ok("remove", "demo")
    machine.ok("collect", "--keep", "2")
    machine.ok("run", "demo==1.0")
    plant(machine)
    machine.refused(1, "install", "demo", "--with", "fancy", "--offline")


def test_entries_of_an_older_detente_are_compiled_anew_before_they_are_linked(machine: Machine) -> None:
    """Their marks are empty: nobody can say whether their bytecode is what was compiled."""
    machine.ok("install", "demo")
    place = entry(machine, "dep-1.5")
    wait_for_bytecode(place)
    (mark,) = (place / "bytecode").iterdir()
    tampering.edit(mark, b"")
    (machine.data / "witnesses/store" / place.name).unlink()
    (cache,) = (place / "lib/dep/__pycache__").glob("__init__.*")
    tampering.edit(cache, b"planted")
    machine.ok("install", "plugin", "--with", "dep", "--commands-from", "dep")
    assert machine.call("dep-tool").status == 0
    assert damage(machine) == []
    assert mark.read_bytes()


def test_environments_generations_and_links_come_back(machine: Machine) -> None:
    machine.ok("install", "demo")
    machine.ok("install", "fancy")
    (environment,) = (machine.data / "envs").glob("demo-*")
    tampering.edit(environment / "bin/demo", b"#!/bin/sh\necho evil\n")
    tampering.edit(environment / "pylock.toml", b"")
    tampering.edit(environment / "environment.json", b"{}")
    (machine.data / "generations/2/bin/demo").unlink()
    tampering.edit(machine.data / "generations/1/record.json", b"")
    (machine.bin / "fancy").unlink()
    assert {finding["place"] for finding in damage(machine)} == {"environment", "generation", "outside"}
    machine.ok("verify", "--repair")
    assert damage(machine) == []
    assert machine.call("demo").out.splitlines() == ["demo 2.0", "dep 1.5"]
    assert machine.call("fancy").status == 0
    machine.ok("rollback")


def test_what_shares_its_files_with_environments_comes_back_in_these_too(tmp_path: Path) -> None:
    """A wheel that cannot live behind a link is hard-linked: who edits one of its names edits all."""
    wares = tmp_path / "wares"
    main = "WHO = 'native'\n\n\ndef main():\n    print(WHO)\n"
    files = {"native/__init__.py": main, "native/x.so": binary(["libother.so"], "$ORIGIN/../other")}
    make_wheel(wares, "native", "1.0", files=files, commands={"native": "native:main"})
    with Index(wares) as index:
        machine = Machine(tmp_path / "home", index)
        machine.ok("install", "native")
        (environment,) = (machine.data / "envs").glob("native-*")
        (module,) = environment.rglob("native/__init__.py")
        assert module.stat().st_nlink == 2
        assert damage(machine) == []
        tampering.edit(module, f"WHO = '{PLANTED}'\n".encode() + main.encode().partition(b"\n")[2])
        assert len(damage(machine)) == 1
        machine.ok("verify", "--repair")
        assert damage(machine) == []
        assert machine.call("native").out == "native\n"


def test_another_interpreter_in_an_environment_is_found_and_goes(machine: Machine) -> None:
    machine.ok("install", "demo")
    (environment,) = (machine.data / "envs").glob("demo-*")
    python = os.readlink(environment / "bin/python")
    for target in ("/nonexistent", "/bin/sh"):
        with tampering.opened(environment):
            (environment / "bin/python").unlink()
            (environment / "bin/python").symlink_to(target)
        (finding,) = damage(machine)
        assert finding["path"] == "bin/python"
        machine.ok("verify", "--repair")
        assert os.readlink(environment / "bin/python") == python


def test_the_record_of_the_current_generation_comes_back(machine: Machine) -> None:
    machine.ok("install", "demo")
    record = machine.data / "generations/1/record.json"
    before = record.read_bytes()
    tampering.edit(record, before[:100])
    assert machine.run("list").status == 1
    machine.ok("verify", "--repair")
    assert record.read_bytes() == before


def test_somebody_elses_file_in_our_place_stays_and_is_named(machine: Machine) -> None:
    machine.ok("install", "demo")
    (machine.bin / "demo").unlink()
    (machine.bin / "demo").write_text("#!/bin/sh\necho theirs\n")
    answer = machine.run("verify", "--repair")
    assert answer.status == 1
    assert f"{machine.bin / 'demo'} is somebody else's file now" in answer.out
    assert "theirs" in (machine.bin / "demo").read_text()


def test_an_entry_that_nothing_links_is_taken_away(machine: Machine) -> None:
    machine.ok("install", "demo")
    machine.ok("remove", "demo")
    plant(machine)
    environments = list((machine.data / "envs").iterdir())
    os.system(f"chmod -R u+w {environments[0]}; rm -r {environments[0]} {machine.data}/generations/1")
    machine.ok("verify", "--repair")
    assert not list((machine.data / "store").glob("dep-*"))


def test_nothing_false_is_found_while_others_install_and_remove(machine: Machine) -> None:
    machine.ok("install", "fancy")
    for _ in range(3):
        workers = [machine.start(*words) for words in (("install", "demo"), ("run", "other"))]
        while any(worker.poll() is None for worker in workers):
            assert damage(machine) == []
        for worker in workers:
            worker.communicate()
        worker = machine.start("remove", "demo")
        assert damage(machine) == []
        worker.communicate()
        worker = machine.start("collect", "--keep", "1")
        assert damage(machine) == []
        worker.communicate()


@pytest.mark.faults
def test_a_repair_that_was_killed_is_finished_by_the_same_command(machine: Machine) -> None:
    machine.ok("install", "demo", "fancy")
    started = time.monotonic()
    plant(machine)
    machine.ok("verify", "--repair")
    whole = time.monotonic() - started
    rng = random.Random(9)
    for number in range(8):
        plant(machine)
        (environment,) = (machine.data / "envs").glob("demo-*")
        tampering.edit(environment / "bin/demo", b"#!/bin/sh\necho evil\n")
        tampering.edit(entry(machine, "fancy") / "entry.json", b"{}")
        worker = machine.start("verify", "--repair")
        time.sleep(rng.uniform(0.3, 1.0) * whole)
        kill_group(worker)
        worker.communicate()
        machine.ok("verify", "--repair")
        assert damage(machine) == [], number
        assert machine.call("demo").out.splitlines() == ["demo 2.0", "dep 1.5"]

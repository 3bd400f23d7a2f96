"""The distro's facts put together, and remembered."""

import json
import os
import time
from pathlib import Path

import pytest

from detente.distro.base import UNPROVED
from detente.scan.system import System, system
from support.systems import look, never


def test_what_was_read_is_remembered_until_a_record_changes(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = look(root).installed()
    monkeypatch.setattr("detente.scan.python_packages.python_packages", never)
    assert look(root).installed() == first
    monkeypatch.undo()
    status = root / "var/lib/dpkg/status"
    status.write_text(status.read_text().replace("Version: 1:2.0-1", "Version: 1:2.0-2"))
    assert look(root).installed()["python3-epochal"].version == "1:2.0-2"
    states = root / "var/lib/apt/extended_states"
    states.write_text(states.read_text() + "Package: yamllint\nArchitecture: amd64\nAuto-Installed: 1\n\n")
    assert not look(root).installed()["yamllint"].manual


ODD = b'{"stamp": 1, "data": {"x": ["x", "1", "all", "x", "installed", true, false, 0, {}, [5], []]}}'


@pytest.mark.parametrize("broken", [b"", b"{", b"[]", b'{"stamp": 1, "data": {"x": [1]}}', ODD, b"\xff\xfe", b"null"])
def test_a_broken_memory_is_none(bookworm: Path, broken: bytes) -> None:
    first = look(bookworm).installed()
    (place,) = (bookworm.parent / "cache").rglob("installed.json")
    stamp = json.loads(place.read_text())["stamp"]
    place.write_bytes(broken.replace(b"1,", json.dumps(stamp).encode() + b",", 1))
    assert look(bookworm).installed() == first


def test_words_that_are_no_utf8_are_no_damage(bookworm: Path) -> None:
    """Old packages have descriptions, and paths, in other encodings; dpkg takes them."""
    status = bookworm / "var/lib/dpkg/status"
    status.write_bytes(status.read_bytes().replace(b"It is python3-epochal", b"It is \xe9pochal"))
    listed = bookworm / "var/lib/dpkg/info/hermit.list"
    listed.write_bytes(listed.read_bytes() + b"/usr/bin/\xe9rmite\n")
    first = look(bookworm).installed()
    assert "/usr/bin/\udce9rmite" in first["hermit"].commands
    assert look(bookworm).installed() == first


def test_no_memory_can_be_kept_and_all_works(bookworm: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    assert "yamllint" in look(bookworm, tmp_path / "file/cache").installed()


def test_the_closure_of_a_package_is_what_it_requires_of_python(root: Path) -> None:
    facts = look(root)
    assert facts.closure(["shouter"]) == ["shouter", "python3-shouter"]
    assert {"yamllint", "python3-yaml", "python3-pathspec"} <= set(facts.closure(["yamllint"]))
    assert facts.closure(["nothing"]) == []


def test_the_table_and_what_is_installed_are_put_together(bookworm: Path) -> None:
    known = look(bookworm).known(["pyyaml", "shouter", "epochal", "httpie", "nothing-like-it"])
    assert known["pyyaml"].package == "python3-yaml"
    assert known["pyyaml"].identity == "same"
    assert (known["shouter"].package, known["shouter"].application) == ("python3-shouter", "shouter")
    assert known["shouter"].identity == UNPROVED, "in no table"
    assert known["shouter"].commands == ("shouter.real",)
    assert (known["epochal"].package, known["epochal"].application) == ("python3-epochal", "")
    assert known["httpie"].application == "httpie"
    assert "nothing-like-it" not in known


def test_what_the_table_proves_of_its_own_package_is_not_proved_of_another_with_such_metadata(bookworm: Path) -> None:
    status = bookworm / "var/lib/dpkg/status"
    status.write_text(
        status.read_text() + "Package: acme\nStatus: install ok installed\nArchitecture: all\nVersion: 1\n\n"
    )
    listed = "/usr/lib/python3/dist-packages/httpie-9.0.egg-info\n/usr/bin/http\n"
    (bookworm / "var/lib/dpkg/info/acme.list").write_text(listed)
    known = look(bookworm).known(["httpie"])["httpie"]
    assert (known.package, known.identity) == ("acme", UNPROVED)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can write in another person's home")
def test_root_keeps_nothing_in_the_home_of_another(bookworm: Path, tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    os.chown(home, 1000, 1000)
    facts = system({"DETENTE_DISTRO": str(bookworm)}, str(home / ".cache/detente"))
    assert facts is not None
    assert "yamllint" in facts.installed()
    assert list(home.iterdir()) == []


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")
def test_what_another_person_remembered_is_not_believed(bookworm: Path) -> None:
    first = look(bookworm).installed()
    (place,) = (bookworm.parent / "cache").rglob("installed.json")
    place.write_text(place.read_text().replace('"yamllint"', '"evil"'))
    assert "evil" in look(bookworm).installed()
    os.chown(place, 1000, 1000)
    assert look(bookworm).installed() == first


def test_a_module_is_in_what_is_installed_and_in_what_could_be(bookworm: Path) -> None:
    facts = look(bookworm)
    assert facts.of_module("nodata") == ["python3-nodata"]
    assert facts.of_module("yaml") == ["python3-yaml"]
    assert "python3-gi" in facts.of_module("gi")
    assert facts.of_module("no_such_module") == []


def test_remembered_facts_cost_next_to_nothing(here: System, tmp_path: Path) -> None:
    here.installed()
    start = time.process_time()
    again = system({"DETENTE_DISTRO": "auto", "HOME": str(tmp_path)}, str(tmp_path / "cache"))
    assert again is not None
    again.installed()
    assert time.process_time() - start < 0.05

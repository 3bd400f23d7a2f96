"""A wheel of this machine is checked before the engine sees it, whichever way it is named."""

import os
from pathlib import Path

import pytest

from detente.errors import DiskError, HostileWheel
from detente.scan import given_wheels
from support.crafted import FILENAME, Item
from support.hostile_wheels import whole
from support.machine import Machine

HOSTILE = whole([Item("../evil.py", b"")])


@pytest.mark.parametrize("form", ["{path}", "{path}[extra]", "demo @ file://{path}", "demo[extra] @ file://{path}"])
def test_a_hostile_wheel_is_refused_however_it_is_named(tmp_path: Path, form: str) -> None:
    path = tmp_path / FILENAME
    path.write_bytes(HOSTILE)
    with pytest.raises(HostileWheel, match=r"\.\./evil\.py leaves its directory"):
        given_wheels.check(form.format(path=path), str(tmp_path / "store"))
    path.write_bytes(whole())
    given_wheels.check(form.format(path=path), str(tmp_path / "store"))
    assert os.listdir(tmp_path) == [FILENAME]


def test_a_url_may_hide_characters(tmp_path: Path) -> None:
    folder = tmp_path / "two words"
    folder.mkdir()
    (folder / FILENAME).write_bytes(HOSTILE)
    with pytest.raises(HostileWheel):
        given_wheels.check(f"demo @ file://{tmp_path}/two%20words/{FILENAME}", str(tmp_path))


@pytest.mark.parametrize("name", ["demo.whl", "demo-1.0.tar.gz", "demo-1.0-py3-none-any.whl.zip"])
def test_what_has_no_wheels_name_is_left_to_the_engine(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(HOSTILE)
    given_wheels.check(str(tmp_path / name), str(tmp_path))


@pytest.mark.parametrize("text", ["demo", "demo>=1", "demo @ https://127.0.0.1/demo-1.0-py3-none-any.whl"])
def test_other_requirements_pass(text: str) -> None:
    given_wheels.check(text, "/store")


@pytest.mark.skipif(os.getuid() == 0, reason="root reads everything")
def test_a_wheel_that_cannot_be_read_says_so(tmp_path: Path) -> None:
    path = tmp_path / FILENAME
    path.write_bytes(whole())
    path.chmod(0)
    with pytest.raises(DiskError):
        given_wheels.check(str(path), "/store")


@pytest.mark.parametrize("verb", ["install", "run"])
def test_nothing_of_a_hostile_wheel_reaches_the_engines_cache(machine: Machine, tmp_path: Path, verb: str) -> None:
    path = tmp_path / FILENAME
    path.write_bytes(whole([Item("marker-of-it.py", b"x"), Item("../evil.py", b"")]))
    assert "../evil.py leaves" in machine.refused(1, verb, str(path)).err
    assert "../evil.py leaves" in machine.refused(1, "install", "demo", "--with", str(path)).err
    assert not [found for found in (machine.home / ".cache").rglob("*") if "marker-of-it" in found.name]

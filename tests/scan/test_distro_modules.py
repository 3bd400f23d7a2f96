"""Which system packages a name means, and what comes with them: by dpkg's own records."""

import os
from pathlib import Path

import pytest

from detente.errors import NotFound, Refused
from detente.host.escalate import as_root, seat
from detente.model import DistroModules, Interpreter
from detente.scan.distro_modules import find, lacking, today
from support.debian_root import DebianRoot

PYTHON = Interpreter(
    "/usr/bin/python3.11", "3.11.2", "cpython", "cpython-311", "lib/python3.11/site-packages", "linux-x86_64"
)


@pytest.fixture
def debian(tmp_path: Path) -> DebianRoot:
    """A Debian whose Python is 3.11."""
    return DebianRoot(tmp_path / "debian", "3.11")


def found(debian: DebianRoot, *names: str, interpreter: Interpreter = PYTHON) -> DistroModules:
    """Return what `names` are there."""
    environ = {"DETENTE_DISTRO": str(debian.path), "PATH": os.defpath}
    return find(names, interpreter, environ, str(debian.path.parent / "cache"))


def packages(debian: DebianRoot, *names: str) -> list[str]:
    """Return the system packages that `names` mean, with what they need."""
    return list(found(debian, *names).packages)


def test_the_owner_of_a_module_is_who_has_its_code_not_who_adds_to_it(debian: DebianRoot) -> None:
    debian.install("python3-aaa", {"gi/extra.py": ""})
    debian.install("python3-gi", {"gi/__init__.py": ""})
    assert packages(debian, "gi") == ["python3-gi"]
    assert packages(debian, "gi.repository.Gtk") == ["python3-gi"]
    assert packages(debian, "gi.extra") == ["python3-aaa"]


def test_a_namespace_means_all_its_parts_and_a_part_itself_alone(debian: DebianRoot) -> None:
    debian.install("python3-lazr.uri", {"lazr/uri/__init__.py": ""})
    debian.install("python3-lazr.config", {"lazr/config/__init__.py": ""})
    assert sorted(packages(debian, "lazr")) == ["python3-lazr.config", "python3-lazr.uri"]
    assert packages(debian, "lazr.uri") == ["python3-lazr.uri"]
    assert list(found(debian, "lazr.uri").links) == ["lazr/uri"]


def test_a_part_of_a_namespace_that_is_not_installed_is_not_taken_for_its_neighbours(debian: DebianRoot) -> None:
    debian.install("python3-zope.interface", {"zope/interface/__init__.py": ""})
    with pytest.raises(NotFound, match=r"no Python module zope\.nothing"):
        found(debian, "zope.nothing")


def test_a_name_that_is_a_module_and_a_system_package_means_the_module(debian: DebianRoot) -> None:
    debian.install("apt", {})
    debian.install("python3-apt", {"apt/__init__.py": ""})
    assert packages(debian, "apt") == ["python3-apt"]
    debian.install("six", {"other.py": ""})
    debian.install("python3-six", {"six.py": ""})
    assert packages(debian, "six") == ["python3-six"]


def test_what_is_needed_comes_along_through_what_is_not_python_and_what_is_provided(debian: DebianRoot) -> None:
    debian.install("python3-a", {"a.py": ""}, depends="libb, python3-c (>= 2) | python3-d, python3-virtual, python3")
    debian.install("libb", {}, depends="python3-b")
    debian.install("python3-b", {"b.py": ""}, depends="python3-a")
    debian.install("python3-d", {"d.py": ""})
    debian.install("python3-v", {"v.py": ""}, provides="python3-virtual (= 1)")
    debian.install("python3-not", {"n.py": ""})
    assert sorted(packages(debian, "a")) == ["python3-a", "python3-b", "python3-d", "python3-v"]


@pytest.mark.parametrize(
    "changed",
    [
        {"version": "3.12.1"},
        {"implementation": "pypy"},
        {"path": "/usr/local/bin/python3.11"},
        {"path": "/opt/python/bin/python3.11"},
    ],
)
def test_only_the_distros_own_python_can_have_them(debian: DebianRoot, changed: dict[str, str]) -> None:
    debian.install("python3-a", {"a.py": ""})
    with pytest.raises(Refused, match=r"are for its own Python 3\.11"):
        found(debian, "a", interpreter=PYTHON._replace(**changed))


def test_all_that_is_missing_is_named_at_once(debian: DebianRoot) -> None:
    with pytest.raises(Refused, match=r"yaml is in python3-yaml, .*; dbus is in python3-dbus") as caught:
        found(debian, "yaml", "dbus")
    assert caught.value.hint == as_root("apt install python3-yaml python3-dbus", seat({}))


def test_a_system_package_without_modules_is_told_from_a_module(debian: DebianRoot) -> None:
    debian.install("six-tools", {})
    with pytest.raises(NotFound):
        found(debian, "six-tools")


def test_what_is_wrong_is_said_once_for_each_reason(debian: DebianRoot) -> None:
    environ = {"DETENTE_DISTRO": str(debian.path), "PATH": os.defpath}
    cache = str(debian.path.parent / "cache")
    debian.install("python3-a", {"a.py": "", "p/x.py": ""}, depends="python3-b")
    debian.install("python3-b", {"b.py": ""})
    distro = found(debian, "a")
    assert lacking(distro, environ, cache) == []
    assert today(distro, "cpython-311", environ, cache) == distro
    debian.install("python3-a", {"a2.py": "", "p/y.py": ""}, version="2", depends="python3-b")
    assert lacking(distro, environ, cache) == ["was made for python3-a 1.0-1, and 2 has other files"]
    again = today(distro, "cpython-311", environ, cache)
    assert again.packages == {"python3-a": "2", "python3-b": "1.0-1"}
    assert lacking(again, environ, cache) == []
    debian.remove("python3-b")
    assert lacking(again, environ, cache) == [
        f"needs python3-b, which is not installed any more: {as_root('apt install python3-b', seat({}))}"
    ]
    assert today(again, "cpython-311", environ, cache) == again
    assert lacking(again, {"DETENTE_DISTRO": "none"}, cache) == [
        f"leads to {debian.tree / 'b.py'}, which is gone",
    ]

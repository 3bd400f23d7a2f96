"""Sources of the index that cannot be built here, where the distro has the same built."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from detente.host.escalate import as_root, seat
from support import backend
from support.debian_root import DebianRoot
from support.index import Index
from support.machine import Machine
from support.wheels import make_project, make_sdist, make_wheel

_LOG = "x.c:3:10: fatal error: libpq-fe.h: No such file or directory"
_FAILS = Path(backend.__file__).read_text() + f"\n\ndef build_wheel(*words, **more):\n    raise SystemExit({_LOG!r})\n"
_BUILT = "  Debian 12 has psycopg2 2.9.5 built, in python3-psycopg2\n"
_OWN = "hint: detente install psycopg2 --from distro; else: "


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Index]:
    """An index with sources that fail in the build, or already when they are asked what they need."""
    folder = tmp_path_factory.mktemp("sources")
    make_sdist(folder, "psycopg2", "2.9.10", commands=["psy"], backend_text=_FAILS)
    early = _FAILS.replace("def build_wheel", "def prepare_metadata_for_build_wheel")
    make_sdist(folder, "pygobject", "3.54", backend_text=early, dynamic=True)
    make_sdist(folder, "nosuch", "1.0", commands=["nosuch"], backend_text=_FAILS)
    make_wheel(folder, "app", "1.0", commands=["app"])
    make_wheel(folder, "black", "26.1.0", commands=["black"], requires=["psycopg2"])
    with Index(folder) as made:
        yield made


@pytest.fixture
def debian(tmp_path: Path) -> DebianRoot:
    """A Debian 12 without any Python system package."""
    return DebianRoot(tmp_path / "debian", "3.11")


@pytest.fixture
def here(tmp_path: Path, index: Index, debian: DebianRoot) -> Machine:
    machine = Machine(tmp_path / "home", index)
    machine.environ["DETENTE_DISTRO"] = str(debian.path)
    return machine


def test_the_distros_own_is_named_before_what_the_build_lacks(here: Machine) -> None:
    for verb in ("install", "run"):
        answer = here.refused(1, verb, "psycopg2")
        assert answer.err.index(_BUILT) < answer.err.index("libpq-fe.h") < answer.err.index(_OWN), answer.err


def test_what_requires_it_is_had_from_the_distro_whole(here: Machine) -> None:
    answer = here.refused(1, "install", "black")
    assert "  Debian 12 has black 23.1.0 built\n" in answer.err
    assert "hint: detente install black --from distro; else: " in answer.err


def test_what_was_to_be_added_is_had_as_modules_of_the_distro(here: Machine, debian: DebianRoot) -> None:
    install = as_root("apt install python3-gi", seat({}))
    words = "--with-distro gi in place of --with pygobject; else: "
    answer = here.refused(1, "install", "app", "--with", "pygobject")
    assert "Debian 12 has pygobject 3.42.2 built, in python3-gi\n" in answer.err
    assert f"hint: {install}; then {words}" in answer.err
    debian.install("python3-gi", {"gi/__init__.py": ""}, version="3.42.2-3+b1")
    assert f"hint: {words}" in here.refused(1, "run", "--with", "pygobject", "app").err


def test_nothing_is_said_where_the_distro_lacks_it_or_is_not_looked_at(here: Machine, tmp_path: Path) -> None:
    assert "Debian" not in here.refused(1, "install", "nosuch").err
    assert "Debian" not in here.refused(1, "install", "psycopg2", DETENTE_DISTRO="none").err
    project = make_project(tmp_path / "psycopg2", "psycopg2", "1.0", backend_text=_FAILS)
    assert "Debian" not in here.refused(1, "install", str(project)).err, "a project of the person's own"

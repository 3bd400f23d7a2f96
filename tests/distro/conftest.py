"""Fixtures: throw-away chroots of a distro."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from chroot import SUITES, Chroot, Unavailable, build, remove
from furnished import Furnished, furnish

from support import backend
from support.index import Index
from support.wheels import make_sdist, make_wheel

BOTH = ("pycodestyle", "isort", "yamllint")
"""What the index has as well as Debian, in a version that is Debian's no more."""
_ASKS = """
import importlib, sys

def main():
    for name in sys.argv[1:]:
        try:
            print(name, getattr(importlib.import_module(name), "__file__", None))
        except ImportError:
            print(name, "-")
"""
_NEEDY = """

_real = build_wheel


def build_wheel(wheel_directory, config_settings=None, metadata_directory=None):
    import subprocess

    subprocess.run(["pkg-config", "--exists", "--print-errors", "yaml-0.1"], check=True)
    return _real(wheel_directory)
"""


def _chroots() -> Path:
    cache = os.environ.get("XDG_CACHE_HOME", "")
    base = Path(cache) if cache.startswith("/") else Path("~/.cache").expanduser()
    return base / "detente-check/chroots"


@pytest.fixture(scope="session")
def debian() -> Path:
    """The root file system of a Debian with python3 and ca-certificates beside what every Debian has."""
    try:
        return build(_chroots(), SUITES[0])
    except Unavailable as why:
        pytest.skip(str(why))


@pytest.fixture
def chroot(debian: Path, tmp_path: Path) -> Iterator[Chroot]:
    """A copy of it that a test may change; gone after the test, if it passes or not."""
    scratch = tmp_path / "chroot"
    scratch.mkdir(mode=0o755)
    try:
        yield Chroot(scratch, debian)
    finally:
        remove(scratch)


@pytest.fixture(scope="session", params=SUITES)
def furniture(request: pytest.FixtureRequest) -> tuple[str, tuple[Path, ...]]:
    """A release of Debian, and the layers of one that a person works on: see `furnished.py`."""
    try:
        return request.param, furnish(_chroots(), request.param)
    except Unavailable as why:
        pytest.skip(str(why))


@pytest.fixture(scope="session")
def wares_beside(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the index has: some names that Debian has too, one that is another project there, some of its own."""
    folder = tmp_path_factory.mktemp("wares-beside")
    for name in BOTH:
        make_wheel(folder, name, "99.0", commands=[name])
    make_wheel(folder, "reportbug", "0.0.129", commands=["reportbug"])
    make_wheel(folder, "demo", "1.0", commands=["demo"])
    make_wheel(folder, "asks", "1.0", commands={"asks": "asks:main"}, files={"asks.py": _ASKS})
    text = Path(backend.__file__).read_text(encoding="utf-8") + _NEEDY
    make_sdist(folder, "needy", "1.0", commands=["needy"], backend_text=text)
    return folder


@pytest.fixture(scope="session")
def index_beside(wares_beside: Path) -> Iterator[Index]:
    """An index over them: a chroot has the machine's network."""
    with Index(wares_beside) as index:
        yield index


@pytest.fixture
def there(furniture: tuple[str, tuple[Path, ...]], index_beside: Index, tmp_path: Path) -> Iterator[Furnished]:
    """A Debian that a person works on, which a test may change; gone after the test, if it passes or not."""
    suite, layers = furniture
    scratch = tmp_path / "chroot"
    scratch.mkdir(mode=0o755)
    try:
        made = Furnished(scratch, *layers, suite=suite)
        made.environ["PIP_INDEX_URL"] = index_beside.url
        yield made
    finally:
        remove(scratch)

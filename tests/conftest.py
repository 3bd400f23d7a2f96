"""Fixtures: an index on loopback with a few distributions, and a machine that uses it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from support.index import Index
from support.machine import Machine
from support.wheels import make_sdist, make_wheel


@pytest.fixture(scope="session")
def wares(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory of distributions that many tests install; nobody writes to it."""
    folder = tmp_path_factory.mktemp("wares")
    for version in ("1.0", "2.0", "3.0rc1"):
        make_wheel(folder, "demo", version, commands=["demo", "demo-admin"], requires=["dep>=1"])
    for version in ("1.0", "1.5"):
        make_wheel(folder, "dep", version, commands=["dep-tool"])
    make_wheel(folder, "other", "1.0", commands=["other"], requires=["dep<1.5"])
    make_wheel(folder, "plugin", "0.5", requires=["dep"])
    make_wheel(folder, "extra-needs", "1.0")
    make_wheel(folder, "fancy", "1.0", commands=["fancy"], extras={"more": ["extra-needs"]}, requires=[])
    make_wheel(folder, "library", "1.0")
    make_wheel(folder, "meta", "1.0", requires=["demo"])
    make_wheel(folder, "future", "1.0", commands=["future"], requires_python=">=3.99")
    make_sdist(folder, "fromsource", "1.0", commands=["fromsource"], requires=["dep"])
    return folder


@pytest.fixture(scope="session")
def shared_index(wares: Path) -> Iterator[Index]:
    """The index over `wares`; tests that need faults make one of their own."""
    with Index(wares) as index:
        yield index


@pytest.fixture
def machine(tmp_path: Path, shared_index: Index) -> Machine:
    """A machine with nothing installed."""
    return Machine(tmp_path / "home", shared_index)

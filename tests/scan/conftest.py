"""Fixtures: roots with the records of real systems, and this machine's own facts."""

import os
from pathlib import Path

import pytest

from detente.distro import apt
from detente.scan.system import System, system
from support.systems import NAMES, lay_out


@pytest.fixture(params=NAMES)
def root(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """A root file system with the records of a real one."""
    return lay_out(request.param, tmp_path / "root")


@pytest.fixture
def bookworm(tmp_path: Path) -> Path:
    """The one of Debian 12."""
    return lay_out("bookworm", tmp_path / "root")


@pytest.fixture
def here(tmp_path: Path) -> System:
    """This machine's own facts."""
    found = system({"DETENTE_DISTRO": "auto", "HOME": str(tmp_path)}, str(tmp_path / "cache"))
    if found is None or not os.path.exists(apt.CACHE):
        pytest.skip("needs a distro with apt")
    return found

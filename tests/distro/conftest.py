"""Fixtures: throw-away chroots of a distro."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from chroot import Chroot, Unavailable, build, remove


@pytest.fixture(scope="session")
def debian() -> Path:
    """The root file system of a Debian with python3 and ca-certificates beside what every Debian has."""
    cache = os.environ.get("XDG_CACHE_HOME", "")
    base = Path(cache) if cache.startswith("/") else Path("~/.cache").expanduser()
    try:
        return build(base / "detente-check/chroots")
    except Unavailable as why:
        pytest.skip(str(why))


@pytest.fixture
def chroot(debian: Path, tmp_path: Path) -> Iterator[Chroot]:
    """A copy of it that a test may change; gone after the test, if it passes or not."""
    scratch = tmp_path / "chroot"
    scratch.mkdir(mode=0o755)
    try:
        yield Chroot(debian, scratch)
    finally:
        remove(scratch)

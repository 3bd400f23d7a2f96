"""Many at once: a sample of the trials of tests/proof/parallel.py."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from proof import parallel
from support.index import Index

pytestmark = pytest.mark.faults


@pytest.fixture
def index(tmp_path: Path) -> Iterator[Index]:
    parallel.wares(tmp_path / "wares")
    with Index(tmp_path / "wares") as index:
        yield index


@pytest.mark.skipif(not shutil.which("flock"), reason="needs flock: apt install util-linux")
@pytest.mark.parametrize(("writers", "rounds", "killing"), [(8, 1, False), (8, 6, True), (16, 1, True)])
def test_whoever_survives_ends_well_and_the_state_was_asked_for(
    tmp_path: Path, index: Index, writers: int, rounds: int, killing: bool
) -> None:
    found = list(parallel.storm(tmp_path / "home", index, writers, rounds, killing=killing, seed=writers))
    assert not [words for words, _ in found if words]
    assert sum(counts["done"] for _, counts in found) > 0
    assert (sum(counts["killed"] for _, counts in found) > 0) == killing


@pytest.mark.skipif(not shutil.which("flock"), reason="needs flock: apt install util-linux")
def test_a_lock_file_that_is_lost_or_held_for_long_breaks_nothing(tmp_path: Path, index: Index) -> None:
    found = list(parallel.locks(tmp_path, index))
    assert len(found) == 8
    assert not [words for words in found if words]


def test_what_runs_goes_on_through_change_remove_and_collect(tmp_path: Path, index: Index) -> None:
    assert list(parallel.running(tmp_path, index, 0)) == ["", "", ""]

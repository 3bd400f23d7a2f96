"""A sample of the hostile wheels and names, through the whole command line; `./prove wheels names` runs all of them."""

from pathlib import Path

import pytest

from proof.names import outcome
from proof.wheels import admitted, refusal
from support import hostile_names, hostile_twins
from support.hostile_wheels import Case, cases

WHEELS = cases()
NAMES = list(hostile_names.cases())


def test_the_catalogue_is_as_large_as_is_said() -> None:
    assert len(WHEELS) >= 200
    assert len(NAMES) >= 60
    assert {case.group for case in WHEELS} >= {"archive", "headers", "Zip64", "content", "bomb", "path", "RECORD"}


@pytest.mark.faults
@pytest.mark.parametrize("case", WHEELS[::5], ids=lambda case: case.title)
def test_a_hostile_wheel_is_refused_whole(tmp_path: Path, case: Case) -> None:
    assert refusal(case, tmp_path) == ""


@pytest.mark.faults
@pytest.mark.parametrize("case", [case for case in WHEELS if case.group == "bomb"], ids=lambda case: case.name)
def test_a_bomb_costs_neither_memory_nor_disk(tmp_path: Path, case: Case) -> None:
    assert refusal(case, tmp_path) == ""


@pytest.mark.faults
@pytest.mark.parametrize("case", WHEELS[3::25], ids=lambda case: case.title)
def test_a_hostile_wheel_of_an_index_is_refused_whole(tmp_path: Path, case: Case) -> None:
    assert refusal(case, tmp_path, by_index=True) == ""


@pytest.mark.faults
@pytest.mark.parametrize("name", list(hostile_twins.TWINS)[::6])
def test_the_nearest_sound_wheel_installs_and_runs(tmp_path: Path, name: str) -> None:
    assert admitted(name, tmp_path) == ""


@pytest.mark.faults
@pytest.mark.parametrize("case", NAMES[::4], ids=lambda case: case.title)
def test_names_and_start_up_code_stay_inside(tmp_path: Path, case: hostile_names.Case) -> None:
    assert outcome(case, tmp_path) == ""
